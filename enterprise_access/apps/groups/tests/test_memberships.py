"""What a learner is in groups: what the LMS says, for five minutes; and unknown is never "not a member"."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from openedx_events.enterprise.data import EnterpriseGroup
from openedx_events.enterprise.signals import ENTERPRISE_GROUP_DELETED

from enterprise_access.apps.groups.domain import Membership, membership_of
from enterprise_access.apps.groups.models import GroupMembership
from enterprise_access.apps.groups.services import (
    forget_group,
    forget_learner,
    memberships_of,
    prune_memberships,
)
from enterprise_access.events.handling import Event, handle
from enterprise_access.lib.breaker import breaker_of
from enterprise_access.upstream.lms import groups as lms_groups

ADA = 1001
GROUP = "lms.group_members"


@pytest.fixture
def group(world):
    return world.add_group(customer="acme", name="Budget group").uuid


def of_ada(*groups, **about):
    return memberships_of([ADA], groups=groups, **about)[ADA]


def calls(world):
    return sum(call.endpoint == GROUP for call in world.journal.calls())


@pytest.mark.parametrize(
    ("statuses", "membership"),
    [
        ([], Membership.NOT_A_MEMBER),
        (["accepted"], Membership.ACCEPTED),
        (["email_error"], Membership.PENDING),
        (["removed", "pending"], Membership.PENDING),
        (["removed"], Membership.REMOVED),
        (["new status"], Membership.UNKNOWN),
        (["pending", "new status"], Membership.UNKNOWN),
        (["new status", "accepted"], Membership.ACCEPTED),
    ],
)
def test_rows_about_one_learner_come_to_one_membership(statuses, membership):
    assert membership_of(statuses) is membership


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "membership"),
    [("accepted", Membership.ACCEPTED), ("pending", Membership.PENDING), ("removed", Membership.REMOVED)],
)
def test_the_lms_says_what_a_learner_is(world, group, status, membership):
    world.set_member(group_uuid=group, username="ada", status=status)
    world.set_member(group_uuid=group, username="ben")
    assert of_ada(group) == {group: membership}
    assert GroupMembership.objects.get().membership == membership.value


@pytest.mark.django_db
def test_an_invitation_by_address_counts_in_any_case(world, group):
    world.set_member(group_uuid=group, email=world.user("ada").email.upper(), status="pending")
    assert of_ada(group) == {group: Membership.PENDING}


@pytest.mark.django_db
def test_who_is_not_there_is_no_member_and_neither_of_a_group_that_does_not_exist(world, group):
    world.set_member(group_uuid=group, username="ben")
    unknown = uuid4()
    assert of_ada(group, unknown) == dict.fromkeys((group, unknown), Membership.NOT_A_MEMBER)


@pytest.mark.django_db
def test_somebody_linked_to_no_customer_is_no_member(group, simulator):
    assert memberships_of([987_654], groups=[group]) == {987_654: {group: Membership.NOT_A_MEMBER}}


@pytest.mark.django_db
def test_a_copy_is_believed_for_five_minutes(world, group, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    world.set_member(group_uuid=group, username="ada")
    of_ada(group)
    world.set_member(group_uuid=group, username="ada", status="removed")
    time_machine.move_to(now + timedelta(minutes=5), tick=False)
    assert of_ada(group) == {group: Membership.ACCEPTED}
    assert calls(world) == 1
    time_machine.move_to(now + timedelta(minutes=5, seconds=1), tick=False)
    assert of_ada(group) == {group: Membership.REMOVED}
    assert of_ada(group, max_age=timedelta(0)) == {group: Membership.REMOVED}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 503, "times": None},
        {"kind": "status", "status": 403, "body": "{}"},
        {"kind": "hang"},
        {"kind": "html"},
        {"kind": "missing_keys", "keys": ["status"]},
    ],
    ids=lambda fault: fault["kind"],
)
@pytest.mark.parametrize("endpoint", [GROUP, "lms.learners"])
def test_what_cannot_be_asked_is_unknown_and_not_kept(world, group, simulator, fault, endpoint):
    if endpoint != GROUP and fault["kind"] == "missing_keys":
        fault = fault | {"keys": ["user_id"]}
    world.set_member(group_uuid=group, username="ada")
    simulator.faults.add(endpoint=endpoint, **fault)
    assert of_ada(group) == {group: Membership.UNKNOWN}
    assert not GroupMembership.objects.exists()
    simulator.faults.clear()
    if fault.get("times", 1):
        assert of_ada(group) == {group: Membership.ACCEPTED}


@pytest.mark.django_db
def test_one_group_that_cannot_be_asked_leaves_the_others_known(world, group, simulator):
    other = world.add_group(customer="acme", name="Other").uuid
    for each in (group, other):
        world.set_member(group_uuid=each, username="ada")
    of_ada(other)
    simulator.faults.add("status", GROUP, status=503, times=None)
    assert of_ada(group, other) == {group: Membership.UNKNOWN, other: Membership.ACCEPTED}


@pytest.mark.django_db
def test_many_learners_are_asked_for_together(world, group):
    """One call each would take a slow LMS longer than the round that needs the answers may last."""
    other = world.add_group(customer="acme", name="Other").uuid
    users = [world.add_learner(username=f"member{number}", customer="acme") for number in range(40)]
    for user in users[:20]:
        world.set_member(group_uuid=group, username=user.username)
    world.journal.forget()
    found = memberships_of([user.id for user in users], groups=[group, other])
    assert [found[user.id][group] for user in users] == 20 * [Membership.ACCEPTED] + 20 * [Membership.NOT_A_MEMBER]
    assert {found[user.id][other] for user in users} == {Membership.NOT_A_MEMBER}
    assert len(world.journal.calls()) <= 4


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "{}", "<p>Nothing here</p>"])
def test_a_404_that_is_not_the_lms_own_is_unknown(world, group, simulator, body):
    world.set_member(group_uuid=group, username="ada")
    simulator.faults.add("status", GROUP, status=404, body=body, times=None)
    assert of_ada(group) == {group: Membership.UNKNOWN}


@pytest.mark.django_db
def test_groups_that_fail_leave_the_rest_of_the_lms_open(world, group, simulator, settings):
    simulator.faults.add("status", GROUP, status=503, times=None)
    for _ in range(2 * settings.BREAKER_FAILURES):
        assert of_ada(group) == {group: Membership.UNKNOWN}
    assert breaker_of("lms").is_closed
    assert not breaker_of("lms", part="groups").is_closed


@pytest.mark.django_db
def test_members_are_read_in_pages(world, group):
    for number in range(501):
        world.set_member(group_uuid=group, email=f"m{number}@example.org", status="pending")
    found = lms_groups.from_settings().list_members(group_uuid=group)
    assert (len(found), calls(world)) == (501, 2)


@pytest.mark.django_db
def test_copies_are_deleted_by_group_by_learner_and_by_age(world, group):
    other = world.add_group(customer="acme", name="Other").uuid
    of_ada(group, other)
    memberships_of([1002], groups=[group])
    assert forget_group(group_uuid=other) == 1
    assert forget_learner(lms_user_id=ADA) == {"group membership": 1}
    now = timezone.now()
    assert prune_memberships(now=now + timedelta(hours=23)) == 0
    assert prune_memberships(now=now + timedelta(hours=25)) == 1


@pytest.mark.django_db
def test_a_group_that_was_deleted_is_asked_for_again_and_others_are_not(world, group):
    other = world.add_group(customer="acme", name="Other").uuid
    for each in (group, other):
        world.set_member(group_uuid=each, username="ada")
    of_ada(group, other)
    world.drop("group deleted", world.tables.groups.get(group))
    assert of_ada(group) == {group: Membership.ACCEPTED}
    told = {"enterprise_group": EnterpriseGroup(uuid=group)}
    handle([Event(id=uuid4(), type=ENTERPRISE_GROUP_DELETED.event_type, at=timezone.now(), data=told)])
    before = calls(world)
    assert of_ada(group, other) == {group: Membership.NOT_A_MEMBER, other: Membership.ACCEPTED}
    assert calls(world) == before + 1

"""Reminders of invitations into groups: once per member and day, and only while the invitation is open."""

from datetime import date, timedelta
from io import StringIO

import attrs
import pytest
from celery import current_app
from django.core.management import call_command

from enterprise_access.apps.groups.domain.reminding import due_day, invited_on
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies import tasks
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation
from enterprise_access.apps.subsidy_access_policies.services.reminders import list_groups, remind_group
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.lib import clock

INVITED = date(2026, 11, 3)
MAIL = "new@example.org"


@pytest.mark.parametrize(
    ("days", "day"),
    [(0, None), (4, None), (5, 5), (8, 5), (9, None), (25, 25), (50, 50), (65, 65), (85, 85), (88, 85), (89, None)],
)
def test_a_reminder_is_due_on_its_day_and_three_days_longer(days, day):
    assert due_day(INVITED, today=INVITED + timedelta(days=days)) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Invited: November 3, 2026", INVITED),
        ("Invited: November 33, 2026", None),
        ("Invitado: 3 nov", None),
        ("", None),
    ],
)
def test_the_day_of_an_invitation_is_read_from_what_the_lms_tells(text, day):
    assert invited_on(text) == day


@pytest.fixture
def group(world):
    uuid = world.add_group(customer="acme", name="North").uuid
    make_budget().group_associations.create(group_uuid=uuid)
    return uuid


def invite(world, group, email, *, days, status="pending"):
    world.set_member(group_uuid=group, email=email, status=status)
    row = next(row for row in world.tables.group_members.where(group=group) if row.email == email)
    world.put("member changed", attrs.evolve(row, changed_at=clock.now() - timedelta(days=days)))


def remind():
    for group in list_groups():
        remind_group(group, now=clock.now())


def sent(mailoutbox):
    notifications.send_due()
    return sorted(mail.to[0] for mail in mailoutbox)


@pytest.mark.django_db
def test_who_has_not_accepted_is_reminded_once_a_day_that_is_due(world, group, mailoutbox):
    make_budget(display_name="Of the same group").group_associations.create(group_uuid=group)
    make_budget(display_name="Not active", active=False).group_associations.create(
        group_uuid=world.add_group(customer="acme", name="Of no budget").uuid
    )
    for email, days, status in (
        (MAIL, 5, "pending"),
        ("late@example.org", 28, "email_error"),
        ("early@example.org", 4, "pending"),
        ("in@example.org", 5, "accepted"),
        ("out@example.org", 5, "removed"),
    ):
        invite(world, group, email, days=days, status=status)
    for _ in range(2):
        remind()
        assert sent(mailoutbox) == ["late@example.org", MAIL]
    assert mailoutbox[0].subject == "Reminder: Acme Learning has invited you to learn"
    assert MAIL not in str(Notification.objects.values())
    # Invited again: another invitation.
    invite(world, group, MAIL, days=6)
    remind()
    assert sent(mailoutbox) == ["late@example.org", MAIL, MAIL]


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["accepted", "removed"])
def test_a_reminder_that_was_asked_for_is_not_sent_when_the_member_accepted_or_was_removed(
    world, group, mailoutbox, status
):
    invite(world, group, MAIL, days=5)
    remind()
    invite(world, group, MAIL, days=0, status=status)
    assert sent(mailoutbox) == []
    assert Notification.objects.get().outcome == "not_needed"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 403, "body": "{}"}, {"kind": "missing_keys", "keys": ["status"]}]
)
def test_while_the_lms_does_not_tell_a_reminder_waits(world, group, mailoutbox, simulator, fault):
    invite(world, group, MAIL, days=5)
    remind()
    simulator.faults.add(endpoint="lms.group_members", **fault, times=None)
    assert not remind_group(list_groups()[0], now=clock.now()).is_known
    assert sent(mailoutbox) == []
    assert (Notification.objects.get().outcome, Notification.objects.get().waiting_for) == ("", "upstream_away")
    simulator.faults.clear()
    Notification.objects.update(due_at=clock.now())
    assert sent(mailoutbox) == [MAIL]


@pytest.mark.django_db
def test_no_reminder_is_sent_once_the_budget_is_not_restricted_to_the_group(world, group, mailoutbox):
    invite(world, group, MAIL, days=5)
    remind()
    PolicyGroupAssociation.objects.all().delete()
    assert sent(mailoutbox) == []
    assert Notification.objects.get().outcome == "not_needed"


@pytest.mark.django_db
def test_the_command_says_what_is_due_and_beat_asks_for_it(
    world, group, simulator, monkeypatch, django_capture_on_commit_callbacks
):
    invite(world, group, MAIL, days=5)
    said = StringIO()
    call_command("remind_group_members", "--dry-run", stdout=said)
    assert f"group {group}: 1 reminders due" in said.getvalue()
    assert not Notification.objects.exists()
    monkeypatch.setattr(current_app, "send_task", lambda job, kwargs, **_: current_app.tasks[job](**kwargs))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.remind_groups()
    assert Notification.objects.count() == 1
    simulator.faults.add(endpoint="lms.group_members", kind="status", status=503, times=None)
    with pytest.raises(SystemExit):
        call_command("remind_group_members", stdout=said)

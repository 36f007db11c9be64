"""A page load sees to it that the learner has a license to use: once, with their own token, believed when shown."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.licenses.domain import ProblemCode
from enterprise_access.apps.licenses.models import LicenseClaim
from enterprise_access.apps.licenses.services.claims import take_claim
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERS, HOOLI, HOOLI_AUTO_APPLY
from simulator.values import LicenseStatus

READ = "license_manager.learner_licenses"
ACTIVATE = "license_manager.license_activation"
APPLY = "license_manager.auto_apply"
BEN, NINA = 1002, 5001

pytestmark = pytest.mark.django_db


def calls(world, *endpoints):
    return [call for call in world.journal.calls(service="license_manager") if call.endpoint in endpoints]


def asked(world):
    """Return what license-manager was asked, in order."""
    return [call.endpoint.removeprefix("license_manager.") for call in world.journal.calls(service="license_manager")]


def statuses(ensured):
    return [row.status for row in ensured.licenses.licenses]


# --- Nothing to do ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("username", ["ada", "cyd", "eli", "fay", "gus", "hal", "max"])
def test_where_nothing_is_to_be_done_it_is_one_read_and_no_row(world, load, username, django_assert_num_queries):
    with django_assert_num_queries(0):
        ensured = load(username)
    assert asked(world) == ["learner_licenses"]
    assert not ensured.has_changed
    assert ensured.problems == ()


def test_what_the_caller_has_read_already_is_not_asked_for_again(world, load):
    seen = load("ada").licenses
    world.journal.forget()
    assert load("ada", seen=seen).licenses == seen
    assert asked(world) == []


# --- Activating ------------------------------------------------------------------------------------------------------


def test_an_assigned_license_is_activated_and_seen_to_be(world, load):
    ensured = load("ben")
    assert [row.uuid for row in ensured.activated] == [world.licenses_of("ben")[0].uuid]
    assert statuses(ensured) == ["activated"]
    assert (ensured.has_changed, ensured.problems) == (True, ())
    assert asked(world) == ["learner_licenses", "license_activation", "learner_licenses"]


def test_the_next_page_load_has_nothing_to_do(world, load):
    load("ben")
    world.journal.forget()
    ensured = load("ben")
    assert (ensured.has_changed, statuses(ensured)) == (False, ["activated"])
    assert calls(world, ACTIVATE, APPLY) == []


def test_several_assigned_licenses_are_activated_and_none_is_told_twice(world, load):
    world.add_license(plan_uuid=ACME_LEADERS, username="ben", status=LicenseStatus.ASSIGNED)
    ensured = load("ben")
    assert len(calls(world, ACTIVATE)) == 2
    assert statuses(ensured) == ["activated", "activated"]
    assert len({row.uuid for row in ensured.licenses.licenses}) == 2
    assert {row.plan.uuid for row in ensured.activated} == {ACME_ANNUAL, ACME_LEADERS}


def test_staff_who_are_not_linked_have_their_licenses_activated_too(load):
    assert statuses(load("ben", is_linked=False)) == ["activated"]


# --- Auto-apply ------------------------------------------------------------------------------------------------------


def test_who_has_none_gets_one_where_the_customer_wants_it_so(world, load):
    ensured = load("nina", customer=HOOLI)
    assert [row.plan.uuid for row in ensured.activated] == [HOOLI_AUTO_APPLY]
    assert (ensured.has_changed, ensured.problems) == (True, ())
    assert asked(world) == ["learner_licenses", "auto_apply", "learner_licenses"]


def test_who_is_not_linked_gets_none(world, load):
    ensured = load("nina", customer=HOOLI, is_linked=False)
    assert ensured.licenses.licenses == ()
    assert calls(world, APPLY) == []


def test_an_applied_license_that_is_assigned_only_is_activated(world, load, meanwhile):
    """license-manager answers with the learner's license of that plan, whatever its state."""
    meanwhile("/auto-apply/", before=lambda: world.assign(plan_uuid=HOOLI_AUTO_APPLY, username="nina"))
    ensured = load("nina", customer=HOOLI)
    assert statuses(ensured) == ["activated"]
    assert ensured.problems == ()
    assert len(calls(world, APPLY)) == len(calls(world, ACTIVATE)) == 1


def test_two_learners_who_are_told_the_same_license_both_end_with_one_of_their_own(world, load, clock):
    """license-manager takes no lock: the last one keeps the license, and the first one has to take another."""
    first = load("nina", customer=HOOLI)
    world.quirks.auto_apply_collisions = 1
    omar = load("omar", customer=HOOLI)
    assert [row.uuid for row in omar.activated] == [row.uuid for row in first.activated]
    clock.shift(timedelta(seconds=30))
    nina = load("nina", customer=HOOLI)
    assert len(nina.activated) == 1
    assert nina.activated[0].uuid != omar.activated[0].uuid


def test_a_license_that_somebody_else_got_meanwhile_is_not_believed(world, load, meanwhile):
    """We were told that it is ours; a moment later it is somebody else's. So another one is taken."""

    def steal():
        world.quirks.auto_apply_collisions = 1
        world.auto_apply(username="omar", customer=HOOLI)

    meanwhile("/auto-apply/", after=steal)
    ensured = load("nina", customer=HOOLI)
    mine, others = world.licenses_of("nina"), world.licenses_of("omar")
    assert [row.uuid for row in ensured.activated] == [row.uuid for row in mine]
    assert {row.uuid for row in mine}.isdisjoint(row.uuid for row in others)
    assert len(mine) == len(others) == 1


def test_a_license_that_is_told_and_never_shown_is_not_believed(world, load, meanwhile):
    def steal():
        world.quirks.auto_apply_collisions = 1
        name = f"thief{len(world.tables.users)}"
        world.add_learner(username=name, customer="hooli")
        world.auto_apply(username=name, customer=HOOLI)

    for _ in range(3):
        meanwhile("/auto-apply/", after=steal)
    ensured = load("nina", customer=HOOLI)
    assert ensured.licenses.licenses == ()
    assert ensured.activated == ()
    assert [problem.code for problem in ensured.problems] == [ProblemCode.NOT_CONFIRMED]


# --- With whose token ------------------------------------------------------------------------------------------------


def test_license_manager_hears_the_learner_and_never_our_own_account(world, load):
    load("ben")
    load("nina", customer=HOOLI)
    heard = {call.endpoint: call.caller for call in world.journal.calls(service="license_manager")}
    assert heard[ACTIVATE] == "ben"
    assert heard[APPLY] == "nina"
    assert {call.caller for call in world.journal.calls()} == {"ben", "nina"}
    assert world.licenses_of("enterprise_access_worker") == []


# --- One at a time ---------------------------------------------------------------------------------------------------


def test_a_page_load_in_the_middle_of_another_one_does_not_do_it_twice(world, load, meanwhile):
    others = []
    meanwhile("/license-activation/", before=lambda: others.append(load("ben", budget_seconds=0.5)))
    ensured = load("ben")
    (other,) = others
    assert [problem.code for problem in other.problems] == [ProblemCode.IN_PROGRESS]
    assert (statuses(other), other.has_changed) == (["assigned"], False)
    assert (statuses(ensured), ensured.problems) == (["activated"], ())
    assert len(calls(world, ACTIVATE)) == 1


def test_one_in_the_middle_of_an_auto_apply_does_not_either(world, load, meanwhile):
    meanwhile("/auto-apply/", after=lambda: load("nina", customer=HOOLI, budget_seconds=0.5))
    load("nina", customer=HOOLI)
    assert len(calls(world, APPLY)) == 1
    assert len(world.licenses_of("nina")) == 1


def test_who_read_before_and_comes_after_reads_again_and_does_nothing(world, load, meanwhile):
    """Twenty requests of one page have read the same; the last of them starts when the first one is done."""
    early = []
    meanwhile("/license-activation/", before=lambda: early.append(load("ben", budget_seconds=0.5).licenses))
    load("ben")
    world.journal.forget()
    late = load("ben", seen=early[0])
    assert statuses(late) == ["activated"]
    assert asked(world) == ["learner_licenses"]


def test_the_claim_is_given_back(load):
    load("ben")
    claim = LicenseClaim.objects.get(lms_user_id=BEN)
    assert (claim.token, claim.held_until, claim.problem) == (None, None, "")
    assert claim.ended_at is not None


def test_who_died_in_the_middle_is_waited_for_no_longer_than_a_minute(world, load, clock):
    take_claim(customer_uuid=ACME, lms_user_id=BEN, now=timezone.now())
    clock.shift(timedelta(seconds=59))
    assert [problem.code for problem in load("ben", budget_seconds=0.5).problems] == [ProblemCode.IN_PROGRESS]
    clock.shift(timedelta(seconds=2))
    world.journal.forget()
    ensured = load("ben")
    assert statuses(ensured) == ["activated"]
    # Nothing that was read before is relied upon: the dead one may have got further.
    assert asked(world) == ["learner_licenses", "license_activation", "learner_licenses"]


def test_who_waits_goes_on_once_the_other_one_counts_as_dead(world, load, settings):
    settings.LICENSE_CLAIM_SECONDS = 0.3
    take_claim(customer_uuid=ACME, lms_user_id=BEN, now=timezone.now())
    ensured = load("ben")
    assert (statuses(ensured), ensured.problems) == (["activated"], ())
    assert len(calls(world, ACTIVATE)) == 1


def test_what_the_dead_one_had_done_is_seen_and_not_repeated(world, load, clock):
    seen = load("nina", customer=HOOLI, is_linked=False).licenses
    take_claim(customer_uuid=HOOLI, lms_user_id=NINA, now=timezone.now())
    world.auto_apply(username="nina", customer=HOOLI)
    clock.shift(timedelta(seconds=61))
    ensured = load("nina", customer=HOOLI, seen=seen)
    assert calls(world, APPLY) == []
    assert statuses(ensured) == ["activated"]
    assert ensured.has_changed


def test_learners_do_not_wait_for_each_other(load):
    take_claim(customer_uuid=HOOLI, lms_user_id=NINA, now=timezone.now())
    assert statuses(load("ben")) == ["activated"]


def test_without_a_cache_it_is_done_once_all_the_same(world, load, meanwhile, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    meanwhile("/license-activation/", before=lambda: load("ben", budget_seconds=0.5))
    assert statuses(load("ben")) == ["activated"]
    assert len(calls(world, ACTIVATE)) == 1

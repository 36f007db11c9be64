"""What a page load makes of a license-manager that fails: unknown is never "no", and nothing is repeated blindly."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.licenses.domain import ProblemCode
from enterprise_access.apps.licenses.models import LicenseClaim
from enterprise_access.apps.licenses.services.claims import take_claim
from simulator.seed import ACME_LEADERS, HOOLI, HOOLI_AUTO_APPLY
from simulator.values import LicenseStatus
from tests.tally import Tally

READ = "license_manager.learner_licenses"
ACTIVATE = "license_manager.license_activation"
APPLY = "license_manager.auto_apply"
A_MINUTE = timedelta(seconds=61)

pytestmark = [pytest.mark.django_db, pytest.mark.faults]

FAULTS = [
    ("hang", {}),
    ("unreachable", {}),
    ("status", {"status": 500}),
    ("status", {"status": 403}),
    ("status", {"status": 404}),
    ("status", {"status": 422}),
    ("throttled", {"seconds": 60}),
    ("unauthorized", {}),
]
# The work is done, and the answer is of no use.
HAPPENED = [
    ("delay_after", {"seconds": 60}),
    ("drop", {}),
    ("cut_off", {}),
    ("html", {}),
    ("malformed_json", {}),
    ("missing_keys", {"keys": ["status"]}),
    ("null_keys", {"keys": ["is_current"]}),
]


@pytest.fixture(autouse=True)
def _counted(tally: Tally) -> None:
    tally.of("test-faults").add(faults_of_licenses=1)


def count(world, endpoint):
    return len(world.journal.calls(endpoint=endpoint))


def codes(ensured):
    return [problem.code for problem in ensured.problems]


def statuses(ensured):
    return [row.status for row in ensured.licenses.licenses]


@pytest.mark.parametrize(("kind", "about"), [*FAULTS, *HAPPENED])
def test_licenses_that_cannot_be_read_are_unknown_and_nothing_is_done(world, simulator, load, kind, about):
    simulator.faults.add(kind, READ, times=None, **(about | ({"keys": ["results"]} if "keys" in about else {})))
    ensured = load("nina", customer=HOOLI)
    assert ensured.licenses is None
    assert codes(ensured) == [ProblemCode.LICENSES_UNAVAILABLE]
    assert (count(world, ACTIVATE), count(world, APPLY)) == (0, 0)
    assert not LicenseClaim.objects.exists()


# --- It did not happen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "about"), FAULTS)
def test_an_activation_that_fails_is_told_and_the_license_stays_assigned(simulator, load, kind, about):
    simulator.faults.add(kind, ACTIVATE, times=None, **about)
    ensured = load("ben")
    assert codes(ensured) == [ProblemCode.ACTIVATION_FAILED]
    assert (statuses(ensured), ensured.activated) == (["assigned"], ())


@pytest.mark.parametrize(("kind", "about"), FAULTS)
def test_an_auto_apply_that_fails_is_told_and_there_is_no_license(simulator, load, kind, about):
    simulator.faults.add(kind, APPLY, times=None, **about)
    ensured = load("nina", customer=HOOLI)
    assert codes(ensured) == [ProblemCode.AUTO_APPLY_FAILED]
    assert statuses(ensured) == []


@pytest.mark.parametrize("endpoint", [ACTIVATE, APPLY])
def test_messages_are_texts_that_name_nobody(simulator, load, endpoint):
    simulator.faults.add("status", endpoint, times=None, status=422, body="no license for nina@example.com")
    for ensured in (load("ben"), load("nina", customer=HOOLI)):
        for problem in ensured.problems:
            assert isinstance(problem.developer_message, str)
            assert isinstance(problem.user_message, str)
            assert "@" not in problem.developer_message + problem.user_message


def test_only_what_may_have_happened_is_worth_looking_at_enrollments_again(simulator, load):
    simulator.faults.add("status", ACTIVATE, status=403)
    assert not load("ben").has_changed


def test_what_failed_is_not_tried_by_every_page_load(world, simulator, load):
    simulator.faults.add("status", ACTIVATE, status=500)
    first, second = load("ben"), load("ben")
    assert codes(first) == codes(second) == [ProblemCode.ACTIVATION_FAILED]
    assert count(world, ACTIVATE) == 1


def test_what_failed_is_tried_again_after_a_minute(world, simulator, load, clock):
    simulator.faults.add("status", ACTIVATE, status=500)
    load("ben")
    clock.shift(A_MINUTE)
    assert statuses(load("ben")) == ["activated"]
    assert count(world, ACTIVATE) == 2


def test_where_no_license_is_left_it_is_told(world, load):
    for number in range(10):
        world.add_learner(username=f"earlier{number}", customer="hooli")
        world.auto_apply(username=f"earlier{number}", customer=HOOLI)
    ensured = load("nina", customer=HOOLI)
    assert codes(ensured) == [ProblemCode.AUTO_APPLY_FAILED]
    assert statuses(ensured) == []


def test_a_license_that_was_taken_away_meanwhile_is_no_problem(world, load, meanwhile):
    row = world.licenses_of("ben")[0]
    meanwhile("/license-activation/", before=lambda: world.revoke(license_uuid=row.uuid))
    ensured = load("ben")
    assert (statuses(ensured), codes(ensured)) == (["revoked"], [])


def test_one_of_two_that_fails_does_not_hold_up_the_other(world, simulator, load):
    world.add_license(plan_uuid=ACME_LEADERS, username="ben", status=LicenseStatus.ASSIGNED)
    simulator.faults.add("status", ACTIVATE, status=500)
    ensured = load("ben")
    assert sorted(statuses(ensured)) == ["activated", "assigned"]
    assert len(ensured.activated) == 1
    assert codes(ensured) == [ProblemCode.ACTIVATION_FAILED]


# --- It happened, and was not told -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "about"), HAPPENED)
def test_an_activation_whose_answer_was_lost_is_found_by_reading(world, simulator, load, kind, about):
    simulator.faults.add(kind, ACTIVATE, **about)
    ensured = load("ben")
    assert (statuses(ensured), codes(ensured)) == (["activated"], [])
    assert len(ensured.activated) == 1
    assert count(world, ACTIVATE) == 1


@pytest.mark.parametrize(("kind", "about"), HAPPENED)
def test_an_auto_apply_whose_answer_was_lost_is_found_by_reading(world, simulator, load, kind, about):
    simulator.faults.add(kind, APPLY, **about)
    ensured = load("nina", customer=HOOLI)
    assert (statuses(ensured), codes(ensured)) == (["activated"], [])
    assert (count(world, APPLY), len(world.licenses_of("nina"))) == (1, 1)


def test_a_call_that_is_carried_out_later_is_not_repeated_meanwhile(world, simulator, load, clock):
    """The answer is late, and reading shows nothing yet. The next page loads do not ask for a second license."""
    simulator.faults.add("delay_before", APPLY, seconds=60)
    first, second = load("nina", customer=HOOLI), load("nina", customer=HOOLI)
    assert codes(first) == codes(second) == [ProblemCode.AUTO_APPLY_FAILED]
    assert first.has_changed
    assert simulator.faults.finish_late_work() == 1
    clock.shift(A_MINUTE)
    third = load("nina", customer=HOOLI)
    assert (statuses(third), codes(third)) == (["activated"], [])
    assert (count(world, APPLY), len(world.licenses_of("nina"))) == (1, 1)


# --- It happened, and cannot be seen ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "about"), FAULTS)
def test_what_cannot_be_read_afterwards_is_not_believed_but_acted_upon(world, simulator, load, meanwhile, kind, about):
    meanwhile("/license-activation/", after=lambda: simulator.faults.add(kind, READ, times=None, **about))
    ensured = load("ben")
    assert codes(ensured) == [ProblemCode.NOT_CONFIRMED]
    assert (statuses(ensured), ensured.activated) == (["assigned"], ())
    assert ensured.has_changed
    simulator.faults.clear()


def test_the_next_page_load_shows_it(world, simulator, load, meanwhile):
    meanwhile("/auto-apply/", after=lambda: simulator.faults.add("status", READ, times=None, status=500))
    load("nina", customer=HOOLI)
    simulator.faults.clear()
    ensured = load("nina", customer=HOOLI)
    assert (statuses(ensured), codes(ensured)) == (["activated"], [])
    assert [row.plan.uuid for row in ensured.licenses.licenses] == [HOOLI_AUTO_APPLY]
    assert count(world, APPLY) == 1


def test_a_refusal_that_cannot_be_read_after_is_told_as_the_refusal(simulator, load, meanwhile):
    simulator.faults.add("status", ACTIVATE, status=404)
    meanwhile("/license-activation/", after=lambda: simulator.faults.add("status", READ, times=None, status=500))
    ensured = load("ben")
    assert codes(ensured) == [ProblemCode.ACTIVATION_FAILED]
    assert not ensured.has_changed


# --- Others and the budget -------------------------------------------------------------------------------------------


def test_an_error_of_our_own_gives_the_claim_back(load, meanwhile):
    def fall_over():
        raise ZeroDivisionError

    meanwhile("/license-activation/", before=fall_over)
    with pytest.raises(ZeroDivisionError):
        load("ben")
    claim = LicenseClaim.objects.get()
    assert (claim.token, claim.problem) == (None, ProblemCode.NOT_CONFIRMED)


def test_where_no_time_is_left_nothing_is_begun_and_nothing_held_up(world, load):
    seen = load("nina", customer=HOOLI, is_linked=False).licenses
    for budget_seconds in (0.2, 0, -1):
        ensured = load("nina", customer=HOOLI, seen=seen, budget_seconds=budget_seconds)
        assert codes(ensured) == [ProblemCode.NO_TIME]
    assert count(world, APPLY) == 0
    assert statuses(load("nina", customer=HOOLI)) == ["activated"]


def test_reading_that_fails_after_the_claim_holds_up_nobody(simulator, load, clock):
    """Nothing was sent then, so the next page load may try."""
    seen = load("nina", customer=HOOLI, is_linked=False).licenses
    take_claim(customer_uuid=HOOLI, lms_user_id=5001, now=timezone.now())
    clock.shift(A_MINUTE)
    simulator.faults.add("status", READ, status=500)
    assert codes(load("nina", customer=HOOLI, seen=seen)) == [ProblemCode.LICENSES_UNAVAILABLE]
    assert statuses(load("nina", customer=HOOLI)) == ["activated"]

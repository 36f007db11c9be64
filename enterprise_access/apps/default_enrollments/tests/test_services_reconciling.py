"""Comparing realizations with the platform: what nobody told us is found, a bounded piece at a time."""

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    DAY,
    DEMO,
    DEMO_RUN,
    FRANK,
    MAX,
    PROJECT,
    PROJECT_RUN,
    Realization,
    add_learners,
    asked,
    attempts_of,
    intend,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from enterprise_access.lib.errors import UpstreamError
from simulator.seed import ACME_ANNUAL, GLOBEX

DEE = 1004
PLATFORM = "platform.enrollments"

pytestmark = pytest.mark.django_db


@pytest.fixture
def realized(world, clock):
    """Let ada and max be enrolled by us, a day ago."""
    intend(DEMO)
    visit(ADA, MAX)
    clock.shift(DAY)
    return world


def compare(limit=10):
    """Compare, and return whose realizations were compared now."""
    reconcile(limit=limit)
    return set(Realization.objects.filter(compared_at=timezone.now()).values_list("lms_user_id", flat=True))


def oldest_comparison():
    return (
        Realization.objects.filter(left_at=None).order_by("compared_at").values_list("compared_at", flat=True).first()
    )


def realization(lms_user_id=ADA):
    return realizations_of(lms_user_id)[DEMO_RUN]


def revoke(world, username):
    """Take the learner's license away, as license-manager does: without telling us."""
    license_ = next(row for row in world.licenses_of(username) if row.status == "activated")
    world.revoke(license_uuid=license_.uuid)


def run_task():
    current_app.tasks["default_enrollments.reconcile"].apply(throw=True)


# --- What is found ---------------------------------------------------------------------------------------------------


def test_as_it_was_is_nothing_to_tell(realized):
    assert compare() == {ADA, MAX}
    for row in (realization(ADA), realization(MAX)):
        assert (row.left_at, row.downgraded_at, row.seen_mode) == (None, None, row.predicted_mode)


def test_nobody_is_nothing_to_ask_for(world):
    assert compare() == set()
    assert world.journal.calls() == []
    assert oldest_comparison() is None


def test_who_left_is_found(realized):
    realized.leave(username="ada", run_key=DEMO_RUN)
    assert compare() == {ADA, MAX}
    assert realization().left_at == timezone.now()
    assert realization().left_reason in {"learner_unenrolled", "license_revoked"}
    assert realization(MAX).left_at is None


def test_who_left_an_audit_enrollment_left_of_own_will(world, clock):
    intend(AUDIT_ONLY)
    visit(ADA)
    clock.shift(DAY)
    world.leave(username="ada", run_key=AUDIT_ONLY_RUN)
    assert compare() == {ADA}
    assert realizations_of(ADA)[AUDIT_ONLY_RUN].left_at == timezone.now()


def test_who_left_is_not_compared_again_and_not_owed_a_look(realized, clock):
    realized.leave(username="ada", run_key=DEMO_RUN)
    reconcile(limit=10)
    assert request_of(ADA).due_at is None
    left_at = realization().left_at
    clock.shift(DAY)
    assert compare() == {MAX}
    assert realization().left_at == left_at


def test_who_left_one_course_is_still_compared_in_the_other(realized, clock):
    intend(PROJECT)
    visit(ADA)
    realized.leave(username="ada", run_key=DEMO_RUN)
    reconcile(limit=10)
    clock.shift(DAY)
    realized.leave(username="ada", run_key=PROJECT_RUN)
    assert compare() == {ADA, MAX}
    assert realizations_of(ADA)[PROJECT_RUN].left_at == timezone.now()


def test_who_lost_the_license_is_found_in_audit_and_owed_a_look(realized):
    revoke(realized, "ada")
    assert compare() == {ADA, MAX}
    assert realization().downgraded_at == timezone.now()
    assert (realization().seen_mode, realization().left_at) == ("audit", None)
    assert (request_of(ADA).due_at, request_of(ADA).trigger) == (timezone.now(), Trigger.RECONCILIATION)
    assert request_of(MAX).due_at is None


def test_a_downgrade_is_noted_and_asked_for_once(realized, clock):
    revoke(realized, "ada")
    reconcile(limit=10)
    since, generation = realization().downgraded_at, request_of(ADA).generation
    clock.shift(DAY)
    assert compare() == {ADA, MAX}
    assert (realization().downgraded_at, request_of(ADA).generation) == (since, generation)


def test_with_another_license_the_next_round_upgrades(realized, clock):
    revoke(realized, "ada")
    realized.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    reconcile(limit=10)
    assert work().realized == 1
    assert attempts_of(ADA)[-1] == ("realized", "license_revoked")
    assert realized.enrollment("ada", DEMO_RUN).mode == "verified"
    assert realization().downgraded_at is None
    clock.shift(DAY)
    assert compare() == {ADA, MAX}
    assert realization().downgraded_at is None


def test_without_another_license_the_attempt_says_so(realized):
    revoke(realized, "ada")
    reconcile(limit=10)
    work()
    assert attempts_of(ADA)[-1] == ("blocked", "no_license")
    assert times_sent(realized, ADA, DEMO_RUN) == 1


def test_another_mode_than_expected_is_written_down(realized):
    realized.enroll(username="ada", run_key=DEMO_RUN, mode="professional")
    assert compare() == {ADA, MAX}
    assert (realization().seen_mode, realization().predicted_mode) == ("professional", "verified")
    assert realization().downgraded_at is None


def test_the_mode_of_what_was_left_does_not_matter_any_more(realized, clock):
    intend(PROJECT)
    visit(ADA)
    realized.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    realized.leave(username="ada", run_key=DEMO_RUN)
    assert compare() == {ADA, MAX}
    left = realization()
    assert (left.left_at, left.downgraded_at) == (timezone.now(), None)
    clock.shift(DAY)
    assert compare() == {ADA, MAX}
    assert (realization().left_at, realization().downgraded_at) == (left.left_at, None)


def test_what_cannot_be_seen_is_not_taken_for_leaving(realized):
    realized.drop("enrollment hidden", realized.enrollment("ada", DEMO_RUN))
    assert compare() == {ADA, MAX}
    assert realization().left_at is None


def test_learners_of_several_customers_are_compared(realized, clock):
    intend("TUMx+AUTO1", customer=GLOBEX)
    visit(FRANK, customer=GLOBEX)
    ((run_key, _),) = realizations_of(FRANK).items()
    clock.shift(DAY)
    realized.leave(username="frank", run_key=run_key)
    assert compare() == {ADA, MAX, FRANK}
    assert realizations_of(FRANK)[run_key].left_at == timezone.now()


# --- At a bounded rate, in turn --------------------------------------------------------------------------------------


def test_the_longest_uncompared_are_first_and_no_more_than_the_limit(world, clock):
    intend(DEMO)
    for lms_user_id in (MAX, ADA, DEE):
        visit(lms_user_id)
        clock.shift(DAY)
    in_turn = []
    for _ in range(4):
        in_turn += compare(limit=1)
        clock.shift(DAY)
    assert in_turn == [MAX, ADA, DEE, MAX]


def test_a_hundred_learners_are_one_call(world, clock):
    intend(DEMO)
    ids = add_learners(world, 110, plan_uuid=ACME_ANNUAL)
    visit(*ids[:100])
    visit(*ids[100:])
    clock.shift(DAY)
    world.journal.forget()
    assert compare(limit=200) == set(ids)
    # Of each hundred, the platform is asked once, whatever pages it answers in.
    names = {tuple(call.query["username"]) for call in world.journal.calls(endpoint=PLATFORM)}
    assert len(names) == 2


# --- History ---------------------------------------------------------------------------------------------------------


def test_comparing_without_a_change_moves_only_the_time(realized, clock):
    reconcile(limit=10)
    histories = realization().history.count()
    for _ in range(3):
        clock.shift(DAY)
        reconcile(limit=10)
    assert realization().compared_at == timezone.now()
    assert realization().history.count() == histories


def test_what_was_found_and_how_it_was_before_are_in_the_history(realized, clock):
    revoke(realized, "ada")
    reconcile(limit=10)
    clock.shift(DAY)
    realized.leave(username="ada", run_key=DEMO_RUN)
    reconcile(limit=10)
    told = [(row.downgraded_at is not None, row.left_at is not None) for row in realization().history.all()[:3]]
    assert told == [(True, True), (True, False), (False, False)]


# --- When the LMS does not answer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "about"),
    [("hang", {}), ("unreachable", {}), ("status", {"status": 500}), ("html", {}), ("unauthorized", {})],
)
def test_a_silent_platform_is_an_error_and_nothing_is_lost(realized, simulator, kind, about):
    realized.leave(username="ada", run_key=DEMO_RUN)
    simulator.faults.add(kind, PLATFORM, times=None, **about)
    with pytest.raises(UpstreamError):
        reconcile(limit=10)
    assert realization().left_at is None
    assert oldest_comparison() == timezone.now() - DAY


def test_what_was_not_compared_stays_first_in_line(realized, simulator, meanwhile, clock):
    intend("TUMx+AUTO1", customer=GLOBEX)
    visit(FRANK, customer=GLOBEX)
    clock.shift(DAY)
    silence = lambda: simulator.faults.add("unreachable", PLATFORM, times=None)  # noqa: E731
    meanwhile("/api/enrollment/v1/enrollments", after=silence)
    with pytest.raises(UpstreamError):
        reconcile(limit=10)
    assert realization().compared_at == timezone.now()
    assert Realization.objects.get(lms_user_id=FRANK).compared_at == timezone.now() - DAY
    simulator.faults.clear()
    clock.shift(timedelta(minutes=10))
    assert compare(limit=1) == {FRANK}
    assert Realization.objects.get(lms_user_id=FRANK).compared_at == timezone.now()


def test_a_silent_answer_about_revocations_is_looked_for_without_it(realized, simulator):
    revoke(realized, "ada")
    simulator.faults.add("unreachable", "lms.enterprise_enrollments_for_staff", times=None)
    reconcile(limit=10)
    assert realization().downgraded_at == timezone.now()


def test_the_task_leaves_a_silent_platform_for_the_next_round(realized, simulator, clock):
    realized.leave(username="ada", run_key=DEMO_RUN)
    simulator.faults.add("unreachable", PLATFORM, times=None)
    run_task()
    assert realization().left_at is None
    simulator.faults.clear()
    clock.shift(timedelta(minutes=10))
    run_task()
    assert realization().left_at == timezone.now()


def test_the_task_does_not_hide_errors_of_our_own(realized, meanwhile):
    def break_down():
        raise ZeroDivisionError

    meanwhile("/api/enrollment/v1/enrollments", before=break_down)
    with pytest.raises(ZeroDivisionError):
        run_task()


def test_the_task_compares_no_more_than_the_setting_says(realized, settings):
    settings.RECONCILE_LEARNERS = 1
    asked_before = asked(realized, PLATFORM)
    run_task()
    assert asked(realized, PLATFORM) == asked_before + 1
    assert Realization.objects.filter(compared_at=timezone.now()).count() == 1


def test_a_learner_who_cannot_be_asked_about_holds_up_nobody(realized, clock):
    realized.leave(username="max", run_key=DEMO_RUN)
    # A name as the LMS can have it, and as it cannot be sent in a list of names.
    EnterpriseLearner.objects.filter(lms_user_id=ADA).update(username="Ada, Lovelace")
    assert compare() == {ADA, MAX}
    assert realization(MAX).left_at is not None
    assert realization(ADA).compared_at == timezone.now()

"""Calls whose outcome is not known: read back, never blindly repeated; and workers that die between call and record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    BULK,
    DAY,
    DEMO,
    DEMO_RUN,
    ERIN,
    HOUR,
    LINUX,
    LINUX_RUN,
    LONG_ENOUGH,
    MAX,
    MINUTE,
    STATS,
    STATS_RUN,
    add_learners,
    asked,
    attempts_of,
    bulk_posts,
    intend,
    is_enrolled,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from simulator.seed import ACME_ANNUAL

ENROLL = "/enroll_learners_in_courses/"
LEAVING = {"learner_unenrolled", "license_revoked"}

# What the LMS did, and did not tell.
DONE_IN_SILENCE = [
    ("drop", {}),
    ("cut_off", {}),
    ("delay_after", {"seconds": 60}),
    ("html", {}),
    ("malformed_json", {}),
    ("truncated_json", {}),
    ("missing_keys", {"keys": ["successes"]}),
    ("missing_keys", {"keys": ["user_id"]}),
    ("null_keys", {"keys": ["successes"]}),
    ("null_keys", {"keys": ["course_run_key"]}),
]
# What it did not do, and did not tell either.
NOT_DONE = [
    ("hang", {}),
    ("unreachable", {}),
    ("status", {"status": 502}),
    ("status", {"status": 503}),
    ("status", {"status": 504}),
    ("status", {"status": 201, "body": '{"successes": [], "pending": [], "failures": []}'}),
    ("status", {"status": 201, "body": "{}"}),
    ("status", {"status": 204, "body": ""}),
    ("status", {"status": 302, "body": ""}),
]

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The worker is dead: nothing of ours catches this."""


def die():
    raise Killed


def visit_and_die(*lms_user_ids):
    with pytest.raises(Killed):
        visit(*lms_user_ids)


# --- No answer, and it was done ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "about"), DONE_IN_SILENCE)
def test_what_was_done_without_an_answer_is_found_by_reading_back_and_sent_once(simulator, world, clock, kind, about):
    intend(DEMO)
    simulator.faults.add(kind, BULK, **about)
    summary = visit(ADA)
    assert (summary.realized, summary.in_doubt) == (0, 1)
    assert attempts_of(ADA) == [("in_doubt", "outcome_unknown")]
    assert realizations_of(ADA) == {}
    assert request_of(ADA).waiting_for == "outcome_unknown"
    clock.shift(request_of(ADA).due_at - timezone.now())
    work()
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert [outcome for outcome, _ in attempts_of(ADA)] == ["realized"]
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert request_of(ADA).settled_at is not None


def test_a_realization_found_by_reading_back_says_what_it_was_for(simulator, world):
    intend(DEMO)
    simulator.faults.add("drop", BULK)
    visit(ADA)
    visit(ADA)
    assert attempts_of(ADA) == [("realized", "needs_enrollment")]


def test_a_realization_found_by_reading_back_is_like_any_other(simulator, world):
    intend(DEMO)
    simulator.faults.add("drop", BULK)
    visit(ADA)
    visit(ADA)
    realization = realizations_of(ADA)[DEMO_RUN]
    assert (realization.predicted_mode, realization.seen_mode) == ("verified", "verified")
    assert realization.left_at is None
    assert realization.enterprise_customer_user_id == world.links_of("ada")[0].id


def test_a_call_that_was_carried_out_late_is_found_too(simulator, world, clock):
    intend(DEMO)
    simulator.faults.add("delay_before", BULK, seconds=100)
    visit(ADA)
    visit(ADA)
    assert attempts_of(ADA) == [("in_doubt", "outcome_unknown")]
    simulator.faults.finish_late_work()
    clock.shift(MINUTE)
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert times_sent(world, ADA, DEMO_RUN) == 1


def test_an_upgrade_without_an_answer_is_found_by_reading_back(simulator, world):
    intend(STATS)
    simulator.faults.add("drop", BULK)
    visit(ERIN)
    visit(ERIN)
    assert set(realizations_of(ERIN)) == {STATS_RUN}
    assert times_sent(world, ERIN, STATS_RUN) == 1


def test_everybody_of_a_call_without_an_answer_is_read_back(simulator, world):
    intend(DEMO)
    ids = add_learners(world, 12, plan_uuid=ACME_ANNUAL)
    simulator.faults.add("drop", BULK)
    assert visit(*ids).in_doubt == 12
    visit(*ids)
    assert all(set(realizations_of(lms_user_id)) == {DEMO_RUN} for lms_user_id in ids)
    assert asked(world, BULK) == 1


# --- No answer, and it was not done --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "about"), NOT_DONE)
def test_what_may_have_been_done_is_not_sent_again_before_the_lms_has_given_up(simulator, world, clock, kind, about):
    intend(DEMO)
    simulator.faults.add(kind, BULK, **about)
    assert visit(ADA).in_doubt == 1
    for _ in range(4):
        # 300 s of the LMS, after the 60 s within which the call may have gone out.
        clock.shift(timedelta(seconds=89))
        visit(ADA)
        assert attempts_of(ADA) == [("in_doubt", "outcome_unknown")]
    assert times_sent(world, ADA, DEMO_RUN) == 1
    clock.shift(timedelta(seconds=5))
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 2
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert attempts_of(ADA) == [("blocked", "outcome_unknown"), ("realized", "needs_enrollment")]


def test_the_limit_of_the_lms_is_a_setting(simulator, world, clock, settings):
    settings.LMS_REQUEST_LIMIT_SECONDS = 600
    intend(DEMO)
    simulator.faults.add("hang", BULK)
    visit(ADA)
    clock.shift(timedelta(seconds=659))
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1


def test_it_comes_back_by_itself_and_settles(simulator, world, clock):
    intend(DEMO)
    simulator.faults.add("hang", BULK)
    visit(ADA)
    looks = 0
    while request_of(ADA).settled_at is None:
        clock.shift(request_of(ADA).due_at - timezone.now())
        work()
        looks += 1
    assert looks <= 4
    assert set(realizations_of(ADA)) == {DEMO_RUN}


def test_a_doubt_about_one_course_does_not_hold_up_another(simulator, world):
    intend(DEMO)
    simulator.faults.add("hang", BULK)
    visit(ADA)
    intend(LINUX)
    visit(ADA)
    assert bulk_posts(world)[-1] == [(ADA, LINUX_RUN)]
    assert set(realizations_of(ADA)) == {LINUX_RUN}


def test_a_doubt_about_a_run_holds_up_the_other_intentions_of_its_course(simulator, world):
    intend(DEMO_RUN)
    simulator.faults.add("hang", BULK)
    visit(ADA)
    intend(DEMO, "course-v1:edX+DemoX+2024_T1")
    visit(ADA)
    assert len(bulk_posts(world)) == 1


def test_while_a_doubt_lasts_another_advertised_run_is_not_enrolled_either(simulator, world, clock):
    intend("EPFLx+Scala")
    simulator.faults.add("drop", BULK)
    visit(ADA)
    world.advertise(course_key="EPFLx+Scala", run_key="course-v1:EPFLx+Scala+2026_A")
    clock.shift(HOUR)
    visit(ADA)
    assert len(bulk_posts(world)) == 1
    assert set(realizations_of(ADA)) == {"course-v1:EPFLx+Scala+2026_B"}


def test_a_doubt_of_a_deleted_intention_is_settled_when_others_are_looked_at(simulator, world):
    demo, _ = intend(DEMO, LINUX)
    simulator.faults.add("drop", BULK)
    visit(ADA)
    delete_intention(demo)
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN, LINUX_RUN}


def test_a_doubt_is_settled_although_nothing_is_intended_any_more(simulator, world):
    (demo,) = intend(DEMO)
    simulator.faults.add("drop", BULK)
    visit(ADA)
    delete_intention(demo)
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN}


# --- The learner leaves meanwhile ----------------------------------------------------------------------------------


@pytest.mark.parametrize("course", [DEMO, AUDIT_ONLY])
def test_who_left_before_we_could_see_the_enrollment_is_never_enrolled_again(simulator, world, clock, course):
    ((run),) = [DEMO_RUN if course == DEMO else AUDIT_ONLY_RUN]
    intend(course)
    simulator.faults.add("drop", BULK)
    visit(ADA)
    world.leave(username="ada", run_key=run)
    visit(ADA)
    assert realizations_of(ADA)[run].left_at == timezone.now()
    for _ in range(4):
        clock.shift(3 * DAY)
        visit(ADA)
    assert times_sent(world, ADA, run) == 1
    assert not world.enrollment("ada", run).is_active
    outcome, reason = attempts_of(ADA)[-1]
    assert (outcome, reason in LEAVING) == ("blocked", True)


def test_an_upgrade_that_is_left_meanwhile_is_never_repeated(simulator, world, clock):
    intend(STATS)
    simulator.faults.add("drop", BULK)
    visit(ERIN)
    world.leave(username="erin", run_key=STATS_RUN)
    for _ in range(4):
        clock.shift(LONG_ENOUGH)
        visit(ERIN)
    assert times_sent(world, ERIN, STATS_RUN) == 1
    assert not world.enrollment("erin", STATS_RUN).is_active


def test_who_enrolled_alone_in_audit_meanwhile_counts_as_realized(simulator, world, clock):
    intend(DEMO)
    simulator.faults.add("hang", BULK)
    visit(ADA)
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN}


def test_a_call_that_the_lms_carries_out_after_the_learner_left_is_a_dead_mark_and_nothing_is_undone(
    simulator, world, clock
):
    intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    attempt = RealizationAttempt.objects.get(outcome="realized")
    RealizationAttempt.objects.filter(pk=attempt.pk).update(outcome="in_doubt", reason="outcome_unknown")
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    clock.shift(MINUTE)
    visit(ADA)
    assert request_of(ADA).dead_at is not None
    assert world.enrollment("ada", DEMO_RUN).is_active


# --- A worker dies -------------------------------------------------------------------------------------------------


def test_a_worker_that_died_after_the_call_leaves_a_sending_attempt_that_is_settled_by_reading(world, meanwhile, clock):
    intend(DEMO)
    meanwhile(ENROLL, after=die)
    visit_and_die(ADA)
    assert attempts_of(ADA) == [("sending", "needs_enrollment")]
    assert is_enrolled(world, ["ada"], DEMO_RUN)
    clock.shift(2 * MINUTE)
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert attempts_of(ADA) == [("realized", "needs_enrollment")]
    assert times_sent(world, ADA, DEMO_RUN) == 1


def test_a_worker_that_died_before_the_call_is_made_up_for_when_the_call_is_certainly_over(world, meanwhile, clock):
    intend(DEMO)
    meanwhile(ENROLL, before=die)
    visit_and_die(ADA)
    assert bulk_posts(world) == []
    clock.shift(2 * MINUTE)
    visit(ADA)
    assert bulk_posts(world) == []
    clock.shift(LONG_ENOUGH)
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert set(realizations_of(ADA)) == {DEMO_RUN}


@pytest.mark.parametrize("course", [DEMO, AUDIT_ONLY])
def test_who_leaves_after_a_worker_died_between_call_and_record_is_never_enrolled_again(
    world, meanwhile, clock, course
):
    run = DEMO_RUN if course == DEMO else AUDIT_ONLY_RUN
    intend(course)
    meanwhile(ENROLL, after=die)
    visit_and_die(ADA)
    world.leave(username="ada", run_key=run)
    for _ in range(6):
        clock.shift(DAY)
        visit(ADA)
    assert times_sent(world, ADA, run) == 1
    assert not world.enrollment("ada", run).is_active
    assert realizations_of(ADA)[run].left_at is not None


def test_a_worker_that_died_in_the_second_batch_keeps_the_first(world, meanwhile, settings, clock):
    settings.ENROLL_BATCH = 1
    intend(DEMO)
    meanwhile(ENROLL, times=1)
    meanwhile(ENROLL, after=die)
    visit_and_die(ADA, MAX)
    assert sorted(attempts_of(ADA) + attempts_of(MAX)) == [
        ("realized", "needs_enrollment"),
        ("sending", "needs_enrollment"),
    ]
    clock.shift(2 * MINUTE)
    for _ in range(2):
        work()
    assert len(bulk_posts(world)) == 2
    assert set(realizations_of(ADA)) == set(realizations_of(MAX)) == {DEMO_RUN}


def test_a_learner_who_is_unlinked_while_in_doubt_is_settled_when_linked_again(simulator, world, clock):
    intend(DEMO)
    simulator.faults.add("drop", BULK)
    visit(ADA)
    world.unlink(username="ada", customer="acme")
    clock.shift(HOUR)
    visit(ADA)
    world.link(username="ada", customer="acme")
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert set(realizations_of(ADA)) == {DEMO_RUN}


def test_asking_again_and_again_in_doubt_sends_nothing(simulator, world):
    intend(DEMO)
    simulator.faults.add("hang", BULK)
    for _ in range(10):
        visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert RealizationAttempt.objects.count() == 1


def test_a_bisected_call_leaves_only_the_silent_half_in_doubt(simulator, world, meanwhile, clock):
    intend(DEMO, LINUX)
    world.change_run(run_key=LINUX_RUN, is_in_lms=False)
    # The whole call is answered with a 500, its first half not at all, the second is refused for good.
    meanwhile(ENROLL, after=lambda: simulator.faults.add("drop", BULK))
    visit(ADA)
    assert attempts_of(ADA)[0] == ("in_doubt", "outcome_unknown")
    clock.shift(MINUTE)
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert times_sent(world, ADA, DEMO_RUN) == 2


@pytest.mark.parametrize("turned_away", ["paused", "throttled"])
def test_what_a_crashed_call_may_have_done_is_in_doubt_when_its_halves_are_not_sent(
    simulator, world, meanwhile, clock, turned_away
):
    """The LMS may keep what it did before it crashed; only an answer about the item itself tells."""
    world.quirks.keeps_work_before_crash = True
    intend(AUDIT_ONLY)
    clock.shift(MINUTE)
    intend(LINUX)
    world.change_run(run_key=LINUX_RUN, is_in_lms=False)

    def turn_away():
        if turned_away == "paused":
            EnterpriseCustomer.objects.update(realization_paused=True)
        else:
            simulator.faults.add("throttled", BULK, times=None, seconds=30)

    meanwhile(ENROLL, after=turn_away)
    visit(ADA)
    assert is_enrolled(world, ["ada"], AUDIT_ONLY_RUN)
    world.leave(username="ada", run_key=AUDIT_ONLY_RUN)
    simulator.faults.clear()
    EnterpriseCustomer.objects.update(realization_paused=False)
    for _ in range(5):
        clock.shift(HOUR)
        visit(ADA)
    assert not world.enrollment("ada", AUDIT_ONLY_RUN).is_active
    assert realizations_of(ADA)[AUDIT_ONLY_RUN].left_at is not None

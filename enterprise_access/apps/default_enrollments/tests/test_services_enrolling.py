"""The bulk call and what comes back: partial success, poisoned calls, refusals. What happened is always recorded."""

from itertools import pairwise

import pytest
from django.utils import timezone
from waffle.testutils import override_switch

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.requests.work_items import PAUSE_SWITCH, claim
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BULK,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    LINUX,
    LINUX_RUN,
    MAX,
    MINUTE,
    PROJECT,
    PROJECT_RUN,
    add_learners,
    ask_for,
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
from simulator.seed import ACME, ACME_ANNUAL

KIM = 1016
LICENSES = "/admin-license-view/"
ENROLL = "/enroll_learners_in_courses/"

pytestmark = pytest.mark.django_db


def statuses(world):
    return [call.status for call in world.journal.calls(endpoint=BULK)]


def attempts_by_run(lms_user_id):
    rows = RealizationAttempt.objects.filter(lms_user_id=lms_user_id).order_by("pk")
    return {row.course_run_key: (row.outcome, row.reason) for row in rows}


# --- How much goes into one call -----------------------------------------------------------------------------------


def test_twenty_items_go_into_one_call(world):
    intend(DEMO)
    ids = add_learners(world, 45, plan_uuid=ACME_ANNUAL)
    assert visit(*ids).realized == 45
    assert [len(items) for items in bulk_posts(world)] == [20, 20, 5]
    assert statuses(world) == [201, 201, 201]


def test_the_learners_of_a_round_are_limited(world):
    intend(DEMO)
    ids = add_learners(world, 5, plan_uuid=ACME_ANNUAL)
    ask_for(*ids)
    assert [work(limit=2).learners for _ in range(4)] == [2, 2, 1, 0]
    assert is_enrolled(world, [f"learner{number:03}" for number in range(5)], DEMO_RUN)


# --- Partial success -----------------------------------------------------------------------------------------------


def test_of_a_partial_success_the_successes_are_recorded_and_the_failures_are_refused(world):
    intend(DEMO, LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    summary = visit(ADA)
    assert statuses(world) == [409]
    assert (summary.realized, summary.blocked) == (1, 1)
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert attempts_by_run(ADA) == {
        DEMO_RUN: ("realized", "needs_enrollment"),
        LINUX_RUN: ("blocked", "refused_by_lms"),
    }


def test_what_was_refused_is_not_sent_again_before_an_hour_however_often_the_learner_comes(world, clock):
    intend(LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    visit(ADA)
    for _ in range(5):
        clock.shift(11 * MINUTE)
        visit(ADA)
    assert times_sent(world, ADA, LINUX_RUN) == 1
    assert request_of(ADA).waiting_for == "refused_by_lms"


def test_the_pauses_after_refusals_grow_to_a_week(world, clock):
    intend(LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    ask_for(ADA)
    while times_sent(world, ADA, LINUX_RUN) < 11:
        work()
        clock.shift(request_of(ADA).due_at - timezone.now())
    sent_at = [call.at for call in world.journal.calls(endpoint=BULK)]
    pauses = [later - earlier for earlier, later in pairwise(sent_at)]
    for number, pause in enumerate(pauses):
        assert min(HOUR * 2**number, 7 * DAY) <= pause <= min(HOUR * 2 ** (number + 1), 7 * DAY)


def test_what_was_refused_once_is_realized_when_the_run_has_room_again(world, clock):
    intend(LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    visit(ADA)
    world.change_run(run_key=LINUX_RUN, is_full=False)
    clock.shift(request_of(ADA).due_at - timezone.now())
    assert work().realized == 1


def test_another_run_is_sent_at_once_after_a_refusal(world, clock):
    intend(LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    visit(ADA)
    newer = "course-v1:LinuxFoundationX+LFS101x+2027_T1"
    world.add_run(key=newer)
    clock.shift(DAY)
    visit(ADA)
    assert set(realizations_of(ADA)) == {newer}


def test_a_second_license_on_one_run_answers_409_and_is_realized_all_the_same(world):
    intend(DEMO)
    world.add_license(plan_uuid=ACME_ANNUAL, username="kim")
    summary = visit(KIM)
    assert statuses(world) == [409]
    assert (summary.realized, summary.blocked) == (1, 0)
    assert world.enrollment("kim", DEMO_RUN).mode == "verified"
    assert [outcome for outcome, _ in attempts_of(KIM)] == ["realized"]
    visit(KIM)
    assert times_sent(world, KIM, DEMO_RUN) == 1


def test_failures_that_cannot_be_read_back_are_in_doubt(simulator, world, meanwhile):
    intend(DEMO, LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    meanwhile(ENROLL, after=lambda: simulator.faults.add("hang", "platform.enrollments"))
    summary = visit(ADA)
    assert (summary.realized, summary.in_doubt) == (1, 1)
    assert attempts_by_run(ADA)[LINUX_RUN] == ("in_doubt", "outcome_unknown")


# --- A call that is poisoned ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("keeps_work", [False, True])
@pytest.mark.parametrize("others", [0, 1, 2, 11, 19])
def test_a_run_that_the_lms_does_not_know_is_singled_out_and_the_rest_is_enrolled(world, others, keeps_work):
    world.quirks.keeps_work_before_crash = keeps_work
    intend(DEMO, LINUX)
    ids = add_learners(world, others, plan_uuid=ACME_ANNUAL)
    for number in range(others):
        world.enroll(username=f"learner{number:03}", run_key=LINUX_RUN, mode="verified")
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    world.change_run(run_key=LINUX_RUN, is_in_lms=False)
    summary = visit(*ids, ADA)
    assert (summary.realized, summary.blocked, summary.in_doubt) == (others, 1, 0)
    assert attempts_by_run(ADA)[LINUX_RUN] == ("blocked", "refused_by_lms")
    assert is_enrolled(world, [f"learner{number:03}" for number in range(others)], DEMO_RUN)
    assert asked(world, BULK) <= 11


def test_after_a_poisoned_call_the_learner_comes_back_for_the_culprit_alone(world, clock):
    intend(DEMO, LINUX)
    world.change_run(run_key=LINUX_RUN, is_in_lms=False)
    visit(ADA)
    world.change_run(run_key=LINUX_RUN, is_in_lms=True)
    clock.shift(2 * HOUR)
    visit(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN, LINUX_RUN}
    assert bulk_posts(world)[-1] == [(ADA, LINUX_RUN)]


# --- A call that was not carried out -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("status", {"status": 403, "body": '{"detail": "Missing: enterprise.can_enroll_learners"}'}),
        ("status", {"status": 404, "body": '{"detail": "No EnterpriseCustomer matches the given query."}'}),
        ("throttled", {"seconds": 30}),
        ("unauthorized", {}),
    ],
)
def test_a_call_that_was_turned_away_is_sent_again_after_a_pause(simulator, world, clock, kind, about):
    intend(DEMO)
    simulator.faults.add(kind, BULK, times=None, **about)
    summary = visit(ADA)
    assert (summary.realized, summary.in_doubt) == (0, 0)
    assert attempts_of(ADA) == [("blocked", "lms_unavailable")]
    request = request_of(ADA)
    assert request.waiting_for == "lms_unavailable"
    assert MINUTE <= request.due_at - timezone.now() <= 2 * MINUTE
    simulator.faults.clear()
    clock.shift(2 * MINUTE)
    assert work().realized == 1


def test_a_token_that_was_refused_once_is_renewed_and_the_call_repeated(simulator, world):
    intend(DEMO)
    simulator.faults.add("unauthorized", BULK, times=1)
    assert visit(ADA).realized == 1
    assert statuses(world) == [401, 201]


# --- What changes between deciding and sending ---------------------------------------------------------------------


def test_an_intention_that_is_deleted_before_the_call_is_not_sent(world, meanwhile, clock):
    (intention,) = intend(DEMO)
    meanwhile(LICENSES, after=lambda: delete_intention(intention))
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == []
    clock.shift(HOUR)
    work()
    assert request_of(ADA).settled_at is not None


def test_of_two_intentions_the_one_that_stays_is_sent(world, meanwhile):
    _, linux = intend(DEMO, LINUX)
    meanwhile(LICENSES, after=lambda: delete_intention(linux))
    visit(ADA)
    assert bulk_posts(world) == [[(ADA, DEMO_RUN)]]


@pytest.mark.parametrize("change", [{"realization_paused": True}, {"is_active": False}])
def test_a_customer_who_is_paused_or_switched_off_before_the_call_is_not_sent(world, meanwhile, change):
    intend(DEMO)
    meanwhile(LICENSES, after=lambda: EnterpriseCustomer.objects.filter(pk=ACME).update(**change))
    visit(ADA)
    assert bulk_posts(world) == []
    assert request_of(ADA).due_at is not None


def test_a_pause_holds_back_the_calls_that_are_still_to_come(world, meanwhile, settings, clock):
    settings.ENROLL_BATCH = 1
    intend(DEMO)
    meanwhile(ENROLL, after=lambda: pause(paused=True))
    summary = visit(ADA, MAX)
    assert (summary.realized, summary.blocked) == (1, 1)
    assert asked(world, BULK) == 1
    pause(paused=False)
    clock.shift(2 * MINUTE)
    assert work().realized == 1
    assert is_enrolled(world, ["ada", "max"], DEMO_RUN)


def pause(*, paused: bool) -> None:
    EnterpriseCustomer.objects.filter(pk=ACME).update(realization_paused=paused)


def test_the_halves_of_a_poisoned_call_are_held_back_by_a_pause_too(world, meanwhile):
    intend(DEMO, LINUX)
    world.change_run(run_key=LINUX_RUN, is_in_lms=False)
    meanwhile(ENROLL, after=lambda: pause(paused=True))
    visit(ADA)
    assert asked(world, BULK) == 1
    assert set(attempts_of(ADA)) == {("in_doubt", "outcome_unknown")}


def test_a_global_pause_is_seen_at_the_claim(world):
    intend(DEMO)
    with override_switch(PAUSE_SWITCH, active=True):
        assert visit(ADA).learners == 0
    assert work().realized == 1


def test_facts_older_than_a_minute_are_read_again_before_anybody_is_enrolled(world, meanwhile, clock):
    intend(DEMO)
    meanwhile(LICENSES, after=lambda: clock.shift(61), times=100)
    assert visit(ADA).realized == 1
    assert asked(world, "platform.enrollments") == 2


def test_who_left_since_the_facts_were_read_is_not_enrolled(world, meanwhile, clock):
    intend(DEMO)

    def hurry():
        world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
        world.leave(username="ada", run_key=DEMO_RUN)
        clock.shift(61)

    meanwhile(LICENSES, after=hurry)
    assert visit(ADA).realized == 0
    assert bulk_posts(world) == []


@pytest.mark.parametrize("seconds", [8, 13])
def test_a_slow_neighbour_does_not_keep_everybody_waiting_for_ever(world, meanwhile, clock, seconds):
    intend(DEMO)
    ids = add_learners(world, 5, plan_uuid=ACME_ANNUAL)
    meanwhile("/license-manager/", after=lambda: clock.shift(seconds), times=10_000)
    ask_for(*ids)
    for _ in range(3):
        work()
        clock.shift(HOUR)
    assert is_enrolled(world, [f"learner{number:03}" for number in range(5)], DEMO_RUN)


# --- The lease -----------------------------------------------------------------------------------------------------


def test_a_success_is_recorded_although_the_lease_was_lost(world, meanwhile, clock):
    intend(DEMO)
    others = []

    def be_overtaken():
        clock.shift(121)
        keeper = claim(customer_uuid=ACME, limit=10, now=timezone.now())
        others.append((keeper, keeper.__enter__()))

    meanwhile(ENROLL, after=be_overtaken)
    assert visit(ADA).realized == 1
    ((keeper, lease),) = others
    assert set(realizations_of(ADA)) == {DEMO_RUN}
    assert request_of(ADA).lease_token == lease.token
    assert request_of(ADA).settled_at is None
    keeper.__exit__(None, None, None)
    assert work().learners == 1
    assert times_sent(world, ADA, DEMO_RUN) == 1


def test_who_lost_the_lease_before_the_call_sends_nothing(world, meanwhile, clock):
    intend(DEMO)

    def be_overtaken():
        RealizationRequest.objects.update(lease_token=None, leased_until=None, leased_lms_user_id=None)

    meanwhile(LICENSES, after=be_overtaken)
    visit(ADA)
    assert bulk_posts(world) == []


def test_the_attempt_is_written_before_the_call_leaves_the_house(world, meanwhile):
    intend(DEMO, PROJECT)
    seen = []
    meanwhile(ENROLL, before=lambda: seen.extend(attempts_by_run(ADA).items()))
    visit(ADA)
    assert dict(seen) == {
        DEMO_RUN: ("sending", "needs_enrollment"),
        PROJECT_RUN: ("sending", "needs_enrollment"),
    }


def test_an_error_of_ours_is_not_lost_and_not_repeated_at_once(world, meanwhile, clock):
    intend(DEMO)

    def break_down():
        raise ZeroDivisionError

    meanwhile(LICENSES, before=break_down)
    visit(ADA)
    assert request_of(ADA).waiting_for == "unexpected_error"
    assert work().learners == 0
    clock.shift(2 * MINUTE)
    assert work().realized == 1

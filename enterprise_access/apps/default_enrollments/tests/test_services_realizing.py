"""When each learner is looked at again, by the table of the rules; and what one round says of itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.realizing.engine import Summary
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DAVE,
    DAY,
    DEMO,
    DEMO_RUN,
    HAL,
    HOUR,
    LEA,
    LINUX,
    LINUX_RUN,
    MAX,
    MINUTE,
    PROJECT,
    ask_for,
    attempts_of,
    bulk_posts,
    intend,
    is_enrolled,
    realizations_of,
    request_of,
    visit,
    work,
)
from simulator.seed import ACME_ANNUAL

OPENS_LATER = "DelftX+WATER1"
OPENS_LATER_RUN = "course-v1:DelftX+WATER1+2026"
ELI = 1005

pytestmark = pytest.mark.django_db


def is_settled(lms_user_id):
    request = request_of(lms_user_id)
    return request.due_at is None and request.settled_at is not None


# --- Nothing left to do --------------------------------------------------------------------------------------------


def test_who_has_everything_is_settled(world):
    intend(DEMO)
    visit(ADA)
    assert is_settled(ADA)
    assert (request_of(ADA).waiting_for, request_of(ADA).failures) == ("", 0)


def test_a_trigger_of_newer_code_keeps_nobody_waiting(world):
    intend(DEMO)
    visit(ADA)
    RealizationRequest.objects.update(trigger="comet", due_at=timezone.now())
    intend(LINUX)
    work()
    assert is_settled(ADA)
    assert set(realizations_of(ADA)) == {DEMO_RUN, LINUX_RUN}


@pytest.mark.parametrize(
    "key",
    [
        "MITx+6.00.1x",
        "NewX+FRESH1",
        "EdinburghX+SUST1",
        "KyotoX+CHEM1",
        "BerkeleyX+CS188.1x",
        "RiceX+ELEC301",
        "ANUx+ASTRO1",
        "ColumbiaX+BUS5",
        "PurdueX+MIX1",
        "MichiganX+PY101",
        "GetSmarter+AIB",
    ],
)
def test_what_only_a_change_of_the_content_or_the_learner_can_help_has_no_due_time(world, key):
    intend(key)
    visit(ADA)
    assert is_settled(ADA)


def test_who_left_has_no_due_time(world):
    intend(DEMO)
    visit(DAVE)
    assert is_settled(DAVE)


def test_a_content_reason_is_looked_at_again_at_the_next_login(world, clock):
    intend("MITx+6.00.1x")
    visit(ADA)
    world.change_run(run_key="course-v1:MITx+6.00.1x+1T2034", status="published", is_marketable=True)
    world.advertise(course_key="MITx+6.00.1x", run_key="course-v1:MITx+6.00.1x+1T2034")
    clock.shift(HOUR)
    assert visit(ADA).realized == 1


# --- At a known instant --------------------------------------------------------------------------------------------


def test_who_is_too_early_is_looked_at_when_enrollment_opens(world, clock):
    intend(OPENS_LATER)
    visit(ADA)
    opens_at = world.run(OPENS_LATER_RUN).enrollment_start
    assert (request_of(ADA).due_at, request_of(ADA).waiting_for) == (opens_at, "enrollment_not_open")
    clock.move_to(opens_at)
    assert work().realized == 1


# --- Daily, for thirty days after the last login -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("learner", "reason"),
    [(HAL, "no_license"), (BEN, "license_not_activated"), (ELI, "license_plan_not_current")],
)
def test_who_lacks_a_license_is_looked_at_daily(world, clock, learner, reason):
    intend(DEMO)
    visit(learner)
    assert request_of(learner).due_at - timezone.now() == DAY
    assert request_of(learner).waiting_for == reason


def test_who_lacks_a_license_for_this_catalog_is_looked_at_daily(world, clock):
    intend(LINUX)
    visit(LEA)
    assert request_of(LEA).due_at - timezone.now() == DAY


def test_a_license_that_arrives_is_found_within_a_day(world, clock):
    intend(DEMO)
    visit(HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    clock.shift(DAY)
    assert work().realized == 1


def test_after_thirty_days_without_a_login_the_daily_looks_end(world, clock):
    intend(DEMO)
    visit(HAL)
    EnterpriseLearner.objects.update(last_login_at=timezone.now() - timedelta(days=27, hours=1))
    looks = 0
    while request_of(HAL).due_at is not None:
        clock.shift(request_of(HAL).due_at - timezone.now())
        work()
        looks += 1
    assert looks == 2
    assert request_of(HAL).settled_at is not None


def test_a_look_by_itself_is_no_login(world, clock):
    intend(DEMO)
    visit(HAL)
    seen_at = timezone.now()
    clock.shift(DAY)
    work()
    assert EnterpriseLearner.objects.get(lms_user_id=HAL).last_login_at == seen_at


def test_another_login_begins_another_thirty_days(world, clock):
    intend(DEMO)
    visit(HAL)
    clock.shift(40 * DAY)
    work()
    visit(HAL)
    assert request_of(HAL).due_at - timezone.now() == DAY


@pytest.mark.parametrize("trigger", [Trigger.BACKFILL, Trigger.SWEEP])
def test_who_was_never_here_is_not_looked_at_daily(world, trigger):
    intend(DEMO)
    ask_for(HAL, trigger=trigger)
    work()
    assert is_settled(HAL)


def test_a_visit_while_the_lms_is_silent_counts_as_a_visit_when_it_answers(simulator, world, clock):
    intend(DEMO)
    simulator.faults.add("hang", "lms.learners")
    visit(HAL)
    clock.shift(request_of(HAL).due_at - timezone.now())
    work()
    assert request_of(HAL).waiting_for == "no_license"
    assert request_of(HAL).due_at - timezone.now() == DAY


# --- Several things at once ----------------------------------------------------------------------------------------


def test_of_several_next_looks_the_earliest_counts(world, clock):
    intend(OPENS_LATER, DEMO, "MITx+6.00.1x")
    visit(HAL)
    assert (request_of(HAL).due_at - timezone.now(), request_of(HAL).waiting_for) == (DAY, "no_license")


def test_what_waits_for_itself_does_not_hold_up_what_can_be_done(world):
    intend(OPENS_LATER, DEMO)
    assert visit(ADA).realized == 1
    assert request_of(ADA).waiting_for == "enrollment_not_open"


def test_who_waits_for_a_silent_neighbour_counts_failures_only_while_it_is_silent(simulator, world, clock):
    intend(OPENS_LATER, DEMO)
    simulator.faults.add("hang", "license_manager.*", times=2)
    visit(ADA)
    visit(ADA)
    assert request_of(ADA).failures == 2
    visit(ADA)
    assert (request_of(ADA).failures, request_of(ADA).waiting_for) == (0, "enrollment_not_open")


def test_asking_again_brings_the_next_look_forward(world, clock):
    intend(DEMO)
    visit(HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    clock.shift(MINUTE)
    assert visit(HAL).realized == 1


def test_who_is_asked_for_while_being_looked_at_is_looked_at_once_more(world, meanwhile, clock):
    intend(DEMO)
    meanwhile("/admin-license-view/", after=lambda: ask_for(HAL))
    visit(HAL)
    assert request_of(HAL).due_at == timezone.now()
    assert work().learners == 1
    assert request_of(HAL).due_at == timezone.now() + DAY


def test_an_intention_that_comes_later_is_served_at_the_next_visit(world):
    intend(DEMO)
    visit(ADA)
    intend(PROJECT)
    assert visit(ADA).realized == 1
    assert len(realizations_of(ADA)) == 2


# --- What a round says of itself -----------------------------------------------------------------------------------


def test_a_round_counts_learners_and_items(world):
    intend(DEMO, LINUX)
    world.change_run(run_key="course-v1:LinuxFoundationX+LFS101x+2026_T1", is_full=True)
    summary = visit(ADA, MAX, HAL)
    assert summary == Summary(learners=3, realized=2, blocked=4, in_doubt=0)


def test_a_round_without_anybody_due_is_empty(world):
    intend(DEMO)
    assert work() == Summary()


def test_what_a_round_logs_names_nobody(world, caplog):
    intend(DEMO)
    caplog.clear()
    visit(ADA)
    assert "realized=1" in caplog.text
    assert not [word for word in ("ada@", "ada ", str(ADA)) if word in caplog.text]


def test_learners_of_a_round_do_not_hold_up_each_other(world):
    intend(DEMO)
    world.unlink(username="max", customer="acme")
    visit(HAL, ADA, MAX, DAVE, BEN)
    assert is_enrolled(world, ["ada"], DEMO_RUN)
    assert bulk_posts(world) == [[(ADA, DEMO_RUN)]]
    reasons = [attempts_of(learner)[0][1] for learner in (HAL, MAX, BEN)]
    assert reasons == ["no_license", "learner_not_linked", "license_not_activated"]


def test_a_week_of_daily_visits_enrolls_once(world, clock):
    intend(DEMO, PROJECT)
    for _ in range(7):
        visit(ADA)
        clock.shift(DAY)
    assert len(bulk_posts(world)) == 1
    assert attempts_of(ADA) == [("realized", "needs_enrollment")] * 2
    assert timezone.now() - realizations_of(ADA)[DEMO_RUN].realized_at == timedelta(days=7)

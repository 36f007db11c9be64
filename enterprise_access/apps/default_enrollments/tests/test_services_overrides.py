"""Leave of staff: the only way past a learner's leaving, for one learner and one intention, once."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from enterprise_access.apps.default_enrollments.errors import OverrideExists, ReasonMissing
from enterprise_access.apps.default_enrollments.models import RealizationOverride, Trigger
from enterprise_access.apps.default_enrollments.services.overrides import grant_override
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    DAVE,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    MAX,
    MINUTE,
    PROJECT,
    PROJECT_RUN,
    attempts_of,
    intend,
    is_enrolled,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from simulator.seed import ACME_ANNUAL

LEAVING = {"learner_unenrolled", "license_revoked"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def intention(world, clock):
    """Intend the demo course for acme."""
    (made,) = intend(DEMO)
    return made


@pytest.fixture
def left(world, clock, intention):
    """Let ada be enrolled by us and leave."""
    visit(ADA)
    clock.shift(DAY)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    clock.shift(DAY)
    return intention


def grant(intention, lms_user_id=ADA, reason="The learner called and asked for it."):
    return grant_override(
        intention=intention, lms_user_id=lms_user_id, by="amy_admin", reason=reason, now=timezone.now()
    )


def realization(lms_user_id=ADA, run_key=DEMO_RUN):
    return realizations_of(lms_user_id)[run_key]


def is_blocked_by_leaving(lms_user_id):
    outcome, reason = attempts_of(lms_user_id)[-1]
    return outcome == "blocked" and reason in LEAVING


# --- Granting --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_there_has_to_be_a_reason(left, reason):
    with pytest.raises(ReasonMissing):
        grant(left, reason=reason)
    assert not RealizationOverride.objects.exists()
    assert request_of(ADA).due_at is None


def test_who_gave_it_and_why_is_kept_and_the_learner_is_looked_at_at_once(left):
    override = grant(left, reason="  Left by mistake. ")
    override.refresh_from_db()
    assert (override.by, override.reason, override.used_at) == ("amy_admin", "Left by mistake.", None)
    assert (request_of(ADA).due_at, request_of(ADA).trigger) == (timezone.now(), Trigger.STAFF)


def test_there_is_one_unused_at_most(left, clock):
    first = grant(left)
    generation = request_of(ADA).generation
    clock.shift(HOUR)
    with pytest.raises(OverrideExists):
        grant(left)
    assert list(RealizationOverride.objects.all()) == [first]
    assert request_of(ADA).generation == generation


def test_the_database_itself_keeps_a_second_one_out(left):
    first = grant(left)
    twin = RealizationOverride(
        intention=left, lms_user_id=ADA, by="somebody", reason="At the same moment.", unused_for=first.unused_for
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save()


def test_other_learners_and_other_intentions_may_have_their_own(left, world):
    (other,) = intend(PROJECT)
    visit(ADA, MAX)
    world.leave(username="ada", run_key=PROJECT_RUN)
    world.leave(username="max", run_key=DEMO_RUN)
    grant(left)
    grant(left, MAX)
    grant(other)
    assert RealizationOverride.objects.count() == 3


def test_after_it_was_used_there_may_be_another(left, clock, world):
    grant(left)
    work()
    clock.shift(DAY)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    clock.shift(DAY)
    grant(left)
    work()
    assert times_sent(world, ADA, DEMO_RUN) == 3
    assert RealizationOverride.objects.exclude(used_at=None).count() == 2


# --- Getting past ----------------------------------------------------------------------------------------------------


def test_it_gets_past_the_leaving_of_what_we_realized(left, world):
    visit(ADA)
    assert is_blocked_by_leaving(ADA)
    grant(left)
    assert work().realized == 1
    assert is_enrolled(world, ["ada"], DEMO_RUN)
    assert attempts_of(ADA)[-1] == ("realized", "needs_enrollment")


def test_it_gets_past_the_leaving_of_a_paid_enrollment_of_somebody_else(intention, world):
    visit(DAVE)
    assert is_blocked_by_leaving(DAVE)
    assert times_sent(world, DAVE, DEMO_RUN) == 0
    grant(intention, DAVE)
    assert work().realized == 1
    assert is_enrolled(world, ["dave"], DEMO_RUN)


def test_it_gets_past_the_leaving_of_an_audit_only_run(world, clock):
    (intention,) = intend(AUDIT_ONLY)
    visit(ADA)
    clock.shift(DAY)
    world.leave(username="ada", run_key=AUDIT_ONLY_RUN)
    visit(ADA)
    clock.shift(DAY)
    grant(intention)
    assert work().realized == 1
    assert is_enrolled(world, ["ada"], AUDIT_ONLY_RUN)
    assert realization(run_key=AUDIT_ONLY_RUN).left_at is None
    clock.shift(DAY)
    visit(ADA)
    assert times_sent(world, ADA, AUDIT_ONLY_RUN) == 2


def test_without_it_nothing_does(left, world, clock):
    world.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    for _ in range(3):
        clock.shift(DAY)
        visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1


def test_that_of_another_learner_does_not_count(left, world):
    visit(MAX)
    world.leave(username="max", run_key=DEMO_RUN)
    grant(left, MAX)
    visit(ADA, MAX)
    assert is_blocked_by_leaving(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1


def test_that_of_another_intention_does_not_count(left, world, clock):
    (other,) = intend(PROJECT)
    visit(ADA)
    world.leave(username="ada", run_key=PROJECT_RUN)
    grant(other)
    work()
    assert times_sent(world, ADA, PROJECT_RUN) == 2
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert realization().left_at is not None


def test_that_of_another_intention_for_the_same_course_does_not_count(left, world, clock):
    """Only the intention that it was given for gets past, whatever the other one names."""
    (of_the_run,) = intend(DEMO_RUN)
    grant(left)
    work()
    assert times_sent(world, ADA, DEMO_RUN) == 2
    assert set(RealizationOverride.objects.values_list("intention", flat=True)) == {left.pk}
    assert not of_the_run.realizations.exists()


def test_it_does_not_get_past_what_else_is_in_the_way(left, world):
    world.revoke(license_uuid=next(row for row in world.licenses_of("ada") if row.status == "activated").uuid)
    grant(left)
    work()
    assert attempts_of(ADA)[-1] == ("blocked", "no_license")
    assert RealizationOverride.objects.get().used_at is None


# --- Once ------------------------------------------------------------------------------------------------------------


def test_success_uses_it_up(left):
    override = grant(left)
    work()
    override.refresh_from_db()
    assert (override.used_at, override.unused_for) == (timezone.now(), None)


def test_it_is_used_exactly_once_and_a_second_leaving_is_respected_again(left, world, clock):
    override = grant(left)
    work()
    used_at = timezone.now()
    for _ in range(3):
        clock.shift(DAY)
        visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 2
    world.leave(username="ada", run_key=DEMO_RUN)
    for _ in range(3):
        clock.shift(DAY)
        visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 2
    assert is_blocked_by_leaving(ADA)
    override.refresh_from_db()
    assert override.used_at == used_at


def test_it_waits_while_the_lms_does_not_answer(left, simulator, world, clock):
    override = grant(left)
    simulator.faults.add("unreachable", "lms.learners", times=None)
    work()
    override.refresh_from_db()
    assert override.used_at is None
    simulator.faults.clear()
    clock.shift(HOUR)
    assert work().realized == 1
    override.refresh_from_db()
    assert override.used_at == timezone.now()


def test_a_lost_answer_uses_it_once_all_the_same(left, simulator, world, clock):
    override = grant(left)
    simulator.faults.add("drop", "lms.enroll_learners", times=1)
    work()
    clock.shift(10 * MINUTE)
    visit(ADA)
    override.refresh_from_db()
    assert override.used_at is not None
    assert times_sent(world, ADA, DEMO_RUN) == 2
    assert realization().left_at is None


# --- What is forgotten, and what is kept -----------------------------------------------------------------------------


def test_that_the_learner_had_left_is_forgotten_and_kept_in_the_history(left):
    left_at = realization().left_at
    grant(left)
    work()
    assert (realization().left_at, realization().left_reason) == (None, "")
    assert left_at in {row.left_at for row in realization().history.all()}


def test_it_is_forgotten_for_every_intention_of_the_course(left, world, clock):
    """Otherwise the leaving that another intention remembers would stand in the way for ever."""
    world.add_run(key="course-v1:edX+DemoX+2027_T1")
    grant(left)
    work()
    clock.shift(DAY)
    (of_the_old_run,) = intend(DEMO_RUN)
    world.leave(username="ada", run_key="course-v1:edX+DemoX+2027_T1")
    visit(ADA)
    clock.shift(DAY)
    grant(of_the_old_run)
    assert work().realized == 1
    assert [row.left_at for row in realizations_of(ADA).values()] == [None, None]


def test_the_leaving_of_other_courses_and_learners_is_not_forgotten(left, world, clock):
    intend(PROJECT)
    visit(ADA, MAX)
    clock.shift(DAY)
    world.leave(username="ada", run_key="course-v1:AdelaideX+Project101x+2026_T1")
    world.leave(username="max", run_key=DEMO_RUN)
    visit(ADA, MAX)
    clock.shift(DAY)
    grant(left)
    work()
    assert realization().left_at is None
    assert realization(run_key="course-v1:AdelaideX+Project101x+2026_T1").left_at is not None
    assert realization(MAX).left_at is not None

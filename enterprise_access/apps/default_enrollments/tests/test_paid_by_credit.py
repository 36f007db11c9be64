"""Learner credit pays for default enrollments after licenses: once, never against the learner, within the money."""

from datetime import timedelta

import pytest
import time_machine

from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt
from enterprise_access.apps.default_enrollments.services.realizing.engine import work_on_requests
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, DEMO_RUN, intend, realizations_of, visit
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.tests.ledgers import PRICE, charged, is_enrolled, make_policy
from enterprise_access.lib import clock

pytestmark = pytest.mark.django_db
# Linked to Acme, without a license.
NAME, LEARNER = "hal", 1008


@pytest.fixture
def policy(world):
    intend(DEMO)
    return make_policy(pays_for_default_enrollments=True)


def work_through(minutes: int = 5) -> None:
    """Let the workers of both queues do what is due, for some minutes."""
    for minute in range(minutes):
        with time_machine.travel(clock.now() + timedelta(minutes=minute), tick=False):
            work_on_attempts()
            work_on_requests(limit=10)


def last(lms_user_id: int) -> RealizationAttempt:
    return RealizationAttempt.objects.filter(lms_user_id=lms_user_id).latest("pk")


def test_credit_pays_where_no_license_does_and_the_realization_says_nothing_of_it(world, policy):
    visit(LEARNER)
    attempt = RedemptionAttempt.objects.get()
    assert (attempt.trigger, attempt.policy_id, attempt.content_key) == (
        RedemptionTrigger.DEFAULT_ENROLLMENT,
        policy.pk,
        DEMO_RUN,
    )
    assert not is_enrolled(world, NAME)
    work_through()
    assert is_enrolled(world, NAME)
    assert [row.course_run_key for row in realizations_of(LEARNER).values()] == [DEMO_RUN]
    assert charged(world) == PRICE
    visit(LEARNER)
    work_through()
    assert RedemptionAttempt.objects.count() == 1
    assert charged(world) == PRICE


def test_a_budget_that_did_not_opt_in_pays_nothing(world):
    intend(DEMO)
    make_policy()
    visit(LEARNER)
    assert RedemptionAttempt.objects.count() == 0
    assert last(LEARNER).reason == "no_license"
    assert charged(world) == 0


def test_a_license_goes_before_credit(world, policy):
    visit(1001)
    assert is_enrolled(world)
    assert RedemptionAttempt.objects.count() == 0


def test_too_little_money_blocks_with_the_reason_of_the_license(world, policy):
    policy.spend_limit = PRICE - 1
    policy.save()
    visit(LEARNER)
    assert (last(LEARNER).outcome, last(LEARNER).reason) == (Outcome.BLOCKED, "no_license")
    assert charged(world) == 0


def test_who_left_a_course_that_credit_paid_is_left_alone(world, policy):
    visit(LEARNER)
    work_through()
    world.leave(username=NAME, run_key=DEMO_RUN)
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=False):
        visit(LEARNER)
        work_through()
    assert not is_enrolled(world, NAME)
    assert charged(world) == PRICE

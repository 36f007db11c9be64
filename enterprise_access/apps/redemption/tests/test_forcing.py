"""Staff redeem from an assigned budget: an assignment is allocated with the redemption, unless the learner has one."""

from datetime import timedelta

import pytest
import time_machine

from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.tests.scene import (
    DEMO,
    Assignment,
    actions_of,
    allocated,
    allocated_cents,
    check_money,
    make_assigned_budget,
)
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.assignments import NewAssignment
from enterprise_access.apps.redemption.services.forcing import force_redemption
from enterprise_access.apps.redemption.services.intending import intend
from enterprise_access.apps.redemption.tests.ledgers import ADA, BALANCE, PRICE, RUN, charged, know_learners, order
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Reservation
from enterprise_access.apps.subsidy_access_policies.services import Offer
from enterprise_access.lib import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(world):
    know_learners()
    return make_assigned_budget()


def force(policy) -> RedemptionAttempt:
    return force_redemption(policy_uuid=policy.pk, lms_user_id=ADA, run_key=RUN)


def worked_on(attempt) -> RedemptionAttempt:
    with time_machine.travel(clock.now() + timedelta(seconds=1)):
        work_on_attempts()
    attempt.refresh_from_db()
    return attempt


def test_it_is_allocated_redeemed_and_asked_for_again_in_one_promise(world, policy):
    world.change_run(run_key=RUN, fixed_price_cents=PRICE, enrollment_end=clock.now() - timedelta(days=1))
    attempt = force(policy)
    assert (attempt.state, attempt.trigger, attempt.allow_late) == ("sending", "forced", True)
    row = Assignment.objects.get()
    assert (row.pk, row.state, row.lms_user_id) == (attempt.assignment_uuid, "allocated", ADA)
    assert (row.content_key, row.is_assigned_course_run, row.price_cents) == (RUN, True, PRICE)
    assert force(policy).pk == attempt.pk
    totals = PolicyTotals.objects.get(pk=policy.pk)
    assert (totals.held, totals.allocated, Reservation.objects.count()) == (PRICE, 0, 1)
    assert worked_on(attempt).state == "committed"
    row.refresh_from_db()
    assert (row.state, row.transaction_uuid, charged(world)) == ("accepted", attempt.transaction_uuid, PRICE)
    check_money(policy)
    assert force(policy).pk == attempt.pk


def test_after_a_refusal_the_assignment_stands_and_pays_for_the_next_try(world, policy):
    world.quirks.ledger_lms_answers.append("500")
    attempt = worked_on(force(policy))
    row = Assignment.objects.get()
    assert (attempt.state, attempt.reason, row.state) == ("refused", "enrollment_failed", "allocated")
    assert ("redeemed", "enrollment_failed") in actions_of(row.pk)
    check_money(policy)
    assert allocated_cents(policy) == PRICE
    again = worked_on(force(policy))
    assert (again.state, again.assignment_uuid) == ("committed", row.pk)
    check_money(policy)


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"spend_limit": PRICE - 1}, "policy_spend_limit_reached"),
        ({"spend_limit": 10**9, "active": False}, "policy_expired"),
    ],
)
def test_a_budget_that_may_not_pay_allocates_nothing(world, policy, about, reason):
    assert force(make_assigned_budget(**about)).reason == reason
    assert not Assignment.objects.exists()
    assert not Reservation.objects.exists()


def test_money_that_went_meanwhile_takes_the_assignment_back(policy):
    asked = order(policy, cents=BALANCE + 1, allocation=NewAssignment(email="ada@example.com", offer=Offer()))
    with pytest.raises(Exception, match="not_enough_value"):
        intend(asked, now=clock.now())
    assert not Assignment.objects.exists()


def test_who_comes_second_joins(policy):
    asked = order(policy, allocation=NewAssignment(email="ada@example.com", offer=Offer()))
    first, second = (intend(asked, now=clock.now()) for _ in range(2))
    assert (first.pk, Assignment.objects.count()) == (second.pk, 1)


@pytest.mark.parametrize("is_cancelled", [False, True])
@pytest.mark.parametrize("key", [DEMO, RUN])
def test_the_learners_own_assignment_pays_and_one_that_ended_begins_again(policy, key, is_cancelled):
    row = allocated(policy, key=key)
    if is_cancelled:
        transitions.cancel([row.pk], now=clock.now())
    attempt = force(policy)
    assert (attempt.assignment_uuid == row.pk) == (not is_cancelled or key == RUN)
    assert worked_on(attempt).state == "committed"
    check_money(policy)


def test_with_the_lms_away_nothing_is_allocated(simulator, policy):
    simulator.faults.add("unreachable", "lms.*", times=None)
    assert force(policy).reason == "learner_state_unknown"
    assert not Assignment.objects.exists()


def test_an_address_that_another_account_has_assignments_with_is_refused(policy):
    Assignment.objects.filter(pk=allocated(policy, key=RUN).pk).update(lms_user_id=ADA + 1)
    assert force(policy).reason == "reason_learner_not_assigned_content"
    assert Reservation.objects.count() == 1

"""The protocol of redeeming against the simulator's ledger: whatever it answers, one charge, and a known end."""

from datetime import timedelta

import attrs
import pytest
import time_machine

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.tests.ledgers import (
    ADA,
    BEN,
    PRICE,
    RUN,
    assert_totals_agree,
    begin,
    charged,
    is_enrolled,
    know_learners,
    make_policy,
    states,
    transactions,
)
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Reservation
from enterprise_access.apps.subsidy_access_policies.tests.ledger import redeemed
from enterprise_access.lib import clock
from simulator.ledger_rows import TransactionState

REDEEM = "subsidy.redeem"
COMMITTED, REFUSED, DEAD, IN_DOUBT, SENDING = (
    state.value
    for state in (
        AttemptState.COMMITTED,
        AttemptState.REFUSED,
        AttemptState.DEAD,
        AttemptState.IN_DOUBT,
        AttemptState.SENDING,
    )
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy(world):
    know_learners(ADA, BEN)
    return make_policy()


def held(policy) -> tuple[int, int]:
    totals = PolicyTotals.objects.get(pk=policy.pk)
    return totals.held, totals.spent


def work(rounds: int = 12) -> RedemptionAttempt:
    """Work until everything is settled, some minutes later each time; return the only attempt."""
    for number in range(rounds):
        with time_machine.travel(clock.now() + timedelta(minutes=6 * number), tick=False):
            work_on_attempts()
    return RedemptionAttempt.objects.get()


def test_a_redemption_enrolls_charges_once_and_spends_what_was_held(world, policy):
    attempt = begin(policy)
    assert (attempt.state, held(policy)) == (SENDING, (PRICE, 0))
    work_on_attempts()
    attempt.refresh_from_db()
    (row,) = transactions(world)
    assert (attempt.state, attempt.transaction_uuid, attempt.open_for) == (COMMITTED, row.uuid, None)
    assert (row.idempotency_key, row.quantity, row.policy_uuid) == (str(attempt.uuid), -PRICE, policy.pk)
    assert is_enrolled(world)
    assert (held(policy), charged(world)) == ((0, PRICE), PRICE)
    assert_totals_agree()


def test_a_second_begin_for_the_run_joins_the_open_attempt_and_holds_nothing(policy):
    first = begin(policy)
    second = begin(make_policy(), run=RUN.upper().replace("COURSE-V1", "course-v1"))
    assert second.uuid == first.uuid
    assert Reservation.objects.count() == 1


# What the LMS or the wire does to the first call -> how the attempt ends, and how often the ledger charged.
LOST = [
    ("unreachable", {}, COMMITTED, 1),
    ("hang", {}, COMMITTED, 1),
    ("drop", {}, COMMITTED, 1),
    ("cut_off", {}, COMMITTED, 1),
    ("malformed_json", {}, COMMITTED, 1),
    ("missing_keys", {"keys": ("state",)}, COMMITTED, 1),
    ("status", {"status": 500}, COMMITTED, 1),
    ("status", {"status": 503}, COMMITTED, 1),
    ("status", {"status": 403}, COMMITTED, 1),
    ("status", {"status": 404}, COMMITTED, 1),
    ("throttled", {}, COMMITTED, 1),
    ("status", {"status": 400}, DEAD, 0),
]


@pytest.mark.parametrize(("kind", "about", "state", "charges"), LOST)
def test_a_lost_or_odd_answer_is_settled_and_charged_once(simulator, world, policy, kind, about, state, charges):
    simulator.faults.add(kind, REDEEM, times=1, **about)
    begin(policy)
    attempt = work()
    assert (attempt.state, charged(world)) == (state, charges * PRICE)
    assert is_enrolled(world) == bool(charges)
    assert held(policy) == ((0, PRICE) if charges else (PRICE, 0))
    assert_totals_agree()


# How the LMS answers the ledger's calls -> how the attempt ends, and why.
LMS = [
    (["slow"], COMMITTED, ""),
    (["lost"], REFUSED, CreditReason.ENROLLMENT_FAILED),
    (["500"], REFUSED, CreditReason.ENROLLMENT_FAILED),
    (["409"], REFUSED, CreditReason.ENROLLMENT_FAILED),
    (["slow", "slow", "slow", "slow", "slow", "slow"], DEAD, ""),
    (["stuck"], COMMITTED, ""),
    (["stuck_created"], COMMITTED, ""),
]


@pytest.mark.parametrize(("answers", "state", "reason"), LMS, ids=lambda value: str(value)[:20])
def test_what_the_lms_does_to_the_ledger_is_settled(world, policy, answers, state, reason):
    world.quirks.ledger_lms_answers += answers
    begin(policy)
    attempt = work()
    assert (attempt.state, attempt.reason) == (state, reason)
    assert charged(world) == (PRICE if state == COMMITTED else 0)
    assert held(policy) == {COMMITTED: (0, PRICE), REFUSED: (0, 0), DEAD: (PRICE, 0)}[state]
    assert_totals_agree()


def test_a_learner_who_paid_otherwise_before_is_refused_when_our_transaction_fails(world, policy):
    world.enroll(username="ada", run_key=RUN, mode="verified")
    world.quirks.ledger_lms_answers.append("500")
    begin(policy, was_enrolled=True)
    assert work().reason == CreditReason.ALREADY_ENROLLED


def test_a_transaction_of_another_key_pays_and_nothing_counts_twice(world, policy):
    redeemed(world, None)
    begin(policy)
    attempt = work()
    (row,) = transactions(world)
    assert (attempt.state, attempt.transaction_uuid) == (COMMITTED, row.uuid)
    assert (held(policy)[0], charged(world)) == (0, PRICE)
    assert Reservation.objects.get().state == "released"
    assert_totals_agree()


def test_a_locked_ledger_uses_no_try_up(world, policy):
    world.quirks.ledger_locks = 8
    begin(policy)
    attempt = work(rounds=10)
    assert (attempt.state, attempt.calls) == (COMMITTED, 1)


def test_after_a_day_an_attempt_is_left_to_staff(simulator, policy):
    simulator.faults.add("throttled", REDEEM, times=None)
    begin(policy)
    work_on_attempts()
    assert RedemptionAttempt.objects.get().state == SENDING
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        work_on_attempts()
    assert RedemptionAttempt.objects.get().state == DEAD


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"run": "course-v1:Elsewhere+NOT1+2026"}, CreditReason.CONTENT_NOT_IN_CATALOG),
        ({"cents": 2 * PRICE}, CreditReason.PRICE_CHANGED),
    ],
)
def test_definite_refusals_give_the_money_back(policy, about, reason):
    begin(policy, **about)
    attempt = work(rounds=1)
    assert (attempt.state, attempt.reason, held(policy)) == (REFUSED, reason, (0, 0))


def test_an_account_that_ended_is_a_definite_refusal(world, policy):
    (account,) = world.tables.subsidies
    world.put("expired", attrs.evolve(account, expires_at=world.now() - timedelta(days=1)))
    begin(policy)
    assert work(rounds=1).reason == CreditReason.SUBSIDY_EXPIRED


def test_attempts_of_one_account_are_called_in_order(world, policy):
    uuids = [begin(policy, learner=learner).uuid for learner in (BEN, ADA)]
    work_on_attempts()
    assert [row.idempotency_key for row in transactions(world)] == [str(uuid) for uuid in uuids]
    assert states(world) == [TransactionState.COMMITTED] * 2

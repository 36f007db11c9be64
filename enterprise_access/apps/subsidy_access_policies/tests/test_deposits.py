"""Deposits: made once, whatever happens to the answer, and the spend limit follows in the same transaction."""

from datetime import timedelta

import pytest

from enterprise_access.apps.subsidy_access_policies.errors import DepositInvalid
from enterprise_access.apps.subsidy_access_policies.models import Deposit, DepositState, Subsidy
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.apps.subsidy_access_policies.services import By
from enterprise_access.apps.subsidy_access_policies.services.deposits import (
    MAX_LOOKS,
    add_deposit,
    send_again,
    work_on_deposits,
)
from enterprise_access.apps.subsidy_access_policies.tests.ledger import calls, make_budget
from enterprise_access.lib import breaker, clock
from simulator import ledger
from simulator.faults import FaultKind
from simulator.seed import ACME_CREDIT

pytestmark = pytest.mark.django_db

POST = "subsidy.deposit"


def deposit(policy, cents=25_000) -> Deposit:
    return add_deposit(
        policy=policy,
        amount_cents=cents,
        sales_contract_reference_id="00kABC",
        sales_contract_reference_provider="salesforce_opportunity_line_item",
        by=By(),
    )


def work() -> Deposit:
    """Let the workers work on everything, as if all pauses were over."""
    Deposit.objects.exclude(due_at=None).update(due_at=clock.now() - timedelta(seconds=1))
    work_on_deposits(limit=10)
    return Deposit.objects.get()


def deposited(world) -> int:
    return sum(row.quantity for row in ledger.deposits_of(world, ACME_CREDIT)) - 500_000


def test_a_deposit_raises_the_spend_limit_and_the_balance(world):
    policy = make_budget(spend_limit=500_000)
    deposit(policy)
    for _ in range(2):
        row = work()
    policy.refresh_from_db()
    subsidy = Subsidy.objects.get()
    assert (row.state, row.due_at) == (DepositState.DEPOSITED, None)
    assert (deposited(world), policy.spend_limit) == (25_000, 525_000)
    assert (subsidy.balance, subsidy.total_deposits) == (525_000, 525_000)
    assert policy.history.first().history_change_reason == "Deposit 00kABC"
    assert list_differences(subsidy) == []


def test_a_budget_without_a_limit_keeps_none(world):
    policy = make_budget()
    deposit(policy)
    work()
    policy.refresh_from_db()
    assert policy.spend_limit is None


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.HANG, FaultKind.HTML, FaultKind.STATUS, FaultKind.CUT_OFF])
def test_a_lost_answer_is_settled_by_looking_and_never_sent_again(world, simulator, kind):
    policy = make_budget(spend_limit=500_000)
    simulator.faults.add(kind, POST, status=500, times=None)
    deposit(policy)
    assert work().state == DepositState.SENT
    for _ in range(3):
        row = work()
    assert calls(world).count(POST) == 1
    has_happened = kind in (FaultKind.DROP, FaultKind.HTML, FaultKind.CUT_OFF)
    assert deposited(world) == (25_000 if has_happened else 0)
    assert row.state == (DepositState.DEPOSITED if has_happened else DepositState.SENT)
    policy.refresh_from_db()
    assert policy.spend_limit == 500_000 + deposited(world)


def test_what_the_ledger_does_not_list_needs_staff_who_may_send_it_again(world, simulator):
    policy = make_budget()
    simulator.faults.add(FaultKind.STATUS, POST, status=500)
    deposit(policy)
    for _ in range(MAX_LOOKS + 1):
        row = work()
    assert (row.state, row.failed_at is not None, row.waiting_for) == (DepositState.SENT, True, "not_in_ledger")
    assert send_again(deposit=row)
    assert not send_again(deposit=row)
    assert work().state == DepositState.DEPOSITED
    assert deposited(world) == 25_000


@pytest.mark.parametrize("kind", [FaultKind.UNAUTHORIZED, FaultKind.THROTTLED])
def test_what_the_ledger_did_not_look_at_is_sent_later(world, simulator, kind):
    simulator.faults.add(kind, POST, times=None)
    deposit(make_budget())
    assert work().state == DepositState.PENDING
    simulator.faults.clear()
    assert work().state == DepositState.DEPOSITED
    assert deposited(world) == 25_000


def test_a_list_that_cannot_be_read_is_waited_for(world, simulator):
    simulator.faults.add(FaultKind.STATUS, "subsidy.admin_transactions", status=503, times=None)
    deposit(make_budget())
    for _ in range(2):
        row = work()
    assert (row.state, row.failures, row.failed_at) == (DepositState.SENT, 0, None)
    simulator.faults.clear()
    # The circuit is open after so many failures.
    breaker._breaker_of.cache_clear()
    assert work().state == DepositState.DEPOSITED


@pytest.mark.parametrize(("cents", "about"), [(0, {}), (-5, {}), (10**14, {}), (5, {"retired": True})])
def test_what_is_no_deposit_is_refused(world, cents, about):
    with pytest.raises(DepositInvalid):
        deposit(make_budget(**about), cents)
    assert not Deposit.objects.exists()

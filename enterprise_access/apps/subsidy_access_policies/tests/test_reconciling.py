"""Our copies and the ledger: read newest first with an overlap, all once a day, and told by events in any order."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enterprise_access.apps.subsidy_access_policies import handlers
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyTotals,
    Subsidy,
    SubsidyTotals,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.apps.subsidy_access_policies.services import refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.reconciling import (
    find_drift,
    reconcile_all,
    reconcile_new,
)
from enterprise_access.apps.subsidy_access_policies.tests.ledger import ADA, calls, known_account, make_budget, redeemed
from enterprise_access.events.handling import Event, handle
from enterprise_access.lib import breaker, clock, metrics
from simulator import event_bus, ledger
from simulator.faults import FaultKind
from simulator.ledger_rows import LedgerTransaction, TransactionState
from simulator.seed import ACME, ACME_CREDIT
from simulator.values import uuid_for

pytestmark = pytest.mark.django_db

LIST = "subsidy.admin_transactions"


def add_many(world, policy, count: int, *, learners: int = 200) -> None:
    """Put committed redemptions into the ledger, one second apart, the last one a minute ago."""
    now = world.now()
    for number in range(count):
        at = now - timedelta(seconds=60 + count - number)
        row = LedgerTransaction(
            uuid=uuid_for("many", number),
            subsidy_uuid=ACME_CREDIT,
            idempotency_key=f"many {number}",
            quantity=-1,
            state=TransactionState.COMMITTED,
            created_at=at,
            modified_at=at,
            lms_user_id=5_000 + number % learners,
            content_key=f"course-v1:edX+Many{number}+1",
            policy_uuid=policy.pk,
        )
        world.put("seeded", row)


def spent(policy) -> int:
    row = PolicyTotals.objects.filter(pk=policy.pk).first()
    return row.spent if row else 0


def test_new_transactions_are_read_down_to_the_overlap(world):
    policy = make_budget()
    add_many(world, policy, 350)
    reconcile_new()
    assert (spent(policy), calls(world).count(LIST)) == (350, 4)
    Subsidy.objects.update(reconciled_at=clock.now() + timedelta(minutes=58))
    redeemed(world, policy.pk)
    reconcile_new()
    assert (spent(policy), calls(world).count(LIST)) == (350 + 14_900, 5)
    assert list_differences(Subsidy.objects.get()) == []


def test_many_rows_are_recorded_together(world, django_assert_max_num_queries):
    policy = make_budget()
    add_many(world, policy, 1_400)
    # SQLite splits inserts by its limit of variables; the bench counts the statements of PostgreSQL.
    with django_assert_max_num_queries(60):
        reconcile_new()
    assert spent(policy) == 1_400


def test_late_reversals_and_drift_are_found_by_the_daily_reading(world):
    policy = make_budget()
    row = redeemed(world, policy.pk)
    reconcile_new()
    world.put("transaction reversed", evolve(ledger.reverse(world, row), created_at=row.created_at))
    PolicyTotals.objects.update(held=77)
    before = metrics.BUDGET_TOTALS_CORRECTED._value.get()
    reconcile_all()
    assert metrics.BUDGET_TOTALS_CORRECTED._value.get() - before == 1
    assert (spent(policy), PolicyTotals.objects.get().held) == (0, 0)
    subsidy = Subsidy.objects.get()
    assert (subsidy.ledger_difference, subsidy.balance) == (0, 500_000)
    assert list_differences(subsidy) == []


def test_money_that_we_have_no_copy_of_shows_as_a_difference(world, simulator):
    make_budget()
    redeemed(world, None)
    reconcile_all()
    assert Subsidy.objects.get().ledger_difference == 0
    SubsidyTransaction.objects.filter(quantity__lt=0).update(quantity=-1)
    simulator.faults.add(FaultKind.STATUS, LIST, status=500, times=None)
    reconcile_all()
    assert Subsidy.objects.get().ledger_difference == 0, "what was not read says nothing"
    simulator.faults.clear()
    known_account()
    reconcile_all()
    assert SubsidyTransaction.objects.filter(quantity=-1).count() == 0


@pytest.mark.parametrize("kind", [FaultKind.ODD_ROW, FaultKind.STATUS])
def test_what_was_not_read_in_full_is_read_again(world, simulator, kind):
    policy = make_budget()
    row = redeemed(world, policy.pk)
    redeemed(world, policy.pk, key="other", learner=1_002)
    simulator.faults.add(kind, LIST, status=500, row_of=str(row.uuid), keys=["quantity"], value="x", times=None)
    reconcile_new()
    assert (Subsidy.objects.get().reconciled_at is None) is (kind is FaultKind.STATUS)
    assert spent(policy) == (14_900 if kind is FaultKind.ODD_ROW else 0)
    simulator.faults.clear()
    reconcile_new()
    assert spent(policy) == 2 * 14_900


def test_one_odd_row_does_not_make_every_reading_a_reading_of_everything(world, simulator):
    policy = make_budget()
    add_many(world, policy, 350)
    odd = str(uuid_for("many", 0))
    simulator.faults.add(FaultKind.ODD_ROW, LIST, row_of=odd, keys=["quantity"], value="x", times=None)
    reconcile_new()
    Subsidy.objects.update(reconciled_at=clock.now() + timedelta(minutes=58))
    world.journal.forget()
    reconcile_new()
    assert calls(world).count(LIST) == 1
    assert Subsidy.objects.get().ledger_difference is None, "what was not read says nothing"


def test_accounts_that_fail_hold_up_no_other(world, simulator, settings):
    """Each time they would be the first, and a few of them open the circuit."""
    healthy = make_budget()
    failing = []
    for number in range(settings.BREAKER_FAILURES):
        account = ledger.add_subsidy(world, customer_uuid=ACME, title=f"Failing {number}", uuid=UUID(int=number + 1))
        failing.append(refresh_accounts([account.uuid], max_age=timedelta(0), now=clock.now())[account.uuid])
        make_budget(subsidy=failing[-1])
        word = str(account.uuid)
        simulator.faults.add(FaultKind.STATUS, LIST, status=500, only_with=word, times=None)
    add_many(world, healthy, 3)
    reconcile_new()
    assert spent(healthy) == 0
    breaker._breaker_of.cache_clear()
    reconcile_new()
    assert spent(healthy) == 3
    # Once they can be read again, they have their turn like any other.
    simulator.faults.clear()
    breaker._breaker_of.cache_clear()
    reconcile_new()
    Subsidy.objects.filter(pk=healthy.subsidy_id).update(reconciled_at=clock.now())
    reconcile_new()
    assert Subsidy.objects.latest("reconciled_at").pk == healthy.subsidy_id


def test_drift_that_is_none_changes_nothing():
    policy = make_budget_without_ledger()
    assert find_drift(subsidy_uuid=policy.subsidy_id) == []


def make_budget_without_ledger():
    Subsidy.objects.create(uuid=ACME_CREDIT, customer_uuid=uuid4(), balance=1_000_000, fetched_at=clock.now())
    return make_budget()


# --- events ----------------------------------------------------------------------------------------------------------


def told(world) -> list[Event]:
    """Return the events that the ledger sends of everything that happens from now on."""
    heard: list[Event] = []

    def listen(what, row):
        if isinstance(row, LedgerTransaction) and what in event_bus.LEDGER_SIGNALS and row.lms_user_id is not None:
            data = {"ledger_transaction": event_bus._ledger_transaction(row)}
            heard.append(Event(id=uuid4(), type=event_bus.LEDGER_SIGNALS[what].event_type, at=world.now(), data=data))

    world.listeners.append(listen)
    return heard


def test_events_in_any_order_and_number_come_to_the_same(world):
    policy = make_budget()
    heard = told(world)
    row = redeemed(world, policy.pk)
    redeemed(world, policy.pk, key="failed", learner=1_002, lms="500")
    redeemed(world, policy.pk, key="failed", learner=1_002)
    ledger.reverse(world, row)
    assert len(heard) >= 6

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(order=st.permutations(heard), repeated=st.lists(st.sampled_from(heard), max_size=4), size=st.integers(1, 4))
    def check(order, repeated, size):
        SubsidyTransaction.objects.all().delete()
        PolicyTotals.objects.all().delete()
        policy.learner_totals.all().delete()
        Subsidy.objects.update(balance=500_000)
        SubsidyTotals.objects.all().delete()
        events = [*order, *repeated]
        for start in range(0, len(events), size):
            handle(events[start : start + size])
        assert (spent(policy), SubsidyTransaction.objects.count()) == (14_900, 2)
        assert list_differences(policy.subsidy) == []

    check()


def test_events_of_other_tools_budgets_are_left_alone(world):
    make_budget()
    heard = told(world)
    redeemed(world, None)
    handlers.take_over(heard)
    assert SubsidyTransaction.objects.count() == 0
    reconcile_new()
    handlers.take_over(heard)
    assert SubsidyTransaction.objects.get(quantity__lt=0).lms_user_id == ADA

"""Every promise and every transaction uses money once, and nothing is promised that is not there."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.subsidy_access_policies.domain.availability import (
    Balance,
    ReservationKind,
    ReservationState,
    ReservedMoney,
    Use,
    availability,
    charges_of,
)
from enterprise_access.apps.subsidy_access_policies.domain.ledger import LedgerEntry, TransactionState

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
POLICY, OTHER = UUID(int=1), UUID(int=2)

entries = st.lists(
    st.builds(
        LedgerEntry,
        uuid=st.integers(100, 104).map(lambda number: UUID(int=number)),
        policy_uuid=st.sampled_from([POLICY, OTHER, None]),
        lms_user_id=st.sampled_from([7, 8]),
        quantity_cents=st.integers(-500, 0),
        state=st.sampled_from(TransactionState),
        is_reversed=st.booleans(),
        seen_at=st.sampled_from([NOON - timedelta(seconds=1), NOON, NOON + timedelta(seconds=1)]),
    ),
    max_size=5,
    unique_by=lambda entry: entry.uuid,
)
reserved = st.builds(
    ReservedMoney,
    policy_uuid=st.sampled_from([POLICY, OTHER]),
    lms_user_id=st.sampled_from([7, 8, None]),
    kind=st.sampled_from(ReservationKind),
    state=st.sampled_from(ReservationState),
    amount_cents=st.integers(0, 500),
    assignment_uuid=st.sampled_from([UUID(int=50), None]),
    transaction_uuid=st.none(),
)


def free(reservations, entries, *, paying=None, limit=10_000):
    return availability(
        policy_uuid=POLICY,
        spend_limit_cents=limit,
        lms_user_id=7,
        paying_assignment_uuid=paying,
        balance=Balance(cents=10_000, read_started_at=NOON),
        reservations=reservations,
        entries=entries,
    )


@given(reservations=st.lists(reserved, max_size=5), entries=entries, more=reserved)
def test_one_promise_more_takes_exactly_its_amount(reservations, entries, more):
    before, after = free(reservations, entries), free([*reservations, more], entries)
    taken = 0 if more.state is ReservationState.RELEASED else more.amount_cents
    assert before.subsidy_cents - after.subsidy_cents == taken
    assert before.policy_cents - after.policy_cents == (taken if more.policy_uuid == POLICY else 0)


@given(reservations=st.lists(reserved, max_size=5), entries=entries)
def test_a_promise_that_its_transaction_stands_for_counts_once(reservations, entries):
    committed = LedgerEntry(
        uuid=UUID(int=999),
        policy_uuid=POLICY,
        lms_user_id=7,
        quantity_cents=-300,
        state=TransactionState.COMMITTED,
        is_reversed=False,
        seen_at=NOON,
    )
    promise = ReservedMoney(
        policy_uuid=POLICY,
        lms_user_id=7,
        kind=ReservationKind.REDEMPTION,
        state=ReservationState.HELD,
        amount_cents=300,
        assignment_uuid=None,
        transaction_uuid=committed.uuid,
    )
    before = free(reservations, entries)
    for state in ReservationState:
        with_both = free([*reservations, evolve(promise, state=state)], [*entries, committed])
        assert before.policy_cents - with_both.policy_cents == 300
        assert before.subsidy_cents - with_both.subsidy_cents == 300
        assert with_both.learner_redemptions - before.learner_redemptions == 1


@given(reservations=st.lists(reserved, max_size=5), entries=entries)
def test_an_assignment_that_pays_gets_its_own_allocation_back_and_nothing_else(reservations, entries):
    paying = UUID(int=50)
    rest = [one for one in reservations if one.assignment_uuid != paying or one.kind is not ReservationKind.ALLOCATION]
    assert free(reservations, entries, paying=paying) == free(rest, entries)


def test_money_that_was_seen_at_the_very_start_of_the_read_is_not_in_the_balance():
    entry = LedgerEntry(
        uuid=UUID(int=999),
        policy_uuid=None,
        lms_user_id=7,
        quantity_cents=-300,
        state=TransactionState.PENDING,
        is_reversed=False,
        seen_at=NOON,
    )
    assert free([], [entry]).subsidy_cents == 9_700
    assert free([], [evolve(entry, seen_at=NOON - timedelta(microseconds=1))]).subsidy_cents == 10_000


@pytest.mark.parametrize(
    ("kind", "state", "use"),
    [
        (ReservationKind.ALLOCATION, None, Use.ALLOCATED),
        (ReservationKind.REDEMPTION, None, Use.HELD),
        (ReservationKind.REDEMPTION, TransactionState.PENDING, Use.HELD),
        (ReservationKind.REDEMPTION, TransactionState.COMMITTED, Use.SPENT),
    ],
)
@pytest.mark.parametrize("seconds", [-1, 0])
def test_money_of_ours_is_held_until_it_is_spent_and_the_balance_shows_what_was_seen_before_its_read(
    kind, state, use, seconds
):
    promise = ReservedMoney(
        policy_uuid=POLICY,
        lms_user_id=7,
        kind=kind,
        state=ReservationState.HELD,
        amount_cents=300,
        assignment_uuid=None,
        transaction_uuid=UUID(int=999) if state else None,
    )
    entry = LedgerEntry(
        uuid=UUID(int=999),
        policy_uuid=None,
        lms_user_id=None,
        quantity_cents=-300,
        state=state or TransactionState.FAILED,
        is_reversed=False,
        seen_at=NOON + timedelta(seconds=seconds),
    )
    balance = Balance(cents=1000, read_started_at=NOON)
    (charge,) = charges_of(reservations=[promise], entries=[entry] if state else [], balance=balance)
    assert (charge.policy_uuid, charge.lms_user_id, charge.cents, charge.use) == (POLICY, 7, 300, use)
    assert charge.is_in_balance == (state is not None and seconds < 0)

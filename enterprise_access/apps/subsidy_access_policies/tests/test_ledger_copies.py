"""News of a transaction may come late, twice, or in any order: the copy is the same in the end."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.subsidy_access_policies.domain.ledger import (
    LedgerEntry,
    TransactionCopy,
    TransactionState,
    merge_copy,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)

reports = st.builds(
    TransactionCopy,
    state=st.sampled_from(TransactionState),
    is_reversed=st.booleans(),
    modified=st.integers(0, 3).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)


def merged(news: list[TransactionCopy]) -> TransactionCopy | None:
    return reduce(merge_copy, news, None)


@given(news=st.lists(reports, min_size=1, max_size=6), data=st.data())
def test_the_order_of_news_does_not_matter(news, data):
    shuffled = data.draw(st.permutations(news))
    assert merged(news) == merged(shuffled)


@given(news=st.lists(reports, min_size=1, max_size=6), data=st.data())
def test_the_same_news_again_changes_nothing(news, data):
    repeated = data.draw(st.sampled_from(news))
    assert merge_copy(merged(news), repeated) == merged(news)


@given(news=st.lists(reports, min_size=1, max_size=6))
def test_committed_and_reversed_are_for_good(news):
    copy = merged(news)
    assert copy.is_reversed == any(one.is_reversed for one in news)
    if any(one.state is TransactionState.COMMITTED or one.is_reversed for one in news):
        assert copy.state is TransactionState.COMMITTED


def copy(state: TransactionState, seconds: int, *, is_reversed: bool = False) -> TransactionCopy:
    return TransactionCopy(state=state, is_reversed=is_reversed, modified=NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("news", "known"),
    [
        ([copy(TransactionState.PENDING, 1, is_reversed=True)], copy(TransactionState.COMMITTED, 1, is_reversed=True)),
        (
            [copy(TransactionState.COMMITTED, 2), copy(TransactionState.COMMITTED, 1, is_reversed=True)],
            copy(TransactionState.COMMITTED, 2, is_reversed=True),
        ),
        (
            [copy(TransactionState.COMMITTED, 1), copy(TransactionState.FAILED, 2)],
            copy(TransactionState.COMMITTED, 2),
        ),
        ([copy(TransactionState.PENDING, 2), copy(TransactionState.FAILED, 1)], copy(TransactionState.PENDING, 2)),
    ],
)
def test_a_copy_is_as_new_as_the_newest_news(news, known):
    assert merged(news) == known


@pytest.mark.parametrize(
    ("quantity_cents", "spent_cents", "is_redemption"),
    [(-100, 100, True), (0, 0, True), (1, 0, False), (100, 0, False)],
)
def test_a_transaction_that_adds_nothing_is_a_redemption(quantity_cents, spent_cents, is_redemption):
    entry = LedgerEntry(
        uuid=UUID(int=1),
        policy_uuid=None,
        lms_user_id=None,
        quantity_cents=quantity_cents,
        state=TransactionState.COMMITTED,
        is_reversed=False,
        seen_at=NOON,
    )
    assert (entry.spent_cents, entry.is_redemption) == (spent_cents, is_redemption)


def test_money_is_spent_where_a_transaction_is_committed_and_not_reversed():
    assert copy(TransactionState.COMMITTED, 1).is_success
    assert not copy(TransactionState.COMMITTED, 1, is_reversed=True).is_success
    assert not copy(TransactionState.PENDING, 1).is_success

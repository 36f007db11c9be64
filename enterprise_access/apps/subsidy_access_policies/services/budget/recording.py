"""News of the ledger: merged into our copies, counted, and told to the apps above."""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionCopy, TransactionState, merge_copy
from enterprise_access.apps.subsidy_access_policies.errors import ReservationEnded
from enterprise_access.apps.subsidy_access_policies.models import Reservation, Subsidy, SubsidyTransaction
from enterprise_access.apps.subsidy_access_policies.services.announcing import credit_event
from enterprise_access.apps.subsidy_access_policies.services.budget.news import LedgerNews
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import lock_account, move_totals, sums_for
from enterprise_access.apps.subsidy_access_policies.services.signals import transaction_committed, transaction_reversed
from enterprise_access.events.services import publish_all
from enterprise_access.lib import metrics
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks, upsert

log = logging.getLogger(__name__)

_WRITTEN: Final = [field.name for field in SubsidyTransaction._meta.concrete_fields if not field.primary_key]
_COMPARED: Final = [name for name in _WRITTEN if name != "source"]


@retry_deadlocks
def spend(*, reservation_uuid: UUID, news: LedgerNews, now: datetime) -> Reservation:
    """Spend a promise: the transaction of the ledger stands for it from now on. Spending again changes nothing."""
    lock_account(news.subsidy_uuid)
    promise = Reservation.objects.get(pk=reservation_uuid)
    if promise.state == ReservationState.RELEASED.value:
        raise ReservationEnded("The money of this promise was given back.")
    if promise.transaction_uuid not in (None, news.uuid):
        raise ReservationEnded("Another transaction stands for this promise.")
    _record([news], subsidy_uuid=news.subsidy_uuid, spent=promise, now=now)
    return promise


def record_transaction(*, news: LedgerNews, now: datetime) -> SubsidyTransaction:
    """Merge news into our copy. The order and the repetition of news do not matter.

    `now` is the database's clock at this moment: a balance whose read began earlier does not show the transaction.
    """
    return record_all_news(subsidy_uuid=news.subsidy_uuid, news=[news], now=now)[0]


@retry_deadlocks
def record_all_news(*, subsidy_uuid: UUID, news: Sequence[LedgerNews], now: datetime) -> list[SubsidyTransaction]:
    """Merge news of one account into our copies, in one transaction and a constant number of statements."""
    lock_account(subsidy_uuid)
    copies = _record(news, subsidy_uuid=subsidy_uuid, spent=None, now=now)
    return [copies[one.uuid] for one in news]


def _record(
    news: Sequence[LedgerNews], *, subsidy_uuid: UUID, spent: Reservation | None, now: datetime
) -> dict[UUID, SubsidyTransaction]:
    """Write copies and promises, move the totals, and tell the apps above. The account is locked."""
    uuids = {one.uuid for one in news}
    old = {row.pk: row for row in SubsidyTransaction.objects.select_for_update().filter(pk__in=uuids).order_by("pk")}
    promises = _promises_of(news, spent)
    money_before = [promise.as_money for promise in promises.values()]
    copies = dict(old)
    for one in news:
        copies[one.uuid] = _merged(copies.get(one.uuid), one, now=now)
    changed = [copy for copy in copies.values() if _differs(old.get(copy.pk), copy)]
    if changed:
        upsert(SubsidyTransaction, changed, fields=_WRITTEN)
    for uuid, promise in promises.items():
        _link(promise, uuid, is_spent=promise is spent)
    subsidy = Subsidy.objects.get(pk=subsidy_uuid)
    move_totals(
        subsidy,
        before=sums_for(subsidy, reservations=money_before, entries=[copy.as_entry for copy in old.values()]),
        after=sums_for(
            subsidy,
            reservations=[promise.as_money for promise in promises.values()],
            entries=[copy.as_entry for copy in copies.values()],
        ),
    )
    told = [copy for copy in changed if _tell(old.get(copy.pk), copy, promises.get(copy.pk))]
    events = [credit_event(copy, now=now) for copy in told if _is_news(copy, subsidy)]
    publish_all(event for event in events if event is not None)
    return copies


def _promises_of(news: Collection[LedgerNews], spent: Reservation | None) -> dict[UUID, Reservation]:
    """Return the promises that these transactions stand for, by transaction.

    A transaction whose key is an attempt of ours stands for that attempt's promise before its answer has come.
    """
    if spent is not None:
        return {one.uuid: spent for one in news}
    attempts = {one.attempt_uuid: one.uuid for one in news if one.attempt_uuid is not None}
    found = Reservation.objects.filter(
        Q(transaction_uuid__in={one.uuid for one in news})
        | Q(attempt_uuid__in=attempts, transaction_uuid=None, state=ReservationState.HELD.value)
    )
    promises: dict[UUID, Reservation] = {}
    for promise in found.order_by("transaction_uuid", "pk"):
        uuid = promise.transaction_uuid or (attempts[promise.attempt_uuid] if promise.attempt_uuid else None)
        if uuid is not None:
            promises.setdefault(uuid, promise)
    return promises


def _link(promise: Reservation, transaction_uuid: UUID, *, is_spent: bool) -> None:
    state = ReservationState.SPENT.value if is_spent else promise.state
    if (promise.transaction_uuid, promise.state) != (transaction_uuid, state):
        promise.transaction_uuid, promise.state = transaction_uuid, state
        promise.save()


def _merged(old: SubsidyTransaction | None, news: LedgerNews, *, now: datetime) -> SubsidyTransaction:
    heard = TransactionCopy(state=news.state, is_reversed=news.is_reversed, modified=news.modified)
    merged = merge_copy(old.as_copy if old else None, heard)
    # The balance counts a transaction from created on, and a failed one again when it is taken up.
    counts_as_before = old is not None and TransactionState(old.state) is not TransactionState.FAILED
    is_first_reversal = merged.is_reversed and (old is None or not old.is_reversed)
    is_older = old is not None and news.modified < old.modified
    return SubsidyTransaction(
        uuid=news.uuid,
        subsidy_id=news.subsidy_uuid,
        policy_uuid=old.policy_uuid if old is not None and is_older else news.policy_uuid,
        # The ledger never changes a learner; a learner whom we forgot stays forgotten.
        lms_user_id=news.lms_user_id if old is None else old.lms_user_id,
        content_key=old.content_key if old is not None and is_older else news.content_key or "",
        content_key_folded=old.content_key_folded if old is not None and is_older else fold(news.content_key or ""),
        quantity=old.quantity if old is not None and is_older else news.quantity_cents,
        state=merged.state.value,
        is_reversed=merged.is_reversed,
        reversed_at=now if is_first_reversal else (old.reversed_at if old else None),
        created=news.created,
        modified=merged.modified,
        seen_at=old.seen_at if old is not None and counts_as_before else now,
        source=news.source,
    )


def _differs(old: SubsidyTransaction | None, copy: SubsidyTransaction) -> bool:
    return old is None or any(getattr(old, name) != getattr(copy, name) for name in _COMPARED)


def _compare_amounts(copy: SubsidyTransaction, promise: Reservation | None) -> None:
    """The ledger's amount counts. When it is not the one that was reserved, operators are told."""
    if promise is not None and copy.state == TransactionState.COMMITTED.value and -copy.quantity != promise.amount:
        transaction.on_commit(metrics.LEDGER_AMOUNTS_DIFFERENT.inc)
        log.error(
            "The ledger charged another amount than was reserved. transaction=%s reserved=%d charged=%d",
            copy.pk,
            promise.amount,
            -copy.quantity,
        )


def _tell(old: SubsidyTransaction | None, copy: SubsidyTransaction, promise: Reservation | None) -> bool:
    """Tell the apps above of money that was spent or given back just now; say whether there was something to tell."""
    _compare_amounts(copy, promise)
    if copy.is_reversed and (old is None or not old.is_reversed):
        transaction_reversed.send(sender=SubsidyTransaction, transaction=copy, reservation=promise)
        return True
    if copy.as_copy.is_success and (old is None or not old.as_copy.is_success):
        transaction_committed.send(sender=SubsidyTransaction, transaction=copy, reservation=promise)
        return True
    return False


def _is_news(copy: SubsidyTransaction, subsidy: Subsidy) -> bool:
    """Say whether to announce it on the bus: not while the past of a new account is read for the first time."""
    return subsidy.fully_reconciled_at is not None or copy.source != "reconciliation"

"""Comparing our copies with the ledger: new transactions every few minutes, all of them once a day.

The ledger lists transactions newest first, so a reading of the new ones ends where the last one began, less an
overlap. A late change of an older one (a reversal that no event told us of) is found by the daily reading, and so is
one that could not be read for longer than the overlap.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen
from django.conf import settings
from django.db.models import Exists, F, OuterRef, QuerySet, Sum

from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy, SubsidyTransaction
from enterprise_access.apps.subsidy_access_policies.selectors import TotalDifference, list_differences
from enterprise_access.apps.subsidy_access_policies.services.accounts import record_account
from enterprise_access.apps.subsidy_access_policies.services.budget import repair_totals
from enterprise_access.apps.subsidy_access_policies.services.transactions import RECONCILIATION, record_rows
from enterprise_access.lib import clock, metrics, shared_cache
from enterprise_access.lib.errors import UpstreamError, UpstreamReason
from enterprise_access.lib.rows import Rows, UnreadableRow
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import subsidy as subsidy_service
from enterprise_access.upstream.subsidy.client import SubsidyClient
from enterprise_access.upstream.subsidy.types import LedgerTransaction

log = logging.getLogger(__name__)

# Transactions that are recorded in one transaction of the database, and thus while the account is locked.
ROWS_AT_ONCE: Final = 2_000
# How long it is remembered that an account could not be read.
_FAILURE_KEPT_SECONDS: Final = 24 * 60 * 60


@frozen(kw_only=True)
class Reconciled:
    """What reading the ledger came to. `is_whole`: every row that was asked for could be read."""

    transactions: int = 0
    is_whole: bool = True


def reconcile_new() -> int:
    """Read the new transactions of every account, the longest unread first; return how many accounts were read."""
    return _reconcile_each(_accounts().order_by(F("reconciled_at").asc(nulls_first=True), "pk"), is_full=False)


def reconcile_all() -> int:
    """Read all transactions of every account, and correct totals that have drifted; return how many were read."""
    return _reconcile_each(_accounts().order_by(F("fully_reconciled_at").asc(nulls_first=True), "pk"), is_full=True)


def _accounts() -> QuerySet[Subsidy]:
    return Subsidy.objects.filter(Exists(SubsidyAccessPolicy.objects.filter(subsidy=OuterRef("pk"))))


def _reconcile_each(accounts: QuerySet[Subsidy], *, is_full: bool) -> int:
    client = subsidy_service.from_settings()
    if client is None:
        return 0
    count = 0
    uuids = list(accounts.values_list("pk", flat=True))
    failed = shared_cache.get_many([_failure_of(uuid) for uuid in uuids])
    # Last, because a few accounts that fail open the circuit for the others.
    for uuid in sorted(uuids, key=lambda uuid: _failure_of(uuid) in failed):
        if is_stopping():
            break
        try:
            reconcile_account(client, subsidy_uuid=uuid, is_full=is_full)
            count += 1
            if _failure_of(uuid) in failed:
                shared_cache.delete_many([_failure_of(uuid)])
        except UpstreamError as error:
            log.warning("An account could not be reconciled. subsidy=%s reason=%s", uuid, error.reason)
            if error.reason is UpstreamReason.CIRCUIT_OPEN:
                # The others would be requested in vain.
                break
            shared_cache.set_many({_failure_of(uuid): True}, seconds=_FAILURE_KEPT_SECONDS)
        if is_full:
            find_drift(subsidy_uuid=uuid)
    return count


def _failure_of(subsidy_uuid: UUID) -> str:
    return shared_cache.address_of(kind="account not reconciled", version=1, subsidy=str(subsidy_uuid))


def reconcile_account(client: SubsidyClient, *, subsidy_uuid: UUID, is_full: bool) -> Reconciled:
    """Read the transactions of one account, and then its balance. Raises UpstreamError; what was read is kept."""
    started_at = clock.now()
    subsidy = Subsidy.objects.get(pk=subsidy_uuid)
    before = client.get_subsidy(subsidy_uuid=subsidy_uuid) if is_full else None
    since = None if is_full or subsidy.reconciled_at is None else subsidy.reconciled_at - _overlap()
    found = _read_transactions(client, subsidy_uuid, since)
    read_at = clock.now()
    account = client.get_subsidy(subsidy_uuid=subsidy_uuid)
    record_account(account, read_started_at=read_at)
    # Also where a row could not be read: the next reading need not begin at the beginning because of it.
    columns: dict[str, object] = {"reconciled_at": started_at}
    if since is None:
        columns["fully_reconciled_at"] = started_at
    # Nothing moved while everything was read: what we have must come to the same.
    if found.is_whole and before is not None and before.balance_cents == account.balance_cents:
        columns["ledger_difference"] = account.balance_cents - _balance_of_copies(subsidy_uuid)
    _keep(subsidy_uuid, columns)
    return found


@retry_deadlocks
def _keep(subsidy_uuid: UUID, columns: Mapping[str, object]) -> None:
    Subsidy.objects.filter(pk=subsidy_uuid).update(**columns)


def _overlap() -> timedelta:
    return timedelta(seconds=settings.LEDGER_OVERLAP_SECONDS)


def _read_transactions(client: SubsidyClient, subsidy_uuid: UUID, since: datetime | None) -> Reconciled:
    count, is_whole = 0, True
    for rows in _batches(client, subsidy_uuid, since):
        is_whole = record_rows(rows, subsidy_uuid=subsidy_uuid, source=RECONCILIATION) and is_whole
        count += len(rows)
    return Reconciled(transactions=count, is_whole=is_whole)


def _batches(client: SubsidyClient, subsidy_uuid: UUID, since: datetime | None) -> Iterator[Rows[LedgerTransaction]]:
    """Yield what the ledger lists, newest first, down to what was created before `since`; several pages at once."""
    rows: list[LedgerTransaction] = []
    unreadable: list[UnreadableRow] = []
    for page in client.iterate_transactions(subsidy_uuid=subsidy_uuid):
        rows.extend(page.rows)
        unreadable.extend(page.rows.unreadable)
        if len(rows) >= ROWS_AT_ONCE:
            yield Rows(rows, unreadable)
            rows, unreadable = [], []
        if since is not None and any(row.created < since for row in page.rows):
            break
    yield Rows(rows, unreadable)


def _balance_of_copies(subsidy_uuid: UUID) -> int:
    """Return what our copies come to, as the ledger counts: everything that is neither failed nor reversed."""
    counted = SubsidyTransaction.objects.filter(subsidy=subsidy_uuid, is_reversed=False)
    counted = counted.exclude(state=TransactionState.FAILED.value)
    return counted.aggregate(sum=Sum("quantity"))["sum"] or 0


def find_drift(*, subsidy_uuid: UUID) -> list[TotalDifference]:
    """Correct running totals of an account that are not what its rows come to; count and log each.

    They are looked for without a lock, and computed again under it before anything is corrected.
    """
    if not list_differences(Subsidy.objects.get(pk=subsidy_uuid)):
        return []
    found = repair_totals(subsidy_uuid=subsidy_uuid)
    for one in found:
        metrics.BUDGET_TOTALS_CORRECTED.inc()
        log.error(
            "A total of a budget had drifted and was corrected. subsidy=%s total=%s was=%d is=%d",
            one.subsidy_uuid,
            one.what,
            one.stored,
            one.computed,
        )
    return found

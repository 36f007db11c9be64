"""What the balance of an account shows already, and totals that are put right."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.models import Reservation, Subsidy, SubsidyTransaction
from enterprise_access.apps.subsidy_access_policies.selectors import (
    TotalDifference,
    computed_sums,
    list_differences,
    stored_sums,
)
from enterprise_access.apps.subsidy_access_policies.selectors.sums import differences_of
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import lock_account, move_totals, sums_for
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def record_balance(
    *, subsidy_uuid: UUID, balance_cents: int, deposits_cents: int, period: SubsidyPeriod, read_started_at: datetime
) -> Subsidy:
    """Record an account as read. An older read than the one that we have changes nothing."""
    totals = lock_account(subsidy_uuid)
    subsidy = Subsidy.objects.get(pk=subsidy_uuid)
    if subsidy.fetched_at is not None and subsidy.fetched_at >= read_started_at:
        return subsidy
    subsidy.balance, subsidy.total_deposits, subsidy.fetched_at = balance_cents, deposits_cents, read_started_at
    subsidy.starts_at, subsidy.expires_at = period.start, period.expiration
    subsidy.save(update_fields=["balance", "total_deposits", "fetched_at", "starts_at", "expires_at"])
    totals.promised = _promised(subsidy, read_started_at)
    totals.save(update_fields=["promised"])
    return subsidy


def _promised(subsidy: Subsidy, read_started_at: datetime) -> int:
    """Return what the balance does not show. Settled rows that were seen before the read cannot add to it."""
    copies = SubsidyTransaction.objects.filter(subsidy=subsidy)
    recent = copies.filter(seen_at__gte=read_started_at)
    unsettled = copies.exclude(state=TransactionState.COMMITTED.value)
    promises = list(
        Reservation.objects.filter(policy__subsidy=subsidy).filter(
            Q(state=ReservationState.HELD.value)
            | Q(transaction_uuid__in=recent.values("pk"))
            | Q(state=ReservationState.SPENT.value, transaction_uuid__in=unsettled.values("pk"))
        )
    )
    linked = [promise.transaction_uuid for promise in promises if promise.transaction_uuid]
    entries = [row.as_entry for row in copies.filter(Q(seen_at__gte=read_started_at) | Q(pk__in=linked))]
    sums = sums_for(subsidy, reservations=[promise.as_money for promise in promises], entries=entries)
    return sums.get(("subsidy", "promised"), 0)


def list_differences_now(*, subsidy_uuid: UUID) -> list[TotalDifference]:
    """Return the totals of an account that are not what its rows come to. Changes nothing.

    Rows may move while they are read, so what seems to differ is compared again while the account is locked.
    """
    if not list_differences(Subsidy.objects.get(pk=subsidy_uuid)):
        return []
    return _differences_under_lock(subsidy_uuid)


@retry_deadlocks
def _differences_under_lock(subsidy_uuid: UUID) -> list[TotalDifference]:
    lock_account(subsidy_uuid)
    return list_differences(Subsidy.objects.get(pk=subsidy_uuid))


@retry_deadlocks
def repair_totals(*, subsidy_uuid: UUID) -> list[TotalDifference]:
    """Set the totals of an account to what its rows come to; return those that were different."""
    lock_account(subsidy_uuid)
    subsidy = Subsidy.objects.get(pk=subsidy_uuid)
    stored, computed = stored_sums(subsidy), computed_sums(subsidy)
    found = differences_of(subsidy, stored=stored, computed=computed)
    move_totals(subsidy, before=stored, after=computed)
    return found

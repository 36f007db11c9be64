"""What is used of budgets, computed from all rows, and where the running totals differ from that."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from attrs import frozen
from django.db.models import Exists, OuterRef, QuerySet

from enterprise_access.apps.subsidy_access_policies.domain.availability import (
    Balance,
    Charge,
    ReservedMoney,
    Use,
    charges_of,
)
from enterprise_access.apps.subsidy_access_policies.domain.ledger import LedgerEntry
from enterprise_access.apps.subsidy_access_policies.models import (
    LearnerTotals,
    PolicyTotals,
    Reservation,
    Subsidy,
    SubsidyTotals,
    SubsidyTransaction,
)

# Of an account whose balance was never read, every transaction counts as not shown by it.
_NEVER_READ: Final = datetime.min.replace(tzinfo=UTC)

# How many rows are read at once when all of an account are summed up.
ROWS_AT_ONCE: Final = 5_000

Sums = Mapping[tuple[str, ...], int]
R = TypeVar("R", Reservation, SubsidyTransaction)


@frozen(kw_only=True)
class TotalDifference:
    """A running total that is not what the rows come to."""

    subsidy_uuid: UUID
    what: str
    stored: int
    computed: int


def balance_of(subsidy: Subsidy) -> Balance:
    """Return the balance as read; of an account that was never read, one that shows nothing."""
    return Balance(cents=subsidy.balance or 0, read_started_at=subsidy.fetched_at or _NEVER_READ)


def sums_of(charges: Iterable[Charge]) -> dict[tuple[str, ...], int]:
    """Return what charges add to each total: the account's, the policy's, the learner's."""
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for charge in charges:
        if not charge.is_in_balance:
            sums["subsidy", "promised"] += charge.cents
        if charge.policy_uuid is None:
            continue
        policy = str(charge.policy_uuid)
        sums["policy", policy, charge.use.value] += charge.cents
        sums["policy", policy, "redemptions"] += charge.is_redemption
        if charge.is_redemption and charge.lms_user_id is not None:
            learner = str(charge.lms_user_id)
            sums["learner", policy, learner, charge.use.value] += charge.cents
            sums["learner", policy, learner, "redemptions"] += 1
    return {key: cents for key, cents in sums.items() if cents}


def computed_sums(subsidy: Subsidy) -> Sums:
    """Return what all rows of an account come to.

    What a promise and its transaction come to depends on these two alone, so the rows are read in pieces.
    """
    balance = balance_of(subsidy)
    sums: dict[tuple[str, ...], int] = defaultdict(int)
    for reservations, entries in _pieces(subsidy):
        for key, cents in sums_of(charges_of(reservations=reservations, entries=entries, balance=balance)).items():
            sums[key] += cents
    # A policy that another tool named, and that we do not have, has no totals here.
    own = set(subsidy.policies.values_list("pk", flat=True))
    return {key: cents for key, cents in sums.items() if cents and (key[0] == "subsidy" or UUID(key[1]) in own)}


def _pieces(subsidy: Subsidy) -> Iterator[tuple[list[ReservedMoney], list[LedgerEntry]]]:
    """Yield every transaction with its promise, and then every promise without a transaction."""
    copies = SubsidyTransaction.objects.filter(subsidy=subsidy).order_by("pk")
    promises = Reservation.objects.filter(policy__subsidy=subsidy).order_by("pk")
    for piece in _by_pk(copies):
        linked = promises.filter(transaction_uuid__in=[row.pk for row in piece])
        yield [row.as_money for row in linked], [row.as_entry for row in piece]
    has_copy = Exists(copies.filter(pk=OuterRef("transaction_uuid")))
    for promised in _by_pk(promises.filter(~has_copy)):
        yield [row.as_money for row in promised], []


def _by_pk(rows: QuerySet[R]) -> Iterator[list[R]]:
    piece = list(rows[:ROWS_AT_ONCE])
    while piece:
        yield piece
        piece = list(rows.filter(pk__gt=piece[-1].pk)[:ROWS_AT_ONCE])


def stored_sums(subsidy: Subsidy) -> Sums:
    """Return what the running totals of an account say."""
    sums: dict[tuple[str, ...], int] = {}
    for account in SubsidyTotals.objects.filter(subsidy=subsidy):
        sums["subsidy", "promised"] = account.promised
    for row in PolicyTotals.objects.filter(policy__subsidy=subsidy):
        for name in (*Use, "redemptions"):
            sums["policy", str(row.policy_id), str(name)] = getattr(row, name)
    for learner in LearnerTotals.objects.filter(policy__subsidy=subsidy):
        for name in (Use.HELD, Use.SPENT, "redemptions"):
            sums["learner", str(learner.policy_id), str(learner.lms_user_id), str(name)] = getattr(learner, name)
    return {key: cents for key, cents in sums.items() if cents}


def list_differences(subsidy: Subsidy) -> list[TotalDifference]:
    """Return every running total that differs from what the rows come to."""
    return differences_of(subsidy, stored=stored_sums(subsidy), computed=computed_sums(subsidy))


def differences_of(subsidy: Subsidy, *, stored: Sums, computed: Sums) -> list[TotalDifference]:
    """Return the totals that differ."""
    return [
        TotalDifference(
            subsidy_uuid=subsidy.uuid,
            what=" ".join(key),
            stored=stored.get(key, 0),
            computed=computed.get(key, 0),
        )
        for key in sorted({*stored, *computed})
        if stored.get(key, 0) != computed.get(key, 0)
    ]

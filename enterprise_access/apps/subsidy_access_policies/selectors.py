"""Reads of budgets: what is used of them, computed from all rows, and where the running totals differ from that."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.availability import Balance, Charge, Use, charges_of
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

Sums = Mapping[tuple[str, ...], int]


@frozen(kw_only=True)
class Difference:
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
    """Return what all rows of an account come to."""
    own = set(subsidy.policies.values_list("pk", flat=True))
    reservations = [row.as_money for row in Reservation.objects.filter(policy__subsidy=subsidy)]
    entries = [row.as_entry for row in SubsidyTransaction.objects.filter(subsidy=subsidy)]
    sums = sums_of(charges_of(reservations=reservations, entries=entries, balance=balance_of(subsidy)))
    # A policy that another tool named, and that we do not have, has no totals here.
    return {key: cents for key, cents in sums.items() if key[0] == "subsidy" or UUID(key[1]) in own}


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


def list_differences(subsidy: Subsidy) -> Iterator[Difference]:
    """Yield every running total that differs from what the rows come to."""
    stored, computed = stored_sums(subsidy), computed_sums(subsidy)
    for key in sorted({*stored, *computed}):
        if stored.get(key, 0) != computed.get(key, 0):
            yield Difference(
                subsidy_uuid=subsidy.uuid,
                what=" ".join(key),
                stored=stored.get(key, 0),
                computed=computed.get(key, 0),
            )

"""How much of a budget is free: what the limit or the balance leaves after everything that is spent or promised."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.ledger import LedgerEntry


class ReservationKind(StrEnum):
    """What money is promised for."""

    ALLOCATION = "allocation"
    """An assignment that its learner may redeem."""
    REDEMPTION = "redemption"
    """A redemption that the ledger has not settled yet."""


class ReservationState(StrEnum):
    """What became of a promise."""

    HELD = "held"
    SPENT = "spent"
    RELEASED = "released"


@frozen(kw_only=True)
class ReservedMoney:
    """One promise. A redemption of an assignment is the assignment's own promise, never a second one."""

    policy_uuid: UUID
    lms_user_id: int | None
    kind: ReservationKind
    state: ReservationState
    amount_cents: int
    assignment_uuid: UUID | None
    transaction_uuid: UUID | None


@frozen(kw_only=True)
class Balance:
    """The account's balance as read. `read_started_at`: when the read began."""

    cents: int
    read_started_at: datetime


@frozen(kw_only=True)
class Availability:
    """What is free. Any of it may be negative; `policy_cents` is None when the policy has no spend limit."""

    policy_cents: int | None
    subsidy_cents: int
    learner_cents: int
    """What this learner has spent and holds in this policy."""
    learner_redemptions: int


class Use(StrEnum):
    """What money is used for."""

    HELD = "held"
    ALLOCATED = "allocated"
    SPENT = "spent"


@frozen(kw_only=True)
class Charge:
    """Money that is spent or promised. `is_in_balance`: the balance that was read shows it already."""

    policy_uuid: UUID | None
    lms_user_id: int | None
    cents: int
    use: Use
    is_in_balance: bool

    @property
    def is_redemption(self) -> bool:
        return self.use is not Use.ALLOCATED


def availability(
    *,
    policy_uuid: UUID,
    spend_limit_cents: int | None,
    lms_user_id: int | None,
    paying_assignment_uuid: UUID | None,
    balance: Balance,
    reservations: Collection[ReservedMoney],
    entries: Collection[LedgerEntry],
) -> Availability:
    """Return what is free in one policy and its subsidy, and what one learner uses of the policy.

    `reservations` and `entries` are those of the whole subsidy. The allocation of the assignment that is about to be
    redeemed does not stand in its own way.
    """
    charges = charges_of(
        reservations=reservations, entries=entries, balance=balance, paying_assignment_uuid=paying_assignment_uuid
    )
    in_policy = [charge for charge in charges if charge.policy_uuid == policy_uuid]
    of_learner = [charge for charge in in_policy if charge.is_redemption and charge.lms_user_id == lms_user_id]
    return Availability(
        policy_cents=None if spend_limit_cents is None else spend_limit_cents - _total(in_policy),
        subsidy_cents=balance.cents - _total(charge for charge in charges if not charge.is_in_balance),
        learner_cents=_total(of_learner),
        learner_redemptions=len(of_learner),
    )


def _total(charges: Iterable[Charge]) -> int:
    return sum(charge.cents for charge in charges)


def charges_of(
    *,
    reservations: Collection[ReservedMoney],
    entries: Collection[LedgerEntry],
    balance: Balance,
    paying_assignment_uuid: UUID | None = None,
) -> list[Charge]:
    """Return everything that uses money, each once: by its transaction where that decides, else by its reservation.

    What a reservation and its transaction come to depends on these two alone, so that a change of one pair changes the
    totals by the difference of its charges.
    """
    return list(_charges(reservations, entries, balance, paying_assignment_uuid))


def _charges(
    reservations: Collection[ReservedMoney],
    entries: Collection[LedgerEntry],
    balance: Balance,
    paying_assignment_uuid: UUID | None,
) -> Iterator[Charge]:
    by_uuid = {entry.uuid: entry for entry in entries}
    ours = {reserved.transaction_uuid: reserved for reserved in reservations if reserved.transaction_uuid}
    for reserved in reservations:
        entry = by_uuid.get(reserved.transaction_uuid) if reserved.transaction_uuid else None
        if not _is_own_allocation(reserved, paying_assignment_uuid) and _counts(reserved, entry):
            yield _charge_of_reservation(reserved, entry, balance)
    for entry in entries:
        # What we did not start may still be running: nothing of ours stands for it, so it counts from the beginning.
        is_foreign = entry.uuid not in ours
        if entry.is_redemption and (entry.is_success or (is_foreign and entry.is_running)):
            yield _charge_of_entry(entry, ours.get(entry.uuid), balance)


def _is_own_allocation(reserved: ReservedMoney, paying_assignment_uuid: UUID | None) -> bool:
    return (
        paying_assignment_uuid is not None
        and reserved.kind is ReservationKind.ALLOCATION
        and reserved.assignment_uuid == paying_assignment_uuid
    )


def _counts(reserved: ReservedMoney, entry: LedgerEntry | None) -> bool:
    """Say whether a reservation counts by itself: it is not released, and no committed transaction stands for it.

    A failed transaction proves nothing, because the ledger takes it up again: what is held for it stays held.
    """
    if reserved.state is ReservationState.RELEASED:
        return False
    return entry is None or not (entry.is_success or entry.is_reversed)


def _charge_of_reservation(reserved: ReservedMoney, entry: LedgerEntry | None, balance: Balance) -> Charge:
    return Charge(
        policy_uuid=reserved.policy_uuid,
        lms_user_id=reserved.lms_user_id,
        cents=reserved.amount_cents,
        # The ledger's balance counts a transaction from created on.
        is_in_balance=entry is not None and entry.is_running and entry.seen_at < balance.read_started_at,
        use=Use.HELD if reserved.kind is ReservationKind.REDEMPTION else Use.ALLOCATED,
    )


def _charge_of_entry(entry: LedgerEntry, reserved: ReservedMoney | None, balance: Balance) -> Charge:
    policy_uuid, lms_user_id = entry.policy_uuid, entry.lms_user_id
    if reserved is not None:
        policy_uuid, lms_user_id = policy_uuid or reserved.policy_uuid, lms_user_id or reserved.lms_user_id
    return Charge(
        policy_uuid=policy_uuid,
        lms_user_id=lms_user_id,
        cents=entry.spent_cents,
        use=Use.SPENT,
        is_in_balance=entry.seen_at < balance.read_started_at,
    )

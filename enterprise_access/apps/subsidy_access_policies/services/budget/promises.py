"""Promising money, and giving it back: never over a limit, whatever runs at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind, ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.policies import SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused, PolicyUnknown, ReservationEnded
from enterprise_access.apps.subsidy_access_policies.models import (
    LearnerTotals,
    PolicyTotals,
    Reservation,
    Subsidy,
    SubsidyAccessPolicy,
    SubsidyTotals,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import lock_account, move_totals, sums_for
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def reserve(
    *,
    policy_uuid: UUID,
    lms_user_id: int | None,
    content_key: str,
    amount_cents: int,
    kind: ReservationKind,
    now: datetime,
    assignment_uuid: UUID | None = None,
    attempt_uuid: UUID | None = None,
) -> Reservation:
    """Promise money, or turn an assignment's promise into a redemption of the same amount.

    Raises BudgetRefused when a limit or the balance does not allow it, whatever else happens at this moment, and when
    another attempt redeems the assignment.
    """
    subsidy_uuid = SubsidyAccessPolicy.objects.filter(pk=policy_uuid).values_list("subsidy", flat=True).first()
    if subsidy_uuid is None:
        raise PolicyUnknown(f"There is no budget {policy_uuid}.")
    account = lock_account(subsidy_uuid)
    promise = _promise_of(assignment_uuid) if assignment_uuid else None
    if promise is not None:
        is_redeemed = promise.kind == ReservationKind.REDEMPTION.value
        if kind is ReservationKind.REDEMPTION and is_redeemed and promise.attempt_uuid != attempt_uuid:
            # What is promised once is paid once: another redemption is on its way.
            raise BudgetRefused(CreditReason.REDEMPTION_IN_PROGRESS)
        # Its money is held already: nothing has to fit, and the amount is the one that was promised.
        return _changed(promise, kind=kind, attempt_uuid=attempt_uuid, lms_user_id=lms_user_id)
    locked = _read(policy_uuid, account, lms_user_id)
    reason = _refusal(locked, amount_cents, kind, is_assigned=assignment_uuid is not None, now=now)
    if reason is not None:
        raise BudgetRefused(reason)
    promise = Reservation(
        policy=locked.policy,
        lms_user_id=lms_user_id,
        content_key=content_key,
        amount=amount_cents,
        kind=kind.value,
        state=ReservationState.HELD.value,
        assignment_uuid=assignment_uuid,
        attempt_uuid=attempt_uuid,
    )
    promise.save(force_insert=True)
    move_totals(locked.subsidy, before={}, after=sums_for(locked.subsidy, reservations=[promise.as_money], entries=[]))
    return promise


@retry_deadlocks
def release(*, reservation_uuid: UUID, as_allocation: bool = False) -> Reservation:
    """Give promised money back; `as_allocation`: back to the assignment that was being redeemed.

    Releasing again changes nothing. Raises ReservationEnded when the money is spent.
    """
    lock_account(Reservation.objects.select_related("policy").get(pk=reservation_uuid).policy.subsidy_id)
    promise = Reservation.objects.get(pk=reservation_uuid)
    if promise.state == ReservationState.SPENT.value:
        raise ReservationEnded("The money of this promise is spent.")
    if promise.state == ReservationState.RELEASED.value:
        return promise
    if as_allocation and promise.assignment_uuid is not None:
        return _changed(promise, kind=ReservationKind.ALLOCATION, attempt_uuid=None, lms_user_id=promise.lms_user_id)
    with _moving(promise):
        promise.state = ReservationState.RELEASED.value
    return promise


@frozen(kw_only=True)
class _Locked:
    """A policy with its totals, under the lock of its account.

    `learner` None: an address without an account, or a policy that does not limit learners.
    """

    policy: SubsidyAccessPolicy
    subsidy: Subsidy
    account: SubsidyTotals
    totals: PolicyTotals
    learner: LearnerTotals | None


def _read(policy_uuid: UUID, account: SubsidyTotals, lms_user_id: int | None) -> _Locked:
    """Read what limits a promise, which no other process changes while the account is locked."""
    policy = SubsidyAccessPolicy.objects.select_related("subsidy", "totals").get(pk=policy_uuid)
    learner = None
    limits_learners = (policy.per_learner_spend_limit, policy.per_learner_enrollment_limit) != (None, None)
    if lms_user_id is not None and limits_learners:
        found = LearnerTotals.objects.filter(policy=policy, lms_user_id=lms_user_id).first()
        learner = found or LearnerTotals(policy=policy, lms_user_id=lms_user_id)
    totals = getattr(policy, "totals", None) or PolicyTotals(policy=policy)
    return _Locked(policy=policy, subsidy=policy.subsidy, account=account, totals=totals, learner=learner)


def _refusal(
    locked: _Locked, amount: int, kind: ReservationKind, *, is_assigned: bool, now: datetime
) -> CreditReason | None:
    """Return the first limit that the amount does not fit into; [C1], [C6] and [C9] to [C12] under the lock."""
    policy, subsidy, totals = locked.policy, locked.subsidy, locked.totals
    if policy.retired or not policy.active:
        return CreditReason.POLICY_EXPIRED
    if subsidy.balance is None:
        return CreditReason.SUBSIDY_UNAVAILABLE
    if not SubsidyPeriod(start=subsidy.starts_at, expiration=subsidy.expires_at).is_active(now=now):
        return CreditReason.SUBSIDY_EXPIRED
    if amount > subsidy.balance - locked.account.promised:
        return CreditReason.NOT_ENOUGH_VALUE
    used = totals.spent + totals.held + totals.allocated
    if policy.spend_limit is not None and used + amount > policy.spend_limit:
        return CreditReason.POLICY_SPEND_LIMIT
    is_allocated = is_assigned or kind is ReservationKind.ALLOCATION
    return None if is_allocated or locked.learner is None else _learner_refusal(policy, locked.learner, amount)


def _learner_refusal(policy: SubsidyAccessPolicy, learner: LearnerTotals, amount: int) -> CreditReason | None:
    limit = policy.per_learner_spend_limit
    if limit is not None and learner.spent + learner.held + amount > limit:
        return CreditReason.LEARNER_SPEND_LIMIT
    most = policy.per_learner_enrollment_limit
    if most is not None and learner.redemptions >= most:
        return CreditReason.LEARNER_ENROLLMENT_LIMIT
    return None


def _promise_of(assignment_uuid: UUID) -> Reservation | None:
    """Return the promise of an assignment that stands."""
    return Reservation.objects.filter(open_assignment_uuid=assignment_uuid).first()


def _changed(
    promise: Reservation, *, kind: ReservationKind, attempt_uuid: UUID | None, lms_user_id: int | None
) -> Reservation:
    with _moving(promise):
        promise.kind, promise.attempt_uuid, promise.lms_user_id = kind.value, attempt_uuid, lms_user_id
        if kind is ReservationKind.ALLOCATION:
            # The next attempt has a transaction of its own.
            promise.transaction_uuid = None
    return promise


@contextmanager
def _moving(promise: Reservation) -> Iterator[None]:
    """Save a promise that is changed inside, and move the totals by the change. The account is locked."""
    subsidy = Subsidy.objects.get(policies=promise.policy_id)
    copy = SubsidyTransaction.objects.filter(pk=promise.transaction_uuid).first() if promise.transaction_uuid else None
    entries = [copy.as_entry] if copy else []
    before = sums_for(subsidy, reservations=[promise.as_money], entries=entries)
    yield
    promise.save()
    move_totals(subsidy, before=before, after=sums_for(subsidy, reservations=[promise.as_money], entries=entries))

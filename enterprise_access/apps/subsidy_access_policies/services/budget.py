"""Every change of promised and spent money: one short transaction each, without network.

Rows are locked in one order: the promise, the copy of the transaction, then the totals of account, policy and learner.
Totals change by the difference of what the changed rows come to by the rules, so that they are what all rows come to.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen
from django.db import models, transaction
from django.db.models import F

from enterprise_access.apps.subsidy_access_policies.domain.availability import (
    ReservationKind,
    ReservationState,
    charges_of,
)
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionCopy, TransactionState, merge_copy
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
from enterprise_access.apps.subsidy_access_policies.selectors import balance_of, computed_sums, sums_of
from enterprise_access.lib.transactions import retry_deadlocks

_UNCOUNTED: Final = TransactionState.FAILED


@frozen(kw_only=True)
class LedgerNews:
    """What the ledger said of one transaction. `source`: answer, event or reconciliation."""

    uuid: UUID
    subsidy_uuid: UUID
    policy_uuid: UUID | None
    lms_user_id: int | None
    content_key: str | None
    quantity_cents: int
    state: TransactionState
    is_reversed: bool
    created: datetime
    modified: datetime
    source: str


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

    Raises BudgetRefused when a limit or the balance does not allow it, whatever else happens at this moment.
    """
    policy = _policy(policy_uuid)
    _ensure(SubsidyTotals, subsidy_id=policy.subsidy_id)
    with transaction.atomic():
        promise = _promise_of(assignment_uuid) if assignment_uuid else None
        if promise is not None:
            # Its money is held already: nothing has to fit, and the amount is the one that was promised.
            return _changed(promise, kind=kind, attempt_uuid=attempt_uuid, lms_user_id=lms_user_id)
        locked = _lock(policy, lms_user_id)
        reason = _refusal(locked, amount_cents, kind, is_assigned=assignment_uuid is not None, now=now)
        if reason is not None:
            raise BudgetRefused(reason)
        promise = Reservation(
            policy=policy,
            lms_user_id=lms_user_id,
            content_key=content_key,
            amount=amount_cents,
            kind=kind.value,
            state=ReservationState.HELD.value,
            assignment_uuid=assignment_uuid,
            attempt_uuid=attempt_uuid,
        )
        promise.save(force_insert=True)
        _apply(policy.subsidy, before=(None, None), after=(promise, None))
        return promise


@retry_deadlocks
def release(*, reservation_uuid: UUID, as_allocation: bool = False) -> Reservation:
    """Give promised money back; `as_allocation`: back to the assignment that was being redeemed.

    Releasing again changes nothing. Raises ReservationEnded when the money is spent.
    """
    with transaction.atomic():
        promise = Reservation.objects.select_for_update().get(pk=reservation_uuid)
        if promise.state == ReservationState.SPENT.value:
            raise ReservationEnded("The money of this promise is spent.")
        if promise.state == ReservationState.RELEASED.value:
            return promise
        if as_allocation and promise.assignment_uuid is not None:
            return _changed(
                promise, kind=ReservationKind.ALLOCATION, attempt_uuid=None, lms_user_id=promise.lms_user_id
            )
        return _moved(promise, ReservationState.RELEASED)


@retry_deadlocks
def spend(*, reservation_uuid: UUID, news: LedgerNews, now: datetime) -> Reservation:
    """Spend a promise: the transaction of the ledger stands for it from now on. Spending again changes nothing."""
    with transaction.atomic():
        promise = Reservation.objects.select_for_update().get(pk=reservation_uuid)
        if promise.state == ReservationState.RELEASED.value:
            raise ReservationEnded("The money of this promise was given back.")
        if promise.transaction_uuid not in (None, news.uuid):
            raise ReservationEnded("Another transaction stands for this promise.")
        _record(news, now=now, promise=promise, new_state=ReservationState.SPENT)
        return promise


def reverse(*, news: LedgerNews, now: datetime) -> SubsidyTransaction:
    """Record that the ledger gave the money of a transaction back. Raises ValueError for any other news."""
    if not news.is_reversed:
        raise ValueError("The ledger did not reverse this transaction.")
    return record_transaction(news=news, now=now)


@retry_deadlocks
def record_transaction(*, news: LedgerNews, now: datetime) -> SubsidyTransaction:
    """Merge news into our copy. The order and the repetition of news do not matter."""
    _ensure(SubsidyTotals, subsidy_id=news.subsidy_uuid)
    with transaction.atomic():
        promise = Reservation.objects.select_for_update().filter(transaction_uuid=news.uuid).first()
        return _record(news, now=now, promise=promise)


@retry_deadlocks
def record_balance(
    *, subsidy_uuid: UUID, balance_cents: int, deposits_cents: int, period: SubsidyPeriod, read_started_at: datetime
) -> Subsidy:
    """Record an account as read. An older read than the one that we have changes nothing."""
    _ensure(SubsidyTotals, subsidy_id=subsidy_uuid)
    with transaction.atomic():
        totals = SubsidyTotals.objects.select_for_update().get(pk=subsidy_uuid)
        subsidy = Subsidy.objects.get(pk=subsidy_uuid)
        if subsidy.fetched_at is not None and subsidy.fetched_at >= read_started_at:
            return subsidy
        subsidy.balance, subsidy.total_deposits, subsidy.fetched_at = balance_cents, deposits_cents, read_started_at
        subsidy.starts_at, subsidy.expires_at = period.start, period.expiration
        subsidy.save()
        totals.promised = computed_sums(subsidy).get(("subsidy", "promised"), 0)
        totals.save(update_fields=["promised"])
        return subsidy


# --- checking ------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class _Locked:
    """The policy with the totals that are locked. `learner` None: allocated to an address without an account."""

    policy: SubsidyAccessPolicy
    subsidy: Subsidy
    account: SubsidyTotals
    totals: PolicyTotals
    learner: LearnerTotals | None


def _policy(policy_uuid: UUID) -> SubsidyAccessPolicy:
    policy = SubsidyAccessPolicy.objects.select_related("subsidy").filter(pk=policy_uuid).first()
    if policy is None:
        raise PolicyUnknown(f"There is no budget {policy_uuid}.")
    return policy


def _lock(policy: SubsidyAccessPolicy, lms_user_id: int | None) -> _Locked:
    """Lock the totals in their order: account, policy, learner. Policy and account are read again under the lock."""
    _ensure(SubsidyTotals, subsidy_id=policy.subsidy_id)
    account = SubsidyTotals.objects.select_for_update().get(pk=policy.subsidy_id)
    _ensure(PolicyTotals, policy_id=policy.pk)
    totals = PolicyTotals.objects.select_for_update().get(pk=policy.pk)
    learner = None
    if lms_user_id is not None:
        _ensure(LearnerTotals, policy_id=policy.pk, lms_user_id=lms_user_id)
        learner = LearnerTotals.objects.select_for_update().get(policy_id=policy.pk, lms_user_id=lms_user_id)
    fresh = _policy(policy.pk)
    return _Locked(policy=fresh, subsidy=fresh.subsidy, account=account, totals=totals, learner=learner)


def _ensure(model: type[models.Model], **key: UUID | int) -> None:
    """Make the row of totals where there is none yet.

    Looked for first: on MySQL an insert that meets a row locks it as a reader, and two of those who then want to write
    are a deadlock.
    """
    if not model._default_manager.filter(**key).exists():
        model._default_manager.bulk_create([model(**key)], ignore_conflicts=True)


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


# --- writing -------------------------------------------------------------------------------------------------------

_Pair = tuple[Reservation | None, SubsidyTransaction | None]


def _promise_of(assignment_uuid: UUID) -> Reservation | None:
    """Return the promise of an assignment that stands, locked."""
    return Reservation.objects.select_for_update().filter(open_assignment_uuid=assignment_uuid).first()


def _changed(
    promise: Reservation, *, kind: ReservationKind, attempt_uuid: UUID | None, lms_user_id: int | None
) -> Reservation:
    before = Reservation.objects.get(pk=promise.pk)
    promise.kind, promise.attempt_uuid, promise.lms_user_id = kind.value, attempt_uuid, lms_user_id
    return _saved(before, promise)


def _moved(promise: Reservation, state: ReservationState) -> Reservation:
    before = Reservation.objects.get(pk=promise.pk)
    promise.state = state.value
    return _saved(before, promise)


def _saved(before: Reservation, promise: Reservation) -> Reservation:
    policy = _policy(promise.policy_id)
    copy = _copy_of(promise)
    _lock_account(policy.subsidy_id)
    promise.save()
    _apply(Subsidy.objects.get(pk=policy.subsidy_id), before=(before, copy), after=(promise, copy))
    return promise


def _copy_of(promise: Reservation) -> SubsidyTransaction | None:
    if promise.transaction_uuid is None:
        return None
    return SubsidyTransaction.objects.filter(pk=promise.transaction_uuid).first()


def _record(
    news: LedgerNews, *, now: datetime, promise: Reservation | None, new_state: ReservationState | None = None
) -> SubsidyTransaction:
    old = SubsidyTransaction.objects.select_for_update().filter(pk=news.uuid).first()
    _lock_account(news.subsidy_uuid)
    # Somebody else may have written it before the lock was ours.
    old = old or SubsidyTransaction.objects.filter(pk=news.uuid).first()
    before = None if promise is None else Reservation.objects.get(pk=promise.pk)
    copy = _merged(old, news, now=now)
    copy.save()
    if promise is not None:
        promise.state = new_state.value if new_state else promise.state
        promise.transaction_uuid = news.uuid
        promise.save()
    _apply(Subsidy.objects.get(pk=news.subsidy_uuid), before=(before, old), after=(promise, copy))
    return copy


def _merged(old: SubsidyTransaction | None, news: LedgerNews, *, now: datetime) -> SubsidyTransaction:
    heard = TransactionCopy(state=news.state, is_reversed=news.is_reversed, modified=news.modified)
    merged = merge_copy(old.as_copy if old else None, heard)
    # The balance counts a transaction from created on, and a failed one again when it is taken up.
    counts_as_before = old is not None and TransactionState(old.state) is not _UNCOUNTED
    is_first_reversal = merged.is_reversed and (old is None or not old.is_reversed)
    return SubsidyTransaction(
        uuid=news.uuid,
        subsidy_id=news.subsidy_uuid,
        policy_uuid=news.policy_uuid,
        lms_user_id=news.lms_user_id,
        content_key=news.content_key or "",
        quantity=news.quantity_cents,
        state=merged.state.value,
        is_reversed=merged.is_reversed,
        reversed_at=now if is_first_reversal else (old.reversed_at if old else None),
        created=news.created,
        modified=merged.modified,
        seen_at=old.seen_at if old is not None and counts_as_before else now,
        source=news.source,
    )


def _lock_account(subsidy_uuid: UUID) -> None:
    _ensure(SubsidyTotals, subsidy_id=subsidy_uuid)
    SubsidyTotals.objects.select_for_update().get(pk=subsidy_uuid)


def _apply(subsidy: Subsidy, *, before: _Pair, after: _Pair) -> None:
    """Move the totals by what the changed rows come to. The account's row is locked; the others follow in order."""
    old, new = _sums(subsidy, before), _sums(subsidy, after)
    changes = {key: new.get(key, 0) - old.get(key, 0) for key in {*old, *new}}
    changes = {key: change for key, change in changes.items() if change}
    if promised := changes.pop(("subsidy", "promised"), 0):
        SubsidyTotals.objects.filter(pk=subsidy.pk).update(promised=F("promised") + promised)
    own = {str(pk) for pk in subsidy.policies.filter(pk__in={key[1] for key in changes}).values_list("pk", flat=True)}
    for key in sorted(changes, key=lambda key: (key[0] != "policy", key)):
        if key[1] in own:
            _move(key, changes[key])


def _sums(subsidy: Subsidy, pair: _Pair) -> Mapping[tuple[str, ...], int]:
    promise, copy = pair
    charges = charges_of(
        reservations=[promise.as_money] if promise else [],
        entries=[copy.as_entry] if copy else [],
        balance=balance_of(subsidy),
    )
    return sums_of(charges)


def _move(key: tuple[str, ...], change: int) -> None:
    scope, policy, *learner, name = key
    if scope == "policy":
        _ensure(PolicyTotals, policy_id=UUID(policy))
        PolicyTotals.objects.filter(policy_id=UUID(policy)).update(**{name: F(name) + change})
        return
    lms_user_id = int(learner[0])
    _ensure(LearnerTotals, policy_id=UUID(policy), lms_user_id=lms_user_id)
    LearnerTotals.objects.filter(policy_id=UUID(policy), lms_user_id=lms_user_id).update(**{name: F(name) + change})

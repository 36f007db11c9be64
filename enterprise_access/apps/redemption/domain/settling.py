"""What an attempt does next after a call to the ledger: it is settled, calls again, looks, waits, or needs staff.

A call whose outcome is unknown is never repeated blindly: the ledger's list and the platform enrollment say what
happened, and a repeat carries the same key, so that the learner is charged once.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from attrs import frozen

from enterprise_access.apps.redemption.domain.transactions import Transaction
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

# Calls to the ledger for one attempt.
MAX_CALLS: Final = 5

_SUCCESS_STATUSES: Final = frozenset({200, 201})
# Nothing was written: the ledger was busy, or does not let us in now.
_CALL_AGAIN_STATUSES: Final = frozenset({401, 403, 404, 429})
_OUR_FAULT: Final = 400
_UNPROCESSABLE: Final = 422
_NOTHING_WRITTEN_OR_LMS_FAILED: Final = "transaction_creation_error"

# Answers that refuse for certain. The ledger gives them before it writes, or after it marked its row as failed.
_DEFINITE_REFUSALS: Final[Mapping[str | None, CreditReason]] = {
    "inactive_subsidy_creation_error": CreditReason.SUBSIDY_EXPIRED,
    "content_not_found": CreditReason.CONTENT_NOT_IN_CATALOG,
    "invalid_requested_price": CreditReason.PRICE_CHANGED,
    "fulfillment_error": CreditReason.ENROLLMENT_FAILED,
}


@frozen(kw_only=True)
class Asked:
    """What the attempt asks the ledger for."""

    lms_user_id: int
    run_key: str
    idempotency_key: str


@frozen(kw_only=True)
class LedgerCall:
    """The last call. `status` None: no answer came (time-out, broken connection)."""

    status: int | None
    code: str | None = None
    transaction: Transaction | None = None


class Enrolled(StrEnum):
    """Whether the learner is actively enrolled in the run in a paid mode."""

    NO = "no"
    BEFORE = "before"
    """Before the first call."""
    BY_THIS_ATTEMPT = "by_this_attempt"
    """Now, and not before the first call."""
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Look:
    """What the ledger and the platform say. `transactions` None: the list could not be read."""

    transactions: Collection[Transaction] | None
    enrolled: Enrolled
    is_running_past_lms_limit: bool


class Next(StrEnum):
    """What the attempt does next."""

    COMMITTED = "committed"
    REFUSED = "refused"
    LOOK = "look"
    WAIT = "wait"
    SAME_KEY = "same_key"
    DEAD = "dead"


@frozen(kw_only=True)
class RedemptionStep:
    """What to do, and what becomes of the reserved money."""

    next: Next
    reservation: ReservationState = ReservationState.HELD
    reason: CreditReason | None = None


_LOOK: Final = RedemptionStep(next=Next.LOOK)
_WAIT: Final = RedemptionStep(next=Next.WAIT)
_DEAD: Final = RedemptionStep(next=Next.DEAD)
_PAID_BY_US: Final = RedemptionStep(next=Next.COMMITTED, reservation=ReservationState.SPENT)
_PAID_OTHERWISE: Final = RedemptionStep(next=Next.COMMITTED, reservation=ReservationState.RELEASED)


def is_success(*, asked: Asked, call: LedgerCall) -> bool:
    """Say whether an answer of the ledger proves that it paid for what was asked, for the learner who was named."""
    if call.status not in _SUCCESS_STATUSES or call.transaction is None:
        return False
    transaction = call.transaction
    return (
        transaction.state is TransactionState.COMMITTED
        and transaction.reversal_state is None
        and transaction.is_for(lms_user_id=asked.lms_user_id, run_key=asked.run_key)
    )


def redeem_next(*, asked: Asked, call: LedgerCall, look: Look | None, calls_left: int) -> RedemptionStep:
    """Say what the attempt does next. `calls_left`: calls to the ledger that are still allowed."""
    listed = _Listed.of(asked, look)
    if is_success(asked=asked, call=call) and not (listed and listed.ours_running):
        return _paid(asked, call)
    if call.status == _OUR_FAULT:
        return _DEAD
    if call.status in _CALL_AGAIN_STATUSES:
        return _same_key(calls_left)
    refused = _refused_for_certain(call, listed, look, is_first_call=calls_left >= MAX_CALLS - 1)
    if refused is not None:
        return refused
    if look is None:
        return _LOOK
    if listed is None:
        return _WAIT
    return _settle(call, listed, look, calls_left)


@frozen(kw_only=True)
class _Listed:
    """The listed transactions of the learner and run, ours (by the key) and others."""

    ours: tuple[Transaction, ...]
    others: tuple[Transaction, ...]

    @classmethod
    def of(cls, asked: Asked, look: Look | None) -> "_Listed | None":
        """Return None when the list was not asked for, or could not be read."""
        if look is None or look.transactions is None:
            return None
        own = [one for one in look.transactions if one.is_for(lms_user_id=asked.lms_user_id, run_key=asked.run_key)]
        ours = tuple(one for one in own if one.idempotency_key == asked.idempotency_key)
        return cls(ours=ours, others=tuple(one for one in own if one.idempotency_key != asked.idempotency_key))

    @property
    def ours_running(self) -> bool:
        return any(one.is_running for one in self.ours)

    @property
    def ours_committed(self) -> Transaction | None:
        return next((one for one in self.ours if one.state is TransactionState.COMMITTED), None)

    @property
    def others_paid(self) -> bool:
        return any(one.is_success for one in self.others)

    @property
    def others_running(self) -> bool:
        return any(one.is_running for one in self.others)


def _paid(asked: Asked, call: LedgerCall) -> RedemptionStep:
    """Paid by our transaction, or by one of another key: then our money is given back, so that nothing counts twice."""
    is_ours = call.transaction is not None and call.transaction.idempotency_key == asked.idempotency_key
    return _PAID_BY_US if is_ours else _PAID_OTHERWISE


def _same_key(calls_left: int) -> RedemptionStep:
    return RedemptionStep(next=Next.SAME_KEY) if calls_left > 0 else _DEAD


def _refused(reason: CreditReason) -> RedemptionStep:
    return RedemptionStep(next=Next.REFUSED, reservation=ReservationState.RELEASED, reason=reason)


def _refused_for_certain(
    call: LedgerCall, listed: _Listed | None, look: Look | None, *, is_first_call: bool
) -> RedemptionStep | None:
    """Refuse after a definite answer. After a repeat the list decides: an earlier call may have got through."""
    reason = _DEFINITE_REFUSALS.get(call.code) if call.status == _UNPROCESSABLE else None
    if reason is None:
        return None
    if is_first_call and look is None:
        return _refused(reason)
    if listed is None or listed.ours_running or listed.ours_committed or listed.others_paid or listed.others_running:
        return None
    return _refused(reason)


def _settle(call: LedgerCall, listed: _Listed, look: Look, calls_left: int) -> RedemptionStep:
    """Decide by what the ledger and the platform show."""
    if listed.ours_committed:
        return _PAID_OTHERWISE if listed.ours_committed.is_reversed else _PAID_BY_US
    if listed.ours_running:
        can_repeat = look.is_running_past_lms_limit and look.enrolled is not Enrolled.UNKNOWN
        return _same_key(calls_left) if can_repeat else _WAIT
    if listed.others_paid:
        return _PAID_OTHERWISE
    if listed.others_running or look.enrolled is Enrolled.UNKNOWN:
        return _WAIT
    if listed.ours:
        return _after_failure(look.enrolled, calls_left)
    is_rejected = call.status == _UNPROCESSABLE and call.code == _NOTHING_WRITTEN_OR_LMS_FAILED
    if is_rejected and look.enrolled is Enrolled.NO:
        return _refused(CreditReason.NOT_ENOUGH_VALUE)
    return _same_key(calls_left)


def _after_failure(enrolled: Enrolled, calls_left: int) -> RedemptionStep:
    """Our transaction failed. If the learner was enrolled all the same, the same key charges once for it."""
    if enrolled is Enrolled.BY_THIS_ATTEMPT:
        return _same_key(calls_left)
    return _refused(CreditReason.ALREADY_ENROLLED if enrolled is Enrolled.BEFORE else CreditReason.ENROLLMENT_FAILED)

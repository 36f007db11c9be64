"""What is told of a request: whether it is open, and how lists show it."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType

_S = RequestState
_UNDECIDED: Final = frozenset({_S.REQUESTED, _S.PENDING, _S.ERROR})

# A learner has one open request for the same thing. What becomes of a granted license or code is known elsewhere, so an
# approved request for one is settled; approved credit is open until it is redeemed.
OPEN_STATES: Final[Mapping[SubsidyType, frozenset[RequestState]]] = {
    SubsidyType.LICENSE: _UNDECIDED,
    SubsidyType.COUPON: _UNDECIDED,
    SubsidyType.LEARNER_CREDIT: _UNDECIDED | {_S.APPROVED},
}
# What a learner-credit request is taken up again from, under its uuid.
AGAIN_STATES: Final = (_S.CANCELLED, _S.EXPIRED, _S.REVERSED)


class ActionType(StrEnum):
    """What happened to a request: the state that it came to, or a reminder. The words that the admin portal knows."""

    REQUESTED = "requested"
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    ERROR = "error"
    FULFILLED = "fulfilled"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVERSED = "reversed"
    REMINDED = "reminded"


class LearnerRequestState(StrEnum):
    """How the admin portal's list shows a learner-credit request."""

    REQUESTED = "requested"
    WAITING = "waiting"
    FAILED = "failed"
    DECLINED = "declined"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVERSED = "reversed"


_SHOWN: Final[Mapping[RequestState, LearnerRequestState]] = {
    _S.REQUESTED: LearnerRequestState.REQUESTED,
    _S.PENDING: LearnerRequestState.WAITING,
    _S.APPROVED: LearnerRequestState.WAITING,
    _S.DECLINED: LearnerRequestState.DECLINED,
    _S.ERROR: LearnerRequestState.FAILED,
    _S.FULFILLED: LearnerRequestState.ACCEPTED,
    _S.ACCEPTED: LearnerRequestState.ACCEPTED,
    _S.CANCELLED: LearnerRequestState.CANCELLED,
    _S.EXPIRED: LearnerRequestState.EXPIRED,
    _S.REVERSED: LearnerRequestState.REVERSED,
}


def is_open(*, subsidy_type: SubsidyType, state: RequestState) -> bool:
    """Say whether the request keeps the learner from asking for the same thing again."""
    return state in OPEN_STATES[subsidy_type]


def open_key(*, subsidy_type: SubsidyType, customer_uuid: UUID, lms_user_id: int, course_id_folded: str) -> str:
    """Return what two open requests of one learner must not share: for licenses the customer, otherwise the course."""
    course = "" if subsidy_type is SubsidyType.LICENSE else course_id_folded
    return sha256(f"{subsidy_type}|{customer_uuid}|{lms_user_id}|{course}".encode()).hexdigest()


def learner_request_state(state: RequestState, *, error_reason: str) -> LearnerRequestState:
    """Return how lists show a request. A failure of the latest action shows while the request is still open."""
    if error_reason and state in (_S.REQUESTED, _S.APPROVED):
        return LearnerRequestState.FAILED
    return _SHOWN[state]

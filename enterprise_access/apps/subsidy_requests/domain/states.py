"""The states of a learner's request for a subsidy, and what each action makes of it."""

from enum import StrEnum
from typing import Final

from attrs import frozen


class SubsidyType(StrEnum):
    """What is requested."""

    LICENSE = "license"
    COUPON = "coupon"
    LEARNER_CREDIT = "learner_credit"


class RequestState(StrEnum):
    """Where a request stands."""

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


class RequestAction(StrEnum):
    """What happens to a request. `redeemed` to `reversed` are about the assignment behind it."""

    APPROVE = "approve"
    GRANTED = "granted"
    GRANT_FAILED = "grant_failed"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    FULFILLED = "fulfilled"
    TYPE_CHANGED = "type_changed"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVERSED = "reversed"
    REQUEST_AGAIN = "request_again"


class RequestOutcome(StrEnum):
    """What an action comes to. REFUSED: a 4xx answer, or an event that is ignored."""

    DONE = "done"
    NO_CHANGE = "no_change"
    REFUSED = "refused"


@frozen(kw_only=True)
class RequestTransition:
    """The outcome of an action, and the state afterwards."""

    outcome: RequestOutcome
    state: RequestState


_S = RequestState
_A = RequestAction
_Moves = dict[tuple[RequestState, RequestAction], RequestState]

_COMMON_MOVES: Final[_Moves] = {
    (_S.REQUESTED, _A.DECLINE): _S.DECLINED,
    (_S.ERROR, _A.DECLINE): _S.DECLINED,
    (_S.REQUESTED, _A.WITHDRAW): _S.CANCELLED,
    **{(state, _A.TYPE_CHANGED): _S.DECLINED for state in (_S.REQUESTED, _S.PENDING, _S.ERROR)},
}

# A worker grants a license or code, so that approving comes before granting.
_GRANTED_MOVES: Final[_Moves] = {
    **_COMMON_MOVES,
    (_S.REQUESTED, _A.APPROVE): _S.PENDING,
    (_S.ERROR, _A.APPROVE): _S.PENDING,
    (_S.PENDING, _A.GRANTED): _S.APPROVED,
    (_S.PENDING, _A.GRANT_FAILED): _S.ERROR,
    (_S.PENDING, _A.FULFILLED): _S.FULFILLED,
    (_S.APPROVED, _A.FULFILLED): _S.FULFILLED,
}

# Approving learner credit allocates in the same transaction; afterwards the request follows its assignment.
_CREDIT_MOVES: Final[_Moves] = {
    **_COMMON_MOVES,
    (_S.REQUESTED, _A.APPROVE): _S.APPROVED,
    (_S.ERROR, _A.APPROVE): _S.APPROVED,
    # The assignment behind it has failed for good.
    (_S.APPROVED, _A.GRANT_FAILED): _S.ERROR,
    (_S.APPROVED, _A.REDEEMED): _S.ACCEPTED,
    (_S.APPROVED, _A.CANCELLED): _S.CANCELLED,
    (_S.APPROVED, _A.EXPIRED): _S.EXPIRED,
    (_S.ACCEPTED, _A.REVERSED): _S.REVERSED,
    **{(state, _A.REQUEST_AGAIN): _S.REQUESTED for state in (_S.CANCELLED, _S.EXPIRED, _S.REVERSED)},
}

_COMMON_REPEATS: Final = frozenset(
    {
        (_S.PENDING, _A.APPROVE),
        (_S.APPROVED, _A.APPROVE),
        (_S.CANCELLED, _A.WITHDRAW),
        # A type that changes leaves alone what is settled; asking again leaves alone the row that exists.
        *((state, action) for state in RequestState for action in (_A.TYPE_CHANGED, _A.REQUEST_AGAIN)),
    }
)
_GRANTED_REPEATS: Final = frozenset(
    {
        *_COMMON_REPEATS,
        (_S.DECLINED, _A.DECLINE),
        (_S.APPROVED, _A.GRANTED),
        (_S.ERROR, _A.GRANT_FAILED),
        (_S.FULFILLED, _A.FULFILLED),
    }
)
_CREDIT_REPEATS: Final = frozenset(
    {
        *_COMMON_REPEATS,
        (_S.ERROR, _A.GRANT_FAILED),
        (_S.ACCEPTED, _A.REDEEMED),
        (_S.CANCELLED, _A.CANCELLED),
        (_S.EXPIRED, _A.EXPIRED),
        (_S.REVERSED, _A.REVERSED),
    }
)


def request_transition(*, subsidy_type: SubsidyType, state: RequestState, action: RequestAction) -> RequestTransition:
    """Return what an action makes of a request."""
    is_credit = subsidy_type is SubsidyType.LEARNER_CREDIT
    moved = (_CREDIT_MOVES if is_credit else _GRANTED_MOVES).get((state, action))
    if moved is not None:
        return RequestTransition(outcome=RequestOutcome.DONE, state=moved)
    repeats = _CREDIT_REPEATS if is_credit else _GRANTED_REPEATS
    outcome = RequestOutcome.NO_CHANGE if (state, action) in repeats else RequestOutcome.REFUSED
    return RequestTransition(outcome=outcome, state=state)

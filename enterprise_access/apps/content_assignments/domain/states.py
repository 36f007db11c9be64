"""The states of an assignment, and what each action makes of it and of the money that it holds."""

from enum import StrEnum
from typing import Final

from attrs import frozen


class AssignmentState(StrEnum):
    """Where an assignment stands. Only `allocated` holds money."""

    ALLOCATED = "allocated"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    ERRORED = "errored"
    REVERSED = "reversed"


ENDED: Final = frozenset(
    {AssignmentState.CANCELLED, AssignmentState.EXPIRED, AssignmentState.ERRORED, AssignmentState.REVERSED}
)


class AssignmentAction(StrEnum):
    """What happens to an assignment."""

    ALLOCATE = "allocate"
    ACCEPT = "accept"
    CANCEL = "cancel"
    EXPIRE = "expire"
    ERROR = "error"
    REVERSE = "reverse"
    EMAIL_FAILED = "email_failed"
    REDEEM_FAILED = "redeem_failed"


class ActionOutcome(StrEnum):
    """What an action comes to."""

    DONE = "done"
    NO_CHANGE = "no_change"
    REFUSED = "refused"


class MoneyMove(StrEnum):
    """What becomes of the money that the assignment holds."""

    HOLD = "hold"
    SPEND = "spend"
    RELEASE = "release"
    NONE = "none"


@frozen(kw_only=True)
class StateChange:
    """The outcome of an action, the state afterwards, and the move of money that belongs to it."""

    outcome: ActionOutcome
    state: AssignmentState
    money: MoneyMove = MoneyMove.NONE


@frozen
class _Move:
    state: AssignmentState
    money: MoneyMove


_MOVES: Final[dict[tuple[AssignmentState, AssignmentAction], _Move]] = {
    (AssignmentState.ALLOCATED, AssignmentAction.ACCEPT): _Move(AssignmentState.ACCEPTED, MoneyMove.SPEND),
    (AssignmentState.ALLOCATED, AssignmentAction.CANCEL): _Move(AssignmentState.CANCELLED, MoneyMove.RELEASE),
    (AssignmentState.ALLOCATED, AssignmentAction.EXPIRE): _Move(AssignmentState.EXPIRED, MoneyMove.RELEASE),
    (AssignmentState.ALLOCATED, AssignmentAction.ERROR): _Move(AssignmentState.ERRORED, MoneyMove.RELEASE),
    (AssignmentState.ACCEPTED, AssignmentAction.REVERSE): _Move(AssignmentState.REVERSED, MoneyMove.RELEASE),
    (AssignmentState.ERRORED, AssignmentAction.CANCEL): _Move(AssignmentState.CANCELLED, MoneyMove.NONE),
    **{
        (ended, AssignmentAction.ALLOCATE): _Move(AssignmentState.ALLOCATED, MoneyMove.HOLD)
        for ended in AssignmentState
        if ended in ENDED
    },
}

# What an action leads to: doing it again changes nothing.
_GOALS: Final = {
    AssignmentAction.ACCEPT: AssignmentState.ACCEPTED,
    AssignmentAction.CANCEL: AssignmentState.CANCELLED,
    AssignmentAction.EXPIRE: AssignmentState.EXPIRED,
    AssignmentAction.ERROR: AssignmentState.ERRORED,
    AssignmentAction.REVERSE: AssignmentState.REVERSED,
}

# A failed email or redemption never takes a promise away.
_WITHOUT_EFFECT: Final = frozenset({AssignmentAction.EMAIL_FAILED, AssignmentAction.REDEEM_FAILED})

# While a redemption is open, its money is on its way.
_NOT_WHILE_REDEEMING: Final = frozenset({AssignmentAction.CANCEL, AssignmentAction.EXPIRE, AssignmentAction.ERROR})


def transition(*, state: AssignmentState, action: AssignmentAction, is_attempt_open: bool) -> StateChange:
    """Return what an action makes of an assignment. `is_attempt_open`: a redemption of it is not settled yet."""
    if action in _WITHOUT_EFFECT or _GOALS.get(action) is state or _is_allocated_already(state, action):
        return StateChange(outcome=ActionOutcome.NO_CHANGE, state=state)
    move = _MOVES.get((state, action))
    if move is None or (is_attempt_open and action in _NOT_WHILE_REDEEMING):
        return StateChange(outcome=ActionOutcome.REFUSED, state=state)
    return StateChange(outcome=ActionOutcome.DONE, state=move.state, money=move.money)


def _is_allocated_already(state: AssignmentState, action: AssignmentAction) -> bool:
    return action is AssignmentAction.ALLOCATE and state not in ENDED

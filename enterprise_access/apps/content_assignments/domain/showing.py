"""What admins see of an assignment: whether its learner was told, and what happened to it last."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.states import AssignmentState


class LearnerState(StrEnum):
    """Where the learner stands."""

    NOTIFYING = "notifying"
    WAITING = "waiting"
    FAILED = "failed"
    EXPIRED = "expired"


LINKED: Final = "learner_linked"
NOTIFIED: Final = "notified"
REMINDED: Final = "reminded"
# An admin wants a reminder to be sent. It is `reminded` when it has been.
REMINDER_REQUESTED: Final = "reminder_requested"
ASSIGNED: Final = "assigned"

_EMAILS: Final = frozenset({NOTIFIED, REMINDED})


@frozen(kw_only=True)
class Action:
    """Something that was done about an assignment. `completed_at` None: not yet, or it failed."""

    action_type: str
    created: datetime
    completed_at: datetime | None
    error_reason: str | None

    @property
    def is_done(self) -> bool:
        return self.completed_at is not None and not self.error_reason


@frozen(kw_only=True)
class RecentAction:
    """What is shown as the last thing that happened."""

    action_type: str
    timestamp: datetime


def learner_state(
    *, state: AssignmentState, allocated_at: datetime, actions: Collection[Action]
) -> LearnerState | None:
    """Return where the learner stands in the assignment's present life; None when it is over or redeemed."""
    if state is AssignmentState.ERRORED:
        return LearnerState.FAILED
    if state is AssignmentState.EXPIRED:
        return LearnerState.EXPIRED
    if state is not AssignmentState.ALLOCATED:
        return None
    present = [action for action in actions if action.created >= allocated_at]
    if _has_failed(present, LINKED):
        return LearnerState.FAILED
    if any(action.is_done for action in present if action.action_type in _EMAILS):
        return LearnerState.WAITING
    return LearnerState.FAILED if _has_failed(present, NOTIFIED) else LearnerState.NOTIFYING


def _has_failed(actions: Collection[Action], action_type: str) -> bool:
    """Say whether the last action of a type failed."""
    of_type = [action for action in actions if action.action_type == action_type]
    return bool(of_type) and bool(max(of_type, key=lambda action: action.created).error_reason)


def recent_action(*, allocated_at: datetime, actions: Collection[Action]) -> RecentAction:
    """Return the last reminder that was sent since the allocation, else the allocation itself. Never nothing."""
    reminders = [
        action.completed_at
        for action in actions
        if action.action_type == REMINDED and action.is_done and action.created >= allocated_at
    ]
    sent = [at for at in reminders if at is not None and at > allocated_at]
    if not sent:
        return RecentAction(action_type=ASSIGNED, timestamp=allocated_at)
    return RecentAction(action_type=REMINDED, timestamp=max(sent))

"""Writing many assignments in a few statements, histories included."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from enterprise_access.apps.content_assignments.domain.showing import Action, LearnerState, learner_state, recent_action
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.lib.transactions import upsert

# In this order the admin portal sorts by learner state.
_ORDER: Final = {
    LearnerState.NOTIFYING: 0,
    LearnerState.WAITING: 1,
    LearnerState.EXPIRED: 2,
    LearnerState.FAILED: 3,
    None: 999,
}
# Rows of one statement, so that a call about thousands stays within what databases take.
_ROWS: Final = 1_000


def insert(rows: Sequence[Assignment], *, now: datetime, reason: str = "") -> None:
    """Insert assignments with their first history rows."""
    for row in rows:
        row.follow()
    Assignment.objects.bulk_create(rows)
    _write_history(rows, is_change=False, now=now, reason=reason)


def overwrite(rows: Sequence[Assignment], *, now: datetime, reason: str = "") -> None:
    """Save all columns of assignments that exist and are locked."""
    for row in rows:
        row.follow()
        row.modified = now
    upsert(Assignment, rows)
    _write_history(rows, is_change=True, now=now, reason=reason)


def set_columns(rows: Sequence[Assignment], *, now: datetime, **columns: Any) -> None:
    """Give locked assignments the same values, in one statement."""
    for row in rows:
        row.modified = now
        for name, value in columns.items():
            setattr(row, name, value)
    Assignment.objects.filter(pk__in=[row.pk for row in rows]).update(modified=now, **columns)
    _write_history(rows, is_change=True, now=now)


def add_actions(
    rows: Sequence[Assignment],
    action_type: str,
    *,
    now: datetime,
    error_reason: str = "",
    actor_lms_user_id: int | None = None,
) -> None:
    """Write down that something was done about assignments, or failed."""
    LearnerContentAssignmentAction.objects.bulk_create(
        [
            LearnerContentAssignmentAction(
                assignment=row,
                action_type=action_type,
                created=now,
                modified=now,
                completed_at=None if error_reason else now,
                error_reason=error_reason,
                actor_lms_user_id=actor_lms_user_id,
            )
            for row in rows
        ],
        batch_size=_ROWS,
    )


def _write_history(rows: Sequence[Assignment], *, is_change: bool, now: datetime, reason: str = "") -> None:
    Assignment.history.bulk_history_create(
        rows, batch_size=_ROWS, update=is_change, default_date=now, default_change_reason=reason
    )


def shown(row: Assignment, actions: Sequence[LearnerContentAssignmentAction]) -> dict[str, Any]:
    """Return the columns that lists show, sort and filter by, as the state and the actions have it."""
    known = [as_action(action) for action in actions]
    state = learner_state(state=AssignmentState(row.state), allocated_at=row.allocated_at, actions=known)
    recent = recent_action(allocated_at=row.allocated_at, actions=known)
    return {
        "learner_state": "" if state is None else state.value,
        "learner_state_order": _ORDER[state],
        "recent_action": recent.action_type,
        "recent_action_at": recent.timestamp,
    }


def as_action(action: LearnerContentAssignmentAction) -> Action:
    """Return an action as the rules know it."""
    return Action(
        action_type=action.action_type,
        created=action.created,
        completed_at=action.completed_at,
        error_reason=action.error_reason or None,
    )

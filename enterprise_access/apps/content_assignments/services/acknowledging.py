"""Learners dismiss what is over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import NothingOwn
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.writing import add_actions, set_columns
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order

# What can be dismissed, and the action that says so.
_DISMISSED: Final = {
    AssignmentState.CANCELLED.value: "cancelled_acknowledged",
    AssignmentState.EXPIRED.value: "expired_acknowledged",
}


@frozen(kw_only=True)
class Acknowledged:
    """The learner's own assignments among those that were named."""

    acknowledged: list[UUID]
    already_acknowledged: list[UUID]
    unacknowledged: list[UUID]


@retry_deadlocks
def acknowledge(
    assignment_uuids: Sequence[UUID], *, configuration_uuid: UUID, lms_user_id: int, now: datetime
) -> Acknowledged:
    """Note that a learner has seen that assignments are over; again changes nothing.

    Raises NothingOwn when none of them is the learner's.
    """
    own = Assignment.objects.filter(
        pk__in=set(assignment_uuids), configuration_uuid=configuration_uuid, lms_user_id=lms_user_id
    )
    rows = {row.pk: row for row in lock_in_order(own)}
    if not rows:
        raise NothingOwn("None of these assignments is yours.")
    named = [rows[one] for one in dict.fromkeys(assignment_uuids) if one in rows]
    over = [row for row in named if row.state in _DISMISSED]
    new = [row for row in over if row.acknowledged_at is None]
    done = [row.pk for row in over if row.acknowledged_at is not None]
    for state, action_type in _DISMISSED.items():
        if of_state := [row for row in new if row.state == state]:
            set_columns(of_state, now=now, acknowledged_at=now)
            add_actions(of_state, action_type, now=now)
    return Acknowledged(
        acknowledged=[row.pk for row in new],
        already_acknowledged=done,
        unacknowledged=[row.pk for row in named if row not in over],
    )

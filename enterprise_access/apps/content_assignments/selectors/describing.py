"""Assignments in the shape that clients know, for every page that shows them."""

from collections.abc import Sequence
from typing import Any

from enterprise_access.apps.content_assignments.domain.showing import REMINDER_REQUESTED
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.selectors.lists import list_actions


def describe(row: Assignment, actions: Sequence[LearnerContentAssignmentAction]) -> dict[str, Any]:
    """Return the members of an assignment as its learner sees it (recordings/enterprise-access, assignments-*)."""
    return {
        "uuid": row.pk,
        "assignment_configuration": row.configuration_uuid,
        "learner_email": None if row.email_cleared_at else row.learner_email,
        "lms_user_id": row.lms_user_id,
        "content_key": row.content_key,
        "parent_content_key": row.parent_content_key or None,
        "is_assigned_course_run": row.is_assigned_course_run,
        "content_title": row.content_title,
        "content_quantity": row.content_quantity,
        "state": row.state,
        "transaction_uuid": row.transaction_uuid,
        # Clients know the word for a reminder that was sent, and none for one that was asked for.
        "actions": [_describe_action(action) for action in actions if action.action_type != REMINDER_REQUESTED],
        "earliest_possible_expiration": {"date": row.expires_at, "reason": row.expires_because},
    }


def describe_for_portal(rows: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Return assignments with what the learner portal's pages read besides: one statement for all of them."""
    actions = list_actions(rows)
    return [{**describe(row, actions[row.pk]), "learner_acknowledged": row.acknowledged_at is not None} for row in rows]


def _describe_action(action: LearnerContentAssignmentAction) -> dict[str, Any]:
    return {
        "uuid": action.pk,
        "action_type": action.action_type,
        "created": action.created,
        "modified": action.modified,
        "completed_at": action.completed_at,
        "error_reason": action.error_reason or None,
    }

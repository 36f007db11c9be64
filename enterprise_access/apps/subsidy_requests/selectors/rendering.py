"""Requests as plain data, in this app's answers and in those of the apps above."""

from typing import Any
from uuid import UUID

from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestAction


def render_request(row: SubsidyRequest) -> dict[str, Any]:
    """Return what requests of all kinds tell as plain data."""
    return {
        "uuid": row.uuid,
        "lms_user_id": row.lms_user_id,
        "email": row.email,
        "course_id": row.course_id or None,
        "course_title": row.course_title or None,
        "course_partners": row.course_partners,
        "enterprise_customer_uuid": row.customer_uuid,
        "state": row.state,
        "reviewed_at": row.reviewed_at,
        "reviewer_lms_user_id": row.reviewer_lms_user_id,
        "decline_reason": row.decline_reason or None,
        "created": row.created,
        "modified": row.modified,
    }


def render_credit_request(
    row: SubsidyRequest, *, action: SubsidyRequestAction | None, configuration: UUID | None
) -> dict[str, Any]:
    """Return a request for learner credit as plain data, with its latest action and its budget's configuration."""
    return {
        **render_request(row),
        "learner_credit_request_config": configuration,
        "assignment": row.assignment_uuid,
        "course_price": row.course_price,
        "latest_action": _render_action(action) if action else None,
        "learner_request_state": row.learner_request_state,
    }


def _render_action(action: SubsidyRequestAction) -> dict[str, Any]:
    return {
        "uuid": action.uuid,
        "recent_action": action.type,
        "status": action.type,
        "error_reason": action.error_reason or None,
        "created": action.created,
        "modified": action.created,
    }

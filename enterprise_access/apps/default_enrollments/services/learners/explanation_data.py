"""Explanations as they go over the wire, or into a terminal."""

from typing import Any, Final

from enterprise_access.apps.content_metadata.domain import Resolved, Unresolved
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.facts import Intention, Realization
from enterprise_access.apps.default_enrollments.services.learners.explanation import (
    ExplainedIntention,
    ExplainedRequest,
    LearnerExplanation,
    ReasonInWords,
)
from enterprise_access.lib.keys import fold
from enterprise_access.lib.timeline import Explained

_PAYING_NOTE: Final = (
    "Payment is checked last, and only when nothing else blocks the enrollment. Without a license or budget, the "
    'decision stays "enrollable", the state is "blocked", and the reason says why nothing pays.'
)


def as_plain_data(explanation: LearnerExplanation) -> dict[str, Any]:
    """Return an explanation as it goes over the wire, or into a terminal: nothing personal but the LMS's ids."""
    current, request = explanation.current, explanation.request
    return {
        "enterprise_customer_uuid": explanation.customer_uuid,
        "lms_user_id": explanation.lms_user_id,
        "sentence": explanation.sentence,
        "explained_at": explanation.now,
        "stale": current.is_stale,
        "customer": {
            "is_active": current.is_customer_active,
            "is_paused": explanation.is_paused,
            "fetched_at": current.customer_read_at,
        },
        "link": {
            "is_linked": current.is_linked,
            "is_active_link": current.learner.is_active_link if current.learner else False,
            "last_login_at": current.learner.last_login_at if current.learner else None,
            "fetched_at": current.learner.fetched_at if current.learner else None,
        },
        "enrollments_fetched_at": current.enrollments_read_at,
        "request": _plain_request(request) if request else None,
        "intentions": [_plain_intention(entry) for entry in explanation.intentions],
        "enrollments_after_approvals": [_plain_enrollment_after_approval(one) for one in explanation.after_approvals],
        "note": _PAYING_NOTE,
    }


def _plain_enrollment_after_approval(one: Explained) -> dict[str, Any]:
    return {
        "request": one.about["request"],
        "course_run_key": one.about.get("course_run"),
        "outcome": one.kind.removeprefix("auto_enrollment_"),
        "reason": one.reason or None,
        "text": one.text,
        "at": one.at,
    }


def _plain_request(request: ExplainedRequest) -> dict[str, Any]:
    return {
        "due_at": request.due_at,
        "is_being_worked_on": request.is_being_worked_on,
        "waiting_for": _plain_reason(request.waiting_for),
        "failures": request.failures,
        "trigger": request.trigger,
        "settled_at": request.settled_at,
        "dead_at": request.dead_at,
    }


def _plain_reason(reason: ReasonInWords | None) -> dict[str, Any] | None:
    if reason is None:
        return None
    return {
        "code": reason.code,
        "text": reason.text,
        "what_would_change_it": reason.what_would_change_it,
        "looked_at_again": reason.looked_at_again,
        "looked_at_again_upon": list(reason.looked_at_again_upon),
    }


def _plain_intention(entry: ExplainedIntention) -> dict[str, Any]:
    verdict = entry.verdict
    return {
        "uuid": entry.intention.pk,
        "content_key": entry.intention.content_key,
        "is_deleted": entry.intention.is_deleted,
        "sentence": entry.sentence,
        "state": entry.state,
        "blocking_reasons": [_plain_reason(reason) for reason in entry.blocking],
        "paid_by": entry.paid_by,
        "rule": verdict.rule if verdict else None,
        "verdict": verdict.kind if verdict else None,
        "bucket": verdict.bucket if verdict else None,
        "mode": verdict.mode if verdict else None,
        "reason": _plain_reason(entry.reason),
        "obstacle": _plain_reason(entry.obstacle),
        "has_override": entry.has_override,
        "content": _plain_content(entry.content) if entry.content else None,
        "modes": _plain_modes(entry.modes) if entry.modes else None,
        "enrollments": [_plain_enrollment(row, entry.revoked_runs) for row in entry.enrollments],
        "realizations": [_plain_realization(row, entry.intention) for row in entry.realizations],
        "attempts": [_plain_attempt(row) for row in entry.attempts],
    }


def _plain_content(content: Content) -> dict[str, Any]:
    found = content.resolution
    run = found.run if isinstance(found, Resolved) else None
    return {
        "course_key": found.course.key if found.course else None,
        "course_run_key": run.key if run else None,
        "unresolved": found.reason if isinstance(found, Unresolved) else None,
        "is_published": run.is_published if run else None,
        "enrollment_starts_at": run.enrollment_starts_at if run else None,
        "enrollment_ends_at": run.enrollment_ends_at if run else None,
        "ends_at": run.ends_at if run else None,
        "catalogs": None if content.catalogs is None else list(content.catalogs),
        "fetched_at": content.fetched_at,
        "stale": content.is_stale,
    }


def _plain_modes(modes: KnownModes) -> dict[str, Any]:
    return {
        "modes": [{"slug": slug, "expires_at": expires_at} for slug, expires_at in modes.modes.items()],
        "is_invitation_only": modes.is_invitation_only,
        "evidence": modes.evidence,
        "fetched_at": modes.fetched_at,
    }


def _plain_enrollment(row: EnrollmentCopy, revoked_runs: frozenset[str]) -> dict[str, Any]:
    return {
        "course_run_key": row.course_run_key,
        "mode": row.mode,
        "is_active": row.is_active,
        "is_revoked": fold(row.course_run_key) in revoked_runs,
        "changed_at": row.changed_at,
        "fetched_at": row.fetched_at,
    }


def _plain_realization(row: Realization, intention: Intention) -> dict[str, Any]:
    return {
        "course_run_key": row.course_run_key,
        "of_this_intention": row.intention_id == intention.pk,
        "mode": row.seen_mode or row.predicted_mode,
        "realized_at": row.realized_at,
        "left_at": row.left_at,
        "left_reason": row.left_reason or None,
        "downgraded_at": row.downgraded_at,
    }


def _plain_attempt(row: RealizationAttempt) -> dict[str, Any]:
    return {
        "outcome": row.outcome,
        "reason": row.reason,
        "rule": row.rule,
        "course_run_key": row.course_run_key or None,
        "mode": row.mode or None,
        "trigger": row.trigger,
        "times": row.times,
        "first_at": row.created_at,
        "last_at": row.last_seen_at,
    }

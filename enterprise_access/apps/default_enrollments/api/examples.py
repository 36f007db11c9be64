"""What the API document shows: examples."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

CUSTOMER: Final = "acae0000-0000-4000-8000-000000000001"
INTENTION: Final = "de000000-0000-4000-8000-000000000009"
RUN: Final = "course-v1:edX+DemoX+2026_T1"

_RESOLUTION: Final[dict[str, Any]] = {
    "content_key": "edX+DemoX",
    "enterprise_customer": CUSTOMER,
    "course_key": "edX+DemoX",
    "course_run_key": RUN,
    "is_course_run_enrollable": True,
    "best_mode_for_course_run": "verified",
    "applicable_enterprise_catalog_uuids": ["ca7a0000-0000-4000-8000-0000000000a1"],
    "course_run_normalized_metadata": {
        "start_date": "2026-01-01T00:00:00Z",
        "end_date": "2027-06-01T00:00:00Z",
        "enroll_by_date": "2027-01-01T00:00:00Z",
        "enroll_start_date": None,
        "content_price": 149.0,
    },
    "content_type": "course",
    "title": "Demonstration Course",
    "deadline": "2027-01-01T00:00:00Z",
    "downgrade_target": "audit",
    "modes_evidence": "lms",
    "is_checked": True,
    "is_stale": False,
    "content_fetched_at": "2026-11-21T20:04:30Z",
    "verdict_for_newcomer": {
        "is_enrollable": True,
        "rule": "D17",
        "reason": "needs_enrollment",
        "text": "The learner is not in the course, and can be enrolled.",
        "what_would_change_it": "The learner is enrolled as soon as a license or budget pays for it.",
    },
    "warnings": [],
}

_UNCHECKED: Final[dict[str, Any]] = {
    **_RESOLUTION,
    "course_key": None,
    "course_run_key": None,
    "is_course_run_enrollable": False,
    "best_mode_for_course_run": None,
    "applicable_enterprise_catalog_uuids": [],
    "course_run_normalized_metadata": {},
    "title": None,
    "deadline": None,
    "downgrade_target": None,
    "modes_evidence": None,
    "is_checked": False,
    "content_fetched_at": None,
    "verdict_for_newcomer": {
        "is_enrollable": False,
        "rule": "D8",
        "reason": "catalog_unavailable",
        "text": "The catalog service could not be asked, so nothing is known about the course or the customer's "
        "catalogs.",
        "what_would_change_it": "The catalog service answers. The service asks again automatically.",
    },
    "warnings": [
        {
            "reason": "catalog_unavailable",
            "text": "The catalog service could not be asked, so nothing is known about the course or the customer's "
            "catalogs.",
        }
    ],
}

_ROW: Final[dict[str, Any]] = {
    "uuid": INTENTION,
    "created": "2026-11-21T20:04:30Z",
    "modified": "2026-11-21T20:04:30Z",
    "deleted_at": None,
}

REALIZATION: Final[dict[str, Any]] = {
    "uuid": "5ea10000-0000-4000-8000-000000000001",
    "intention": INTENTION,
    "content_key": "edX+DemoX",
    "enterprise_customer": CUSTOMER,
    "lms_user_id": 1001,
    "enterprise_customer_user_id": 501,
    "course_key": "edX+DemoX",
    "course_run_key": RUN,
    "mode": "verified",
    "state": "realized",
    "realized_at": "2026-11-21T20:10:00Z",
    "left_at": None,
    "left_reason": None,
    "downgraded_at": None,
    "created": "2026-11-21T20:10:00Z",
    "modified": "2026-11-21T20:10:00Z",
}

ATTEMPT: Final[dict[str, Any]] = {
    "id": 42,
    "intention": INTENTION,
    "content_key": "edX+DemoX",
    "enterprise_customer": CUSTOMER,
    "lms_user_id": 1008,
    "outcome": "blocked",
    "reason": "no_license",
    "text": "The learner has no license.",
    "rule": "D17",
    "course_key": "edX+DemoX",
    "course_run_key": RUN,
    "mode": "verified",
    "is_upgrade": False,
    "trigger": "portal",
    "times": 3,
    "created_at": "2026-11-21T20:10:00Z",
    "last_seen_at": "2026-11-23T08:00:00Z",
}

HEALTH: Final[dict[str, Any]] = {
    "uuid": INTENTION,
    "content_key": "edX+DemoX",
    "enterprise_customer": CUSTOMER,
    "state": "unhealthy",
    "reason": "enrollment_closed",
    "text": "Enrollment in the run is closed.",
    "what_would_change_it": "The end of enrollment is moved, or another run is advertised.",
    "course_run_key": RUN,
    "since": "2026-11-20T06:00:00Z",
    "checked_at": "2026-11-21T20:00:00Z",
}

CHANGE: Final[dict[str, Any]] = {
    "id": 7,
    "at": "2026-11-21T20:30:00Z",
    "action": "key_changed",
    "by": "operator",
    "changes": [{"field": "content_key", "old": "edX+DemoX", "new": "EPFLx+Scala"}],
}


def page_of(row: dict[str, Any]) -> OpenApiExample:
    """Return the example of a list."""
    envelope = {"next": None, "previous": None, "count": 1, "num_pages": 1, "current_page": 1, "start": 0}
    return OpenApiExample("One page", value={**envelope, "results": [row]}, response_only=True, status_codes=["200"])


def answer(name: str, value: dict[str, Any], status: int = 200) -> OpenApiExample:
    """Return the example of one answer."""
    return OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])


INTENTION_ROW: Final = {**_ROW, **_RESOLUTION}
UNCHECKED_ROW: Final = {**_ROW, **_UNCHECKED}
PREVIEW: Final = {
    **_RESOLUTION,
    "run": {
        "title": "Demonstration Course",
        "status": "published",
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2027-06-01T00:00:00Z",
        "enrollment_starts_at": None,
        "enrollment_ends_at": "2027-01-01T00:00:00Z",
    },
    "modes": [
        {"slug": "audit", "expires_at": None, "upgrade_deadline": None},
        {"slug": "verified", "expires_at": None, "upgrade_deadline": "2027-01-01T00:00:00Z"},
    ],
    "modes_fetched_at": "2026-11-21T20:04:30Z",
    "wanted_mode": "verified",
    "existing_intention": None,
}
IS_USED: Final = answer(
    "The key is used",
    {
        "code": "key_is_used",
        "detail": "Learners were looked at for edX+DemoX already, so this intention keeps its key. "
        "Delete it, and add another for the other key.",
        "extra": {"uuid": INTENTION},
        "request_id": "5f1d7e0c9b8a4d26",
    },
    409,
)
IS_DELETED: Final = answer(
    "There was one, and it is deleted",
    {
        "code": "intention_deleted",
        "detail": "An intention for edX+DemoX was deleted; restore it instead of adding it again.",
        "extra": {"uuid": INTENTION},
        "request_id": "5f1d7e0c9b8a4d26",
    },
    409,
)
IS_UNKNOWN: Final = answer(
    "Unknown key",
    {
        "code": "content_not_found",
        "detail": "No course or run with the key 'edX+DemoY' is known. Check the spelling.",
        "extra": {},
        "request_id": "5f1d7e0c9b8a4d26",
    },
    400,
)

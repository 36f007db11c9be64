"""What an intention stands for, under the keys that clients of the LMS's own endpoint know, and two of ours."""

from datetime import datetime
from typing import Any

from enterprise_access.apps.content_metadata.domain import Resolution
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.course_types.domain.modes import deadline, downgrade_target
from enterprise_access.apps.default_enrollments.domain.window import why_not_open
from enterprise_access.apps.default_enrollments.models import Intention


def render_recorded(
    intention: Intention, content: Content, modes: KnownModes | None, *, now: datetime
) -> dict[str, Any]:
    """Return what the intention stands for as plain data. Only whether its run is open depends on `now`."""
    run, course = content.run, content.resolution.course
    best_mode = modes.chosen if modes else None
    return {
        "content_key": intention.content_key,
        "enterprise_customer": intention.customer_id,
        "course_key": course.key if course else None,
        "course_run_key": run.key if run else None,
        "is_course_run_enrollable": is_open(content, now=now),
        "best_mode_for_course_run": best_mode,
        "applicable_enterprise_catalog_uuids": content.catalogs or (),
        "course_run_normalized_metadata": _render_metadata(content.resolution, run.key) if run else {},
        "deadline": deadline(best_mode, upgrade_deadlines=run.upgrade_deadlines) if run and best_mode else None,
        "downgrade_target": downgrade_target(modes.modes) if modes else None,
    }


def is_open(content: Content, *, now: datetime) -> bool:
    """Say whether there is a run, and anybody could enroll in it at `now`."""
    return content.run is not None and why_not_open(content.run, now=now) is None


def _render_metadata(resolution: Resolution, course_run_key: str) -> dict[str, Any]:
    metadata = resolution.course.metadata_of(course_run_key) if resolution.course else None
    if metadata is None:
        return {}
    return {
        "start_date": metadata.start_date,
        "end_date": metadata.end_date,
        "enroll_by_date": metadata.enroll_by_date,
        "enroll_start_date": metadata.enroll_start_date,
        "content_price": metadata.content_price,
    }

"""What the catalog says of assigned content: the runs that an assignment could still pay for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from enterprise_access.apps.content_assignments.domain.expiring import AssignedContent, AssignedRun
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_metadata.domain import Course, CourseRun
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.lib.keys import fold, same_key


def fetch_assigned(rows: Sequence[Assignment], *, now: datetime) -> dict[UUID, AssignedContent]:
    """Return what the catalog says of the content of assignments, by assignment; what is not known is missing.

    One question for all of a customer, by the copies of content_metadata.
    """
    keys: dict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        keys[row.customer_uuid].add(row.content_key)
    contents = {uuid: fetch_content(customer_uuid=uuid, content_keys=wanted) for uuid, wanted in keys.items()}
    found = {row.pk: assigned_content(contents[row.customer_uuid][fold(row.content_key)], row, now) for row in rows}
    return {pk: content for pk, content in found.items() if content is not None}


def fetch_one(*, customer_uuid: UUID, content_key: str, is_run: bool, now: datetime) -> AssignedContent | None:
    """Return what the catalog says of one key; None: nothing is known."""
    row = Assignment(content_key=content_key, is_assigned_course_run=is_run)
    content = fetch_content(customer_uuid=customer_uuid, content_keys=[content_key])[fold(content_key)]
    return assigned_content(content, row, now)


def assigned_content(content: Content, row: Assignment, now: datetime) -> AssignedContent | None:
    """Return the runs that an assignment could pay for: that very run, or all runs of the course."""
    course = content.resolution.course
    if course is None or not course.runs:
        return None
    runs: Iterable[CourseRun] = course.runs
    if row.is_assigned_course_run:
        runs = [run for run in course.runs if same_key(run.key, row.content_key)]
    return AssignedContent(
        is_course=not row.is_assigned_course_run, runs=[_assigned_run(course, run, now) for run in runs]
    )


def _assigned_run(course: Course, run: CourseRun, now: datetime) -> AssignedRun:
    metadata = course.metadata_of(run.key)
    enroll_by = (metadata.enroll_by_date if metadata else None) or run.enrollment_ends_at
    is_over = run.ends_at is not None and run.ends_at < now
    return AssignedRun(enroll_by=enroll_by, is_open=run.is_published and not is_over)

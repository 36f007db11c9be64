"""When a run takes enrollments, by the catalog's dates and by the LMS's own. Edges are inclusive; no date, no limit."""

from collections.abc import Iterator
from datetime import datetime

from enterprise_access.apps.content_metadata.domain import CourseRun
from enterprise_access.apps.default_enrollments.domain.values import Case, Reason


def why_not_open(run: CourseRun, *, now: datetime) -> Reason | None:
    """Return why no one can enroll in the run at `now` by the catalog's dates, or None: it is open."""
    return next(all_why_not_open(run, now=now), None)


def all_why_not_open(run: CourseRun, *, now: datetime) -> Iterator[Reason]:
    """Yield every such reason, the most telling first."""
    if not run.is_published:
        yield Reason.RUN_NOT_PUBLISHED
    if run.enrollment_starts_at is not None and now < run.enrollment_starts_at:
        yield Reason.ENROLLMENT_NOT_OPEN
    if _is_enrollment_over(run, now=now):
        yield Reason.ENROLLMENT_CLOSED
    if run.ends_at is not None and now > run.ends_at:
        yield Reason.RUN_ENDED


def _is_enrollment_over(run: CourseRun, *, now: datetime) -> bool:
    if run.enrollment_ends_at is not None and now > run.enrollment_ends_at:
        return True
    # The flag is as old as the catalog's last sync: it counts only when there are no dates to judge by.
    return not run.has_dates and run.is_enrollable_snapshot is False


def why_not_open_at_lms(case: Case, *, now: datetime) -> Reason | None:
    """Return why the LMS's own window keeps everybody out: the stricter of the catalog's and the LMS's counts."""
    if case.lms_enrollment_starts_at is not None and now < case.lms_enrollment_starts_at:
        return Reason.ENROLLMENT_NOT_OPEN
    if case.lms_enrollment_ends_at is not None and now > case.lms_enrollment_ends_at:
        return Reason.ENROLLMENT_CLOSED
    return None

"""The run that a learner is enrolled in after an approval: the only one that is open, or none."""

from datetime import datetime, timedelta

from enterprise_access.apps.content_metadata.domain import ContentType, Course, CourseRun, content_type_of
from enterprise_access.apps.default_enrollments.domain.window import why_not_open
from enterprise_access.apps.subsidy_requests.domain.enrolling import WhyNot


def choose_only_run(course: Course, *, content_key: str, now: datetime, starts_within: timedelta) -> CourseRun | WhyNot:
    """Return the only open run of a course, or why there is no such run.

    A request may name a run: then no other one counts. A run of which the catalog does not tell whether it is open
    may be open, so that nothing is certain beside it.
    """
    if content_type_of(content_key) is ContentType.COURSE_RUN:
        named = course.run_with_key(content_key)
        runs: tuple[CourseRun, ...] = () if named is None else (named,)
    else:
        runs = course.runs
    if any(_may_be_open(run, now=now) for run in runs):
        return WhyNot.RUN_DATES_UNKNOWN
    open_runs = [run for run in runs if why_not_open(run, now=now) is None]
    if not open_runs:
        return WhyNot.NO_OPEN_RUN
    if len(open_runs) > 1:
        return WhyNot.SEVERAL_OPEN_RUNS
    (run,) = open_runs
    if run.starts_at is None:
        return WhyNot.RUN_DATES_UNKNOWN
    return WhyNot.RUN_STARTS_TOO_LATE if run.starts_at > now + starts_within else run


def _may_be_open(run: CourseRun, *, now: datetime) -> bool:
    if run.status is None:
        return True
    return not run.has_dates and why_not_open(run, now=now) is None

"""The smallest valid things to decide about; a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from enterprise_access.apps.content_metadata.domain import (
    ContentType,
    Course,
    CourseRun,
    Resolved,
    Unresolved,
    UnresolvedReason,
)
from enterprise_access.apps.default_enrollments.domain.values import Case, Enrollment, RealizationFact

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ONE_SECOND = timedelta(seconds=1)
ONE_DAY = timedelta(days=1)

COURSE = "edX+DemoX"
RUN = "course-v1:edX+DemoX+2026_T1"
OLDER_RUN = "course-v1:edX+DemoX+2025_T3"
OTHER_COURSE = "MITx+6.00.1x"
RUN_OF_OTHER_COURSE = "course-v1:MITx+6.00.1x+2026_T1"

CATALOG = UUID("6ddad00b-8c49-4817-8652-b81df359a85a")

VERIFIED_AND_AUDIT: dict[str, datetime | None] = {"audit": None, "verified": None}
AUDIT_ONLY: dict[str, datetime | None] = {"audit": None}


def make_run(key: str = RUN, **facts: Any) -> CourseRun:
    """A published run without any dates."""
    return CourseRun(key=key, **{"status": "published", **facts})


def make_course(run: CourseRun | None = None, **facts: Any) -> Course:
    """A course with this one run."""
    return Course(key=COURSE, **{"course_type": "verified-audit", "runs": (run or make_run(),), **facts})


def make_resolved(run: CourseRun | None = None, **facts: Any) -> Resolved:
    """The resolution to this run of a course."""
    run = run or make_run()
    return Resolved(course=make_course(run, **facts), run=run)


def unresolved(reason: UnresolvedReason = UnresolvedReason.CATALOG_UNAVAILABLE) -> Unresolved:
    """No run, for this reason."""
    return Unresolved(reason=reason)


def make_case(**facts: Any) -> Case:
    """A new learner and an open course with a verified mode. `run` is short for a resolution to that run."""
    resolution = make_resolved(facts.pop("run", None))
    return Case(
        **{
            "is_linked": True,
            "is_customer_active": True,
            "content_type": ContentType.COURSE,
            "content_key": COURSE,
            "resolution": resolution,
            "catalogs": (CATALOG,),
            "modes": VERIFIED_AND_AUDIT,
            **facts,
        }
    )


def make_run_case(**facts: Any) -> Case:
    """The same for an intention that names the run."""
    return make_case(**{"content_type": ContentType.COURSE_RUN, "content_key": RUN, **facts})


def enrolled(mode: str = "verified", run_key: str = RUN, **facts: Any) -> Enrollment:
    """An active enrollment."""
    return Enrollment(course_run_key=run_key, mode=mode, **{"is_active": True, **facts})


def left(mode: str = "verified", run_key: str = RUN, **facts: Any) -> Enrollment:
    """An inactive enrollment."""
    return enrolled(mode, run_key, is_active=False, **facts)


def unknown(mode: str = "verified", run_key: str = RUN, **facts: Any) -> Enrollment:
    """An enrollment of which nobody could say whether it is active."""
    return enrolled(mode, run_key, is_active=None, **facts)


def realized(run_key: str = RUN, **facts: Any) -> RealizationFact:
    """A realization by the intention that is decided, not left as far as was seen."""
    return RealizationFact(course_run_key=run_key, **{"course_key": COURSE, "of_this_intention": True, **facts})

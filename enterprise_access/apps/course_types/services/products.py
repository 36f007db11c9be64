"""What a course should have by its types, and what it has: as far as the LMS and course-discovery can tell."""

import logging
import time

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.course_types.domain.differences import ActualCourse, ActualRun, ActualSeat, Finding, diff
from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.products import CourseSpec, TypedRun, spec
from enterprise_access.apps.course_types.models import TypedCourse
from enterprise_access.apps.course_types.selectors import get_graph, get_typed_course
from enterprise_access.apps.course_types.services.evidence import list_lms_modes
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold
from enterprise_access.upstream import discovery
from enterprise_access.upstream.discovery import CourseRecord

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Products:
    """What a course should have, and how what it has differs.

    `is_discovery_known`: entitlements, seats and the ends of runs could be learned; otherwise they are not compared,
    and no seat has an expiry. `runs_with_modes` are the runs, folded, whose LMS modes are known.
    """

    course: TypedCourse
    spec: CourseSpec
    findings: tuple[Finding, ...]
    is_discovery_known: bool
    runs_with_modes: frozenset[str]


def get_products(*, course_key: str) -> Products:
    """Say what a course should have, and how it differs. A course-discovery that is silent leaves it unknown.

    Raises MalformedKey and UntypedContent.
    """
    course = get_typed_course(course_key=course_key)
    return compare(get_graph(), course, _fetch(course.course_key))


def compare(graph: TypeGraph, course: TypedCourse, record: CourseRecord | None) -> Products:
    """Compare what a course should have with what there is; `record` None: it could not be learned."""
    records = {fold(run.key): run for run in record.runs} if record else {}
    rows = {run.run_key: run for run in course.runs.all()}
    modes = list_lms_modes(rows)
    runs, has = {}, {}
    for key, row in rows.items():
        known = records.get(row.run_key_folded)
        seats = known.seats if known else ()
        runs[key] = TypedRun(
            run_type=graph.run_type(row.run_type.slug),
            ends_at=known.end if known else None,
            upgrade_deadlines={seat.type: seat.upgrade_deadline_override or seat.upgrade_deadline for seat in seats},
        )
        has[key] = ActualRun(
            # Discovery does not tell what ecommerce knows of a seat: only that there is one.
            seats={seat.type: ActualSeat() for seat in seats} if known else None,
            lms_modes=modes.get(row.run_key_folded),
        )
    wanted = spec(course_type=graph.course_type(course.course_type.slug), runs=runs)
    actual = ActualCourse(entitlements=frozenset(record.entitlements) if record else None, runs=has)
    return Products(
        course=course,
        spec=wanted,
        findings=diff(wanted, actual),
        is_discovery_known=record is not None,
        runs_with_modes=frozenset(modes),
    )


def _fetch(course_key: str) -> CourseRecord | None:
    client = discovery.from_settings()
    if client is None:
        return None
    try:
        with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
            found = client.list_courses(course_keys=[course_key])
    except UpstreamError as error:
        log.warning("A course could not be read. service=%s reason=%s", error.service, error.reason)
        return None
    return next(iter(found), None)

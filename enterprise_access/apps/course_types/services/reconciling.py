"""Where reality differs from what is said here: types, what courses are for, what is sold, what the LMS has."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.models import CourseRunType, CourseType, TypedCourse
from enterprise_access.apps.course_types.selectors import get_graph, list_typed_courses
from enterprise_access.apps.course_types.services.importing import DiscoveryTypes, What, import_types
from enterprise_access.apps.course_types.services.products import compare
from enterprise_access.lib.keys import fold
from enterprise_access.upstream.discovery import CourseRecord

SlugsByUuid = dict[UUID | None, str]


class About(StrEnum):
    """What a difference is about."""

    TYPES = "types"
    UNKNOWN = "unknown"
    COURSE = "course"
    PRODUCTS = "products"


@frozen(kw_only=True)
class Difference:
    """One difference: of what, which, and what it means."""

    about: About
    what: str
    text: str


def reconcile_types(told: DiscoveryTypes) -> Iterator[Difference]:
    """Say how course-discovery's types differ from ours: what an import would do, and what it would leave.

    Raises BrokenTypes when what course-discovery tells cannot be.
    """
    for line in import_types(told, commit=False).lines:
        means = "course-discovery has it, and it is not here" if line.what is What.ADDED else line.text
        yield Difference(about=About.TYPES, what=f"{line.kind} {line.slug}", text=means)


def reconcile_courses(records: Iterable[CourseRecord]) -> Iterator[Difference]:
    """Say how what courses are and have differs from what is said here, and which types no one here knows.

    Raises BrokenTypes.
    """
    graph = get_graph()
    typed = {row.course_key_folded: row for row in list_typed_courses()}
    course_types = {row.discovery_uuid: row.slug for row in CourseType.objects.exclude(discovery_uuid=None)}
    run_types = {row.discovery_uuid: row.slug for row in CourseRunType.objects.exclude(discovery_uuid=None)}
    for record in records:
        yield from _unknown(graph, record)
        course = typed.get(fold(record.key))
        if course is not None:
            yield from _types_of(course, record, course_types, run_types)
            yield from _products_of(graph, course, record)


def _unknown(graph: TypeGraph, record: CourseRecord) -> Iterator[Difference]:
    if record.course_type is not None and record.course_type not in graph.course_types:
        text = f"has the course type {record.course_type}, which nobody knows here"
        yield Difference(about=About.UNKNOWN, what=record.key, text=text)
    seats = {seat.type for run in record.runs for seat in run.seats} | set(record.entitlements)
    for slug in sorted(seats - set(graph.seat_types)):
        text = f"sells {slug}, which is no seat type here; the LMS's modes are used instead"
        yield Difference(about=About.UNKNOWN, what=record.key, text=text)


def _types_of(
    course: TypedCourse, record: CourseRecord, course_types: SlugsByUuid, run_types: SlugsByUuid
) -> Iterator[Difference]:
    there = course_types.get(record.type) or record.course_type
    if there is not None and there != course.course_type.slug:
        text = f"is {course.course_type.slug} here ({course.source}), and {there} in course-discovery"
        yield Difference(about=About.COURSE, what=record.key, text=text)
    rows = {run.run_key_folded: run for run in course.runs.all()}
    for run in record.runs:
        row, slug = rows.get(fold(run.key)), run_types.get(run.run_type)
        if row is not None and slug is not None and slug != row.run_type.slug:
            text = f"is {row.run_type.slug} here ({row.source}), and {slug} in course-discovery"
            yield Difference(about=About.COURSE, what=run.key, text=text)


def _products_of(graph: TypeGraph, course: TypedCourse, record: CourseRecord) -> Iterator[Difference]:
    for finding in compare(graph, course, record).findings:
        kind = finding.subject.value.replace("_", " ")
        text = f"the {kind} {finding.slug} is {finding.kind.value}. {finding.consequence}"
        yield Difference(about=About.PRODUCTS, what=finding.run_key or record.key, text=text)

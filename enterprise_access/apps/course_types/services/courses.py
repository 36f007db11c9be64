"""What courses are for, taken over from course-discovery, or matched from what is sold of them.

What staff have said stays. What the rules refuse is told, and stays as it is.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from typing import Final
from uuid import UUID

from attrs import frozen
from django.db import transaction

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.matching import AllowedPairs, NoMatch, match
from enterprise_access.apps.course_types.domain.values import EMPTY
from enterprise_access.apps.course_types.errors import BrokenTypes, UnknownType
from enterprise_access.apps.course_types.models import CourseRunType, CourseType, Source, TypedCourse
from enterprise_access.apps.course_types.selectors import get_graph, list_typed_courses
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from enterprise_access.apps.course_types.services.evidence import list_lms_modes
from enterprise_access.apps.course_types.services.importing import client_of_discovery
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream.discovery import CourseRecord

# A run in one of these has an official version: learners may be in it.
PUBLISHED_STATUSES: Final = frozenset({"published", "reviewed"})


class CourseFate(StrEnum):
    """What becomes of a course."""

    TYPED = "typed"
    SAME = "same"
    KEPT = "kept"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    NO_MATCH = "no_match"


@frozen(kw_only=True)
class CourseResult:
    """What became of one course, or would become. `run_types` are those of its runs, by key."""

    course_key: str
    fate: CourseFate
    course_type: str = ""
    run_types: Mapping[str, str] | None = None
    text: str = ""


def fetch_courses(*, course_keys: Collection[str] = ()) -> tuple[CourseRecord, ...]:
    """Return courses of course-discovery: those with these keys, or all. Raises NoDiscovery and UpstreamError."""
    return client_of_discovery().list_courses(course_keys=tuple(course_keys))


# As course-discovery says


def import_courses(records: Iterable[CourseRecord], *, commit: bool) -> Iterator[CourseResult]:
    """Take over the types of courses and runs, one course after the other, all of it or nothing of it."""
    course_types = _slugs_by_uuid(CourseType)
    run_types = _slugs_by_uuid(CourseRunType)
    for record in records:
        yield _for_one(record, commit, partial(_import, record, course_types, run_types))


def _slugs_by_uuid(model: type[CourseType] | type[CourseRunType]) -> dict[UUID, str]:
    rows = model._default_manager.exclude(discovery_uuid=None).values_list("discovery_uuid", "slug")
    return {uuid: slug for uuid, slug in rows if uuid is not None}


def _import(record: CourseRecord, course_types: Mapping[UUID, str], run_types: Mapping[UUID, str]) -> CourseResult:
    course_type = course_types.get(record.type) if record.type else None
    slug = course_type or record.course_type
    # "Not known yet" has a uuid, too, which no import of types ever tells.
    types = {run.key: run_types.get(run.run_type, "") if run.run_type else EMPTY for run in record.runs}
    if slug is None or slug == EMPTY:
        return CourseResult(
            course_key=record.key, fate=CourseFate.UNKNOWN, text="course-discovery does not know what it is for"
        )
    known = {key: run_type for key, run_type in types.items() if run_type}
    unknown = "" if len(known) == len(types) else "of some runs the type is unknown here"
    return _assign(record, slug, known, Source.IMPORTED, note=unknown)


# From what is sold


def match_courses(records: Iterable[CourseRecord], *, commit: bool, allow: AllowedPairs = ()) -> Iterator[CourseResult]:
    """Find types that fit what is sold, for courses and runs of which nothing is known yet; change no others.

    `allow` are pairs of course type and run type that may go together besides those that do. Raises UnknownType.
    """
    graph = get_graph()
    for course_type, run_type in allow:
        graph.course_type(course_type)
        graph.run_type(run_type)
    for record in records:
        yield _for_one(record, commit, partial(_match, graph, record, allow))


def _match(graph: TypeGraph, record: CourseRecord, allow: AllowedPairs) -> CourseResult:
    row = _typed(record.key)
    has = {fold(run.run_key): run.run_type.slug for run in row.runs.all()} if row else {}
    keys = [run.key for run in record.runs]
    modes = list_lms_modes(keys)
    found = match(
        graph,
        entitlements=record.entitlements,
        seats_by_run={run.key: {seat.type for seat in run.seats} for run in record.runs},
        course_type=row.course_type.slug if row else None,
        run_types={key: has.get(fold(key)) for key in keys},
        allow=allow,
        lms_modes_by_run={key: modes.get(fold(key)) for key in keys},
    )
    if isinstance(found, NoMatch):
        fitting = "; ".join(f"{key}: {', '.join(slugs) or 'nothing'}" for key, slugs in found.candidates.items())
        unknown = f" Unknown here: {', '.join(found.unknown)}." if found.unknown else ""
        text = f"{found.why.value}.{unknown}" + (f" What fits the runs: {fitting}." if fitting else "")
        return CourseResult(course_key=record.key, fate=CourseFate.NO_MATCH, text=text)
    return _assign(record, found.course_type, found.run_types, Source.MATCHED, allow=allow)


# What both do


def _for_one(record: CourseRecord, commit: bool, make: Callable[[], CourseResult]) -> CourseResult:
    """Do one course in a transaction of its own, and undo it when it is refused or nothing is to be saved."""
    try:
        return _make(make, commit=commit)
    except ServiceError as error:
        fate = CourseFate.UNKNOWN if isinstance(error, UnknownType | BrokenTypes) else CourseFate.REFUSED
        return CourseResult(course_key=record.key, fate=fate, text=error.detail)


@retry_deadlocks
def _make(make: Callable[[], CourseResult], *, commit: bool) -> CourseResult:
    with transaction.atomic():
        told = make()
        if not commit:
            transaction.set_rollback(True)
    return told


def _typed(course_key: str) -> TypedCourse | None:
    found: TypedCourse | None = list_typed_courses().filter(course_key_folded=fold(course_key)).first()
    return found


def _assign(
    record: CourseRecord,
    course_type: str,
    run_types: Mapping[str, str],
    source: Source,
    *,
    allow: AllowedPairs = (),
    note: str = "",
) -> CourseResult:
    """Write what is new; leave alone what staff have said, and what was known when matching."""
    row = _typed(record.key)
    before = _state_of(row)
    published = {run.key for run in record.runs if run.status in PUBLISHED_STATUSES}
    if _may_write(row, source, row.course_type.slug if row else EMPTY):
        assign_course_type(
            course_key=record.key, course_type=course_type, publish=bool(published) or None, source=source
        )
    rows = {fold(run.run_key): run for run in row.runs.all()} if row else {}
    for key, run_type in run_types.items():
        run = rows.get(fold(key))
        if _may_write(run, source, run.run_type.slug if run else EMPTY):
            assign_run_type(
                course_key=record.key,
                run_key=key,
                run_type=run_type,
                publish=key in published or None,
                source=source,
                besides=(course_type, run_type) in allow,
            )
    after = _state_of(_typed(record.key))
    wanted = (course_type, {fold(key): slug for key, slug in run_types.items()})
    kept = "" if _agrees(after, wanted) else "staff have said something else, which stays"
    return CourseResult(
        course_key=record.key,
        fate=CourseFate.TYPED if after != before else CourseFate.KEPT if kept else CourseFate.SAME,
        course_type=course_type,
        run_types=run_types,
        text="; ".join(filter(None, (note, kept))),
    )


def _may_write(row: object, source: Source, slug: str) -> bool:
    """Say whether a row is there to be written: new, "not known yet", or taken over before and taken over again."""
    if row is None or slug == EMPTY:
        return True
    return source is Source.IMPORTED and getattr(row, "source", None) != Source.ASSIGNED


State = tuple[str, Mapping[str, str]]


def _state_of(row: TypedCourse | None) -> State:
    if row is None:
        return "", {}
    return row.course_type.slug, {run.run_key_folded: run.run_type.slug for run in row.runs.all()}


def _agrees(state: State, wanted: State) -> bool:
    return state[0] == wanted[0] and all(state[1].get(key) == slug for key, slug in wanted[1].items())

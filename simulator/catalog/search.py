"""What a catalog contains, and which record answers to a key. v1 knows no restricted runs, v2 the allowed ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from attrs import frozen

from ..answers import UUID_PATTERN
from ..tables import fold
from ..values import Catalog, Course, Program, Run
from ..world import World
from . import records
from .records import Reader

Content = Course | Run | Program


@frozen(kw_only=True)
class _Contents:
    """The keys of a catalog, folded."""

    courses: frozenset[str]
    runs: frozenset[str]
    runs_of_course: dict[str, tuple[str, ...]]
    programs: frozenset[str]
    restricted: frozenset[str]


_CONTENTS: WeakKeyDictionary[Catalog, _Contents] = WeakKeyDictionary()


def matches(world: World, catalog: Catalog, key: str, *, is_v2: bool) -> list[Content]:
    """Return the records of the catalog that answer to a course key, run key or program uuid: course before run."""
    contents, folded = _contents_of(world, catalog), fold(key)
    if folded in contents.programs:
        return [row for row in world.tables.programs if str(row.uuid) == folded]
    if folded in contents.courses or folded in contents.runs_of_course:
        return _records_of_course(world, contents, folded)
    run = world.tables.runs.get(folded)
    return _records_of_run(world, contents, run, is_v2=is_v2) if run is not None else []


def matches_by_course_uuid(world: World, catalog: Catalog, text: str) -> list[Content]:
    course = course_by_uuid(world, text)
    return [course] if course and fold(course.key) in _contents_of(world, catalog).courses else []


def course_by_uuid(world: World, text: str) -> Course | None:
    return world.tables.courses.first(uuid=UUID(text)) if UUID_PATTERN.fullmatch(text) else None


def all_content(world: World, catalog: Catalog) -> list[Content]:
    """Return everything in the catalog but courses that are not active: what an unfiltered listing shows."""
    if catalog.query_uuid is None:
        return []
    now = world.now()
    programs = [world.tables.programs.get(uuid) for uuid in catalog.program_uuids]
    courses = [world.course(key) for key in catalog.course_keys]
    active = [row for row in courses if records.is_course_active(row, world.runs_of(row.key), now)]
    return [*(row for row in programs if row), *active, *(world.run(key) for key in catalog.run_keys)]


def content_in(world: World, catalog: Catalog, keys: Iterable[str], *, is_v2: bool) -> list[Content]:
    """Return the records that answer to any of the keys, each once, programs first, then courses, then runs."""
    found = {id(row): row for key in keys for row in matches(world, catalog, key, is_v2=is_v2)}
    order: dict[type, int] = {Program: 0, Course: 1, Run: 2}
    return sorted(found.values(), key=lambda row: order[type(row)])


def render(
    world: World,
    row: Content,
    *,
    reader: Reader | None = None,
    is_v2: bool = False,
) -> dict[str, Any]:
    """Return the JSON record; restricted runs are nested only in v2, and only those that the catalog allows."""
    now = world.now()
    if isinstance(row, Program):
        return records.program_record(row, reader=reader)
    if isinstance(row, Run):
        return records.run_record(world.course(row.course_key), row, now=now, reader=reader)
    allowed = _contents_of(world, reader.catalog).restricted if reader and is_v2 else frozenset[str]()
    runs = [run for run in world.runs_of(row.key) if not run.is_restricted or fold(run.key) in allowed]
    return records.course_record(row, runs, now=now, reader=reader)


def _records_of_course(world: World, contents: _Contents, folded: str) -> list[Content]:
    course = [world.course(folded)] if folded in contents.courses else []
    return [*course, *(world.run(key) for key in contents.runs_of_course.get(folded, ()))]


def _records_of_run(world: World, contents: _Contents, run: Run, *, is_v2: bool) -> list[Content]:
    """A run answers through its course or its own record; never without a record of its own in the service."""
    if not run.has_record or (run.is_restricted and not (is_v2 and fold(run.key) in contents.restricted)):
        return []
    course = [world.course(run.course_key)] if fold(run.course_key) in contents.courses else []
    return [*course, run] if fold(run.key) in contents.runs else list(course)


def _contents_of(world: World, catalog: Catalog) -> _Contents:
    if catalog not in _CONTENTS:
        _CONTENTS[catalog] = _build(world, catalog)
    return _CONTENTS[catalog]


def _build(world: World, catalog: Catalog) -> _Contents:
    if catalog.query_uuid is None:
        nothing = frozenset[str]()
        return _Contents(courses=nothing, runs=nothing, runs_of_course={}, programs=nothing, restricted=nothing)
    runs_of_course: dict[str, tuple[str, ...]] = {}
    for key in catalog.run_keys:
        course = fold(world.run(key).course_key)
        runs_of_course[course] = (*runs_of_course.get(course, ()), key)
    return _Contents(
        courses=frozenset(map(fold, catalog.course_keys)),
        runs=frozenset(map(fold, catalog.run_keys)),
        runs_of_course=runs_of_course,
        programs=frozenset(map(str, catalog.program_uuids)),
        restricted=frozenset(map(fold, catalog.restricted_run_keys)),
    )

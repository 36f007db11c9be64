"""Which types a course and its runs have, as far as their products tell.

The matcher of course-discovery, with three repairs. Tracks without a product are left out when seats are compared, so
that masters runs can be matched at all. Types that differ in nothing else are told apart by the LMS modes of the run
when they are known; else the one without such a track is taken. And a course without runs is not matched: nothing
shows what it is for.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from attrs import frozen

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.values import EMPTY, CourseType, RunType

Slugs = Collection[str]
# Pairs of course type and run type that the operator allows although the course type does not list the run type.
AllowedPairs = Collection[tuple[str, str]]


class WhyNoMatch(StrEnum):
    """Why a course could not be matched."""

    NO_RUNS = "no_runs"
    UNKNOWN_TYPE = "unknown_type"
    NO_TYPE_FITS = "no_type_fits"


@frozen(kw_only=True)
class Match:
    """The types that fit. What had a type already keeps it. `run_types` is by run key.

    `confirmed_modes` counts the modes without a product that the LMS has as the types say.
    """

    course_type: str
    run_types: Mapping[str, str]
    confirmed_modes: int = 0


@frozen(kw_only=True)
class NoMatch:
    """No type fits, and why. `candidates` are the run types that have the seats of each run, whatever the course type.

    `unknown` are slugs that the course or its runs have, and that are no types.
    """

    why: WhyNoMatch
    candidates: Mapping[str, tuple[str, ...]]
    unknown: tuple[str, ...] = ()


@frozen(kw_only=True)
class _Run:
    """A run as the matcher looks at it. `set_type` None = not known yet; `lms_modes` None = not known."""

    key: str
    seats: frozenset[str]
    set_type: str | None
    lms_modes: frozenset[str] | None

    def has_seats_of(self, run_type: RunType) -> bool:
        return run_type.seat_types == self.seats

    def confirms(self, run_type: RunType) -> bool:
        """Whether the LMS is known to have what no seat of this type shows."""
        return self.lms_modes is not None and run_type.lms_modes_without_product <= self.lms_modes

    def could_be(self, run_type: RunType) -> bool:
        """Whether the seats fit, and nothing that they do not show is left to guess unless the type is set."""
        if not self.has_seats_of(run_type):
            return False
        return self.set_type is not None or not run_type.lms_modes_without_product or self.confirms(run_type)


@frozen(kw_only=True)
class _Course:
    entitlements: frozenset[str]
    set_type: str | None
    runs: tuple[_Run, ...]
    allowed: frozenset[tuple[str, str]]


def match(
    graph: TypeGraph,
    *,
    entitlements: Slugs,
    seats_by_run: Mapping[str, Slugs],
    course_type: str | None = None,
    run_types: Mapping[str, str | None] | None = None,
    allow: AllowedPairs = (),
    lms_modes_by_run: Mapping[str, Slugs | None] | None = None,
) -> Match | NoMatch:
    """Return the types of a course and its runs, told from seat types, by run key.

    `course_type` and `run_types` are what they have already (None or empty = not known yet); it is never changed, and
    has to fit as well. A course without entitlements fits any type: old ones have none. One odd run blocks the course.
    """
    set_types = run_types or {}
    lms_modes = lms_modes_by_run or {}
    course = _Course(
        entitlements=frozenset(entitlements),
        set_type=_known_type(course_type),
        allowed=frozenset(allow),
        runs=tuple(_run(key, seats, set_types.get(key), lms_modes.get(key)) for key, seats in seats_by_run.items()),
    )
    found = list(_matches(graph, course))
    if not found:
        return _no_match(graph, course)
    # The first of those of which the LMS confirms most.
    return max(found, key=lambda one: one.confirmed_modes)


def _run(key: str, seats: Slugs, set_type: str | None, lms_modes: Slugs | None) -> _Run:
    return _Run(
        key=key,
        seats=frozenset(seats),
        set_type=_known_type(set_type),
        lms_modes=None if lms_modes is None else frozenset(lms_modes),
    )


def _known_type(slug: str | None) -> str | None:
    return None if slug in (None, "", EMPTY) else slug


def _matches(graph: TypeGraph, course: _Course) -> Iterator[Match]:
    if not course.runs:
        return
    for course_type in graph.matching_order:
        if _is_possible(course, course_type):
            yield from _match_runs(course, course_type, _candidates(graph, course, course_type))


def _is_possible(course: _Course, course_type: CourseType) -> bool:
    if course.entitlements and course.entitlements != frozenset(course_type.entitlement_types):
        return False
    if course.set_type is not None:
        return course.set_type == course_type.slug
    return not course_type.is_retired


def _candidates(graph: TypeGraph, course: _Course, course_type: CourseType) -> tuple[RunType, ...]:
    """Return the run types of the course type, and then those that the operator allows besides."""
    besides = (run_type for run_type in graph.run_types.values() if (course_type.slug, run_type.slug) in course.allowed)
    return (*graph.run_types_of(course_type), *besides)


def _match_runs(course: _Course, course_type: CourseType, candidates: tuple[RunType, ...]) -> Iterator[Match]:
    """Give the match when every run fits, and nothing otherwise."""
    types: dict[str, RunType] = {}
    for run in course.runs:
        fitting = _fitting(run, candidates)
        if fitting is None:
            return
        types[run.key] = fitting
    yield Match(
        course_type=course_type.slug,
        run_types={key: run_type.slug for key, run_type in types.items()},
        confirmed_modes=sum(_confirmed(run, types[run.key]) for run in course.runs),
    )


def _fitting(run: _Run, candidates: tuple[RunType, ...]) -> RunType | None:
    if run.set_type is not None:
        candidates = tuple(run_type for run_type in candidates if run_type.slug == run.set_type)
    else:
        candidates = tuple(run_type for run_type in candidates if not run_type.is_retired)
    possible = (run_type for run_type in candidates if run.could_be(run_type))
    return max(possible, key=lambda run_type: _confirmed(run, run_type), default=None)


def _confirmed(run: _Run, run_type: RunType) -> int:
    return len(run_type.lms_modes_without_product) if run.confirms(run_type) else 0


def _no_match(graph: TypeGraph, course: _Course) -> NoMatch:
    unknown = tuple(_unknown(graph, course))
    why = WhyNoMatch.NO_TYPE_FITS if course.runs else WhyNoMatch.NO_RUNS
    return NoMatch(
        why=WhyNoMatch.UNKNOWN_TYPE if unknown else why,
        unknown=unknown,
        candidates={
            run.key: tuple(run_type.slug for run_type in graph.run_types.values() if run.has_seats_of(run_type))
            for run in course.runs
        },
    )


def _unknown(graph: TypeGraph, course: _Course) -> Iterator[str]:
    """Name what the course has that is no type of ours, once each."""
    if course.set_type is not None and course.set_type not in graph.course_types:
        yield course.set_type
    set_types = (run.set_type for run in course.runs)
    yield from dict.fromkeys(slug for slug in set_types if slug is not None and slug not in graph.run_types)
    seats = sorted(course.entitlements.union(*(run.seats for run in course.runs)))
    yield from (slug for slug in seats if slug not in graph.seat_types)

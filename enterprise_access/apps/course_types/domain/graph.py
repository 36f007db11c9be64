"""All types as one frozen value that every rule reads, checked when it is made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, TypeVar

from attrs import frozen

from enterprise_access.apps.course_types.domain.problems import (
    course_type_problems,
    mode_problems,
    rank_problems,
    repeated,
    run_type_problems,
)
from enterprise_access.apps.course_types.domain.values import CourseType, Mode, RunType, SeatType
from enterprise_access.apps.course_types.errors import BrokenTypes, UnknownType

T = TypeVar("T")


class _HasSlug(Protocol):
    @property
    def slug(self) -> str: ...


S = TypeVar("S", bound=_HasSlug)


@frozen(kw_only=True)
class TypeGraph:
    """All types, by slug, in the order in which they were made. Made by `of`, which checks it."""

    modes: Mapping[str, Mode]
    seat_types: Mapping[str, SeatType]
    run_types: Mapping[str, RunType]
    course_types: Mapping[str, CourseType]

    @classmethod
    def of(
        cls,
        *,
        modes: Iterable[Mode],
        seat_types: Iterable[SeatType],
        run_types: Iterable[RunType],
        course_types: Iterable[CourseType],
    ) -> "TypeGraph":
        """Return the graph of these values. Raises BrokenTypes, naming everything that cannot be as it is."""
        graph = cls(
            modes=_by_slug(modes, "mode"),
            seat_types=_by_slug(seat_types, "seat type"),
            run_types=_by_slug(run_types, "run type"),
            course_types=_by_slug(course_types, "course type"),
        )
        _refuse(list(problems(graph)))
        return graph

    def run_type(self, slug: str) -> RunType:
        """Return the run type. Raises UnknownType."""
        return _known(self.run_types, slug, "run type")

    def course_type(self, slug: str) -> CourseType:
        """Return the course type. Raises UnknownType."""
        return _known(self.course_types, slug, "course type")

    def run_types_of(self, course_type: CourseType) -> tuple[RunType, ...]:
        """Return the run types that its runs may have, in the order of their creation."""
        return tuple(run_type for run_type in self.run_types.values() if run_type.slug in course_type.run_types)

    @property
    def matching_order(self) -> tuple[CourseType, ...]:
        """The course types in the order in which they are tried."""
        return tuple(sorted(self.course_types.values(), key=lambda course_type: course_type.rank))


def _known(values: Mapping[str, T], slug: str, kind: str) -> T:
    if slug not in values:
        raise UnknownType(f"There is no {kind} {slug!r}.", extra={"kind": kind, "slug": slug})
    return values[slug]


def _by_slug(values: Iterable[S], kind: str) -> Mapping[str, S]:
    rows = [(value.slug, value) for value in values]
    twice = repeated(slug for slug, _ in rows)
    _refuse([f"There is more than one {kind} {slug!r}." for slug in twice])
    return MappingProxyType(dict(rows))


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise BrokenTypes(" ".join(found), extra={"problems": list(found)})


def problems(graph: TypeGraph) -> Iterator[str]:
    """Say, a sentence each, what of the graph cannot be as it is."""
    for mode in graph.modes.values():
        yield from mode_problems(mode)
    yield from rank_problems(graph.modes.values())
    for run_type in graph.run_types.values():
        yield from run_type_problems(run_type)
    for course_type in graph.course_types.values():
        yield from course_type_problems(course_type, seat_types=graph.seat_types, run_types=graph.run_types)

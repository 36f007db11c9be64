"""A question about a change of type, with slugs in the place of types."""

from collections.abc import Sequence
from enum import StrEnum

from attrs import frozen

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.transitions import Transition, check_course, check_run


class Level(StrEnum):
    """What a type is of."""

    COURSE = "course"
    RUN = "run"


@frozen(kw_only=True)
class Question:
    """May `old` (None: no type yet) become `new`?

    `course_type` is asked about for runs; `entitlements` (None: those of the old type), `course_run_types` and `org`
    for courses. None of `course_type` and `org`: not asked about.
    """

    level: Level
    old: str | None
    new: str
    is_published: bool
    course_type: str | None = None
    entitlements: Sequence[str] | None = None
    course_run_types: Sequence[str] = ()
    org: str | None = None

    def answer(self, graph: TypeGraph) -> Transition:
        """Return the verdict of the rules. Raises UnknownType."""
        return self._about_course(graph) if self.level is Level.COURSE else self._about_run(graph)

    def _about_run(self, graph: TypeGraph) -> Transition:
        return check_run(
            old=None if self.old is None else graph.run_type(self.old),
            new=graph.run_type(self.new),
            published=self.is_published,
            course_type=None if self.course_type is None else graph.course_type(self.course_type),
        )

    def _about_course(self, graph: TypeGraph) -> Transition:
        old = None if self.old is None else graph.course_type(self.old)
        implied = old.entitlement_types if old else ()
        return check_course(
            old=old,
            new=graph.course_type(self.new),
            entitlements=implied if self.entitlements is None else self.entitlements,
            published=self.is_published,
            run_types=[graph.run_type(slug).slug for slug in self.course_run_types],
            org=self.org,
        )

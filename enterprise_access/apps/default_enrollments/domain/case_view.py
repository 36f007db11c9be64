"""A case as the rules of the decision look at it: which rows are of the course, and which of them count."""

from datetime import datetime
from functools import cached_property
from uuid import UUID

from attrs import define

from enterprise_access.apps.content_metadata.domain import CourseRun, course_key_of_run
from enterprise_access.apps.course_types.domain.modes import Modes
from enterprise_access.apps.default_enrollments.domain.values import Case, Enrollment, RealizationFact
from enterprise_access.lib.keys import fold, same_key


def belongs_to_course(
    case: Case, *, course_key: str | None, course_run_key: str, course_uuid: UUID | None = None
) -> bool:
    """Say whether a row with these keys is of the intention's course, now or when the row was written.

    The catalog's evidence comes first: a run that it lists in the course is of the course, whatever a row says. So is
    the run that is meant, and what was stored with the course's own id, which outlives a rename. A stored course key
    tells the past (a run may have been moved); the run key itself counts where nothing is stored.
    """
    run_key = fold(course_run_key)
    if run_key == case.target_run_key or run_key in case.run_keys:
        return True
    if course_uuid is not None and course_uuid == case.course_uuid:
        return True
    known = fold(course_key) if course_key else course_key_of_run(run_key)
    return known is not None and known == case.course


@define(kw_only=True, slots=False)
class CaseView:
    """The case as the rules look at it. Kept for one decision, so that each question is answered once."""

    case: Case
    now: datetime

    @cached_property
    def realizations(self) -> tuple[RealizationFact, ...]:
        """What was realized in this course, by this intention or another of the customer."""
        return tuple(row for row in self.case.realizations if self._is_of_course(row))

    @cached_property
    def realized_runs(self) -> frozenset[str]:
        """The runs of this course in which some intention was realized, folded."""
        return frozenset(fold(row.course_run_key) for row in self.realizations)

    @cached_property
    def in_scope(self) -> tuple[Enrollment, ...]:
        """Enrollments in any run of the course, or for a run intention in that very run."""
        if self.case.is_course_intention:
            # (What was realized is of the course, also when the run's key does not say so, nor the catalog any more.)
            runs = self.realized_runs
            return tuple(
                row for row in self.case.enrollments if fold(row.course_run_key) in runs or self._is_of_course(row)
            )
        return tuple(row for row in self.case.enrollments if fold(row.course_run_key) == self.case.target_run_key)

    @cached_property
    def in_realized_runs(self) -> tuple[Enrollment, ...]:
        """Enrollments in realized runs, whatever the scope."""
        return tuple(row for row in self.case.enrollments if fold(row.course_run_key) in self.realized_runs)

    @cached_property
    def visible_runs(self) -> frozenset[str]:
        """The runs that the platform shows an enrollment in, folded."""
        return frozenset(fold(row.course_run_key) for row in self.case.enrollments)

    @cached_property
    def audit_like_in_resolved_run(self) -> tuple[Enrollment, ...]:
        """Active enrollments in the resolved run that no one paid for. Only for rules after [D8]."""
        return tuple(row for row in active_audit_like(self.in_scope) if same_key(row.course_run_key, self.run.key))

    @property
    def run(self) -> CourseRun:
        """The resolved run. Only for rules after [D8]."""
        assert self.case.resolved_run is not None  # noqa: S101 - [D8] took every case without a run
        return self.case.resolved_run

    @property
    def modes(self) -> Modes:
        """The modes of the resolved run. Only for rules after [D14]."""
        assert self.case.modes is not None  # noqa: S101 - [D14] took every case without modes
        return self.case.modes

    def _is_of_course(self, row: Enrollment | RealizationFact) -> bool:
        course_uuid = row.course_uuid if isinstance(row, RealizationFact) else None
        return belongs_to_course(
            self.case, course_key=row.course_key, course_run_key=row.course_run_key, course_uuid=course_uuid
        )


def active_audit_like(rows: tuple[Enrollment, ...]) -> tuple[Enrollment, ...]:
    return tuple(row for row in rows if row.is_active is True and not row.is_paid)

"""The facts that decisions are made from, and the cases that they make up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.course_types.domain.modes import Modes
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.default_enrollments.domain.values import Case, Enrollment, RealizationFact, Reason
from enterprise_access.apps.default_enrollments.models import Intention, Realization
from enterprise_access.apps.default_enrollments.selectors.endings import was_revoked
from enterprise_access.apps.default_enrollments.selectors.intended import Intended, as_intended, labels_of
from enterprise_access.lib.keys import fold


@frozen(kw_only=True)
class Facts:
    """What is known of some learners of one customer, and when it was read (`read_at`).

    `contents` is keyed by folded content key, `modes` by folded run key, `enterprise_enrollments` by learner and
    folded run key; `modes_of_ended` are those of runs in which a paid enrollment has ended, as they were read last;
    `overrides` are the active ones, by learner and intention; `realized_elsewhere` is what other customers realized for
    the learner; `unknown` are learners of whom the LMS's answer cannot be read: nothing may be decided for them.
    """

    customer_uuid: UUID
    is_customer_active: bool
    intentions: tuple[Intention, ...]
    learners: Mapping[int, Learner]
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]]
    enterprise_enrollments: Mapping[tuple[int, str], EnterpriseEnrollmentCopy]
    realizations: Mapping[int, tuple[Realization, ...]]
    contents: Mapping[str, Content]
    modes: Mapping[str, KnownModes]
    modes_of_ended: Mapping[str, Modes]
    overrides: frozenset[tuple[int, UUID]]
    realized_elsewhere: Mapping[int, tuple[Realization, ...]]
    read_at: datetime
    unknown: frozenset[int] = frozenset()

    def content_of(self, intention: Intention) -> Content:
        """Return what the intention's key stands for."""
        return self.contents[intention.content_key_folded]

    def modes_of(self, intention: Intention) -> KnownModes | None:
        """Return the modes of the run that the intention stands for, if they are known."""
        resolution = self.content_of(intention).resolution
        return self.modes.get(fold(resolution.run.key)) if isinstance(resolution, Resolved) else None

    def intended(self, intention: Intention) -> Intended:
        """Return the intention with what it stands for."""
        return as_intended(intention, self.content_of(intention), self.modes_of(intention))

    def is_linked(self, lms_user_id: int) -> bool:
        """Say whether the learner is linked to the customer."""
        learner = self.learners.get(lms_user_id)
        return learner is not None and learner.is_linked

    def enrollment_in(self, lms_user_id: int, course_run_key: str) -> EnrollmentCopy | None:
        """Return what the platform says of the learner in this run; None: no enrollment there."""
        rows = self.enrollments.get(lms_user_id, ())
        return next((row for row in rows if fold(row.course_run_key) == fold(course_run_key)), None)


def make_cases(facts: Facts, *, lms_user_id: int) -> dict[Intention, Case]:
    """Return what there is to decide for one learner: a case per intention."""
    return {known.intention: case for known, case in make_cases_of_intended(facts, lms_user_id=lms_user_id).items()}


def make_cases_of_intended(facts: Facts, *, lms_user_id: int) -> dict[Intended, Case]:
    """Return `make_cases`, by the intentions with what they stand for. Who has nothing of an intention has its case."""
    enrollments = [
        Enrollment(
            course_run_key=row.course_run_key,
            mode=row.mode,
            is_active=row.is_active,
            is_revoked=was_revoked(
                row,
                facts.enterprise_enrollments.get((lms_user_id, fold(row.course_run_key))),
                facts.modes_of_ended,
            ),
        )
        for row in facts.enrollments.get(lms_user_id, ())
    ]
    shelf = _RowIndex(
        enrollments=_labelled(enrollments), realizations=_labelled(_realizations_that_count(facts, lms_user_id))
    )
    intended = map(facts.intended, facts.intentions)
    is_linked = facts.is_linked(lms_user_id)
    return {known: _make_case(facts, known, lms_user_id, is_linked, shelf) for known in intended}


Row = TypeVar("Row", Enrollment, Realization)


@frozen(kw_only=True)
class _RowIndex:
    """A learner's rows by everything that they may be found under: with a hundred intentions and as many enrollments,
    to try every row with every intention would be most of the work."""

    enrollments: Mapping[str, Sequence[Enrollment]]
    realizations: Mapping[str, Sequence[Realization]]


def _labelled(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by folded run key, and by the folded course key that is stored or that the run key spells out."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        for label in labels_of(row.course_run_key, row.course_key, getattr(row, "course_uuid", None)):
            found.setdefault(label, []).append(row)
    return found


def _under(labels: frozenset[str], rows: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the rows that have any of the labels, each once."""
    found = [row for label in labels & rows.keys() for row in rows[label]]
    return list({id(row): row for row in found}.values()) if len(found) > 1 else found


def _make_case(facts: Facts, known: Intended, lms_user_id: int, is_linked: bool, shelf: _RowIndex) -> Case:
    # Whatever may belong to the course, and the runs in which it was realized; which of it does, the rules say.
    realizations = _under(known.labels, shelf.realizations)
    labels = known.labels.union(fold(row.course_run_key) for row in realizations) if realizations else known.labels
    enrollments = _under(labels, shelf.enrollments)
    has_override = (lms_user_id, known.intention.uuid) in facts.overrides
    if is_linked and facts.is_customer_active and not (enrollments or realizations or has_override):
        return known.case
    return evolve(
        known.case,
        is_linked=is_linked,
        is_customer_active=facts.is_customer_active,
        has_override=has_override,
        enrollments=tuple(enrollments),
        realizations=tuple(_as_fact(row, known.intention) for row in realizations),
    )


def _realizations_that_count(facts: Facts, lms_user_id: int) -> Iterator[Realization]:
    """Yield this customer's realizations, and those of others that the learner has left: a course that was left is
    left, whoever it was that enrolled (ADR 0014). One that cannot be seen may have been left, too."""
    yield from facts.realizations.get(lms_user_id, ())
    for row in facts.realized_elsewhere.get(lms_user_id, ()):
        seen = facts.enrollment_in(lms_user_id, row.course_run_key)
        if row.left_at is not None or seen is None or not seen.is_active:
            yield row


def _as_fact(row: Realization, intention: Intention) -> RealizationFact:
    return RealizationFact(
        course_run_key=row.course_run_key,
        course_key=row.course_key,
        course_uuid=row.course_uuid,
        of_this_intention=row.intention_id == intention.uuid,
        left_at=row.left_at,
        left_reason=Reason(row.left_reason) if row.left_reason else None,
    )

"""The facts that decisions are made from, and the cases that they make up."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.default_enrollments.domain.values import Case, Enrollment, RealizationFact, Reason
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationOverride,
)
from enterprise_access.lib.keys import fold

Intention = DefaultEnterpriseEnrollmentIntention
Realization = DefaultEnterpriseEnrollmentRealization


@frozen(kw_only=True)
class Facts:
    """What is known of some learners of one customer, and when it was read (`read_at`).

    `contents` is keyed by folded content key, `modes` by folded run key, `enterprise_enrollments` by learner and
    folded run key; `overrides` are the unused ones, by learner and intention;
    `realized_elsewhere` is what other customers realized for the learner.
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
    overrides: frozenset[tuple[int, UUID]]
    realized_elsewhere: Mapping[int, tuple[Realization, ...]]
    read_at: datetime

    def content_of(self, intention: Intention) -> Content:
        """Return what the intention's key stands for."""
        return self.contents[intention.content_key_folded]

    def modes_of(self, intention: Intention) -> KnownModes | None:
        """Return the modes of the run that the intention stands for, if they are known."""
        resolution = self.content_of(intention).resolution
        return self.modes.get(fold(resolution.run.key)) if isinstance(resolution, Resolved) else None

    def is_linked(self, lms_user_id: int) -> bool:
        """Say whether the learner is linked to the customer."""
        learner = self.learners.get(lms_user_id)
        return learner is not None and learner.is_linked

    def enrollment_in(self, lms_user_id: int, course_run_key: str) -> EnrollmentCopy | None:
        """Return what the platform says of the learner in this run; None: no enrollment there."""
        rows = self.enrollments.get(lms_user_id, ())
        return next((row for row in rows if fold(row.course_run_key) == fold(course_run_key)), None)


def list_intentions(*, customer_uuid: UUID) -> tuple[Intention, ...]:
    """Return the customer's living intentions, oldest first."""
    return tuple(Intention.objects.living().of_customer(customer_uuid))


def list_realizations(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> dict[int, tuple[Realization, ...]]:
    """Return by learner what was realized for this customer, also of intentions that are deleted by now."""
    ids = list(lms_user_ids)
    found: dict[int, list[Realization]] = {lms_user_id: [] for lms_user_id in ids}
    for row in Realization.objects.filter(intention__customer_id=customer_uuid, lms_user_id__in=ids):
        found[row.lms_user_id].append(row)
    return {lms_user_id: tuple(rows) for lms_user_id, rows in found.items()}


def list_realized_elsewhere(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> dict[int, tuple[Realization, ...]]:
    """Return by learner what was realized for other customers."""
    ids = list(lms_user_ids)
    found: dict[int, list[Realization]] = {lms_user_id: [] for lms_user_id in ids}
    for row in Realization.objects.filter(lms_user_id__in=ids).exclude(intention__customer_id=customer_uuid):
        found[row.lms_user_id].append(row)
    return {lms_user_id: tuple(rows) for lms_user_id, rows in found.items()}


def list_overrides(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> frozenset[tuple[int, UUID]]:
    """Return the unused overrides of these learners, as pairs of learner and intention."""
    unused = RealizationOverride.objects.filter(
        intention__customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids), used_at=None
    )
    return frozenset(unused.values_list("lms_user_id", "intention_id"))


def make_cases(facts: Facts, *, lms_user_id: int) -> dict[Intention, Case]:
    """Return what there is to decide for one learner: a case per intention."""
    enrollments = tuple(
        _as_enrollment(row, facts.enterprise_enrollments.get((lms_user_id, fold(row.course_run_key))))
        for row in facts.enrollments.get(lms_user_id, ())
    )
    return {intention: _make_case(facts, intention, lms_user_id, enrollments) for intention in facts.intentions}


def _make_case(facts: Facts, intention: Intention, lms_user_id: int, enrollments: tuple[Enrollment, ...]) -> Case:
    content = facts.content_of(intention)
    modes = facts.modes_of(intention)
    return Case(
        is_linked=facts.is_linked(lms_user_id),
        is_customer_active=facts.is_customer_active,
        content_type=intention.content_kind,
        content_key=intention.content_key,
        resolution=content.resolution,
        catalogs=content.catalogs,
        modes=modes.modes if modes else None,
        is_invitation_only=modes is not None and modes.is_invitation_only,
        enrollments=enrollments,
        has_override=(lms_user_id, intention.pk) in facts.overrides,
        realizations=tuple(_as_fact(row, intention) for row in _realizations_that_count(facts, lms_user_id)),
    )


def _realizations_that_count(facts: Facts, lms_user_id: int) -> Iterator[Realization]:
    """Yield this customer's realizations, and those of others that the learner has left: a course that was left is
    left, whoever it was that enrolled (ADR 0014)."""
    yield from facts.realizations.get(lms_user_id, ())
    for row in facts.realized_elsewhere.get(lms_user_id, ()):
        seen = facts.enrollment_in(lms_user_id, row.course_run_key)
        if row.left_at is not None or (seen is not None and not seen.is_active):
            yield row


def _as_enrollment(row: EnrollmentCopy, enterprise: EnterpriseEnrollmentCopy | None) -> Enrollment:
    return Enrollment(
        course_run_key=row.course_run_key,
        mode=row.mode,
        is_active=row.is_active,
        is_revoked=enterprise is not None and _is_revoked(row, enterprise),
    )


def _is_revoked(row: EnrollmentCopy, enterprise: EnterpriseEnrollmentCopy) -> bool:
    """Say whether a license was taken away. An active audit enrollment that edx-enterprise has ended tells it, too."""
    return enterprise.is_revoked or (enterprise.unenrolled_at is not None and row.is_active and not is_paid(row.mode))


def _as_fact(row: Realization, intention: Intention) -> RealizationFact:
    return RealizationFact(
        course_run_key=row.course_run_key,
        course_key=row.course_key,
        of_this_intention=row.intention_id == intention.pk,
        left_at=row.left_at,
        left_reason=Reason(row.left_reason) if row.left_reason else None,
    )

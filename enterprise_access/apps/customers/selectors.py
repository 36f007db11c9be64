"""Reads of the local copies."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.customers.models import (
    EnterpriseCustomer,
    EnterpriseEnrollment,
    EnterpriseLearner,
    LearnerEnrollment,
)
from enterprise_access.lib.keys import fold


def get_customer(*, customer_uuid: UUID) -> EnterpriseCustomer | None:
    """Return the customer as we know it, or None when it was never asked for."""
    return EnterpriseCustomer.objects.filter(pk=customer_uuid).first()


def is_customer_paused(*, customer_uuid: UUID) -> bool:
    """Say whether staff have stopped enrolling for this customer. One that we do not know counts as stopped."""
    return not EnterpriseCustomer.objects.filter(pk=customer_uuid, realization_paused=False).exists()


def list_learners(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> dict[int, Learner]:
    """Return what is stored of these learners, linked or not. A learner who was never seen is absent."""
    rows = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=list(lms_user_ids))
    return {row.lms_user_id: as_learner(row) for row in rows}


def as_learner(row: EnterpriseLearner, *, email: str | None = None) -> Learner:
    """Return the value of a stored learner."""
    return Learner(
        lms_user_id=row.lms_user_id,
        enterprise_customer_user_id=row.enterprise_customer_user_id,
        username=row.username,
        is_linked=row.is_linked,
        is_active_link=row.is_active_link,
        fetched_at=row.fetched_at,
        enrollments_fetched_at=row.enrollments_fetched_at,
        last_login_at=row.last_login_at,
        email=email,
    )


def list_enrollments(*, lms_user_ids: Iterable[int]) -> dict[int, tuple[EnrollmentCopy, ...]]:
    """Return the stored platform enrollments of each learner; a learner without any has an empty tuple."""
    ids = list(lms_user_ids)
    copies: dict[int, list[EnrollmentCopy]] = {lms_user_id: [] for lms_user_id in ids}
    for row in LearnerEnrollment.objects.filter(lms_user_id__in=ids):
        copies[row.lms_user_id].append(
            EnrollmentCopy(
                lms_user_id=row.lms_user_id,
                course_run_key=row.course_run_key,
                mode=row.mode,
                is_active=row.is_active,
                fetched_at=row.fetched_at,
                changed_at=row.changed_at,
            )
        )
    return {lms_user_id: tuple(rows) for lms_user_id, rows in copies.items()}


def list_enterprise_enrollments(
    *, customer_uuid: UUID, lms_user_ids: Iterable[int]
) -> dict[tuple[int, str], EnterpriseEnrollmentCopy]:
    """Return what is stored of edx-enterprise's rows, by learner and folded run key."""
    rows = EnterpriseEnrollment.objects.filter(customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids))
    return {
        (row.lms_user_id, fold(row.course_run_key)): EnterpriseEnrollmentCopy(
            lms_user_id=row.lms_user_id,
            course_run_key=row.course_run_key,
            unenrolled_at=row.unenrolled_at,
            is_revoked=row.is_revoked,
            fetched_at=row.fetched_at,
        )
        for row in rows
    }


def list_active_customers(*, lms_user_ids: Iterable[int], fetched_since: datetime) -> dict[int, UUID]:
    """Return by learner the customer that young copies show as the active one. Absent: the LMS has to be asked.

    Copies that name two (the learner has changed over, and one copy does not know it yet) tell nothing.
    """
    rows = EnterpriseLearner.objects.fetched_since(fetched_since).filter(
        lms_user_id__in=list(lms_user_ids), is_linked=True, is_active_link=True
    )
    found: dict[int, set[UUID]] = {}
    for lms_user_id, customer_uuid in rows.values_list("lms_user_id", "customer_id"):
        found.setdefault(lms_user_id, set()).add(customer_uuid)
    return {lms_user_id: only for lms_user_id, (only, *others) in found.items() if not others}

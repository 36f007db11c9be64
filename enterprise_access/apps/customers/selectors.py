"""Reads of the local copies."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import fields, frozen
from django.db import models
from django.db.models import QuerySet, Value

from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.customers.models import (
    EnterpriseCustomer,
    EnterpriseEnrollment,
    EnterpriseLearner,
    LearnerEnrollment,
)
from enterprise_access.lib import shared_cache
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Prepared


def get_customer(*, customer_uuid: UUID) -> EnterpriseCustomer | None:
    """Return the customer as we know it, or None when it was never asked for."""
    return EnterpriseCustomer.objects.filter(pk=customer_uuid).first()


def list_customers() -> list[EnterpriseCustomer]:
    """Return every customer that was ever asked for, by name."""
    return list(EnterpriseCustomer.objects.all())


def is_customer_paused(*, customer_uuid: UUID) -> bool:
    """Say whether staff have stopped enrolling for this customer. One that we do not know counts as stopped."""
    return not EnterpriseCustomer.objects.filter(pk=customer_uuid, realization_paused=False).exists()


def list_learners(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> dict[int, Learner]:
    """Return what is stored of these learners, linked or not. A learner who was never seen is absent."""
    rows = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=list(lms_user_ids))
    return {row.lms_user_id: as_learner(row) for row in rows}


def name_customers(customer_uuids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of customers that we know."""
    return dict(EnterpriseCustomer.objects.filter(pk__in=list(customer_uuids)).values_list("pk", "name"))


def count_linked_learners(*, customer_uuid: UUID | None = None) -> int:
    """Return how many learners are linked as far as we have asked: of one customer, or (None) of all."""
    mine = {} if customer_uuid is None else {"customer_id": customer_uuid}
    return EnterpriseLearner.objects.filter(is_linked=True, **mine).count()


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


def get_customer_and_learner(
    *, customer_uuid: UUID, lms_user_id: int
) -> tuple[EnterpriseCustomer | None, Learner | None]:
    """Return both in one statement where the learner is known; None for what is not."""
    rows = _CUSTOMER_AND_LEARNER.rows(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    if not rows:
        return get_customer(customer_uuid=customer_uuid), None
    customer, learner = rows[0][: len(_CUSTOMER)], rows[0][len(_CUSTOMER) :]
    return EnterpriseCustomer.from_db("default", _CUSTOMER, customer), Learner(
        **dict(zip(_LEARNER, learner, strict=True))
    )


_CUSTOMER: Final = [field.attname for field in EnterpriseCustomer._meta.concrete_fields]
# What is stored of a learner: everything but the e-mail address.
_LEARNER: Final = [field.name for field in fields(Learner) if field.name != "email"]


def _customer_and_learner(customer_uuid: UUID, lms_user_id: int) -> QuerySet[EnterpriseLearner, Any]:
    rows = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).order_by()
    return rows.values_list(*(f"customer__{name}" for name in _CUSTOMER), *_LEARNER)


_CUSTOMER_AND_LEARNER: Final = Prepared(
    _customer_and_learner, customer_uuid=models.UUIDField(), lms_user_id=models.BigIntegerField()
)


def email_address(*, lms_user_id: int) -> str:
    """Return where in the cache a learner's e-mail address is, for some minutes."""
    return shared_cache.address_of(kind="email", version=1, lms_user_id=lms_user_id)


def recall_email(*, lms_user_id: int) -> str | None:
    """Return the e-mail address of a learner if a call of the last ten minutes has brought it."""
    address = email_address(lms_user_id=lms_user_id)
    return shared_cache.get_many([address]).get(address)


def list_enrollments(*, lms_user_ids: Iterable[int]) -> dict[int, tuple[EnrollmentCopy, ...]]:
    """Return the stored platform enrollments of each learner; a learner without any has an empty tuple."""
    ids = list(lms_user_ids)
    copies: dict[int, list[EnrollmentCopy]] = {lms_user_id: [] for lms_user_id in ids}
    for values in LearnerEnrollment.objects.filter(lms_user_id__in=ids).values_list(*_ENROLLMENT):
        copies[values[0]].append(_as_enrollment(*values))
    return {lms_user_id: tuple(rows) for lms_user_id, rows in copies.items()}


def list_enterprise_enrollments(
    *, customer_uuid: UUID, lms_user_ids: Iterable[int]
) -> dict[tuple[int, str], EnterpriseEnrollmentCopy]:
    """Return what is stored of edx-enterprise's rows, by learner and folded run key."""
    rows = EnterpriseEnrollment.objects.filter(customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids))
    return _by_run(_as_enterprise_enrollment(*values) for values in rows.values_list(*_ENTERPRISE_ENROLLMENT))


def list_both_enrollments(
    *, customer_uuid: UUID, lms_user_id: int
) -> tuple[tuple[EnrollmentCopy, ...], dict[tuple[int, str], EnterpriseEnrollmentCopy]]:
    """Return `list_enrollments` and `list_enterprise_enrollments` of one learner, in one statement."""
    found = _BOTH_ENROLLMENTS.rows(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    return (
        tuple(_as_enrollment(*values) for *values, is_platform in found if is_platform),
        _by_run(
            _as_enterprise_enrollment(*values[:2], *values[3:]) for *values, is_platform in found if not is_platform
        ),
    )


_ENROLLMENT = ("lms_user_id", "course_run_key", "mode", "is_active", "changed_at", "fetched_at")
# In this order they fit below the columns of platform enrollments, with nothing for the mode.
_ENTERPRISE_ENROLLMENT = ("lms_user_id", "course_run_key", "is_revoked", "unenrolled_at", "fetched_at")


def _both_enrollments(customer_uuid: UUID, lms_user_id: int) -> QuerySet[LearnerEnrollment, Any]:
    platform = LearnerEnrollment.objects.filter(lms_user_id=lms_user_id).order_by()
    enterprise = EnterpriseEnrollment.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).order_by()
    nothing = Value("", output_field=models.CharField(max_length=100))
    is_platform, is_enterprise = (Value(kind, output_field=models.BooleanField()) for kind in (True, False))
    return platform.values_list(*_ENROLLMENT, is_platform).union(
        enterprise.values_list("lms_user_id", "course_run_key", nothing, *_ENTERPRISE_ENROLLMENT[2:], is_enterprise),
        all=True,
    )


_BOTH_ENROLLMENTS: Final = Prepared(
    _both_enrollments, customer_uuid=models.UUIDField(), lms_user_id=models.BigIntegerField()
)


def _as_enrollment(
    lms_user_id: int,
    course_run_key: str,
    mode: str,
    is_active: bool,
    changed_at: datetime | None,
    fetched_at: datetime,
) -> EnrollmentCopy:
    return EnrollmentCopy(
        lms_user_id=lms_user_id,
        course_run_key=course_run_key,
        mode=mode,
        is_active=is_active,
        fetched_at=fetched_at,
        changed_at=changed_at,
    )


def _as_enterprise_enrollment(
    lms_user_id: int, course_run_key: str, is_revoked: bool, unenrolled_at: datetime | None, fetched_at: datetime
) -> EnterpriseEnrollmentCopy:
    return EnterpriseEnrollmentCopy(
        lms_user_id=lms_user_id,
        course_run_key=course_run_key,
        unenrolled_at=unenrolled_at,
        is_revoked=is_revoked,
        fetched_at=fetched_at,
    )


def _by_run(copies: Iterable[EnterpriseEnrollmentCopy]) -> dict[tuple[int, str], EnterpriseEnrollmentCopy]:
    return {(copy.lms_user_id, fold(copy.course_run_key)): copy for copy in copies}


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


@frozen(kw_only=True)
class StoredLink:
    """One customer of a learner, as far as tables know it."""

    customer_uuid: UUID
    slug: str
    name: str
    is_customer_active: bool
    enterprise_customer_user_id: int
    is_active_link: bool
    fetched_at: datetime


def list_links_of(*, lms_user_id: int, fetched_since: datetime) -> tuple[StoredLink, ...]:
    """Return the customers that a learner is linked to, from copies that are not older than `fetched_since`."""
    rows = EnterpriseLearner.objects.fetched_since(fetched_since).filter(lms_user_id=lms_user_id, is_linked=True)
    return tuple(
        StoredLink(
            customer_uuid=row.customer.uuid,
            slug=row.customer.slug,
            name=row.customer.name,
            is_customer_active=row.customer.is_active,
            enterprise_customer_user_id=row.enterprise_customer_user_id,
            is_active_link=row.is_active_link,
            fetched_at=row.fetched_at,
        )
        for row in rows.select_related("customer").order_by("customer_id")
    )

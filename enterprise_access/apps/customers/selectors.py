"""Reads of the local copies."""

from collections.abc import Iterable, Mapping
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


def list_paused_customers() -> frozenset[UUID]:
    """Return the customers for whom staff have stopped enrolling."""
    return frozenset(EnterpriseCustomer.objects.filter(realization_paused=True).order_by().values_list("pk", flat=True))


def is_customer_paused(*, customer_uuid: UUID) -> bool:
    """Say whether staff have stopped enrolling for this customer. One that we do not know counts as stopped."""
    return not EnterpriseCustomer.objects.filter(pk=customer_uuid, realization_paused=False).exists()


def list_customers_with_pause(*, limit: int) -> list[EnterpriseCustomer]:
    """Return the rows of customers for which enrolling is paused, by name."""
    return list(EnterpriseCustomer.objects.filter(realization_paused=True)[:limit])


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


@frozen(kw_only=True)
class StoredLearner:
    """Everything that is stored of one learner of one customer. `customer` and `learner` None: never asked for."""

    customer: EnterpriseCustomer | None
    learner: Learner | None
    enrollments: tuple[EnrollmentCopy, ...]
    enterprise_enrollments: Mapping[tuple[int, str], EnterpriseEnrollmentCopy]


def get_stored_learner(*, customer_uuid: UUID, lms_user_id: int) -> StoredLearner:
    """Return what is stored, in one statement where the learner is known."""
    customer, learner = None, None
    enrollments: list[EnrollmentCopy] = []
    enterprise: list[EnterpriseEnrollmentCopy] = []
    for *values, kind in _STORED_LEARNER.rows(customer_uuid=customer_uuid, lms_user_id=lms_user_id):
        if kind == _PLATFORM:
            enrollments.append(_as_enrollment(*(values[place] for place in _ENROLLMENT_PLACES)))
        elif kind == _ENTERPRISE:
            enterprise.append(_as_enterprise_enrollment(*(values[place] for place in _ENTERPRISE_PLACES)))
        else:
            customer = EnterpriseCustomer.from_db("default", _CUSTOMER, values[: len(_CUSTOMER)])
            learner = Learner(**dict(zip(_LEARNER, values[len(_CUSTOMER) :], strict=True)))
    return StoredLearner(
        customer=customer or get_customer(customer_uuid=customer_uuid),
        learner=learner,
        enrollments=tuple(enrollments),
        enterprise_enrollments=_by_run(enterprise),
    )


_ENROLLMENT = ("lms_user_id", "course_run_key", "mode", "is_active", "changed_at", "fetched_at")
_ENTERPRISE_ENROLLMENT = (
    "lms_user_id",
    "course_run_key",
    "is_revoked",
    "unenrolled_at",
    "fetched_at",
    "ended_because",
)


_CUSTOMER: Final = [field.attname for field in EnterpriseCustomer._meta.concrete_fields]
# What is stored of a learner: everything but the e-mail address.
_LEARNER: Final = [field.name for field in fields(Learner) if field.name != "email"]
_LINK: Final = [*(f"customer__{name}" for name in _CUSTOMER), *_LEARNER]
# Which columns of enrollments stand below which ones of the link, being of the same kind; below the others is nothing.
_ENROLLMENT_BELOW: Final = dict(
    zip(
        ("lms_user_id", "customer__slug", "customer__name", "is_linked", "last_login_at", "fetched_at"),
        _ENROLLMENT,
        strict=True,
    )
)
_ENTERPRISE_BELOW: Final = dict(
    zip(
        ("lms_user_id", "customer__slug", "is_linked", "last_login_at", "fetched_at", "customer__name"),
        _ENTERPRISE_ENROLLMENT,
        strict=True,
    )
)
_ENROLLMENT_PLACES: Final = [_LINK.index(name) for name in _ENROLLMENT_BELOW]
_ENTERPRISE_PLACES: Final = [_LINK.index(name) for name in _ENTERPRISE_BELOW]
_OF_LINK, _PLATFORM, _ENTERPRISE = range(3)


def _stored_learner(customer_uuid: UUID, lms_user_id: int) -> QuerySet[EnterpriseLearner, Any]:
    link = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).order_by()
    platform = LearnerEnrollment.objects.filter(lms_user_id=lms_user_id).order_by()
    enterprise = EnterpriseEnrollment.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).order_by()
    return link.values_list(*_LINK, _kind(_OF_LINK)).union(
        platform.values_list(*_below(_ENROLLMENT_BELOW), _kind(_PLATFORM)),
        enterprise.values_list(*_below(_ENTERPRISE_BELOW), _kind(_ENTERPRISE)),
        all=True,
    )


def _kind(kind: int) -> Value:
    return Value(kind, output_field=models.IntegerField())


def _below(columns: Mapping[str, str]) -> list[str | Value]:
    of_learner = {field.attname: field for field in EnterpriseLearner._meta.concrete_fields}
    kinds = [*EnterpriseCustomer._meta.concrete_fields, *(of_learner[name] for name in _LEARNER)]
    return [columns.get(name) or Value(None, output_field=kind) for name, kind in zip(_LINK, kinds, strict=True)]


_STORED_LEARNER: Final = Prepared(
    _stored_learner, customer_uuid=models.UUIDField(), lms_user_id=models.BigIntegerField()
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
    lms_user_id: int,
    course_run_key: str,
    is_revoked: bool,
    unenrolled_at: datetime | None,
    fetched_at: datetime,
    ended_because: str,
) -> EnterpriseEnrollmentCopy:
    return EnterpriseEnrollmentCopy(
        lms_user_id=lms_user_id,
        course_run_key=course_run_key,
        unenrolled_at=unenrolled_at,
        is_revoked=is_revoked,
        fetched_at=fetched_at,
        ended_because=ended_because,
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

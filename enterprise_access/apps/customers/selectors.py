"""Reads of the local copies."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import fields, frozen
from django.db import models
from django.db.models import QuerySet

from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.customers.models import (
    EnterpriseCustomer,
    EnterpriseEnrollment,
    EnterpriseLearner,
    LearnerEnrollment,
)
from enterprise_access.lib import shared_cache
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Prepared, Read


def get_customer(*, customer_uuid: UUID) -> EnterpriseCustomer | None:
    """Return the customer as we know it, or None when it was never asked for."""
    return EnterpriseCustomer.objects.filter(pk=customer_uuid).first()


def list_customers() -> list[EnterpriseCustomer]:
    """Return every customer that was ever asked for, by name."""
    return list(EnterpriseCustomer.objects.all())


def find_customers(*, search: str = "") -> QuerySet[EnterpriseCustomer]:
    """Return the customers with a text in name or slug, or of this UUID, by name. Without a text: all."""
    rows = EnterpriseCustomer.objects.order_by("name", "pk")
    if not search:
        return rows
    try:
        return rows.filter(pk=UUID(search))
    except ValueError:
        return rows.filter(models.Q(name__icontains=search) | models.Q(slug__icontains=search))


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
    ids = list(lms_user_ids)
    if len(ids) == 1:
        rows = _LEARNER_OF_CUSTOMER.rows(customer_uuid=customer_uuid, lms_user_id=ids[0])
        learners = [Learner(**dict(zip(_LEARNER, values, strict=True))) for values in rows]
        return {learner.lms_user_id: learner for learner in learners}
    of_customer = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=ids)
    return {row.lms_user_id: as_learner(row) for row in of_customer}


def list_read_times(lms_user_ids: Iterable[int]) -> list[tuple[int, datetime | None, datetime | None]]:
    """Return, for each link of these learners, when enrollments were read, and when a later read was requested."""
    ids = list(lms_user_ids)
    rows = _READ_TIMES_OF_LEARNER.rows(lms_user_id=ids[0]) if len(ids) == 1 else _read_times(ids)
    return [(lms_user_id, read_at, wanted_at) for lms_user_id, read_at, wanted_at in rows]


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
    rows: Iterable[Sequence[Any]]
    if len(ids) == 1:
        rows = _ENROLLMENTS_OF_LEARNER.rows(lms_user_id=ids[0])
    else:
        rows = LearnerEnrollment.objects.filter(lms_user_id__in=ids).values_list(*_ENROLLMENT)
    for values in rows:
        copies[values[0]].append(_as_enrollment(values))
    return {lms_user_id: tuple(rows) for lms_user_id, rows in copies.items()}


def list_enterprise_enrollments(
    *, customer_uuid: UUID, lms_user_ids: Iterable[int]
) -> dict[tuple[int, str], EnterpriseEnrollmentCopy]:
    """Return what is stored of edx-enterprise's rows, by learner and folded run key."""
    rows = EnterpriseEnrollment.objects.filter(customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids))
    return _by_run(_as_enterprise_enrollment(values) for values in rows.values_list(*_ENTERPRISE_ENROLLMENT))


@frozen(kw_only=True)
class StoredLearner:
    """What is stored of one learner of one customer. `customer` and `learner` None: never asked for."""

    customer: EnterpriseCustomer | None
    learner: Learner | None
    enrollments: tuple[EnrollmentCopy, ...]


def get_stored_learner(*, customer_uuid: UUID, lms_user_id: int) -> StoredLearner:
    """Return what is stored, in two statements where the learner is known."""
    customer, learner = None, None
    for values in _LINK_OF_LEARNER.rows(customer_uuid=customer_uuid, lms_user_id=lms_user_id):
        customer = EnterpriseCustomer.from_db("default", _CUSTOMER, values[: len(_CUSTOMER)])
        learner = Learner(**dict(zip(_LEARNER, values[len(_CUSTOMER) :], strict=True)))
    return StoredLearner(
        customer=customer or get_customer(customer_uuid=customer_uuid),
        learner=learner,
        enrollments=tuple(_as_enrollment(values) for values in _ENROLLMENTS_OF_LEARNER.rows(lms_user_id=lms_user_id)),
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


def _link_of_learner(customer_uuid: UUID, lms_user_id: int) -> QuerySet[EnterpriseLearner, Any]:
    link = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).order_by()
    return link.values_list(*(f"customer__{name}" for name in _CUSTOMER), *_LEARNER)


def _enrollments_of_learner(lms_user_id: int) -> QuerySet[LearnerEnrollment, Any]:
    return LearnerEnrollment.objects.filter(lms_user_id=lms_user_id).order_by().values_list(*_ENROLLMENT)


_LINK_OF_LEARNER: Final = Prepared(
    _link_of_learner, customer_uuid=models.UUIDField(), lms_user_id=models.BigIntegerField()
)
_ENROLLMENTS_OF_LEARNER: Final = Prepared(_enrollments_of_learner, lms_user_id=models.BigIntegerField())


def _learner_of_customer(customer_uuid: UUID, lms_user_id: int) -> QuerySet[EnterpriseLearner, Any]:
    link = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).order_by()
    return link.values_list(*_LEARNER)


def _read_times(lms_user_ids: Iterable[int]) -> QuerySet[EnterpriseLearner, Any]:
    rows = EnterpriseLearner.objects.filter(lms_user_id__in=list(lms_user_ids)).order_by()
    return rows.values_list("lms_user_id", "enrollments_fetched_at", "enrollments_wanted_at")


_LEARNER_OF_CUSTOMER: Final = Prepared(
    _learner_of_customer, customer_uuid=models.UUIDField(), lms_user_id=models.BigIntegerField()
)
_READ_TIMES_OF_LEARNER: Final = Prepared(
    lambda lms_user_id: _read_times([lms_user_id]), lms_user_id=models.BigIntegerField()
)


def read_of_learner(*, customer_uuid: UUID, lms_user_id: int) -> Read:
    """Return the statement of `list_learners` for one learner, for `read_together`."""
    return _LEARNER_OF_CUSTOMER.read_of(customer_uuid=customer_uuid, lms_user_id=lms_user_id)


def reads_of_stored_learner(*, customer_uuid: UUID, lms_user_id: int) -> tuple[Read, ...]:
    """Return the statements of `get_stored_learner` where the learner is known, for `read_together`."""
    return (
        _LINK_OF_LEARNER.read_of(customer_uuid=customer_uuid, lms_user_id=lms_user_id),
        _ENROLLMENTS_OF_LEARNER.read_of(lms_user_id=lms_user_id),
    )


def reads_of_enrollments(lms_user_ids: Iterable[int]) -> tuple[Read, ...]:
    """Return the statements of `list_read_times` and `list_enrollments`, for `read_together`; none for several."""
    ids = list(lms_user_ids)
    if len(ids) != 1:
        return ()
    return tuple(read.read_of(lms_user_id=ids[0]) for read in (_READ_TIMES_OF_LEARNER, _ENROLLMENTS_OF_LEARNER))


def _as_enrollment(values: Sequence[Any]) -> EnrollmentCopy:
    return EnrollmentCopy(**dict(zip(_ENROLLMENT, values, strict=True)))


def _as_enterprise_enrollment(values: Sequence[Any]) -> EnterpriseEnrollmentCopy:
    return EnterpriseEnrollmentCopy(**dict(zip(_ENTERPRISE_ENROLLMENT, values, strict=True)))


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

"""A learner asks for a license or a coupon code, and takes a request back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from enterprise_access.apps.content_metadata.domain import Partner
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import RequestNotAllowed
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestCustomerConfiguration
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests, move, note
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class Asker:
    """Who asks: the owner of a token."""

    lms_user_id: int
    email: str = field(repr=False)


@frozen(kw_only=True)
class Created:
    """The request, and whether it is new. One that was open already is the answer to the same question."""

    request: SubsidyRequest
    is_new: bool


def create_request(
    *, customer_uuid: UUID, subsidy_type: SubsidyType, asker: Asker, course_id: str, now: datetime
) -> Created:
    """Ask for a license or a coupon code. Asking again while a request is open returns the open one.

    Raises RequestNotAllowed: requests of this type are off, or the course is in no catalog of the customer. A course of
    which nothing is known (the catalog cannot be asked) is accepted.
    """
    # First, without the network: what is off is refused however the catalog is.
    refuse_unless_on(customer_uuid, subsidy_type)
    content = describe_course(customer_uuid, course_id) if course_id else None
    row = SubsidyRequest(
        customer_uuid=customer_uuid,
        subsidy_type=subsidy_type.value,
        lms_user_id=asker.lms_user_id,
        email=asker.email,
        course_id=course_id,
        **course_columns(content),
    )
    return _add(row, now)


def refuse_unless_on(customer_uuid: UUID, subsidy_type: SubsidyType, *, lock: bool = False) -> None:
    """Raise RequestNotAllowed unless the customer takes requests of this type. `lock`: so that this stays so."""
    rows = SubsidyRequestCustomerConfiguration.objects.filter(pk=customer_uuid)
    found = (rows.select_for_update() if lock else rows).first()
    if found is None or not found.subsidy_requests_enabled:
        raise RequestNotAllowed(gettext("Your organization does not take requests."), code="requests_disabled")
    if found.subsidy_type != subsidy_type:
        raise RequestNotAllowed(
            gettext("Your organization does not take requests of this kind."), code="subsidy_type_not_set_up"
        )


def describe_course(customer_uuid: UUID, course_id: str) -> Content:
    """Return what is known of a course. Raises RequestNotAllowed when it is certainly in no catalog of the customer."""
    content = fetch_content(customer_uuid=customer_uuid, content_keys=[course_id])[fold(course_id)]
    if content.catalogs == ():
        raise RequestNotAllowed(
            gettext("This course is not in your organization's catalog."), code="content_not_in_catalog"
        )
    return content


def course_columns(content: Content | None) -> Mapping[str, Any]:
    """Return the columns that are filled with what is known of the course."""
    if content is None:
        return {"course_title": "", "course_partners": None}
    return {"course_title": content.title[:255], "course_partners": partners_column(content.partners)}


def partners_column(partners: Sequence[Partner] | None) -> list[dict[str, str | None]] | None:
    """Return who offers a course as it is kept with a request; None: not known."""
    if partners is None:
        return None
    return [{"uuid": str(row.uuid) if row.uuid else None, "name": row.name} for row in partners]


@retry_deadlocks
def _add(row: SubsidyRequest, now: datetime) -> Created:
    refuse_unless_on(row.customer_uuid, row.kind, lock=True)
    return add_request(row, now=now)


def add_request(row: SubsidyRequest, *, now: datetime) -> Created:
    """Write a new request in the caller's transaction, or return the open one that stands in its place."""
    row.course_id_folded = fold(row.course_id)
    row.latest_action_type, row.latest_action_at = ActionType.REQUESTED.value, now
    for _ in range(2):
        known = SubsidyRequest.objects.filter(open_key=row.own_open_key).first()
        if known is not None:
            return Created(request=known, is_new=False)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            # The same request came twice in this moment, and the other one was quicker.
            continue
        note([row], ActionType.REQUESTED, now=now, actor_lms_user_id=row.lms_user_id)
        return Created(request=row, is_new=True)
    raise RequestNotAllowed(gettext("Another request is in the way. Try again."), code="try_again")


@retry_deadlocks
def withdraw_request(
    *, request_uuid: UUID, subsidy_type: SubsidyType, lms_user_id: int, now: datetime
) -> SubsidyRequest:
    """Take one's own request back while it is undecided. Raises RequestUnknown and RequestStateRefused."""
    own = SubsidyRequest.objects.of_kind(subsidy_type).filter(pk=request_uuid, lms_user_id=lms_user_id)
    rows = lock_requests(own, uuids=[request_uuid])
    move(rows, RequestAction.WITHDRAW, now=now, actor_lms_user_id=lms_user_id)
    return rows[0]

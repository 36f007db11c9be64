"""Another service assigned a license or a coupon code: the request that waits for it is fulfilled."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import start_enrollments
from enterprise_access.apps.subsidy_requests.services.mails import RequestMailKind, ask_for_mails
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests, move
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)

_WAITING = [RequestState.PENDING.value, RequestState.APPROVED.value]


@frozen(kw_only=True)
class Assigned:
    """What was assigned to whom. `course_key` empty: for whatever course."""

    subsidy_type: SubsidyType
    customer_uuid: UUID
    lms_user_id: int
    course_key: str = ""
    columns: Mapping[str, Any] = field(factory=dict)


@retry_deadlocks
def fulfill(assigned: Assigned) -> None:
    """Fulfill the newest request that waits for this. An event that comes twice, or for no request, changes nothing."""
    rows = SubsidyRequest.objects.of_kind(assigned.subsidy_type).filter(
        customer_uuid=assigned.customer_uuid, lms_user_id=assigned.lms_user_id
    )
    if assigned.course_key:
        rows = rows.filter(course_id_folded=fold(assigned.course_key))
    waiting = lock_requests(rows.filter(state__in=_WAITING))
    if waiting:
        fulfilled = move(waiting[-1:], RequestAction.FULFILLED, now=clock.now(), due_at=None, **assigned.columns)
        start_enrollments(fulfilled, now=clock.now())
        ask_for_mails(RequestMailKind.GRANTED, [row for row in fulfilled if row.is_mail_wanted], now=clock.now())
    elif rows.exclude(state=RequestState.FULFILLED.value).exists():
        log.info("A subsidy was assigned, and no request waits for it. kind=%s", assigned.subsidy_type)

"""Telling other services that requests were approved, in the transaction of the approval."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.event_schemas import (
    COUPON_CODE_REQUEST_APPROVED,
    LICENSE_REQUEST_APPROVED,
    CouponCodeRequestApprovedData,
    LicenseRequestApprovedData,
)
from enterprise_access.events.services import Announcement, is_publishing, learner_key, publish_all


def announce_approved(rows: Sequence[SubsidyRequest], *, at: datetime) -> None:
    """Tell of requests for licenses and coupon codes that were approved."""
    if not is_publishing():
        return
    publish_all(_announcement(row, at) for row in rows)


def _announcement(row: SubsidyRequest, at: datetime) -> Announcement:
    signal, data = _event_of(row, at)
    return Announcement(signal=signal, data=data, key=learner_key(row.lms_user_id), occurred_at=at)


def _event_of(row: SubsidyRequest, at: datetime) -> tuple[OpenEdxPublicSignal, Any]:
    common: dict[str, Any] = {
        "enterprise_customer_uuid": row.customer_uuid,
        "request_uuid": row.pk,
        "lms_user_id": row.lms_user_id,
        "course_key": row.course_id,
        "approved_at": at,
    }
    if row.kind is SubsidyType.LICENSE:
        common["subscription_plan_uuid"] = row.plan_uuid
        return LICENSE_REQUEST_APPROVED, LicenseRequestApprovedData(**common)
    common["coupon_id"] = row.coupon_id
    return COUPON_CODE_REQUEST_APPROVED, CouponCodeRequestApprovedData(**common)

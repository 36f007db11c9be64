"""The events that this app sends and hears. docs/reference/events.rst describes them.

They name learners by their LMS user id, and nothing else about a person. A field may be added, with a default, under a
new minor version; whatever else changes needs a new event type (`.v2`).
"""

from datetime import datetime
from uuid import UUID

import attr
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events.sending import sends

_PREFIX = "org.openedx.enterprise.access"


@attr.s(frozen=True, kw_only=True)
class LicenseRequestApprovedData:
    """An admin approved a learner's request for a license."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    request_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    course_key = attr.ib(type=str)
    subscription_plan_uuid = attr.ib(type=UUID)
    approved_at = attr.ib(type=datetime)


@attr.s(frozen=True, kw_only=True)
class CouponCodeRequestApprovedData:
    """An admin approved a learner's request for a coupon code."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    request_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    course_key = attr.ib(type=str)
    coupon_id = attr.ib(type=int)
    approved_at = attr.ib(type=datetime)


@attr.s(frozen=True, kw_only=True)
class LicenseAssignedData:
    """A license was assigned to a learner, by whatever service."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    license_uuid = attr.ib(type=UUID)
    subscription_plan_uuid = attr.ib(type=UUID)


@attr.s(frozen=True, kw_only=True)
class CouponCodeAssignedData:
    """A coupon code was assigned to a learner for a course."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    course_key = attr.ib(type=str)
    coupon_code = attr.ib(type=str)


LICENSE_REQUEST_APPROVED = sends(f"{_PREFIX}.license-request.approved.v1", license_request=LicenseRequestApprovedData)
COUPON_CODE_REQUEST_APPROVED = sends(
    f"{_PREFIX}.coupon-code-request.approved.v1", coupon_code_request=CouponCodeRequestApprovedData
)
LICENSE_ASSIGNED = OpenEdxPublicSignal(
    event_type=f"{_PREFIX}.license.assigned.v1", data={"license": LicenseAssignedData}
)
COUPON_CODE_ASSIGNED = OpenEdxPublicSignal(
    event_type=f"{_PREFIX}.coupon-code.assigned.v1", data={"coupon_code": CouponCodeAssignedData}
)

"""The events that this app sends. docs/reference/events.rst describes them for consumers.

They name learners by their LMS user id, and nothing else about a person. A field may be added, with a default, under a
new minor version; whatever else changes needs a new event type (`.v2`).
"""

from datetime import datetime
from uuid import UUID

import attr

from enterprise_access.events.sending import sends

_PREFIX = "org.openedx.enterprise.default_enrollment"


@attr.s(frozen=True, kw_only=True)
class DefaultEnrollmentRealizedData:
    """A default enrollment became an enrollment, or an existing one was upgraded."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    intention_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    course_key = attr.ib(type=str)
    course_run_key = attr.ib(type=str)
    mode = attr.ib(type=str)
    realized_at = attr.ib(type=datetime)
    has_left = attr.ib(type=bool)


@attr.s(frozen=True, kw_only=True)
class DefaultEnrollmentBlockedData:
    """A learner was not enrolled, for another reason than the last time."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    intention_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    reason = attr.ib(type=str)
    course_run_key = attr.ib(type=str)
    blocked_at = attr.ib(type=datetime)


@attr.s(frozen=True, kw_only=True)
class IntentionUnhealthyData:
    """An intention would enroll no one new, for another reason than the last time."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    intention_uuid = attr.ib(type=UUID)
    content_key = attr.ib(type=str)
    reason = attr.ib(type=str)
    noticed_at = attr.ib(type=datetime)


REALIZED = sends(f"{_PREFIX}.realized.v1", default_enrollment=DefaultEnrollmentRealizedData)
BLOCKED = sends(f"{_PREFIX}.blocked.v1", default_enrollment=DefaultEnrollmentBlockedData)
INTENTION_UNHEALTHY = sends(f"{_PREFIX}.intention_unhealthy.v1", key="intention_uuid", intention=IntentionUnhealthyData)

"""The events that this app sends. docs/reference/events.rst describes them for consumers.

They name learners by their LMS user id, and nothing else about a person. A field may be added, with a default, under a
new minor version; whatever else changes needs a new event type (`.v2`).
"""

from datetime import datetime
from uuid import UUID

import attr
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events.sending import sends


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
    """An intention would enroll nobody new, for another reason than the last time."""

    enterprise_customer_uuid = attr.ib(type=UUID)
    intention_uuid = attr.ib(type=UUID)
    content_key = attr.ib(type=str)
    reason = attr.ib(type=str)
    noticed_at = attr.ib(type=datetime)


REALIZED = sends(
    OpenEdxPublicSignal(
        event_type="org.openedx.enterprise.default_enrollment.realized.v1",
        data={"default_enrollment": DefaultEnrollmentRealizedData},
    ),
    key_field="default_enrollment.lms_user_id",
)
BLOCKED = sends(
    OpenEdxPublicSignal(
        event_type="org.openedx.enterprise.default_enrollment.blocked.v1",
        data={"default_enrollment": DefaultEnrollmentBlockedData},
    ),
    key_field="default_enrollment.lms_user_id",
)
INTENTION_UNHEALTHY = sends(
    OpenEdxPublicSignal(
        event_type="org.openedx.enterprise.default_enrollment.intention_unhealthy.v1",
        data={"intention": IntentionUnhealthyData},
    ),
    key_field="intention.intention_uuid",
)

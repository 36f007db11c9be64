"""The LMS's end of the event bus: what happens in the world is told on Redis Streams, as an LMS does it that has
these lines in its settings:

    EVENT_BUS_PRODUCER = "edx_event_bus_redis.create_producer"
    EVENT_BUS_PRODUCER_CONFIG = {"org.openedx.learning.auth.session.login.completed.v1": {"learning-session-login": …}}

A bus that is away is none of the world's concern: the event is lost, as it is in the LMS.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from django.conf import settings

if not settings.configured:
    # openedx-events asks Django's settings who is speaking.
    settings.configure(EVENTS_SERVICE_NAME="lms")

import redis
from edx_event_bus_redis.internal.message import RedisMessage
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata
from openedx_events.enterprise.data import LedgerTransaction as LedgerTransactionData
from openedx_events.enterprise.data import LedgerTransactionReversal
from openedx_events.enterprise.signals import (
    LEDGER_TRANSACTION_COMMITTED,
    LEDGER_TRANSACTION_CREATED,
    LEDGER_TRANSACTION_FAILED,
    LEDGER_TRANSACTION_REVERSED,
)
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from openedx_events.learning.signals import (
    COURSE_ENROLLMENT_CHANGED,
    COURSE_UNENROLLMENT_COMPLETED,
    SESSION_LOGIN_COMPLETED,
    STUDENT_REGISTRATION_COMPLETED,
)
from openedx_events.tooling import OpenEdxPublicSignal

from .ledger_rows import LedgerTransaction
from .values import Enrollment, User
from .world import World

log = logging.getLogger(__name__)

TOPICS = {
    SESSION_LOGIN_COMPLETED.event_type: "learning-session-login",
    STUDENT_REGISTRATION_COMPLETED.event_type: "learning-student-registration",
    COURSE_ENROLLMENT_CHANGED.event_type: "learning-course-enrollment-changed",
    COURSE_UNENROLLMENT_COMPLETED.event_type: "learning-course-unenrollment",
    LEDGER_TRANSACTION_CREATED.event_type: "enterprise-subsidies-transaction-lifecycle",
    LEDGER_TRANSACTION_COMMITTED.event_type: "enterprise-subsidies-transaction-lifecycle",
    LEDGER_TRANSACTION_FAILED.event_type: "enterprise-subsidies-transaction-lifecycle",
    LEDGER_TRANSACTION_REVERSED.event_type: "enterprise-subsidies-transaction-lifecycle",
}
# What the ledger tells of, by the name of the change. Nothing is told of a pending transaction.
LEDGER_SIGNALS = {
    "transaction created": LEDGER_TRANSACTION_CREATED,
    "transaction committed": LEDGER_TRANSACTION_COMMITTED,
    "transaction failed": LEDGER_TRANSACTION_FAILED,
    "transaction reversed": LEDGER_TRANSACTION_REVERSED,
}
MAX_LENGTH = 1_000_000


class EventBus:
    """Tells on Redis what happens in a world."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self._redis = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._prefix = f"{prefix}-" if prefix else ""

    def listen_to(self, world: World) -> None:
        """From now on, tell what happens there."""
        world.listeners.append(lambda what, row: self._tell(world, what, row))

    def _tell(self, world: World, what: str, row: Any) -> None:
        if isinstance(row, User) and what == "user added":
            self._send(STUDENT_REGISTRATION_COMPLETED, {"user": _user(row)}, world.now())
        elif isinstance(row, User) and what == "signed in":
            self._send(SESSION_LOGIN_COMPLETED, {"user": _user(row)}, world.now())
        elif isinstance(row, LedgerTransaction) and what in LEDGER_SIGNALS and row.lms_user_id is not None:
            data = {"ledger_transaction": _ledger_transaction(row)}
            self._send(LEDGER_SIGNALS[what], data, world.now(), source="openedx/enterprise-subsidy/web")
        elif isinstance(row, Enrollment):
            user = world.tables.users.first(id=row.user_id)
            if user is not None:
                self._tell_of_enrollment(user, row, world.now())

    def _tell_of_enrollment(self, user: User, row: Enrollment, at: datetime) -> None:
        data = CourseEnrollmentData(
            user=_user(user),
            course=CourseData(course_key=CourseKey.from_string(row.run_key)),
            mode=row.mode,
            is_active=row.is_active,
            creation_date=row.created_at,
        )
        self._send(COURSE_ENROLLMENT_CHANGED, {"enrollment": data}, at)
        if not row.is_active:
            self._send(COURSE_UNENROLLMENT_COMPLETED, {"enrollment": data}, at)

    def _send(
        self, signal: OpenEdxPublicSignal, data: dict[str, Any], at: datetime, *, source: str = "openedx/lms/web"
    ) -> None:
        topic = self._prefix + TOPICS[signal.event_type]
        metadata = EventsMetadata(event_type=signal.event_type, time=at, source=source)
        message = RedisMessage(
            topic=topic, event_data=serialize_event_data_to_bytes(data, signal), event_metadata=metadata
        )
        try:
            self._redis.xadd(topic, message.to_binary_dict(), maxlen=MAX_LENGTH, approximate=True)
        except redis.RedisError as error:
            log.warning("An event is lost. topic=%s error=%s", topic, type(error).__name__)


def _user(user: User) -> UserData:
    name = f"{user.first_name} {user.last_name}".strip()
    return UserData(
        id=user.id, is_active=True, pii=UserPersonalData(username=user.username, email=user.email, name=name)
    )


def _ledger_transaction(row: LedgerTransaction) -> LedgerTransactionData:
    reversal = row.reversal and LedgerTransactionReversal(
        uuid=row.reversal.uuid,
        created=row.reversal.created_at,
        modified=row.reversal.created_at,
        idempotency_key=row.reversal.idempotency_key,
        quantity=row.reversal.quantity,
        state=row.reversal.state.value,
    )
    return LedgerTransactionData(
        uuid=row.uuid,
        created=row.created_at,
        modified=row.modified_at,
        idempotency_key=row.idempotency_key,
        quantity=row.quantity,
        state=row.state.value,
        ledger_uuid=row.subsidy_uuid,
        subsidy_access_policy_uuid=row.policy_uuid,
        lms_user_id=row.lms_user_id,
        content_key=CourseKey.from_string(row.content_key) if row.content_key else None,
        parent_content_key=row.parent_content_key,
        fulfillment_identifier=row.fulfillment_identifier,
        reversal=reversal,
    )

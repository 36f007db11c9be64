"""Events as the LMS sends them, made for tests. The people in them must not turn up anywhere."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from edx_event_bus_redis.internal.message import RedisMessage
from opaque_keys.edx.keys import CourseKey
from openedx_events.data import EventsMetadata
from openedx_events.event_bus.avro.serializer import serialize_event_data_to_bytes
from openedx_events.learning.data import CourseData, CourseEnrollmentData, UserData, UserPersonalData
from openedx_events.learning.signals import (
    COURSE_ENROLLMENT_CHANGED,
    COURSE_UNENROLLMENT_COMPLETED,
    SESSION_LOGIN_COMPLETED,
    STUDENT_REGISTRATION_COMPLETED,
)
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events.handling import Event

RUN = "course-v1:edX+DemoX+2026_T1"

USERNAME, EMAIL, NAME = "secret_username", "secret.address@example.com", "Secret Fullname"
PERSONAL = (USERNAME, EMAIL, NAME, "secret")


def user(lms_user_id: int) -> UserData:
    """A user with personal data that is easy to look for."""
    return UserData(id=lms_user_id, is_active=True, pii=UserPersonalData(username=USERNAME, email=EMAIL, name=NAME))


def login(lms_user_id: int, *, at: datetime | None = None) -> Event:
    """The learner logged in."""
    return _event(SESSION_LOGIN_COMPLETED, {"user": user(lms_user_id)}, at)


def registration(lms_user_id: int, *, at: datetime | None = None) -> Event:
    """The learner registered."""
    return _event(STUDENT_REGISTRATION_COMPLETED, {"user": user(lms_user_id)}, at)


def changed(
    lms_user_id: int, run_key: str = RUN, *, mode: str = "verified", is_active: bool = True, at: datetime | None = None
) -> Event:
    """An enrollment changed."""
    return _event(COURSE_ENROLLMENT_CHANGED, _enrollment(lms_user_id, run_key, mode, is_active), at)


def unenrolled(lms_user_id: int, run_key: str = RUN, *, mode: str = "verified", at: datetime | None = None) -> Event:
    """The learner left."""
    return _event(COURSE_UNENROLLMENT_COMPLETED, _enrollment(lms_user_id, run_key, mode, is_active=False), at)


def _enrollment(lms_user_id: int, run_key: str, mode: str, is_active: bool) -> dict[str, Any]:
    enrollment = CourseEnrollmentData(
        user=user(lms_user_id),
        course=CourseData(course_key=CourseKey.from_string(run_key)),
        mode=mode,
        is_active=is_active,
        creation_date=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return {"enrollment": enrollment}


def _event(signal: Any, data: dict[str, Any], at: datetime | None) -> Event:
    return Event(id=uuid4(), type=signal.event_type, at=at or datetime.now(UTC), data=data)


def as_message(event: Event) -> dict[bytes, bytes]:
    """The event as it travels over Redis, written as the LMS's producer writes it."""
    signal = OpenEdxPublicSignal.get_signal_by_type(event.type)
    metadata = EventsMetadata(event_type=event.type, id=event.id, time=event.at, source="openedx/lms/web")
    message = RedisMessage(
        topic="", event_data=serialize_event_data_to_bytes(event.data, signal), event_metadata=metadata
    )
    fields: dict[bytes, bytes] = message.to_binary_dict()
    return fields

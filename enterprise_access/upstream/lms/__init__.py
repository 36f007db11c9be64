"""The LMS: customers, who is linked, enrollments, modes."""

from django.conf import settings

from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.lms.client import LmsClient


def from_settings() -> LmsClient:
    """Return a client of the LMS of this installation."""
    return LmsClient(
        transport(service="lms", base_url=settings.LMS_BASE_URL),
        enroll_read_seconds=settings.ENROLL_READ_TIMEOUT_SECONDS,
    )

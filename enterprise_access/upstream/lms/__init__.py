"""The LMS: customers, who is linked, enrollments, modes."""

from typing import Final

from django.conf import settings

from enterprise_access.lib.breaker import breaker_of
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.lms.client import LmsClient

_SERVICE: Final = "lms"


def takes_several_calls() -> bool:
    """Say whether it may be asked for two things at once: after a pause, only one call is let through to see."""
    return breaker_of(_SERVICE).is_closed


def is_known_to_be_away() -> bool:
    """Say whether to ask would be in vain: the LMS does not answer, and it is too early to try again (ADR 0010)."""
    return breaker_of(_SERVICE).is_open


def from_settings(*, optional: str = "") -> LmsClient:
    """Return a client of the LMS of this installation. `optional`: see `connections.transport`."""
    return LmsClient(
        transport(service=_SERVICE, base_url=settings.LMS_BASE_URL, optional=optional),
        enroll_read_seconds=settings.ENROLL_READ_TIMEOUT_SECONDS,
    )

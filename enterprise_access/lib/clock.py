"""The database's clock: one clock for all processes, however wrong their own clocks are.

Leases, expiry and "who was first" compare times that different processes wrote. So these times are read off the
database: its time is measured about every 30 seconds and carried on with the process's monotonic clock, which no one
sets. With SQLite, and in tests (DATABASE_CLOCK = False), it is the process's own clock.
"""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import frozen
from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from enterprise_access.lib import metrics
from enterprise_access.lib.health import HealthLevel, Part

log = logging.getLogger(__name__)

MEASURED_EVERY_SECONDS: Final = 30.0
# A difference that readiness and the alert report.
MAX_SKEW_SECONDS: Final = 5.0

QUESTIONS: Final = {"postgresql": "SELECT clock_timestamp()", "mysql": "SELECT UTC_TIMESTAMP(6)"}


@frozen(kw_only=True)
class Measurement:
    """The database's time at an instant of the monotonic clock, and how far this process's clock is ahead of it."""

    at: datetime
    monotonic: float
    skew_seconds: float


_last: list[Measurement | None] = [None]


def now() -> datetime:
    """Return the time by the database's clock."""
    if not settings.DATABASE_CLOCK or connection.vendor not in QUESTIONS:
        return timezone.now()
    last = _last[0]
    if last is None or time.monotonic() - last.monotonic > MEASURED_EVERY_SECONDS:
        last = _measured_again(last)
    if last is None:
        return timezone.now()
    return last.at + timedelta(seconds=time.monotonic() - last.monotonic)


def forget() -> None:
    """Forget the measurement, so that the next call measures."""
    _last[0] = None


def _measured_again(last: Measurement | None) -> Measurement | None:
    if connection.needs_rollback:
        # Nothing can be asked in a transaction that has failed.
        return last
    try:
        _last[0] = _measure()
    except Error as error:
        log.warning("The database's clock cannot be read. error=%s", type(error).__name__)
    return _last[0]


def _measure() -> Measurement:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(QUESTIONS[connection.vendor])
        read: Any = cursor.fetchone()[0]
    ended = time.monotonic()
    at = read if read.tzinfo else read.replace(tzinfo=UTC)
    # The answer is taken for half as old as the question took.
    skew = (timezone.now() - at).total_seconds() - (ended - began) / 2
    metrics.CLOCK_SKEW.set(abs(skew))
    return Measurement(at=at, monotonic=(began + ended) / 2, skew_seconds=skew)


def look_at_clock() -> Part:
    """Say, for readiness, how far this process's clock is from the database's."""
    now()
    last = _last[0]
    if last is None:
        return Part(name="clock")
    is_off = abs(last.skew_seconds) > MAX_SKEW_SECONDS
    detail = f"{last.skew_seconds:+.1f} seconds against the database" if is_off else ""
    return Part(name="clock", level=HealthLevel.DEGRADED if is_off else HealthLevel.OK, detail=detail)

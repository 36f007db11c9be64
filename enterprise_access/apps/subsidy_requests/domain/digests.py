"""How often admins are told of requests that wait for them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class NotificationCadence(StrEnum):
    """How often the admins of a customer get a digest of the requests that need a decision."""

    NEVER = "never"
    DAILY = "daily"
    WEEKLY = "weekly"


# A little less than a day or a week, so that an hourly task mails at the same hour every time.
_SLACK: Final = timedelta(minutes=30)
_PERIODS: Final[Mapping[NotificationCadence, timedelta]] = {
    NotificationCadence.DAILY: timedelta(days=1),
    NotificationCadence.WEEKLY: timedelta(days=7),
}


def digested_before(now: datetime) -> Mapping[NotificationCadence, datetime]:
    """Return, by cadence, how old the last digest is at least when the next one is due. Never: absent."""
    return {cadence: now - period + _SLACK for cadence, period in _PERIODS.items()}

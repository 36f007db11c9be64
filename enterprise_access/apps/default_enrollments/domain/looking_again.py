"""When a skip is looked at again: a table, and the instant that follows from it."""

from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.values import Reason

BACKOFF_FIRST: Final = timedelta(minutes=1)
BACKOFF_LAST: Final = timedelta(hours=1)
REFUSED_FIRST: Final = timedelta(hours=1)
REFUSED_LAST: Final = timedelta(days=7)
PAYING_INTERVAL: Final = timedelta(days=1)
PAYING_PERIOD: Final = timedelta(days=30)


class Schedule(Enum):
    """How time alone brings the next look."""

    BACKOFF = "at growing intervals of 1 min to 1 h, then hourly"
    AT_ENROLLMENT_START = "when enrollment opens"
    DAILY = "daily, for 30 days after the learner's last login"
    GROWING_PAUSES = "at growing intervals of 1 h to 7 days"
    AT_ONCE = "immediately"
    NO_TIME = "time alone changes nothing"


class RecheckEvent(StrEnum):
    """What brings the next look at once, whatever the schedule."""

    CONTENT_CHANGE = "content_change"
    LICENSE_CHANGE = "license_change"
    LOGIN = "login"
    LINK = "link"
    CUSTOMER_ACTIVE = "customer_active"
    OVERRIDE = "override"


@frozen(kw_only=True)
class RetryPolicy:
    """When one kind of skip is looked at again. `is_waiting`: to be shown as waiting for somebody to answer."""

    schedule: Schedule
    events: frozenset[RecheckEvent] = frozenset()
    is_waiting: bool = False


WAITING: Final = RetryPolicy(schedule=Schedule.BACKOFF, is_waiting=True)
KEPT_BACK: Final = RetryPolicy(schedule=Schedule.AT_ONCE)
OPENING: Final = RetryPolicy(schedule=Schedule.AT_ENROLLMENT_START)
CONTENT: Final = RetryPolicy(
    schedule=Schedule.NO_TIME, events=frozenset({RecheckEvent.CONTENT_CHANGE, RecheckEvent.LOGIN})
)
PAYING: Final = RetryPolicy(
    schedule=Schedule.DAILY, events=frozenset({RecheckEvent.LICENSE_CHANGE, RecheckEvent.LOGIN})
)
REFUSED: Final = RetryPolicy(
    schedule=Schedule.GROWING_PAUSES, events=frozenset({RecheckEvent.CONTENT_CHANGE, RecheckEvent.LICENSE_CHANGE})
)
NEVER: Final = RetryPolicy(schedule=Schedule.NO_TIME, events=frozenset({RecheckEvent.OVERRIDE}))
UNLINKED: Final = RetryPolicy(
    schedule=Schedule.NO_TIME, events=frozenset({RecheckEvent.LINK, RecheckEvent.CUSTOMER_ACTIVE})
)
SERVED: Final = RetryPolicy(schedule=Schedule.NO_TIME)

# Of codes that only a payer knows: those that end so say that a service did not answer.
WAITING_SUFFIXES: Final = ("_unavailable", "_unknown", "_not_visible")

TABLE: Final[dict[Reason, RetryPolicy]] = {
    Reason.CATALOG_UNAVAILABLE: WAITING,
    Reason.MODES_UNAVAILABLE: WAITING,
    Reason.LICENSE_MANAGER_UNAVAILABLE: WAITING,
    Reason.ENROLLMENT_STATE_UNKNOWN: WAITING,
    Reason.ENROLLMENT_NOT_VISIBLE: WAITING,
    Reason.OUTCOME_UNKNOWN: WAITING,
    Reason.LMS_UNAVAILABLE: WAITING,
    Reason.KEPT_BACK: KEPT_BACK,
    Reason.ENROLLMENT_NOT_OPEN: OPENING,
    Reason.CONTENT_NOT_FOUND: CONTENT,
    Reason.CONTENT_NOT_READY: CONTENT,
    Reason.RUN_NOT_FOUND: CONTENT,
    Reason.RUN_UNKNOWN_TO_LMS: CONTENT,
    Reason.RUN_NOT_PUBLISHED: CONTENT,
    Reason.RUN_ENDED: CONTENT,
    Reason.NO_ADVERTISED_RUN: CONTENT,
    Reason.NOT_IN_CUSTOMER_CATALOGS: CONTENT,
    Reason.ENROLLMENT_CLOSED: CONTENT,
    Reason.INVITATION_ONLY: CONTENT,
    Reason.MODE_EXPIRED: CONTENT,
    Reason.MODE_MISMATCH: CONTENT,
    Reason.NO_SUBSIDIZABLE_MODE: CONTENT,
    Reason.UPGRADE_DEADLINE_PASSED: CONTENT,
    Reason.COVERED_BY_OTHER_INTENTION: CONTENT,
    Reason.NO_LICENSE: PAYING,
    Reason.LEARNER_WITHOUT_EMAIL: PAYING,
    Reason.LICENSE_NOT_IN_CATALOG: PAYING,
    Reason.LICENSE_PLAN_NOT_CURRENT: PAYING,
    Reason.LICENSE_NOT_ACTIVATED: PAYING,
    Reason.REFUSED_BY_LMS: REFUSED,
    Reason.LEARNER_UNENROLLED: NEVER,
    Reason.LICENSE_REVOKED: NEVER,
    Reason.ENROLLMENT_ENDED: NEVER,
    Reason.NEEDS_LEARNER_INPUT: NEVER,
    Reason.LEARNER_NOT_LINKED: UNLINKED,
    Reason.CUSTOMER_INACTIVE: UNLINKED,
    # Not skips: there is nothing to look at again.
    Reason.ENROLLED: SERVED,
    Reason.REALIZED_EARLIER: SERVED,
    Reason.ENROLLED_IN_AUDIT_ONLY_RUN: SERVED,
    Reason.NEEDS_UPGRADE: SERVED,
    Reason.NEEDS_ENROLLMENT: SERVED,
}


def look_of(code: str) -> RetryPolicy:
    """Return when a reason is looked at again. A code that only its payer knows is one of paying, or of waiting."""
    try:
        return TABLE[Reason(code)]
    except ValueError:
        return WAITING if code.endswith(WAITING_SUFFIXES) else PAYING


def is_waiting(code: str) -> bool:
    """Say whether the reason is that somebody did not answer, and is to be shown as waiting."""
    return look_of(code).is_waiting


def is_woken_by(code: str, event: RecheckEvent) -> bool:
    """Say whether the event brings the next look at once."""
    return event in look_of(code).events


def next_look(
    code: str,
    *,
    now: datetime,
    failures: int = 1,
    spread: float = 0.0,
    enrollment_starts_at: datetime | None = None,
    last_login_at: datetime | None = None,
) -> datetime | None:
    """Return when to look again because of time alone; None = only an event brings it (see Look.events).

    `failures` counts the looks in a row that ended so, the present one included. `spread` (0 to 1) is drawn by the
    caller, so that learners who failed together do not come back together.
    """
    match look_of(code).schedule:
        case Schedule.BACKOFF:
            return now + _pause(failures, spread, first=BACKOFF_FIRST, last=BACKOFF_LAST)
        case Schedule.GROWING_PAUSES:
            return now + _pause(failures, spread, first=REFUSED_FIRST, last=REFUSED_LAST)
        case Schedule.AT_ENROLLMENT_START:
            return None if enrollment_starts_at is None else max(enrollment_starts_at, now)
        case Schedule.DAILY:
            return _tomorrow(now, last_login_at)
        case Schedule.AT_ONCE:
            return now
        case Schedule.NO_TIME:
            return None


def _pause(failures: int, spread: float, *, first: timedelta, last: timedelta) -> timedelta:
    """Return a pause somewhere between one doubling of `first` and the next, and at most `last`."""
    # Enough doublings to pass any `last`, and few enough not to overflow.
    doublings = min(max(failures, 1) - 1, 20)
    shortest = min(first * (1 << doublings), last)
    longest = min(shortest * 2, last)
    return shortest + (longest - shortest) * spread


def _tomorrow(now: datetime, last_login_at: datetime | None) -> datetime | None:
    tomorrow = now + PAYING_INTERVAL
    if last_login_at is None or tomorrow > last_login_at + PAYING_PERIOD:
        return None
    return tomorrow

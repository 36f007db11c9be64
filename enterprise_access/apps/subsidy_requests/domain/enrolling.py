"""Enrolling a learner after an approval: how far a try is, why one ends without an enrollment, and what is asked."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, TypeVar
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType

# What the LMS shows no trace of, after so many calls, is not sent again.
MAX_SENDS: Final = 3


class EnrollmentState(StrEnum):
    """How far the enrollment after an approval is. SENDING: written down before the call."""

    WAITING = "waiting"
    SENDING = "sending"
    ENROLLED = "enrolled"
    NOT_ENROLLED = "not_enrolled"

    @property
    def is_over(self) -> bool:
        return self in (EnrollmentState.ENROLLED, EnrollmentState.NOT_ENROLLED)


class WhyNot(StrEnum):
    """Why no one is enrolled, or not yet. Stable codes; the rules of enrolling and paying have more of their own."""

    ONE_COURSE_PER_APPROVAL = "one_course_per_approval"
    COUPON_CODE = "coupon_code"
    NO_COURSE = "no_course"
    SWITCHED_OFF = "switched_off"
    NOT_GRANTED = "not_granted"
    NO_OPEN_RUN = "no_open_run"
    SEVERAL_OPEN_RUNS = "several_open_runs"
    RUN_STARTS_TOO_LATE = "run_starts_too_late"
    RUN_DATES_UNKNOWN = "run_dates_unknown"
    REDEEMED_BEFORE = "redeemed_before"
    LICENSE_NOT_ACTIVATED = "license_not_activated"
    PAUSED = "enrolling_paused"
    OUTCOME_UNKNOWN = "outcome_unknown"


# What a person has to do first is looked at less often than what an upstream service has to answer.
WAITS_FOR_PEOPLE: Final = frozenset({WhyNot.LICENSE_NOT_ACTIVATED.value, WhyNot.PAUSED.value})


@frozen(kw_only=True)
class WantedEnrollment:
    """What is to become an enrollment. `sent_at` and `course_run_key` tell of a call whose outcome is not known."""

    subsidy_type: SubsidyType
    customer_uuid: UUID
    lms_user_id: int
    course_id: str
    license_uuid: UUID | None = None
    policy_uuid: UUID | None = None
    course_run_key: str = ""
    sent_at: datetime | None = None


class NextMove(StrEnum):
    """What an answer says: send a call, wait, or that it is over."""

    SEND = "send"
    LATER = "later"
    ENROLLED = "enrolled"
    NOT_ENROLLED = "not_enrolled"


@frozen(kw_only=True)
class EnrollerAnswer:
    """What is to be done next. LATER: not before `at`; `was_sent` False takes back that a call was written down."""

    next: NextMove
    reason: str = ""
    course_run_key: str = ""
    run_starts_at: datetime | None = None
    at: datetime | None = None
    was_sent: bool = True


class Enroller(Protocol):
    """Who looks and enrolls: an app above. It never raises for what an upstream service does."""

    def look(self, wanted: WantedEnrollment) -> EnrollerAnswer:
        """Say from fresh facts whether this learner can be enrolled now, and in which run. Changes nothing.

        For a call whose outcome is not known it says first what the platform shows of it.
        """

    def enroll(self, wanted: WantedEnrollment) -> EnrollerAnswer:
        """Enroll in the run that `look` has named. The call was written down before."""


class _Request(Protocol):
    lms_user_id: int


R = TypeVar("R", bound=_Request)


def choose_one_each(oldest_first: Sequence[R]) -> tuple[list[R], list[R]]:
    """Return, of requests that were approved together, each learner's oldest, and the others."""
    chosen: dict[int, R] = {}
    for row in oldest_first:
        chosen.setdefault(row.lms_user_id, row)
    first = list(chosen.values())
    return first, [row for row in oldest_first if chosen[row.lms_user_id] is not row]

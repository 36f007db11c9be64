"""What the rest of the house is told about customers and their learners."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from attrs import field, frozen

V = TypeVar("V")


@frozen(kw_only=True)
class Learner:
    """A learner of a customer as the LMS sees the link.

    `email` is known only straight after a read of the LMS; it is never stored. `fetched_at` says when the link was
    read, `enrollments_fetched_at` when the platform enrollments were (None: never).
    """

    lms_user_id: int
    enterprise_customer_user_id: int
    username: str = field(repr=False)
    is_linked: bool
    is_active_link: bool
    fetched_at: datetime
    enrollments_fetched_at: datetime | None
    last_login_at: datetime | None = None
    email: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class EnrollmentCopy:
    """What the platform said of one learner in one run. `changed_at` is the time of the last event about it, if any."""

    lms_user_id: int
    course_run_key: str
    mode: str
    is_active: bool
    fetched_at: datetime
    changed_at: datetime | None = None


@frozen(kw_only=True)
class EnterpriseEnrollmentCopy:
    """What edx-enterprise said of one learner's enrollment in one run for one customer.

    `is_revoked` is the mark of the license's row, which a leaver gets, too. `ended_because` is a reason code; empty:
    the facts did not tell yet.
    """

    lms_user_id: int
    course_run_key: str
    unenrolled_at: datetime | None
    is_revoked: bool
    fetched_at: datetime
    ended_because: str = ""


class SeenBy(StrEnum):
    """What showed that a learner is there: a login or registration, or a page of the learner portal."""

    LOGIN = "login"
    PAGE = "page"


@frozen(kw_only=True)
class EnrollmentChange:
    """What an event says of one learner's enrollment in one run. `at` is the event's own time."""

    lms_user_id: int
    course_run_key: str
    mode: str
    is_active: bool
    at: datetime


class Told(dict[int, V]):
    """What the LMS told of learners, by LMS user id. `unknown` are those of whom its answer cannot be read."""

    def __init__(self, told: Mapping[int, V], unknown: Iterable[int]) -> None:
        super().__init__(told)
        self.unknown = frozenset(unknown)

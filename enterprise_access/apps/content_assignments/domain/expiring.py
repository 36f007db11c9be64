"""When an assignment expires, and when the email address of an ended one is cleared."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.states import ENDED, AssignmentState
from enterprise_access.apps.subsidy_access_policies.domain.policies import is_late_redemption_allowed


class ExpirationReason(StrEnum):
    """Why an assignment expires. Of equal dates the first one here is the reason."""

    ENROLLMENT_DATE_PASSED = "ENROLLMENT_DATE_PASSED"
    SUBSIDY_EXPIRED = "SUBSIDY_EXPIRED"
    NINETY_DAYS_PASSED = "NINETY_DAYS_PASSED"


@frozen(kw_only=True)
class AssignedRun:
    """A run that the assignment could pay for."""

    enroll_by: datetime | None
    is_open: bool


@frozen(kw_only=True)
class AssignedContent:
    """What is assigned: one run, or a course with its runs."""

    is_course: bool
    runs: Collection[AssignedRun]


@frozen(kw_only=True)
class ExpirationCase:
    """Everything that expiring asks. `content` None: the catalog could not be asked.

    `subsidy_expiration` None: the account never ends, or could not be asked; it counts the same.
    """

    state: AssignmentState
    is_attempt_open: bool
    allocated_at: datetime
    days: int
    subsidy_expiration: datetime | None
    late_redemption_allowed_until: datetime | None
    content: AssignedContent | None


@frozen(kw_only=True)
class Expiration:
    """The earliest date that is known, its reason, and whether the assignment expires now."""

    date: datetime
    reason: ExpirationReason
    is_due: bool


@frozen
class _Candidate:
    date: datetime
    reason: ExpirationReason
    has_passed: bool


def expiration(case: ExpirationCase, *, now: datetime) -> Expiration:
    """Return when and why an assignment expires. A date that has passed is enough, even if others are not known."""
    candidates = list(_candidates(case, now))
    # min() keeps the first of equals, which is the order of the reasons.
    earliest = min(candidates, key=lambda candidate: candidate.date)
    may_expire = case.state is AssignmentState.ALLOCATED and not case.is_attempt_open
    is_due = may_expire and any(candidate.has_passed for candidate in candidates)
    return Expiration(date=earliest.date, reason=earliest.reason, is_due=is_due)


def _candidates(case: ExpirationCase, now: datetime) -> Iterator[_Candidate]:
    late = is_late_redemption_allowed(until=case.late_redemption_allowed_until, now=now)
    enroll_by = None if case.content is None or late else _enroll_by(case.content, now)
    if enroll_by is not None:
        # The instant itself is still in time.
        yield _Candidate(enroll_by, ExpirationReason.ENROLLMENT_DATE_PASSED, now > enroll_by)
    end = case.subsidy_expiration
    if end is not None:
        yield _Candidate(end, ExpirationReason.SUBSIDY_EXPIRED, now >= end)
    days_over = case.allocated_at + timedelta(days=case.days)
    yield _Candidate(days_over, ExpirationReason.NINETY_DAYS_PASSED, now >= days_over)


def _enroll_by(content: AssignedContent, now: datetime) -> datetime | None:
    """Return the last enroll-by date that still helps; None = there is none, or none is known."""
    dates = [run.enroll_by for run in content.runs if run.enroll_by is not None]
    if content.is_course:
        usable = [run for run in content.runs if run.is_open and (run.enroll_by is None or run.enroll_by >= now)]
        if any(run.enroll_by is None for run in usable):
            return None
        dates = [run.enroll_by for run in usable if run.enroll_by is not None] or dates
    return max(dates, default=None)


def is_email_due_for_clearing(
    *,
    state: AssignmentState,
    notification_settled_at: datetime | None,
    days: int,
    is_learner_unlinked: bool,
    is_learner_retired: bool,
    now: datetime,
) -> bool:
    """Say whether a row's address is cleared now. `notification_settled_at`: of the email about the row's state."""
    if is_learner_retired:
        return True
    if state is AssignmentState.ACCEPTED:
        return is_learner_unlinked
    if state not in ENDED or notification_settled_at is None:
        return False
    return now >= notification_settled_at + timedelta(days=days)

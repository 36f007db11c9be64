"""The instants at which assignments expire, and which dates of runs count."""

from datetime import UTC, datetime, timedelta

import pytest

from enterprise_access.apps.content_assignments.domain.expiring import (
    AssignedContent,
    AssignedRun,
    Expiration,
    ExpirationCase,
    ExpirationReason,
    expiration,
    is_email_due_for_clearing,
)
from enterprise_access.apps.content_assignments.domain.states import AssignmentState

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def expires(*runs: AssignedRun, now: datetime = NOON) -> Expiration:
    case = ExpirationCase(
        state=AssignmentState.ALLOCATED,
        is_attempt_open=False,
        allocated_at=NOON,
        days=90,
        subsidy_expiration=None,
        late_redemption_allowed_until=None,
        content=AssignedContent(is_course=True, runs=runs),
    )
    return expiration(case, now=now)


def test_an_assignment_expires_at_the_instant_at_which_its_days_are_over():
    assert not expires(now=NOON + 90 * DAY - INSTANT).is_due
    assert expires(now=NOON + 90 * DAY).is_due


def run(enroll_by: datetime | None, *, is_open: bool = True) -> AssignedRun:
    return AssignedRun(enroll_by=enroll_by, is_open=is_open)


@pytest.mark.parametrize(
    ("runs", "date"),
    [
        # The last date of the open runs; the instant itself is still in time.
        ([run(NOON), run(NOON + DAY, is_open=False)], NOON),
        # Without an open run, the last date of all.
        ([run(NOON + DAY, is_open=False), run(None, is_open=False)], NOON + DAY),
        # An open run without a date is open until the days are over.
        ([run(None), run(NOON + DAY)], NOON + 90 * DAY),
    ],
)
def test_the_last_enroll_by_date_that_still_helps_counts(runs, date):
    found = expires(*runs)
    assert found.date == date
    assert (found.reason is ExpirationReason.NINETY_DAYS_PASSED) == (date == NOON + 90 * DAY)


def test_an_address_is_cleared_at_the_instant_at_which_its_days_are_over():
    def is_due(now: datetime) -> bool:
        return is_email_due_for_clearing(
            state=AssignmentState.EXPIRED,
            notification_settled_at=NOON,
            days=90,
            is_learner_unlinked=False,
            is_learner_retired=False,
            now=now,
        )

    assert not is_due(NOON + 90 * DAY - INSTANT)
    assert is_due(NOON + 90 * DAY)

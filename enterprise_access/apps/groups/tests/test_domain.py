"""What a learner is in a group, and when an invitation is reminded of."""

from datetime import date, timedelta

import pytest

from enterprise_access.apps.groups.domain import Membership, membership_of
from enterprise_access.apps.groups.domain.reminding import MAX_DELAY, REMINDER_DAYS, due_day, invited_on

INVITED = date(2026, 11, 3)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("statuses", "membership"),
    [
        ([], Membership.NOT_A_MEMBER),
        (["accepted"], Membership.ACCEPTED),
        (["pending"], Membership.PENDING),
        (["email_error"], Membership.PENDING),
        (["internal_api_error"], Membership.PENDING),
        (["removed"], Membership.REMOVED),
        (["something new"], Membership.UNKNOWN),
        (["removed", "pending"], Membership.PENDING),
        (["pending", "something new"], Membership.UNKNOWN),
        (["something new", "removed", "accepted"], Membership.ACCEPTED),
    ],
)
def test_the_strongest_row_of_a_learner_counts(statuses, membership):
    assert membership_of(statuses) is membership


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("Invited: November 3, 2026", INVITED),
        ("  Invited: November 13, 2026 ", date(2026, 11, 13)),
        ("Invited: November 31, 2026", None),
        ("Invited: Brumaire 3, 2026", None),
        ("November 3, 2026 at noon", None),
        ("", None),
    ],
)
def test_the_day_of_an_invitation_is_read(told, day):
    assert invited_on(told) == day


@pytest.mark.parametrize("day", REMINDER_DAYS)
def test_a_reminder_is_due_on_its_day_and_a_little_later(day):
    begins = INVITED + day * DAY
    due = [due_day(INVITED, today=begins + after * DAY) for after in range(-1, MAX_DELAY.days + 2)]
    assert due == [None, *[day] * (MAX_DELAY.days + 1), None]

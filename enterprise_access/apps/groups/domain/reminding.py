"""When a person who was invited into a group and has not accepted is reminded. Pure."""

import re
from datetime import date, datetime, timedelta
from typing import Final

# In days after the invitation.
REMINDER_DAYS: Final = (5, 25, 50, 65, 85)
# A reminder that could not be sent on its day is sent up to so many days later, and then left out.
MAX_DELAY: Final = timedelta(days=3)

_DATE: Final = re.compile(r"([A-Z][a-z]+ \d{1,2}, \d{4})\Z")


def invited_on(recent_action: str) -> date | None:
    """Return the date in "Invited: November 3, 2026", which is how the LMS tells it; None: there is none."""
    found = _DATE.search(recent_action.strip())
    if found is None:
        return None
    try:
        return datetime.strptime(found.group(1), "%B %d, %Y").date()  # noqa: DTZ007 (a day, in UTC as the LMS tells it)
    except ValueError:
        return None


def due_day(invited: date, *, today: date) -> int | None:
    """Return the day whose reminder is due `today`, if there is one."""
    return next((day for day in REMINDER_DAYS if is_due(day, invited, today=today)), None)


def is_due(day: int, invited: date, *, today: date) -> bool:
    """Say whether the reminder of a day is due: on that day, or a little later."""
    begins = invited + timedelta(days=day)
    return begins <= today <= begins + MAX_DELAY

"""A look at everything that is said, for what nobody may be told: addresses, tokens, names and usernames of learners.

The people are those of the simulated world; whatever a test says of them would be said of real ones.
"""

import functools
import logging
import re
from collections.abc import Iterator
from typing import Final

from simulator.seed import seed
from simulator.world import World

ADDRESS: Final = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
TOKEN: Final = re.compile(r"\beyJ[\w-]{8,}\.")
# Accounts of services, not of people.
_SERVICES: Final = {"enterprise_access_worker", "worker_without_staff", "staff_without_role", "outsider"}


def found_in(text: str) -> list[str]:
    """Return what must not be in `text`."""
    return [match.group() for pattern in (ADDRESS, TOKEN, _people()) for match in pattern.finditer(text)]


@functools.cache
def _people() -> re.Pattern[str]:
    """Return a pattern of the usernames and full names of everybody in the simulated world."""
    users = [user for user in World(seed=seed).tables.users if user.username not in _SERVICES]
    names = {f"{user.first_name} {user.last_name}" for user in users if user.first_name and user.last_name}
    words = "|".join(
        re.escape(word) for word in sorted(names | {user.username for user in users}, key=len, reverse=True)
    )
    # A word for itself: "max" is somebody, "max_retries", "max-age" and "k.max" are not.
    return re.compile(rf"(?<![\w.-])(?:{words})(?![\w-]|\.\w)")


class Listener(logging.Handler):
    """Hears every log record of the process, and remembers those that say too much."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        for text in _said_by(record):
            if too_much := found_in(text):
                self.heard.append(f"{record.name} ({record.pathname}:{record.lineno}) says {too_much[0]!r}: {text}")

    def take(self) -> list[str]:
        """Return what was heard since the last time."""
        heard, self.heard = self.heard, []
        return heard


def _said_by(record: logging.LogRecord) -> Iterator[str]:
    """Yield the message, and those of the errors that it is about (their frames quote the code, not the data)."""
    yield record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__

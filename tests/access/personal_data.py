"""A look at everything that is said, for what nobody may be told: addresses, tokens, names and usernames of learners.

The people are those of the simulated world; whatever a test says of them would be said of real ones.
"""

import contextlib
import functools
import logging
import re
from collections.abc import Iterator
from typing import Any, Final

from simulator.seed import seed
from simulator.world import World

ADDRESS: Final = re.compile(r"(?<![\w.+-])[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
TOKEN: Final = re.compile(r"\beyJ[\w-]{8,}\.")
# Accounts of services, not of people.
_SERVICES: Final = {"enterprise_access_worker", "worker_without_staff", "staff_without_role", "outsider"}
# Django's word for a form with a long name of a file in it; "max" is nobody there.
_OF_DJANGO: Final = "Request max total header size exceeded."


def found_in(text: str) -> list[str]:
    """Return what must not be in `text`."""
    said = text.replace(_OF_DJANGO, "")
    return [match.group() for pattern in (ADDRESS, TOKEN, _people()) for match in pattern.finditer(said)]


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


class Listener:
    """Hears every log record of the process, and remembers those that say too much.

    It stands where records are made: handlers are thrown out whenever logging is set up anew, and Django does that each
    time it is set up.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is logged inside."""
        make = logging.getLogRecordFactory()

        def make_and_hear(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            self.hear(record)
            return record

        logging.setLogRecordFactory(make_and_hear)
        try:
            yield
        finally:
            logging.setLogRecordFactory(make)

    def hear(self, record: logging.LogRecord) -> None:
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

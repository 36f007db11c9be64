"""One id for everything that is done because of one request: in answers, logs, calls to upstream services and messages.

Who calls us may name it (`X-Request-ID`); otherwise it is made here. What runs in the background goes on under the id
of the request that asked for it.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Final
from uuid import uuid4

HEADER: Final = "X-Request-ID"
# Long enough to tell requests apart, and too plain to carry an address, a token or a second log line.
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def current() -> str | None:
    """Return the id of the request that is being worked on; None outside of one."""
    return _current.get()


def sane_or_new(named: str | None) -> str:
    """Return the id that somebody named if it looks like one, otherwise a new one."""
    return named if named and _SANE.fullmatch(named) else uuid4().hex


@contextmanager
def working_on(request_id: str) -> Iterator[None]:
    """Do what follows under this id."""
    token = begin(request_id)
    try:
        yield
    finally:
        end(token)


def begin(request_id: str) -> Token[str | None]:
    """Begin to work under this id, until `end` is told so with what this returns."""
    return _current.set(request_id)


def end(token: Token[str | None]) -> None:
    """Go back to what was before `begin`."""
    _current.reset(token)


class AddRequestId(logging.Filter):
    """Gives every record the id of the request, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current() or "-"
        return True

"""How a log line looks: plain for people, JSON for machines, and in neither an address or a token.

Nothing of ours logs personal data. What libraries and databases put into their errors is not ours to say (PostgreSQL
quotes the row that it refuses), so what looks like an address or a token is struck out of every line.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

# Tried only where a word begins: from every letter of a long word on, it would take hours to find none in a megabyte.
_ADDRESS: Final = re.compile(
    r"(?<![A-Za-z0-9._%+-])(?:[A-Za-z0-9._%+-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})+"
)
_TOKEN: Final = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2}")


def without_secrets(text: str) -> str:
    """Return `text` with e-mail addresses and signed tokens struck out."""
    return _TOKEN.sub("[token]", _ADDRESS.sub("[address]", text))


class PlainLine(logging.Formatter):
    """A line for people, and below it where it went wrong."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class JsonLine(logging.Formatter):
    """One JSON object in one line: at (UTC), level, logger, message, request_id and, after an error, its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_secrets(record.getMessage()),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            line["traceback"] = without_secrets(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)

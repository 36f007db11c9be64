"""Messages that are given up: written down for staff, without what was in the event."""

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path

from django.db import Error as DatabaseError

from enterprise_access.events.models import SetAside
from enterprise_access.lib import metrics
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)

CUT_OFF = "the stream was cut off before the message was handled"


def set_aside(topic: str, message_id: bytes, fields: dict[bytes, bytes], *, error: str, tries: int) -> SetAside:
    """Return the row of a message that is given up, which is not saved; log and count it."""
    row = SetAside(
        topic=topic,
        message_id=message_id.decode(),
        event_id=_printable(fields.get(b"id"), 50),
        event_type=_printable(fields.get(b"type"), 150),
        error=error[:500],
        tries=tries,
    )
    metrics.EVENTS_SET_ASIDE.labels(topic).inc()
    log.error(
        "A message is set aside. topic=%s message=%s type=%s error=%s",
        row.topic,
        row.message_id,
        row.event_type,
        row.error,
    )
    return row


@retry_deadlocks
def delete_set_aside(row: SetAside) -> None:
    row.delete()


@retry_deadlocks
def write_set_aside(rows: Sequence[SetAside]) -> None:
    """Write down messages that are given up; again changes nothing."""
    if rows:
        SetAside.objects.bulk_create(rows, ignore_conflicts=True)


def describe(error: BaseException) -> str:
    """Return the kind of an error and where it was raised. Not its message, which may quote what was in an event."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "enterprise_access" in frame.filename] or frames
    where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].name}" if ours else ""
    code = ""
    if isinstance(error, DatabaseError):
        cause = error.__cause__
        code = str(getattr(cause, "sqlstate", None) or next((it for it in getattr(cause, "args", ())[:1]), ""))
        code = f" ({code})" if code.isalnum() else ""
    return f"{type(error).__module__}.{type(error).__qualname__}{code}{where}"


def _printable(header: bytes | None, length: int) -> str:
    """Return a header as text for a table: whoever wrote it, it is short and has no letters that a log trips over."""
    text = (header or b"").decode("ascii", errors="replace")
    return "".join(letter if letter.isalnum() or letter in "._-:" else "?" for letter in text)[:length]

"""Rows of other services' answers that could not be read: counted, logged, and shown for an hour."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import frozen
from django.utils import timezone

from enterprise_access.lib import metrics, shared_cache
from enterprise_access.lib.rows import UnreadableRow

log = logging.getLogger(__name__)

_SHOWN_SECONDS: Final = 60 * 60
# One process says the same of the same call so often; the metric counts every row.
_SAID_EVERY_SECONDS: Final = 60
_MOST: Final = 50


@frozen(kw_only=True)
class UnreadableRows:
    """Rows of one call that could not be read, as of the last time: how many, and what was wrong with the first."""

    service: str
    call: str
    problem: str
    where: str
    rows: int
    at: datetime


_said: Final[dict[tuple[str, str, str], float]] = {}


def note(*, service: str, call: str, rows: Sequence[UnreadableRow]) -> None:
    """Count the rows, and say in log and cache where they came from. Never whose they are."""
    for problem, number in Counter(row.problem for row in rows).items():
        metrics.UNREADABLE_ROWS.labels(service, call, problem).inc(number)
        now = time.monotonic()
        if now < _said.get((service, call, problem), 0.0):
            continue
        _said[service, call, problem] = now + _SAID_EVERY_SECONDS
        where = next(row.where for row in rows if row.problem == problem)
        log.error(
            "Rows of an answer cannot be read and count as unknown. service=%s call=%s rows=%s where=%s problem=%s",
            service,
            call,
            number,
            where,
            problem,
        )
        _show(UnreadableRows(service=service, call=call, problem=problem, where=where, rows=number, at=timezone.now()))


def list_unreadable_rows() -> list[UnreadableRows]:
    """Return what the processes found within the last hour, the newest first."""
    shown = shared_cache.get_many([_place()]).get(_place(), {})
    return sorted(shown.values(), key=lambda found: found.at, reverse=True)


def forget() -> None:
    """Let this process say again what it said a moment ago."""
    _said.clear()


def _place() -> str:
    return shared_cache.address_of(kind="unreadable rows", version=1)


def _show(found: UnreadableRows) -> None:
    newest = [found, *list_unreadable_rows()][:_MOST]
    shown = {(each.service, each.call, each.problem): each for each in reversed(newest)}
    shared_cache.set_many({_place(): shown}, seconds=_SHOWN_SECONDS)

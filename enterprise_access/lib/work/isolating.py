"""Finding the row that breaks a batch, so that it holds up no one else."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from enterprise_access.lib.work.blame import is_final
from enterprise_access.lib.work.leases import Lease, postpone, renew
from enterprise_access.lib.work.models import WorkItem
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR

W = TypeVar("W", bound=WorkItem)
T = TypeVar("T")

log = logging.getLogger(__name__)


class BatchFailed(Exception):
    """Raised by the work on a batch: an upstream service failed, and one of the rows may be the cause."""

    def __init__(self, waiting_for: str) -> None:
        super().__init__(waiting_for)
        self.waiting_for = waiting_for


def isolate(lease: Lease[W], run: Callable[[Sequence[W]], None]) -> None:
    """Run the work on all rows of the lease; where it raises, on halves, until the culprit stands alone.

    `run` must be safe to repeat. The culprit is postponed and blamed. How often `run` is called is limited: when
    everything fails (a bad release), the rest is postponed without blame. Breadth first, so that calls that succeed
    come between those that fail, and no circuit opens because of one row.
    """
    parts = deque([list(lease.items)] if lease.items else [])
    runs_left = max_runs(len(lease.items))
    while parts:
        part = parts.popleft()
        if runs_left <= 0:
            postpone(lease, part, waiting_for=UNEXPECTED_ERROR, is_blamed=False)
            continue
        runs_left -= 1
        failure = _failure(lease, part, run)
        if not failure:
            continue
        # (Rows that were taken over, or deleted, are not worked on again.)
        held = renew(lease)
        part = [row for row in part if row.pk in held]
        if len(part) <= 1:
            postpone(lease, part, waiting_for=failure, is_blamed=True)
        else:
            parts += halves(part)


def _failure(lease: Lease[W], part: Sequence[W], run: Callable[[Sequence[W]], None]) -> str:
    """Run the work; return why it failed, as a code, and nothing where it did not."""
    try:
        run(part)
    except BatchFailed as error:
        log.warning("A batch failed. queue=%s rows=%d reason=%s", lease.queue.name, len(part), error.waiting_for)
        return error.waiting_for
    except Exception as error:
        if is_final(error):
            raise
        log.exception("A batch failed. queue=%s rows=%d", lease.queue.name, len(part))
        return UNEXPECTED_ERROR
    return ""


def halves(part: Sequence[T]) -> tuple[list[T], list[T]]:
    """Split a batch in two."""
    middle = len(part) // 2
    return list(part[:middle]), list(part[middle:])


def max_runs(rows: int) -> int:
    """Return how often a batch of so many rows may be tried in parts: enough to find more than one culprit."""
    return 4 * rows.bit_length()

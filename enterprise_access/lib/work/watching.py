"""What operators see of a queue: metrics, and whether anything is stuck."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from django.db.models import Count, Min, Q

from enterprise_access.lib import clock
from enterprise_access.lib.state import State, by_label
from enterprise_access.lib.work.queues import Queue


@frozen(kw_only=True)
class QueueState:
    """How many rows are in which state, and since when the oldest due one has been due."""

    due: int
    scheduled: int
    in_progress: int
    failed: int
    oldest_due_at: datetime | None

    def oldest_due_age(self, now: datetime) -> timedelta:
        return timedelta(0) if self.oldest_due_at is None else max(timedelta(0), now - self.oldest_due_at)


def read_queue(queue: Queue[Any], *, now: datetime | None = None) -> QueueState:
    """Count the rows of a queue by state: four reads, each through an index."""
    now = now or clock.now()
    rows = queue.rows().order_by()
    due = queue.model._default_manager.due(now).aggregate(rows=Count("pk"), since=Min("due_at"))
    return QueueState(
        due=due["rows"],
        scheduled=rows.filter(due_at__gt=now, failed_at=None, leased_until=None).count(),
        in_progress=rows.filter(leased_until__gte=now).count(),
        failed=rows.filter(failed_at__isnull=False).count(),
        oldest_due_at=due["since"],
    )


def list_stuck(queues: Iterable[Queue[Any]], *, after: timedelta, now: datetime | None = None) -> list[str]:
    """Return the names of the queues in which something has been due for longer than `after`."""
    now = now or clock.now()
    return [queue.name for queue in queues if _has_overdue(queue, now, after)]


def _has_overdue(queue: Queue[Any], now: datetime, after: timedelta) -> bool:
    overdue = Q(due_at__lt=now - after)
    return bool(queue.model._default_manager.due(now).filter(overdue).exists())


def read_states(queues: Iterable[Queue[Any]], now: datetime) -> Iterable[State]:
    """Tell, for /metrics, how the queues stand."""
    states = {queue.name: read_queue(queue, now=now) for queue in queues}
    counts: dict[tuple[str, ...], float] = {
        (name, label): float(getattr(state, label))
        for name, state in states.items()
        for label in ("due", "scheduled", "in_progress", "failed")
    }
    ages = {name: state.oldest_due_age(now).total_seconds() for name, state in states.items()}
    return [
        State(name="work_items", text="Pending work, by queue and state.", labels=("queue", "state"), values=counts),
        by_label("oldest_due_work_seconds", "How long the oldest due row of a queue has been due.", "queue", ages),
    ]

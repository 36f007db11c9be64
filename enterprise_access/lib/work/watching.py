"""What operators see of the queues: metrics, and whether anything is stuck."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import frozen
from django.db.models import Count, Min, QuerySet

from enterprise_access.lib import clock
from enterprise_access.lib.health import HealthLevel, Part
from enterprise_access.lib.state import State, by_label
from enterprise_access.lib.work.queues import Queue

# A row that is due for longer, and that a worker may take, shows that workers are missing, or too few.
STUCK_AFTER: Final = timedelta(minutes=10)

Rows = Any  # of the queue's own kind of QuerySet
_watched: Final[dict[str, tuple[Queue[Any], Callable[[Rows], Rows]]]] = {}


def watch(queue: Queue[Any], *, workable: Callable[[Rows], Rows] = QuerySet.all) -> None:
    """Show a queue in metrics and readiness.

    `workable` narrows down due rows to those that a worker may take: what is paused is not stuck.
    """
    _watched[queue.name] = (queue, workable)


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


def list_stuck(*, after: timedelta = STUCK_AFTER, now: datetime | None = None) -> list[str]:
    """Return the names of the watched queues in which something has been due for longer than `after`."""
    now = now or clock.now()
    return [
        name
        for name, (queue, workable) in _watched.items()
        if workable(queue.model._default_manager.due(now).filter(due_at__lt=now - after)).order_by().exists()
    ]


def look_at_work() -> Part:
    """Say, for readiness, whether the workers do in time what is due."""
    stuck = list_stuck()
    minutes = int(STUCK_AFTER.total_seconds() / 60)
    detail = f"due for more than {minutes} minutes: {', '.join(stuck)}" if stuck else ""
    return Part(name="work", level=HealthLevel.DEGRADED if stuck else HealthLevel.OK, detail=detail)


def read_states(now: datetime) -> Iterable[State]:
    """Tell, for /metrics, how the watched queues stand."""
    states = {name: read_queue(queue, now=now) for name, (queue, _) in _watched.items()}
    counts: dict[tuple[str, ...], float] = {
        (name, label): float(getattr(state, label))
        for name, state in states.items()
        for label in ("due", "scheduled", "in_progress", "failed")
    }
    ages = {name: state.oldest_due_age(now).total_seconds() for name, state in states.items()}
    stuck = list_stuck(now=now)
    return [
        State(name="work_items", text="Pending work, by queue and state.", labels=("queue", "state"), values=counts),
        by_label("oldest_due_work_seconds", "How long the oldest due row of a queue has been due.", "queue", ages),
        by_label(
            "queue_stuck",
            "Whether an item that is not paused has been due for more than ten minutes.",
            "queue",
            {name: float(name in stuck) for name in states},
        ),
    ]

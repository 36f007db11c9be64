"""Telling the workers that something is due, and working through it, customers in turn."""

import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Min, QuerySet

from enterprise_access.lib import clock, jobs, shared_cache
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.models import Turn
from enterprise_access.lib.work.pace import RoundCosts
from enterprise_access.lib.work.queues import Queue

# How long a message keeps others from being sent, unless a worker begins with it sooner.
WAKE_SECONDS: Final = 10
# How long one message is worked on before others have their turn. Not much longer than a round: a login waits for two
# messages, one that finds the customer and one that enrolls, and each stands behind what every worker process is doing.
WORK_SECONDS: Final = 4.0

_paces: Final[dict[str, RoundCosts]] = {}

# Works on some rows of one group (None where there are no groups) and returns how many.
Round = Callable[[Any, int], int]


def wake(queue: Queue[Any], *, countdown: float = 0) -> None:
    """Tell a worker, once the transaction is committed, that something is due: one message, however many ask.

    A message that is lost costs a delay: a sweep finds the rows.
    """
    transaction.on_commit(lambda: _wake(queue, countdown), robust=True)


def _wake(queue: Queue[Any], countdown: float) -> None:
    if shared_cache.add(_address(queue), True, seconds=WAKE_SECONDS + countdown) is False:
        # There is a message that no worker has begun with.
        return
    options: dict[str, Any] = {"countdown": countdown} if countdown else {}
    if not jobs.send(queue.job, **options):
        shared_cache.delete_many([_address(queue)])


def _address(queue: Queue[Any]) -> str:
    return shared_cache.address_of(kind="work.wake", version=1, queue=queue.name)


def work(
    queue: Queue[Any],
    run: Round,
    *,
    limit: int,
    excluding: Callable[[], Collection[Any]] = tuple,
    seconds: float = WORK_SECONDS,
) -> int:
    """Work on what is due for a while, always on the group that was served longest ago; return how many rows.

    While anything is left, other workers are told, and so is the next one in the end. `excluding`: groups that are not
    served now. A group that gave nothing (another worker holds its rows) is not asked for again in this call.
    """
    shared_cache.delete_many([_address(queue)])
    ends_at = time.monotonic() + seconds
    empty: set[Any] = set()
    rows = 0
    while not is_stopping():
        group = next_group(queue, excluding={*empty, *excluding()})
        if group is None:
            break
        if time.monotonic() >= ends_at:
            wake(queue)
            break
        done = _serve(queue, group, run, limit)
        rows += done
        if not done:
            empty.add(group)
    return rows


def _serve(queue: Queue[Any], group: Any, run: Round, limit: int) -> int:
    began = time.monotonic()
    if queue.group:
        _note_turn(queue, group)
    pace = _paces.setdefault(queue.name, RoundCosts())
    done = run(group if queue.group else None, pace.batch(limit))
    if done:
        pace.note(rows=done, seconds=time.monotonic() - began)
    return done


def next_group(queue: Queue[Any], *, excluding: Collection[Any] = ()) -> Any:
    """Return the group to be served next, or None: urgent work first, then who was served longest ago."""
    now = clock.now()
    if not queue.group:
        return True if True not in excluding and _due(queue, now).exists() else None
    due = [row for row in _list_due(queue, now) if row[0] not in excluding]
    if not due:
        return None
    most_urgent = min(priority for _, priority, _ in due)
    due = [row for row in due if row[1] == most_urgent]
    names = [str(group) for group, _, _ in due]
    served = dict(Turn.objects.filter(queue=queue.name, group__in=names).values_list("group", "served_at"))
    never = datetime.min.replace(tzinfo=now.tzinfo)
    return min(due, key=lambda row: (served.get(str(row[0]), never), row[2]))[0]


def list_due_groups(queue: Queue[Any], *, now: datetime | None = None) -> list[Any]:
    """Return the groups for which something is due, the longest waiting first."""
    return [group for group, _, _ in sorted(_list_due(queue, now or clock.now()), key=lambda row: row[2])]


def is_anything_due(queue: Queue[Any], *, now: datetime | None = None) -> bool:
    """Say whether there is anything that a worker could take now."""
    return _due(queue, now or clock.now()).exists()


def is_other_due(queue: Queue[Any], group: Any, *, priority: int) -> bool:
    """Say whether a worker could take anything of another group that is as urgent as this, or more."""
    return _due(queue, clock.now()).filter(priority__lte=priority).exclude(**{queue.group: group}).exists()


def _due(queue: Queue[Any], now: datetime) -> QuerySet[Any]:
    due: QuerySet[Any] = queue.model._default_manager.due(now)
    exclusive = queue.exclusive
    if exclusive and exclusive.key == queue.group:
        # A group that a worker serves has nothing for others.
        served = queue.rows().filter(**{f"{exclusive.column}__isnull": False}, leased_until__gte=now)
        due = due.exclude(**{f"{queue.group}__in": served.order_by().values(exclusive.column)})
    return due.order_by()


def _list_due(queue: Queue[Any], now: datetime) -> list[tuple[Any, int, datetime]]:
    """Return every group with due rows, its most urgent priority, and since when something is due."""
    due = _due(queue, now).values(queue.group).annotate(most_urgent=Min("priority"), since=Min("due_at"))
    return list(due.values_list(queue.group, "most_urgent", "since"))


@retry_deadlocks
def _note_turn(queue: Queue[Any], group: Any) -> None:
    now = clock.now()
    if Turn.objects.filter(queue=queue.name, group=str(group)).update(served_at=now):
        return
    try:
        with transaction.atomic():
            Turn.objects.create(queue=queue.name, group=str(group), served_at=now)
    except IntegrityError:
        # Another worker was quicker.
        return

"""Making rows due: because somebody asks, or because what failed is to be tried again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Case, DateTimeField, F, QuerySet, Value, When

from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.leases import _touched
from enterprise_access.lib.work.models import WorkItem
from enterprise_access.lib.work.queues import Queue, lock_in_order
from enterprise_access.lib.work.waking import wake

W = TypeVar("W", bound=WorkItem)

# After so long, what failed because of an unexpected error is tried once more: the release may be another one.
RETRY_FAILED_AFTER = timedelta(hours=1)
MAX_RETRIED = 1000


@retry_deadlocks
def make_due(queue: Queue[W], rows: QuerySet[W], *, priority: int, now: datetime | None = None, **columns: Any) -> int:
    """Make these rows due now, and tell the workers; return how many there are. Failed ones stay failed.

    A row that is due already keeps its place in the line, and the more urgent of two priorities.
    """
    now = now or clock.now()
    ids = [row.pk for row in lock_in_order(rows)]
    if ids:
        is_waiting = When(due_at__lte=now, then=F("due_at"))
        queue.rows().filter(pk__in=ids).update(
            priority=Case(When(due_at__lte=now, priority__lt=priority, then=F("priority")), default=Value(priority)),
            due_at=Case(is_waiting, default=Value(now, output_field=DateTimeField())),
            generation=F("generation") + 1,
            **_touched(queue),
            **columns,
        )
        wake(queue)
    return len(ids)


@retry_deadlocks
def retry(queue: Queue[W], ids: Sequence[Any], **columns: Any) -> int:
    """Let rows that failed start again; return how many. Others are left as they are."""
    failed = lock_in_order(queue.rows().filter(pk__in=ids, failed_at__isnull=False))
    if failed:
        queue.rows().filter(pk__in=[row.pk for row in failed]).update(
            failed_at=None,
            due_at=clock.now(),
            failures=0,
            waiting_for="",
            generation=F("generation") + 1,
            **_touched(queue),
            **columns,
        )
        wake(queue)
    return len(failed)


@retry_deadlocks
def retry_failed(queue: Queue[Any], *, waiting_for: str) -> int:
    """Try once more what failed an hour ago for this reason; one more failure marks it again. Return how many."""
    now = clock.now()
    rows = queue.rows().filter(failed_at__lt=now - RETRY_FAILED_AFTER, waiting_for=waiting_for)
    ids = list(rows.order_by("failed_at").values_list("pk", flat=True)[:MAX_RETRIED])
    failed = [row.pk for row in lock_in_order(rows.filter(pk__in=ids))] if ids else []
    if failed:
        queue.rows().filter(pk__in=failed).update(
            failed_at=None, due_at=now, failures=max(queue.max_failures - 1, 0), **_touched(queue)
        )
        wake(queue)
    return len(failed)

"""Claiming rows, keeping them, and handing them back."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from attrs import field, frozen
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, Expression, F, QuerySet, Value, When

from enterprise_access.lib import clock
from enterprise_access.lib.transactions import is_lost, retry_deadlocks
from enterprise_access.lib.work.blame import is_nobodys_fault
from enterprise_access.lib.work.models import BACKGROUND, URGENT, WorkItem, free
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR, Queue, lock, lock_in_order
from enterprise_access.lib.work.waking import wake

W = TypeVar("W", bound=WorkItem)

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker has taken the row over; this one stops without writing anything."""


@frozen(kw_only=True)
class Lease(Generic[W]):
    """The right of one worker to work on some rows, as they were claimed, until it runs out or is handed back."""

    queue: Queue[W]
    token: UUID
    items: tuple[W, ...] = ()

    def renew(self) -> frozenset[Any]:
        """Prolong what is still held, and return its primary keys. Other rows were taken over by another worker."""
        return renew(self) if self.items else frozenset()


@frozen(kw_only=True)
class Settlement(Generic[W]):
    """How the work on a row ended: when it is due again (None: when somebody asks), and why.

    `columns`: values for columns of the table's own.
    """

    item: W
    due_at: datetime | None = None
    waiting_for: str = ""
    failures: int = 0
    columns: Mapping[str, Any] = field(factory=dict)


@contextmanager
def claim(
    queue: Queue[W], *, limit: int, rows: QuerySet[W] | None = None, now: datetime | None = None
) -> Iterator[Lease[W]]:
    """Hold some rows that are due. What is not settled inside is due again afterwards.

    `rows` narrows down which (all of the queue by default).
    """
    with holding(take(queue, limit=limit, rows=rows, now=now)) as lease:
        yield lease


@contextmanager
def holding(lease: Lease[W]) -> Iterator[Lease[W]]:
    """Hand back what is still held in the end, or after an error."""
    try:
        yield lease
    except BaseException as error:
        hand_back(lease, error)
        raise
    release(lease)


def take(queue: Queue[W], *, limit: int, rows: QuerySet[W] | None = None, now: datetime | None = None) -> Lease[W]:
    """Lease up to `limit` rows that are due, of the most urgent kind that there is, the longest waiting first."""
    now = now or clock.now()
    if queue.exclusive:
        _release_expired(queue, now)
    return _take(queue, limit, queue.rows() if rows is None else rows, now)


@retry_deadlocks
def _take(queue: Queue[W], limit: int, rows: QuerySet[W], now: datetime) -> Lease[W]:
    token = uuid4()
    ids = _choose(queue, limit, rows, now)
    if not ids:
        return Lease(queue=queue, token=token)
    try:
        with transaction.atomic():
            _lease(queue, ids, token, now)
    except IntegrityError:
        # Another worker got hold of one of the exclusive keys in this moment.
        _lease_one_by_one(queue, ids, token, now)
    held = queue.rows().filter(lease_token=token, pk__in=ids).order_by("priority", "due_at", "pk")
    return Lease(queue=queue, token=token, items=tuple(held))


def _choose(queue: Queue[Any], limit: int, rows: QuerySet[Any], now: datetime) -> list[Any]:
    due = rows.filter(free(now), due_at__lte=now, failed_at=None)
    if queue.exclusive:
        column = queue.exclusive.column
        busy = queue.rows().order_by().exclude(**{column: None}).values(column)
        due = due.exclude(**{f"{queue.exclusive.key}__in": busy})
    # Of one priority at a time: so who waits is not held up by what can wait, and an index gives the order.
    for priority in (URGENT, BACKGROUND):
        if ids := _longest_waiting(queue, limit, lock(due.filter(priority=priority), skip_locked=True)):
            return ids
    return []


def _longest_waiting(queue: Queue[Any], limit: int, due: QuerySet[Any]) -> list[Any]:
    newest = list(due.order_by("-due_at", "-pk").values_list("pk", flat=True)[: int(limit * queue.newest_share)])
    oldest = due.exclude(pk__in=newest) if newest else due
    return newest + list(oldest.order_by("due_at", "pk").values_list("pk", flat=True)[: limit - len(newest)])


def _lease(queue: Queue[Any], ids: Sequence[Any], token: UUID, now: datetime) -> None:
    """Lease these rows if they are still free; the condition makes it safe where rows cannot be locked."""
    columns: dict[str, Any] = {"lease_token": token, "leased_until": now + timedelta(seconds=queue.lease_seconds)}
    if queue.exclusive:
        columns[queue.exclusive.column] = F(queue.exclusive.key)
    queue.rows().filter(free(now), pk__in=ids).update(**columns)


def _lease_one_by_one(queue: Queue[Any], ids: Sequence[Any], token: UUID, now: datetime) -> None:
    for pk in sorted(ids):
        try:
            with transaction.atomic():
                _lease(queue, [pk], token, now)
        except IntegrityError:
            continue


@retry_deadlocks
def _release_expired(queue: Queue[Any], now: datetime) -> None:
    """Empty the exclusive columns of workers that did not come back in time."""
    expired = [row.pk for row in lock(queue.rows().filter(leased_until__lt=now).order_by("pk"), skip_locked=True)]
    if expired:
        queue.rows().filter(pk__in=expired, leased_until__lt=now).update(**queue.freed)


@retry_deadlocks
def renew(lease: Lease[Any]) -> frozenset[Any]:
    """Prolong a lease, and return the primary keys of the rows that it still holds."""
    held = [row.pk for row in lock_in_order(_held(lease))]
    until = clock.now() + timedelta(seconds=lease.queue.lease_seconds)
    lease.queue.rows().filter(pk__in=held).update(leased_until=until)
    return frozenset(held)


@retry_deadlocks
def keep(lease: Lease[W], item: W, **columns: Any) -> bool:
    """Save what was done so far for a row, prolong the lease, and say whether it is held; if not, nothing is saved."""
    if not lock_in_order(_held(lease, [item])):
        return False
    until = clock.now() + timedelta(seconds=lease.queue.lease_seconds)
    lease.queue.rows().filter(pk=item.pk).update(leased_until=until, **columns, **_touched(lease.queue))
    return True


def first_in_line(rows: QuerySet[W]) -> W | None:
    """Return the row that would be claimed next; nothing is locked."""
    now = clock.now()
    return rows.filter(free(now), due_at__lte=now, failed_at=None).order_by("priority", "due_at", "pk").first()


@retry_deadlocks
def pass_on(lease: Lease[W], *, to: W, **columns: Any) -> Lease[W] | None:
    """Give the exclusive key of a lease on to another row, and save `columns` of that row. No one gets in between.

    The lease stays, without the key. None: it was lost, or the other row is not free any more; nothing is changed.
    """
    queue, now = lease.queue, clock.now()
    if queue.exclusive is None:
        raise ValueError("Only an exclusive key can be passed on.")
    until, column = now + timedelta(seconds=queue.lease_seconds), queue.exclusive.column
    own, key, token = _held(lease), F(queue.exclusive.key), uuid4()
    if not own.update(leased_until=until, **{column: None}):
        return None
    rows = queue.rows().filter(free(now), pk=to.pk, due_at__lte=now, failed_at=None)
    if not rows.update(lease_token=token, leased_until=until, **{column: key}, **columns, **_touched(queue)):
        own.update(**{column: key})
        return None
    return Lease(queue=queue, token=token, items=(queue.rows().get(pk=to.pk),))


def _held(lease: Lease[W], items: Iterable[W] | None = None) -> QuerySet[W]:
    items = lease.items if items is None else items
    return lease.queue.rows().filter(pk__in=[item.pk for item in items], lease_token=lease.token)


@retry_deadlocks
def settle(lease: Lease[W], settlements: Sequence[Settlement[W]]) -> None:
    """Write down how the work on rows ended, and end their leases: one statement, however many rows.

    Rows that were taken over are left alone. A row that was asked for meanwhile is due now, and a worker is told; one
    that was marked failed meanwhile stays so.
    """
    wanted = {settlement.item.pk: settlement for settlement in settlements}
    if not wanted:
        return
    now = clock.now()
    held = lock_in_order(_held(lease, [settlement.item for settlement in settlements]))
    values: dict[Any, dict[str, Any]] = {}
    for row in held:
        if row.failed_at is not None:
            values[row.pk] = {}
        elif row.generation != wanted[row.pk].item.generation:
            values[row.pk] = {"due_at": now, "failures": 0}
            wake(lease.queue)
        else:
            settlement = wanted[row.pk]
            values[row.pk] = {
                "due_at": settlement.due_at,
                "waiting_for": settlement.waiting_for,
                "failures": settlement.failures,
                **settlement.columns,
            }
    _write(lease.queue, values)


def _write(queue: Queue[Any], values: Mapping[Any, Mapping[str, Any]]) -> None:
    """Save each row's values and end its lease, in one statement."""
    if not values:
        return
    columns = sorted({name for row in values.values() for name in row})
    queue.rows().filter(pk__in=values).update(
        **{name: _cases(queue, name, values) for name in columns}, **queue.freed, **_touched(queue)
    )


def _cases(queue: Queue[Any], name: str, values: Mapping[Any, Mapping[str, Any]]) -> Expression | F:
    output = queue.model._meta.get_field(name)
    by_value: dict[Any, list[Any]] = {}
    for pk, row in values.items():
        if name in row:
            by_value.setdefault(row[name], []).append(pk)
    whens = [When(pk__in=pks, then=Value(value, output_field=output)) for value, pks in by_value.items()]
    return Case(*whens, default=F(name), output_field=output)


def _touched(queue: Queue[Any]) -> dict[str, Any]:
    """Return the time of the change, for tables that keep one."""
    names = {column.name for column in queue.model._meta.concrete_fields}
    return {"modified": clock.now()} if "modified" in names else {}


@retry_deadlocks
def release(lease: Lease[W], items: Collection[W] | None = None) -> None:
    """Hand rows back as they are, without blame: they keep their place in the line."""
    held = [row.pk for row in lock_in_order(_held(lease, items))] if lease.items else []
    if held:
        lease.queue.rows().filter(pk__in=held).update(**lease.queue.freed)


@retry_deadlocks
def postpone(lease: Lease[W], items: Collection[W], *, waiting_for: str, is_blamed: bool) -> None:
    """Hand rows back for a growing pause. Those that are blamed count a failure, and too many mark them as failed."""
    now = clock.now()
    queue = lease.queue
    values: dict[Any, dict[str, Any]] = {}
    for row in lock_in_order(_held(lease, items)):
        earlier = row.failures if row.waiting_for == waiting_for else 0
        failures = earlier + 1 if is_blamed else earlier
        is_failed = failures >= queue.max_failures
        values[row.pk] = {
            "due_at": None if is_failed else now + queue.back_off.pause(failures),
            "failed_at": now if is_failed else row.failed_at,
            "failures": failures,
            "waiting_for": waiting_for,
        }
        if is_failed:
            log.error("Work is marked as failed and needs attention. queue=%s reason=%s", queue.name, waiting_for)
    _write(queue, values)


def hand_back(lease: Lease[Any], error: BaseException) -> None:
    """Hand back what is still held after an error: at once if the rows cannot be the cause, else after a pause.

    Only a row that was worked on alone is blamed: among several no one knows which one it was (see isolating.py).
    """
    try:
        if is_nobodys_fault(error):
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            release(lease)
        else:
            postpone(lease, lease.items, waiting_for=UNEXPECTED_ERROR, is_blamed=len(lease.items) == 1)
    except Exception as second:
        if not is_lost(second):
            raise
        log.warning("A lease could not be handed back; it runs out. queue=%s", lease.queue.name)

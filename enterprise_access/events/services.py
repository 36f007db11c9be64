"""Saying on the bus what happened: written with what happened, sent afterwards, in order by key, at least once."""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from attrs import frozen
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from openedx_events.data import EventsMetadata
from openedx_events.event_bus import EventBusProducer
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events import wire
from enterprise_access.events.models import Outbox, SetAside
from enterprise_access.events.sending import SENT
from enterprise_access.lib import clock, metrics
from enterprise_access.lib.transactions import is_lost, retry_deadlocks
from enterprise_access.lib.work.leases import Lease, postpone, release, take
from enterprise_access.lib.work.queues import BackOff, Queue, lock_in_order
from enterprise_access.lib.work.waking import wake

log = logging.getLogger(__name__)

RELAY_JOB = "events.relay"

RELAY_BATCH = 500
LEASE_SECONDS = 120
# A relay stops well before its lease runs out.
WORK_SECONDS = 30
BUS_UNAVAILABLE = "bus_unavailable"

QUEUE = Queue(
    name="events.outbox",
    model=Outbox,
    job=RELAY_JOB,
    lease_seconds=LEASE_SECONDS,
    back_off=BackOff(first=timedelta(seconds=1), last=timedelta(minutes=5)),
    # An event is never given up: the next ones of its key wait for it.
    max_failures=2**31,
)


@frozen(kw_only=True)
class Announcement:
    """An event to be sent. Those with the same `key` are sent in the order in which they were published."""

    signal: OpenEdxPublicSignal
    data: Any
    key: str
    occurred_at: datetime


def learner_key(lms_user_id: int) -> str:
    """Return the key that keeps the events of one learner in order."""
    return f"learner:{lms_user_id}"


def is_publishing() -> bool:
    """Say whether there is a bus to publish on."""
    return bool(settings.EVENT_BUS_PRODUCER)


def publish(announcement: Announcement) -> None:
    """Write an event into the outbox, in the transaction of what it reports; without a bus, do nothing."""
    publish_all([announcement])


def publish_all(announcements: Iterable[Announcement]) -> None:
    """Write several events into the outbox, in one statement."""
    if not is_publishing():
        return
    rows = [
        Outbox(
            key=one.key,
            event_type=one.signal.event_type,
            data=wire.as_record(one.signal, {_name_of(one.signal): one.data}),
            occurred_at=one.occurred_at,
        )
        for one in announcements
    ]
    if rows:
        Outbox.objects.bulk_create(rows)
        wake(QUEUE, countdown=1)


def _name_of(signal: OpenEdxPublicSignal) -> str:
    (name,) = signal.init_data
    return str(name)


# --- relaying --------------------------------------------------------------------------------------------------------


@cache
def _producer() -> EventBusProducer:
    producer: EventBusProducer = import_string(str(settings.EVENT_BUS_PRODUCER))()
    return producer


def relay(*, now: datetime) -> int:
    """Send what is in the outbox, for a while; return how many events were sent. Safe to run several times at once.

    A bus that is away ends the round; it is asked again after growing pauses.
    """
    sent = 0
    ends_at = time.monotonic() + WORK_SECONDS
    while is_publishing() and time.monotonic() < ends_at and not _is_bus_away(now):
        lease = take(QUEUE, limit=RELAY_BATCH, rows=Outbox.objects.heads(), now=now)
        if not lease.items:
            break
        sent += _send_all(lease)
        now = clock.now()
    return sent


def _is_bus_away(now: datetime) -> bool:
    return Outbox.objects.filter(waiting_for=BUS_UNAVAILABLE, due_at__gt=now).exists()


def _send_all(lease: Lease[Outbox]) -> int:
    """Send all events of the keys that are leased, in order. After one that fails for itself, its key waits."""
    sent: list[int] = []
    stuck: set[str] = set()
    ends_at = time.monotonic() + LEASE_SECONDS / 2
    rows = Outbox.objects.filter(key__in={row.key for row in lease.items}).order_by("pk")[: 2 * RELAY_BATCH]
    try:
        for row in rows:
            if time.monotonic() > ends_at:
                break
            if row.key in stuck:
                continue
            try:
                event = _event_of(row)
            except Exception as error:  # noqa: BLE001 - one broken row must not keep the others waiting
                stuck.add(row.key)
                _set_back(row, type(error).__name__)
                continue
            _producer().send(**event)
            sent.append(row.pk)
            metrics.EVENTS_SENT.inc()
    except Exception as error:
        if is_lost(error):
            raise
        postpone(lease, lease.items, waiting_for=BUS_UNAVAILABLE, is_blamed=True)
        metrics.EVENTS_NOT_SENT.labels(BUS_UNAVAILABLE).inc()
        log.warning("The event bus could not be reached; events wait. error=%s", type(error).__name__)
    finally:
        _forget_sent(sent)
        release(lease)
    return len(sent)


@retry_deadlocks
def _forget_sent(ids: Sequence[int]) -> None:
    Outbox.objects.filter(pk__in=[row.pk for row in lock_in_order(Outbox.objects.filter(pk__in=ids))]).delete()


@retry_deadlocks
def _set_back(row: Outbox, error: str) -> None:
    failures = row.failures + 1
    due_at = clock.now() + QUEUE.back_off.pause(failures)
    Outbox.objects.filter(pk=row.pk).update(failures=failures, waiting_for=error, due_at=due_at)
    transaction.on_commit(lambda: metrics.EVENTS_NOT_SENT.labels(error).inc(), robust=True)
    log.error("An event of ours cannot be sent. id=%s type=%s", row.event_id, row.event_type)


def _event_of(row: Outbox) -> dict[str, Any]:
    sent = SENT[row.event_type]
    signal = sent.signal
    return {
        "signal": signal,
        "topic": settings.EVENT_BUS_OWN_TOPIC,
        "event_key_field": sent.key_field,
        "event_data": wire.from_record(signal, row.data),
        "event_metadata": EventsMetadata(
            event_type=signal.event_type,
            id=row.event_id,
            minorversion=signal.minor_version,
            time=row.occurred_at,
        ),
    }


# --- housekeeping ----------------------------------------------------------------------------------------------------


@retry_deadlocks
def forget_learner(*, lms_user_id: int) -> int:
    """Delete the events about a learner that are not sent yet; return how many there were."""
    return Outbox.objects.filter(key=learner_key(lms_user_id)).delete()[0]


@retry_deadlocks
def prune_set_aside(*, before: datetime) -> int:
    """Forget messages that were set aside long ago: the bus itself does not have them any more."""
    return SetAside.objects.filter(set_aside_at__lt=before).delete()[0]

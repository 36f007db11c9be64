"""Saying on the bus what happened: written with what happened, sent afterwards, in order by key, at least once."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from attrs import frozen
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from openedx_events.data import EventsMetadata
from openedx_events.event_bus import EventBusProducer
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events import wire
from enterprise_access.events.models import Outbox, SetAside
from enterprise_access.events.sending import SENT
from enterprise_access.lib import metrics
from enterprise_access.lib.jobs import enqueue_soon_on_commit

log = logging.getLogger(__name__)

RELAY_JOB = "events.relay"

RELAY_BATCH = 500
LEASE_SECONDS = 120
# A relay stops well before its lease runs out.
WORK_SECONDS = 30
PAUSE_LAST_SECONDS = 300
BUS_UNAVAILABLE = "bus_unavailable"


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
        enqueue_soon_on_commit(RELAY_JOB, seconds=1)


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
    stop_at = now + timedelta(seconds=WORK_SECONDS)
    while is_publishing() and timezone.now() < stop_at and not _is_bus_away(timezone.now()):
        token = uuid4()
        rows = _claim(token, now=timezone.now())
        if not rows:
            break
        sent += _send_all(rows, token)
    return sent


def _is_bus_away(now: datetime) -> bool:
    return Outbox.objects.filter(last_error=BUS_UNAVAILABLE, next_try_at__gt=now).exists()


def _claim(token: UUID, *, now: datetime) -> list[Outbox]:
    """Lease the oldest event of some keys, and return all events of these keys, in order."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    heads = Outbox.objects.heads().filter(free, next_try_at__lte=now).order_by("pk")
    if connection.features.has_select_for_update_skip_locked:
        of = ("self",) if connection.features.has_select_for_update_of else ()
        heads = heads.select_for_update(skip_locked=True, of=of)
    with transaction.atomic():
        ids = list(heads.values_list("pk", flat=True)[:RELAY_BATCH])
        # The condition makes it safe where rows cannot be locked.
        Outbox.objects.filter(free, pk__in=ids).update(
            lease_token=token, leased_until=now + timedelta(seconds=LEASE_SECONDS)
        )
    keys = list(Outbox.objects.filter(lease_token=token).values_list("key", flat=True))
    return list(Outbox.objects.filter(key__in=keys).order_by("pk")[: 2 * RELAY_BATCH]) if keys else []


def _send_all(rows: Sequence[Outbox], token: UUID) -> int:
    """Send the events in order. After one that fails for itself, nothing else of its key is sent."""
    sent: list[int] = []
    stuck: set[str] = set()
    deadline = timezone.now() + timedelta(seconds=LEASE_SECONDS / 2)
    try:
        for row in rows:
            if timezone.now() > deadline:
                break
            if row.key in stuck:
                continue
            try:
                event = _event_of(row)
            except Exception as error:  # noqa: BLE001 - one broken row must not keep the others waiting
                stuck.add(row.key)
                _postpone(Outbox.objects.filter(pk=row.pk), row.failures, type(error).__name__)
                metrics.EVENTS_NOT_SENT.labels(type(error).__name__).inc()
                log.error("An event of ours cannot be sent. id=%s type=%s", row.event_id, row.event_type)
                continue
            _producer().send(**event)
            sent.append(row.pk)
            metrics.EVENTS_SENT.inc()
    except Exception as error:  # noqa: BLE001 - of whatever bus; nothing of ours runs in there
        waiting = Outbox.objects.filter(lease_token=token)
        failures = max((row.failures for row in rows), default=0)
        _postpone(waiting, failures, BUS_UNAVAILABLE)
        metrics.EVENTS_NOT_SENT.labels(BUS_UNAVAILABLE).inc()
        log.warning("The event bus could not be reached; events wait. error=%s", type(error).__name__)
    finally:
        with transaction.atomic():
            Outbox.objects.filter(pk__in=sent).delete()
            Outbox.objects.filter(lease_token=token).update(lease_token=None, leased_until=None)
    return len(sent)


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


def _postpone(rows: Any, failures: int, error: str) -> None:
    pause = min(2 ** min(failures, 20), PAUSE_LAST_SECONDS)
    rows.update(failures=F("failures") + 1, last_error=error, next_try_at=timezone.now() + timedelta(seconds=pause))


# --- housekeeping ----------------------------------------------------------------------------------------------------


def forget_learner(*, lms_user_id: int) -> int:
    """Delete the events about a learner that are not sent yet; return how many there were."""
    return Outbox.objects.filter(key=learner_key(lms_user_id)).delete()[0]


def prune_set_aside(*, before: datetime) -> int:
    """Forget messages that were set aside long ago: the bus itself does not have them any more."""
    return SetAside.objects.filter(set_aside_at__lt=before).delete()[0]

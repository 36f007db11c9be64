"""What waits on its way to or from the event bus, for Prometheus."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from attrs import frozen
from django.conf import settings
from django.db.models import Count, Min
from edx_event_bus_redis.internal.config import get_full_topic
from redis.exceptions import RedisError

from enterprise_access.events.connection import connect
from enterprise_access.events.models import Outbox, SetAside
from enterprise_access.lib.health import Part
from enterprise_access.lib.state import State, age, by_label, number

log = logging.getLogger(__name__)

# A scrape waits no longer for a bus that is away.
READ_SECONDS = 1


@frozen(kw_only=True)
class Waiting:
    """Events of ours that are not on the bus yet, and the time of the oldest (None: there are none)."""

    count: int
    since: datetime | None


def read_outbox() -> Waiting:
    """Return what waits to be sent."""
    return Waiting(**Outbox.objects.aggregate(count=Count("pk"), since=Min("occurred_at")))


def read_tables(now: datetime) -> Iterable[State]:
    """Tell what waits to be sent, and what was given up."""
    outbox = read_outbox()
    return [
        number("outbox_events", "Events that have not been sent.", outbox.count),
        age(
            "oldest_outbox_event_seconds",
            "Age of the oldest event that has not been sent.",
            outbox.since,
            now=now,
        ),
        number("messages_set_aside", "Messages that were set aside and need attention.", SetAside.objects.count()),
    ]


def read_topics(now: datetime) -> Iterable[State]:  # noqa: ARG001
    """Tell how far our consumers are behind. Topics without a group of ours, and a bus that is away, have no number."""
    lag, pending = {}, {}
    if settings.EVENT_BUS_REDIS_CONNECTION_URL:
        for topic, group in _groups():
            pending[topic] = group["pending"]
            # Redis does not know it after messages were deleted from the middle of a stream.
            if group.get("lag") is not None:
                lag[topic] = group["lag"]
    return [
        by_label("consumer_lag_messages", "Messages that consumers have not read yet.", "topic", lag),
        by_label(
            "consumer_pending_messages", "Messages that consumers have read and not acknowledged yet.", "topic", pending
        ),
    ]


def look_at_bus() -> Part:
    """Say, for readiness, whether the bus answers. Raises what its driver raises when it does not."""
    redis = connect(read_seconds=READ_SECONDS)
    try:
        redis.ping()
    finally:
        redis.close()
    return Part(name="event bus")


def _groups() -> Iterable[tuple[str, dict[str, Any]]]:
    redis = connect(read_seconds=READ_SECONDS)
    try:
        for topic in map(get_full_topic, settings.EVENT_BUS_TOPICS):
            if redis.exists(topic):
                groups = redis.xinfo_groups(topic)
                ours = settings.EVENT_BUS_GROUP.encode()
                yield from ((topic, group) for group in groups if group["name"] == ours)
    except (RedisError, OSError) as error:
        log.warning("The event bus could not be asked how far we are behind. error=%s", type(error).__name__)
    finally:
        redis.close()

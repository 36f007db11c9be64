"""Sending events over Redis Streams."""

from collections.abc import Mapping
from typing import Any

from edx_event_bus_redis.internal.config import get_full_topic
from edx_event_bus_redis.internal.message import RedisMessage
from edx_event_bus_redis.internal.producer import STREAM_MAX_LEN, RedisEventProducer
from openedx_events.data import EventsMetadata
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.events import wire
from enterprise_access.events.connection import connect

READ_SECONDS = 5


class LoudRedisProducer(RedisEventProducer):
    """The stock producer logs a failure, payload included, and goes on as if nothing had happened. This one raises."""

    def send(
        self,
        *,
        signal: OpenEdxPublicSignal,
        topic: str,
        event_key_field: str,
        event_data: Mapping[str, Any],
        event_metadata: EventsMetadata,
    ) -> None:
        """Add the event to the stream. Raises redis.RedisError (or OSError) when Redis did not confirm it."""
        message = RedisMessage(
            topic=get_full_topic(topic), event_data=wire.as_bytes(signal, event_data), event_metadata=event_metadata
        )
        self.client.xadd(message.topic, message.to_binary_dict(), maxlen=STREAM_MAX_LEN, approximate=True)


def create_producer() -> LoudRedisProducer:
    """Return a producer on the Redis of EVENT_BUS_REDIS_CONNECTION_URL; it connects with the first event."""
    return LoudRedisProducer(connect(read_seconds=READ_SECONDS))

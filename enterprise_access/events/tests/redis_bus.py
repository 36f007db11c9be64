"""A real Redis, for tests that are marked `services`. EVENT_BUS_TEST_REDIS_URL names another one than the local."""

import os
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
import redis

from enterprise_access.events.consumer import DurableRedisConsumer
from enterprise_access.events.handling import Event
from enterprise_access.events.tests.made import as_message

URL = os.environ.get("EVENT_BUS_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
GROUP = "enterprise-access"
TOPIC = "logins"


class RedisBus:
    """The bus of one test: its streams have a prefix of their own, and are gone afterwards."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.prefix = f"test-{uuid4().hex}"
        self.client: Any = redis.Redis.from_url(url, protocol=2)

    def stream(self, topic: str = TOPIC) -> str:
        return f"{self.prefix}-{topic}"

    def send(self, *events: Event, topic: str = TOPIC) -> list[bytes]:
        """Put events on the bus, as the LMS does."""
        return [self.client.xadd(self.stream(topic), as_message(event)) for event in events]

    def send_raw(self, fields: dict[bytes, bytes], topic: str = TOPIC) -> bytes:
        message_id: bytes = self.client.xadd(self.stream(topic), fields)
        return message_id

    def pending(self, topic: str = TOPIC) -> int:
        return int(self.client.xpending(self.stream(topic), GROUP)["pending"])

    def all(self, topic: str = TOPIC) -> Sequence[tuple[bytes, dict[bytes, bytes]]]:
        messages: list[tuple[bytes, dict[bytes, bytes]]] = self.client.xrange(self.stream(topic))
        return messages

    def forget(self) -> None:
        keys = list(self.client.scan_iter(match=f"{self.prefix}*", count=1000))
        if keys:
            self.client.delete(*keys)
        self.client.close()


class Draining(DurableRedisConsumer):
    """Ends when there is nothing (more) to be read."""

    block_seconds = 0.05

    def _read(self):
        entries = super()._read()
        if not entries:
            self._shut_down()
        return entries


def consume(topic: str = TOPIC, name: str = "one", kind: type[DurableRedisConsumer] = Draining) -> None:
    """Let a consumer work until nothing is left."""
    kind(topic=topic, group_id=GROUP, consumer_name=name).consume_indefinitely()


@pytest.fixture
def redis_bus(settings) -> Iterator[RedisBus]:
    """Let the event bus be on a real Redis."""
    bus = RedisBus(URL)
    try:
        bus.client.ping()
    except redis.RedisError:
        pytest.skip("No Redis answers at EVENT_BUS_TEST_REDIS_URL (or 127.0.0.1:6379).")
    settings.EVENT_BUS_REDIS_CONNECTION_URL = URL
    settings.EVENT_BUS_TOPIC_PREFIX = bus.prefix
    yield bus
    bus.forget()

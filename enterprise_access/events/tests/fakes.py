"""A bus in memory: the world outside, as a producer sees it."""

from typing import Any

from openedx_events.event_bus import EventBusProducer
from redis.exceptions import ConnectionError as RedisConnectionError


class FakeBus(EventBusProducer):
    """Keeps what it is sent. `is_away`: it raises, as the real one does."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.asked = 0
        self.is_away = False
        self.dies_after: int | None = None

    def send(self, **event: Any) -> None:
        self.asked += 1
        if self.is_away or (self.dies_after is not None and len(self.sent) >= self.dies_after):
            raise RedisConnectionError("somebody.personal@example.com")
        self.sent.append(event)

    def reasons(self) -> list[tuple[str, int, str]]:
        """Return type, learner and reason (or run) of what was sent to tell of learners."""
        return [
            (event["signal"].event_type.split(".")[-2], data.lms_user_id, getattr(data, "reason", data.course_run_key))
            for event in self.sent
            for data in event["event_data"].values()
        ]

"""What the tests of the event bus may use."""

from collections.abc import Iterator

import pytest
import time_machine
from django.utils import timezone

from enterprise_access.events import services
from enterprise_access.events.tests.fakes import FakeBus
from enterprise_access.events.tests.redis_bus import redis_bus  # noqa: F401

the_bus = FakeBus()


def make_bus() -> FakeBus:
    """Stand where EVENT_BUS_PRODUCER points to."""
    return the_bus


@pytest.fixture
def bus(settings) -> Iterator[FakeBus]:
    """Put a bus in memory where the real one is."""
    the_bus.__init__()  # type: ignore[misc]
    settings.EVENT_BUS_PRODUCER = f"{__name__}.make_bus"
    services._producer.cache_clear()
    yield the_bus
    services._producer.cache_clear()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock; `clock.shift(...)` moves it on."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller

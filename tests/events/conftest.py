"""The event bus, for tests that tell how it works together with the apps."""

from enterprise_access.events.tests.conftest import bus
from enterprise_access.events.tests.redis_bus import redis_bus

__all__ = ["bus", "redis_bus"]

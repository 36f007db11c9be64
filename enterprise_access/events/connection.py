"""The connection to the Redis that carries the event bus."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(*, read_seconds: float) -> Redis:
    """Return a client that never waits for ever, and leaves repeating to its caller. It connects when it is used.

    `read_seconds`: how long Redis may be silent.
    """
    url = settings.EVENT_BUS_REDIS_CONNECTION_URL
    if not url:
        raise ImproperlyConfigured("EVENT_BUS_REDIS_CONNECTION_URL is not set: there is no event bus.")
    return Redis.from_url(
        url,
        protocol=2,
        socket_connect_timeout=settings.EVENT_BUS_CONNECT_TIMEOUT_SECONDS,
        socket_timeout=read_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )

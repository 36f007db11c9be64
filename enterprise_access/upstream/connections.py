"""Where clients get their connections: made from the settings, one set per process, shared by all clients."""

import functools
import os

from django.conf import settings

from enterprise_access.lib.breaker import breaker_of
from enterprise_access.lib.http import DeadlineAdapter, Limits, Transport, WorkerSession

# How often the whole of a call may take longer than the longest silence within it.
_TOTAL_TO_READ = 2


def transport(*, service: str, base_url: str, optional: str = "") -> Transport:
    """Return a transport that calls `service` as our worker account.

    `optional` names calls that a page can do without: their failures open a breaker of their own.
    """
    read_seconds = settings.UPSTREAM_READ_TIMEOUT_SECONDS
    limits = Limits(
        connect_seconds=settings.UPSTREAM_CONNECT_TIMEOUT_SECONDS,
        read_seconds=read_seconds,
        total_seconds=_TOTAL_TO_READ * read_seconds,
    )
    return Transport(
        service=service,
        base_url=base_url,
        session=worker_session(),
        limits=limits,
        breaker=breaker_of(service, part=optional),
    )


def worker_session() -> WorkerSession:
    """Return the session of our worker account in this process. Connections must not cross a fork, hence the pid."""
    return _session_of(
        os.getpid(),
        settings.OAUTH2_BASE_URL,
        settings.OAUTH2_CLIENT_ID,
        settings.OAUTH2_CLIENT_SECRET,
        settings.UPSTREAM_CONNECT_TIMEOUT_SECONDS,
        settings.UPSTREAM_READ_TIMEOUT_SECONDS,
    )


def forget() -> None:
    """Forget the sessions of this process, and the tokens in them; the next call makes new ones."""
    _session_of.cache_clear()


@functools.lru_cache(maxsize=4)
def _session_of(
    pid: int,  # noqa: ARG001 (see above)
    base_url: str,
    client_id: str,
    client_secret: str,
    connect_seconds: float,
    read_seconds: float,
) -> WorkerSession:
    session = WorkerSession(base_url, client_id, client_secret, timeout=(connect_seconds, read_seconds))
    adapter = DeadlineAdapter(pool_maxsize=32)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session

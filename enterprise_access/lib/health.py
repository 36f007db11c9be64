"""Is this process ready for requests? Each part says how it is, within a time of its own.

Without its database, or with tables of another version, the service can do nothing: not ready. Without cache, broker
or an upstream service it does less, or later: the database is the record of what is owed, and whoever is away is asked
again. Taking such a process out of service would only take away what still works; so that is "degraded", and ready.
"""

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from enterprise_access.lib.breaker import CircuitState, neighbour_states
from enterprise_access.lib.unreadable import list_unreadable_rows

log = logging.getLogger(__name__)

# How long a look at everything is believed: probes of many kinds must not cost more than one.
BELIEVED_SECONDS: Final = 2.0
# Migrations are looked at again after so many seconds; reading their files takes a while.
MIGRATIONS_BELIEVED_SECONDS: Final = 60.0
# Some minutes of writing for a busy installation.
LEAST_FREE_BYTES: Final = 64 * 1024 * 1024


class HealthLevel(StrEnum):
    """How a part is, or all of them: the worst counts."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@frozen(kw_only=True)
class Part:
    """How one part is. `at`: when that was found out, for what is not looked at each time. No detail is a secret."""

    name: str
    level: HealthLevel = HealthLevel.OK
    detail: str = ""
    at: datetime | None = None
    took_seconds: float = 0


@frozen(kw_only=True)
class Readiness:
    """How the process is, at an instant."""

    at: datetime
    parts: tuple[Part, ...]

    @property
    def level(self) -> HealthLevel:
        levels = {part.level for part in self.parts}
        return next((level for level in (HealthLevel.DOWN, HealthLevel.DEGRADED) if level in levels), HealthLevel.OK)

    @property
    def is_ready(self) -> bool:
        return self.level is not HealthLevel.DOWN


Look = Callable[[], Part]

_looks: Final[dict[str, Look]] = {}
_database_looks: Final[dict[str, Look]] = {}
_network_looks: Final[dict[str, Look]] = {}
_last: list[Any] = [None, 0.0]
_migrated: list[float] = [0.0]


def register(name: str, look: Look, *, needs_database: bool = False) -> None:
    """Have an app's part looked at too. `look` makes no network call, and needs no more than the cache.

    `needs_database`: it reads the database as well, and is left out while that does not answer.
    """
    (_database_looks if needs_database else _looks)[name] = look


def register_on_network(name: str, look: Look) -> None:
    """Have a part looked at that is asked over the network, and never the database: it runs in a thread of its own."""
    _network_looks[name] = look


def readiness() -> Readiness:
    """Look at every part; what this process found within the last seconds is told again."""
    found, believed_until = _last
    if found is None or time.monotonic() >= believed_until:
        found = _look_at_all()
        _last[:] = [found, time.monotonic() + BELIEVED_SECONDS]
    return found  # type: ignore[no-any-return]


def forget() -> None:
    """Forget what was found, so that the next one looks."""
    _last[:] = [None, 0.0]
    _migrated[:] = [0.0]


def _look_at_all() -> Readiness:
    on_network = _start({"broker": _broker, **_network_looks})
    parts = [_timed("database", _database)]
    if parts[0].level is HealthLevel.OK:
        parts.append(_timed("migrations", _migrations))
    if all(part.level is HealthLevel.OK for part in parts):
        parts += [_timed(name, look) for name, look in _database_looks.items()]
    if _folder_of_database() is not None:
        parts.append(_timed("disk", _disk))
    parts.append(_timed("cache", _cache))
    parts.append(_timed("neighbours", _neighbours))
    parts += [_timed(name, look) for name, look in _looks.items()]
    parts += on_network()
    return Readiness(at=timezone.now(), parts=tuple(parts))


def _start(looks: dict[str, Look]) -> Callable[[], Iterable[Part]]:
    """Begin to look at parts over the network; return how to get what was found, for which no one waits too long."""
    pool = ThreadPoolExecutor(max_workers=len(looks), thread_name_prefix="health")
    futures: dict[str, Future[Part]] = {name: pool.submit(_timed, name, look) for name, look in looks.items()}
    ends_at = time.monotonic() + settings.HEALTH_TIMEOUT_SECONDS

    def parts() -> Iterable[Part]:
        ended, _ = wait(futures.values(), timeout=max(0.0, ends_at - time.monotonic()))
        pool.shutdown(wait=False, cancel_futures=True)
        seconds = settings.HEALTH_TIMEOUT_SECONDS
        late = Part(name="", level=HealthLevel.DEGRADED, detail="did not answer in time", took_seconds=seconds)
        return [
            future.result() if future in ended else evolve(late, name=name, at=timezone.now())
            for name, future in futures.items()
        ]

    return parts


def _timed(name: str, look: Look) -> Part:
    started = time.monotonic()
    try:
        part = look()
    except Exception as error:  # noqa: BLE001 (whatever a part does, the others are still to be told)
        # The kind only: texts of drivers quote addresses.
        log.warning("A part is not well. part=%s error=%s", name, type(error).__name__)
        level = HealthLevel.DOWN if name in ("database", "migrations") else HealthLevel.DEGRADED
        part = Part(name=name, level=level, detail=type(error).__name__)
    return evolve(part, name=name, at=part.at or timezone.now(), took_seconds=time.monotonic() - started)


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Part(name="database")


def _folder_of_database() -> Path | None:
    """Return where an embedded database is; None: the database is a server's, or in memory."""
    name = str(connection.settings_dict["NAME"])
    is_file = connection.vendor == "sqlite" and "memory" not in name
    return Path(name).parent if is_file else None


def _disk() -> Part:
    """Say whether an embedded database can still grow. That it answers does not say so."""
    free = shutil.disk_usage(_folder_of_database() or ".").free
    is_enough = free >= LEAST_FREE_BYTES
    detail = "" if is_enough else f"{free // 1024 // 1024} MB left for the database: nothing more can be saved soon"
    return Part(name="disk", level=HealthLevel.OK if is_enough else HealthLevel.DEGRADED, detail=detail)


def _migrations() -> Part:
    """Say whether every table is as this version of the code needs it (a newer one does not disturb)."""
    if time.monotonic() >= _migrated[0]:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            return Part(name="migrations", level=HealthLevel.DOWN, detail=f"{len(missing)} not applied")
        _migrated[0] = time.monotonic() + MIGRATIONS_BELIEVED_SECONDS
    return Part(name="migrations")


def _cache() -> Part:
    """Write and read; Django's own limits (settings.cache_from) say how long that may take."""
    said = str(time.time())
    cache.set("health", said, timeout=60)
    # Another process may have written in between; that something is read at all is what counts.
    if cache.get("health") is None:
        return Part(name="cache", level=HealthLevel.DEGRADED, detail="forgets what it is told")
    return Part(name="cache")


def _broker() -> Part:
    seconds = settings.HEALTH_TIMEOUT_SECONDS
    with current_app.connection_for_write(connect_timeout=seconds) as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=seconds)
    return Part(name="broker")


def _neighbours() -> Part:
    """Say which upstream services any process leaves alone because they do not answer."""
    away = sorted({said.service for said in neighbour_states() if said.state is not CircuitState.CLOSED})
    odd = list_unreadable_rows()
    if away:
        return Part(name="neighbours", level=HealthLevel.DEGRADED, detail=f"left alone: {', '.join(away)}")
    if odd:
        # Each is one learner's or one course's problem: nothing that taking this process out would help.
        newest = odd[0]
        where = f"{newest.service} {newest.call} {newest.where}: {newest.problem}"
        return Part(
            name="neighbours", detail=f"{len(odd)} kinds of unreadable rows within the last hour; newest: {where}"
        )
    return Part(name="neighbours")

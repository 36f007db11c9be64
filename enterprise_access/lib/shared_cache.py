"""Django's cache, for what may be lost: a cache that cannot be reached is an empty one, and forgets what it is told.

Everything here can be had again by asking somebody, so a cache that is away makes the service slower and never breaks
it. (`add` alone tells the difference, because a lock that no one can take must not make everybody wait.)
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.cache import cache
from edx_django_utils.cache import get_cache_key

log = logging.getLogger(__name__)

T = TypeVar("T")

# A use that fails after so long has waited for a cache that is silent, and the next ones would, too.
SLOW_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 5.0
# By time.monotonic(), when this process tries the cache again.
_silent_until: Final = [0.0]


def address_of(*, kind: str, version: int, **name: object) -> str:
    """Build the one form of a cache key, for reading, writing and dropping alike: any text in, 32 plain characters out.

    `version` is raised when values of this kind change their shape; the stamp in the settings empties all kinds.
    """
    address: str = get_cache_key(kind=kind, version=version, stamp=settings.CACHE_STAMP, **name)
    return address


def get_many(addresses: Iterable[str]) -> dict[str, Any]:
    """Return what is stored, in one round trip."""
    return _try(lambda: cache.get_many(addresses), {})


def set_many(values: Mapping[str, Any], *, seconds: float) -> None:
    """Store, for at least `seconds`."""
    _try(lambda: cache.set_many(dict(values), timeout=_whole(seconds)), [])


def delete_many(addresses: Iterable[str]) -> None:
    """Forget."""
    _try(lambda: cache.delete_many(list(addresses)), None)


def add(address: str, value: Any, *, seconds: float) -> bool | None:
    """Store where nothing is stored; say whether it was. None: the cache cannot be reached, so no one knows."""
    stored: bool | None = _try(lambda: cache.add(address, value, timeout=_whole(seconds)), None)
    return stored


def _whole(seconds: float) -> int:
    """Return whole seconds: some caches cut fractions off, and Django's database cache those of the end as well."""
    return math.ceil(seconds) + 1


def may_be_used() -> bool:
    """Say whether the cache answers, as far as this process knows."""
    return time.monotonic() >= _silent_until[0]


def note_failure(started_at: float, error: Exception) -> None:
    """Take the cache for silent for a while, if it took long to fail: not every use is to wait for its time limit.

    A cache that refuses at once costs nothing, and is used again as soon as it is back.
    """
    log.warning("The cache cannot be used. error=%s", type(error).__name__)
    if time.monotonic() - started_at >= SLOW_SECONDS:
        _silent_until[0] = time.monotonic() + PAUSE_SECONDS


def forget_silence() -> None:
    """Try the cache again."""
    _silent_until[0] = 0.0


def _try(use: Callable[[], T], otherwise: T) -> T:
    if not may_be_used():
        return otherwise
    started_at = time.monotonic()
    try:
        return use()
    except Exception as error:  # noqa: BLE001 (every cache has errors of its own)
        note_failure(started_at, error)
        return otherwise

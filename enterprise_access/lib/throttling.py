"""How often somebody may call: per user, and per user and kind of call.

A view says with `throttle_scope` what kind its calls are; otherwise reading is "read" and anything else "write". The
rates are in the settings; one that is empty there is no limit.
"""

import math
import time
from typing import TYPE_CHECKING, Final

from django.core.cache import BaseCache, caches
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import SimpleRateThrottle

from enterprise_access.lib import shared_cache

if TYPE_CHECKING:
    # That module reads the settings which name the classes here.
    from rest_framework.views import APIView

SHARED: Final = "throttles"
OWN: Final = "throttles_of_process"


class WindowThrottle(SimpleRateThrottle):
    """Counts calls in windows of fixed length, one atomic step for each call.

    (The framework's own throttle reads and writes the list of all calls; between the two, other processes do the same.)

    When the shared cache cannot be reached each process counts for itself: then somebody may get through as often as
    there are processes, but no one is shut out, and no one is free to call without end.
    """

    def __init__(self) -> None:
        """Wait for the call: the rate depends on its kind."""

    def scope_of(self, request: Request, view: "APIView") -> str:
        raise NotImplementedError

    def get_ident(self, request: Request) -> str:
        """Return whom to count: the user, or the address that anybody without a user calls from."""
        return f"user-{request.user.pk}" if request.user.is_authenticated else super().get_ident(request)

    def allow_request(self, request: Request, view: "APIView") -> bool:
        scope = self.scope_of(request, view)
        rate = api_settings.DEFAULT_THROTTLE_RATES[scope]
        limit, seconds = self.parse_rate(str(rate) if rate else None)
        if limit is None or seconds is None:
            return True
        now = time.time()
        window = int(now // seconds)
        self._left_seconds = (window + 1) * seconds - now
        return _count(f"throttle.{scope}.{self.get_ident(request)}.{window}", seconds=seconds) <= limit

    def wait(self) -> float:
        """Return the seconds until the next window, rounded up: who waits as long as we say is let in."""
        return max(1, math.ceil(self._left_seconds))


class UserThrottle(WindowThrottle):
    """All calls of one user together."""

    def scope_of(self, request: Request, view: "APIView") -> str:
        return "user"


class ScopeThrottle(WindowThrottle):
    """Calls of one user of one kind."""

    def scope_of(self, request: Request, view: "APIView") -> str:
        scope: str | None = getattr(view, "throttle_scope", None)
        return scope or ("read" if request.method in SAFE_METHODS else "write")


def _count(key: str, *, seconds: int) -> int:
    """Count one more, and return how many there are now."""
    started_at = time.monotonic()
    try:
        if shared_cache.may_be_used():
            return _count_in(caches[SHARED], key, seconds)
    except Exception as error:  # noqa: BLE001 (every cache has errors of its own)
        shared_cache.note_failure(started_at, error)
    # Each process counts for itself.
    return _count_in(caches[OWN], key, seconds)


def _count_in(cache: BaseCache, key: str, seconds: int) -> int:
    cache.add(key, 0, timeout=seconds)
    try:
        return cache.incr(key)
    except ValueError:
        # It ran out, or was thrown out, between the two.
        return 1

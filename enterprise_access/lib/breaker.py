"""A circuit breaker for each upstream service: who does not answer several times in a row is left alone for a while.

Closed: calls go through. Open: nothing is sent, and callers are told at once. Half open: the pause is over, and one
call is let through to see; all others are still told at once. It closes as soon as the service answers anything.

What counts is that no one was there: a time-out, a broken connection, a 5xx, no access token to be had. A refusal
(4xx), a throttle (429) or an answer that we do not understand comes from somebody who is there. A 500 to a write says
nothing either way: the LMS answers so to a bulk enrollment with one bad item in it. Nor does a 500 to a question about
named learners or courses (`blaming_the_keys`): one of them may be the cause.

Every process has its own breakers, so that none of them needs anything shared to work; what changes is written to the
shared cache, for people to see.
"""

import contextlib
import functools
import logging
import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final, TypeVar

from attrs import field, frozen
from django.conf import settings

from enterprise_access.lib import metrics, shared_cache
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

# How long what a process said of its upstream services is remembered, and in how many places (processes that share one
# overwrite each other only when they speak at the same moment).
_REMEMBERED_SECONDS: Final = 60 * 60
_PLACES: Final = 64
# A process that leaves a service alone says so again with its calls. One that has not for so long may have ended.
_BELIEVED_SECONDS: Final = 60
# So often a process says again that it leaves a service alone, or that the service has answered.
_SAID_EVERY_SECONDS: Final = 10


class CircuitState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


_AS_NUMBER: Final = {CircuitState.CLOSED: 0, CircuitState.HALF_OPEN: 1, CircuitState.OPEN: 2}


@frozen(kw_only=True)
class NeighbourState:
    """What one process says of a service: closed, or not closed, `since`; why a call failed last ("": none did)."""

    service: str
    process: str
    state: CircuitState
    since: datetime
    last_reason: str = ""
    said_at: datetime = field(factory=lambda: datetime.now(tz=UTC))


_blames_the_keys: Final = ContextVar("_blames_the_keys", default=False)


@contextlib.contextmanager
def blaming_the_keys() -> Iterator[None]:
    """Let a 500 to the calls inside say nothing of the service: one of the keys asked about may be the cause."""
    token = _blames_the_keys.set(True)
    try:
        yield
    finally:
        _blames_the_keys.reset(token)


class Breaker:
    """Decides for one upstream service, in one process, whether calls go through."""

    def __init__(
        self,
        service: str,
        *,
        failures: int,
        pause_seconds: float,
        trials: int = 1,
        report: Callable[[NeighbourState], None] = lambda _: None,
        report_success: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make a closed breaker: it opens after so many `failures` in a row.

        After a pause it lets `trials` calls through at the same time, as many as one page makes. The first answer
        closes it.

        `report` is told every change. Instants are of the wall clock, because people read them.
        """
        self.service = service
        self._limit = failures
        self._pause_seconds = pause_seconds
        self._trials = trials
        self._trying = 0
        self._report = report
        self._report_success = report_success
        self._said_at = 0.0
        self._lock = threading.Lock()
        self._state = CircuitState.CLOSED
        self._since = time.time()
        self._retry_at = 0.0
        self._failures = 0
        self._last_reason = ""
        metrics.NEIGHBOUR_STATE.labels(service).set(_AS_NUMBER[CircuitState.CLOSED])

    @property
    def state(self) -> NeighbourState:
        """What this process says of the upstream service now."""
        return NeighbourState(
            service=self.service,
            process=f"{socket.gethostname()}:{os.getpid()}",
            state=self._state,
            since=datetime.fromtimestamp(self._since, tz=UTC),
            last_reason=self._last_reason,
        )

    @property
    def is_closed(self) -> bool:
        """Whether every call goes through, and not one at most."""
        return self._state is CircuitState.CLOSED

    @property
    def is_open(self) -> bool:
        """Whether a call would end before it began: no one answers, and it is too early to try again."""
        with self._lock:
            is_full = self._state is CircuitState.HALF_OPEN and self._trying >= self._trials
            return is_full or (self._state is CircuitState.OPEN and self._is_pausing())

    def _is_pausing(self) -> bool:
        # A clock that was set back is no reason to wait longer than the pause.
        return 0 < self._retry_at - time.time() <= self._pause_seconds

    def call(self, send: Callable[[], T], *, is_write: bool = False) -> T:
        """Return what `send` returns, and learn from what it raises.

        Raises UpstreamUnavailable (`circuit_open`) without sending while the breaker is open.
        """
        self._enter()
        was_there: bool | None = None
        outcome = "crashed"
        try:
            answer = send()
            was_there, outcome = True, "ok"
            return answer
        except UpstreamError as error:
            was_there, outcome = _was_there(error, is_write=is_write), error.reason.value
            raise
        finally:
            metrics.NEIGHBOUR_CALLS.labels(self.service, outcome).inc()
            self._learn(was_there, outcome)

    def _enter(self) -> None:
        """Return if this call may go through. Raises UpstreamUnavailable otherwise."""
        with self._lock:
            if self._state is CircuitState.CLOSED:
                return
            left_seconds = self._retry_at - time.time()
            is_first = self._state is CircuitState.OPEN and not self._is_pausing()
            may_try = is_first or (self._state is CircuitState.HALF_OPEN and self._trying < self._trials)
            if may_try:
                self._trying = 1 if is_first else self._trying + 1
                self._state = CircuitState.HALF_OPEN
        if may_try:
            if is_first:
                self._tell()
            return
        metrics.NEIGHBOUR_CALLS.labels(self.service, UpstreamReason.CIRCUIT_OPEN.value).inc()
        if self._may_say_again():
            self._report(self.state)
        raise UpstreamUnavailable(
            f"{self.service} was not asked: it did not answer several times in a row",
            service=self.service,
            reason=UpstreamReason.CIRCUIT_OPEN,
            retry_after_seconds=max(0.0, left_seconds),
        )

    def _may_say_again(self) -> bool:
        now = time.monotonic()
        if now < self._said_at + _SAID_EVERY_SECONDS:
            return False
        self._said_at = now
        return True

    def _learn(self, was_there: bool | None, outcome: str) -> None:
        with self._lock:
            before = self._state
            if was_there:
                self._failures, self._state = 0, CircuitState.CLOSED
            elif was_there is None:
                # Whoever comes next may try instead.
                self._state = CircuitState.CLOSED if before is CircuitState.CLOSED else CircuitState.OPEN
            else:
                self._failures += 1
                self._last_reason = outcome
                if before is not CircuitState.CLOSED or self._failures >= self._limit:
                    self._state, self._retry_at = CircuitState.OPEN, time.time() + self._pause_seconds
            has_changed = self._state is not before
            if has_changed and CircuitState.CLOSED in (before, self._state):
                self._since = time.time()
        if has_changed:
            self._tell()
        elif was_there and self._may_say_again():
            self._report_success(self.service)

    def _tell(self) -> None:
        state = self.state
        self._said_at = time.monotonic()
        log.warning("A circuit is %s. service=%s last=%s", state.state.value, self.service, state.last_reason)
        metrics.NEIGHBOUR_STATE.labels(self.service).set(_AS_NUMBER[state.state])
        metrics.NEIGHBOUR_STATE_CHANGES.labels(self.service, state.state.value).inc()
        self._report(state)


def _was_there(error: UpstreamError, *, is_write: bool) -> bool | None:
    """Say whether somebody was there who failed us; None: it does not tell."""
    if not isinstance(error, UpstreamUnavailable):
        # Refused credentials say something about the LMS, which gives out the tokens, and not about who was meant.
        return None if error.status is None and error.reason is UpstreamReason.AUTHENTICATION else True
    if error.status is None:
        return False
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR and (is_write or _blames_the_keys.get()):
        return None
    return error.status < HTTPStatus.INTERNAL_SERVER_ERROR


# --- one for each upstream service, in each process -------------------------------------------------------------------


def breaker_of(service: str, *, part: str = "") -> Breaker:
    """Return this process's breaker of a service. `part`: optional calls, which have one of their own.

    Optional calls that fail never keep the essential ones from being sent.
    """
    return _breaker_of(os.getpid(), f"{service} ({part})" if part else service)


@functools.lru_cache(maxsize=32)
def _breaker_of(pid: int, service: str) -> Breaker:  # noqa: ARG001 (a forked process has its own)
    return Breaker(
        service,
        failures=settings.BREAKER_FAILURES,
        pause_seconds=settings.BREAKER_PAUSE_SECONDS,
        trials=settings.BREAKER_TRIALS,
        report=_publish,
        report_success=_publish_success,
    )


def neighbour_states() -> list[NeighbourState]:
    """Return what all processes, on all machines, said of upstream services when it last changed, the worst first.

    A process that never had to say anything is not listed. That a service is left alone is listed as long as the
    process says it again, and until the service has answered any process.
    """
    said = shared_cache.get_many([_place(number) for number in range(_PLACES)])
    states = [state for by_process in said.values() for state in by_process.values()]
    answered = shared_cache.get_many({_answered(state.service) for state in states})
    oldest = datetime.now(tz=UTC) - timedelta(seconds=_BELIEVED_SECONDS)
    listed = [
        state
        for state in states
        if state.state is CircuitState.CLOSED
        or (state.said_at > oldest and answered.get(_answered(state.service), oldest) < state.said_at)
    ]
    return sorted(listed, key=lambda state: (-_AS_NUMBER[state.state], state.service, state.process))


def _publish_success(service: str) -> None:
    shared_cache.set_many({_answered(service): datetime.now(tz=UTC)}, seconds=_BELIEVED_SECONDS)


def _answered(service: str) -> str:
    return shared_cache.address_of(kind="service answered", version=1, service=service)


def _publish(state: NeighbourState) -> None:
    place = _place(zlib.crc32(state.process.encode()) % _PLACES)
    said = shared_cache.get_many([place]).get(place, {})
    said[state.process, state.service] = state
    shared_cache.set_many({place: said}, seconds=_REMEMBERED_SECONDS)


def _place(number: int) -> str:
    return shared_cache.address_of(kind="neighbours", version=2, place=number)

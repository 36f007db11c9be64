"""Calls to neighbours that are under way while the page does something else."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import Generic, TypeVar

from attrs import frozen
from django.db import connections

from enterprise_access.lib.errors import Reason, UpstreamUnavailable

T = TypeVar("T")

# More than a page starts at once: a call must not wait for another one to end.
_THREADS = 12


@frozen
class Pending(Generic[T]):
    """An answer that is on its way."""

    future: Future[T]

    def result(self, *, ends_at: float) -> T:
        """Return the answer, or raise what the call raised: UpstreamUnavailable if it is not there in time."""
        try:
            return self.future.result(timeout=max(0.0, ends_at - time.monotonic()))
        except TimeoutError:
            raise UpstreamUnavailable(
                "A neighbour did not answer in time.", service="upstream", reason=Reason.TIMEOUT
            ) from None

    @property
    def is_done(self) -> bool:
        """Whether the answer, or what became of the call, is there."""
        return self.future.done()

    def peek(self) -> T | None:
        """Return the answer if it is there, and is one."""
        is_there = self.future.done() and self.future.exception() is None
        return self.future.result() if is_there else None


def done(call: Callable[[], T]) -> Pending[T]:
    """Make the call here and now, and return what came of it, to be looked at when its turn comes."""
    future: Future[T] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 (raised by whoever asks for the result)
        future.set_exception(error)
    return Pending(future)


class Meanwhile:
    """Starts calls that run beside each other. They may talk HTTP and nothing else: no table is touched in a thread.

    Who leaves does not wait for what is still under way: it ends by its own time limits, and nobody looks at it.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="portal")

    def start(self, call: Callable[[], T]) -> Pending[T]:
        """Start a call with the deadline that holds here."""
        return Pending(self._pool.submit(copy_context().run, _leaving_nothing_open, call))

    def __enter__(self) -> "Meanwhile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _leaving_nothing_open(call: Callable[[], T]) -> T:
    """Make the call; close what this thread may have opened of the database (a cache can live in one)."""
    try:
        return call()
    finally:
        connections.close_all()

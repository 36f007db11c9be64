"""Calls to upstream services beside each other: a bounded number, and within the caller's time."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from types import TracebackType
from typing import Generic, TypeVar

from attrs import frozen
from django.db import connections

from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable

T = TypeVar("T")


@frozen
class Deferred(Generic[T]):
    """An answer that is on its way."""

    future: Future[T]

    def result(self, *, ends_at: float) -> T:
        """Return the answer, or raise what the call raised: UpstreamUnavailable if it is not there by `ends_at`.

        `ends_at` is a time of time.monotonic().
        """
        try:
            return self.future.result(timeout=max(0.0, ends_at - time.monotonic()))
        except TimeoutError:
            raise UpstreamUnavailable(
                "An upstream service did not answer in time.", service="upstream", reason=UpstreamReason.TIMEOUT
            ) from None

    def is_there(self, *, within: float) -> bool:
        """Wait for so many seconds at most; say whether the answer, or the error, is there."""
        return bool(wait([self.future], timeout=within).done)

    @property
    def is_done(self) -> bool:
        """Whether the answer, or the error, is there."""
        return self.future.done()

    def peek(self) -> T | None:
        """Return the answer if it is there and no error."""
        is_there = self.future.done() and self.future.exception() is None
        return self.future.result() if is_there else None


class BackgroundCalls:
    """Starts calls that run beside each other. They may talk HTTP and nothing else: no table is touched in a thread.

    Leaving does not wait for calls that are still under way: they end by their own time limits.
    """

    def __init__(self, *, limit: int, name: str = "background") -> None:
        self._pool = ThreadPoolExecutor(max_workers=limit, thread_name_prefix=name)

    def start(self, call: Callable[[], T]) -> Deferred[T]:
        """Start a call with the context, and so the deadline, that holds here."""
        return Deferred(self._pool.submit(copy_context().run, _leaving_nothing_open, call))

    def __enter__(self) -> "BackgroundCalls":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def resolved(call: Callable[[], T]) -> Deferred[T]:
    """Make the call in this thread, and return its answer or error for later."""
    future: Future[T] = Future()
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 (raised by `result`)
        future.set_exception(error)
    return Deferred(future)


def start_early(call: Callable[[], T]) -> Callable[[], T]:
    """Begin a call, and return a function that waits for its answer. The answer need not be requested.

    The call has to end by itself, as those to upstream services do inside `deadline`, which holds in it, too.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="early")
    future = pool.submit(copy_context().run, _leaving_nothing_open, call)
    pool.shutdown(wait=False)
    return future.result


def run_parallel(calls: Sequence[Callable[[], T]], *, limit: int, ends_at: float) -> list[T]:
    """Make calls, `limit` at a time, and return their answers in order; raise what one of them raises.

    Raises TimeoutError once time.monotonic() has passed `ends_at`. Calls that are still under way then, or when another
    one has failed, are not waited for.
    """
    if len(calls) == 1:
        return [calls[0]()]
    if not calls:
        return []
    with BackgroundCalls(limit=min(limit, len(calls)), name="parallel") as background:
        futures = [background.start(call).future for call in calls]
        ended, under_way = wait(futures, timeout=max(0.0, ends_at - time.monotonic()), return_when=FIRST_EXCEPTION)
        failed = next((future for future in futures if future in ended and future.exception() is not None), None)
        if failed is not None:
            failed.result()
        if under_way:
            raise TimeoutError("not every call ended in time")
        return [future.result() for future in futures]


def _leaving_nothing_open(call: Callable[[], T]) -> T:
    """Make the call; close what this thread may have opened of the database (a cache can live in one)."""
    try:
        return call()
    finally:
        connections.close_all()

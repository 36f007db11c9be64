"""Independent calls to a neighbour at the same time: a bounded number, and within the caller's time."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from django.db import connections

R = TypeVar("R")


def at_once(calls: Sequence[Callable[[], R]], *, limit: int, ends_at: float) -> list[R]:
    """Make calls in parallel, `limit` at a time, and return their answers in order; raise what one of them raises.

    Raises TimeoutError once time.monotonic() has passed `ends_at`. Calls that are still under way then, or when another
    one has failed, are not waited for: they end by their own time limits, and nobody looks at what comes of them.
    """
    if len(calls) == 1:
        return [calls[0]()]
    if not calls:
        return []
    pool = ThreadPoolExecutor(max_workers=min(limit, len(calls)), thread_name_prefix="at-once")
    try:
        futures = [pool.submit(copy_context().run, _leaving_nothing_open, call) for call in calls]
        return _answers(futures, ends_at)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def ahead(call: Callable[[], R]) -> Callable[[], R]:
    """Begin a call, and return what waits for its answer, or raises what it raises. Nobody need ask for it.

    The call has to end by itself, as those to neighbours do inside `deadline`, which holds here, too.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
    future = pool.submit(copy_context().run, _leaving_nothing_open, call)
    pool.shutdown(wait=False)
    return future.result


def _answers(futures: list[Future[R]], ends_at: float) -> list[R]:
    ended, under_way = wait(futures, timeout=max(0.0, ends_at - time.monotonic()), return_when=FIRST_EXCEPTION)
    failed = next((future for future in futures if future in ended and future.exception() is not None), None)
    if failed is not None:
        failed.result()
    if under_way:
        raise TimeoutError("not every call ended in time")
    return [future.result() for future in futures]


def _leaving_nothing_open(call: Callable[[], R]) -> R:
    """Make the call; close what this thread may have opened of the database (a cache can live in one)."""
    try:
        return call()
    finally:
        connections.close_all()

"""Deadlines of a call and of several calls together, and connections that keep them however slow the other side is.

A caller with one budget for several calls makes them inside `deadline`; each then ends by its own limits or by the
caller's, whichever comes first.

The read timeout of requests starts again with every byte that arrives, so an upstream service that drips one byte a
second holds a worker for as long as it likes. Here every read from the socket, of the head as well as of the body, also
ends when the deadline of the call has passed.
"""

import contextlib
import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import requests.adapters
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_deadline: ContextVar[float | None] = ContextVar("deadline of the call", default=None)
_is_fresh: ContextVar[bool] = ContextVar("call wants a connection of its own", default=False)


@contextlib.contextmanager
def deadline(at: float) -> Iterator[None]:
    """Make every call inside fail with a time-out once time.monotonic() has passed `at`, or an outer deadline."""
    token = _deadline.set(earliest(at))
    try:
        yield
    finally:
        _deadline.reset(token)


def earliest(at: float) -> float:
    """Return `at`, or the deadline that holds here if that is earlier."""
    outer = _deadline.get()
    return at if outer is None else min(at, outer)


@contextlib.contextmanager
def fresh_connection() -> Iterator[None]:
    """Make every call inside open a connection instead of using a kept one.

    An upstream service may close a kept connection at the very moment in which it is used again. A read is just
    repeated then; a write would be in doubt, although it most likely never arrived.
    """
    token = _is_fresh.set(True)
    try:
        yield
    finally:
        _is_fresh.reset(token)


class _DeadlineReader(io.RawIOBase):
    """A socket's incoming bytes, until the deadline."""

    def __init__(self, sock: socket.socket, at: float) -> None:
        self._sock = sock
        self._at = at
        # Keeps the socket open until this reader is closed, also when http.client has closed the connection.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        usual = self._sock.gettimeout()
        self._sock.settimeout(left if usual is None else min(usual, left))
        try:
            return self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(usual)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        at = _deadline.get()
        if at is not None:
            self.fp.close()
            self.fp = io.BufferedReader(_DeadlineReader(sock, at))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _FreshOnDemand(HTTPConnectionPool):
    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if _is_fresh.get():
            # Nothing when it was not open; a closed one connects again as soon as it is used.
            connection.close()
        return connection


class _Pool(_FreshOnDemand):
    ConnectionCls = _Connection


class _SecurePool(_FreshOnDemand, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """The adapter of requests, over connections that know the deadline of the call they serve."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

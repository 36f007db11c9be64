"""A transport for `requests` that calls the simulator inside the process: no sockets, and no sleeping.

    session.mount("http://simulator", SimulatorAdapter(app))

Waiting is only counted (`waited_seconds`, and `on_wait` for tests that move a clock). A wait that is longer than the
caller's read timeout raises at once what requests would have raised; a call without a timeout that would wait for ever
raises WaitsForever, which no client should catch.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.client import IncompleteRead
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from .faults import FOREVER, CallerGaveUp, CutOff, DroppedAnswer

if TYPE_CHECKING:
    from flask import Flask

Timeout = float | tuple[float | None, float | None] | None


class WaitsForever(BaseException):
    """A call without a read timeout met an upstream service that never answers."""


class SimulatorAdapter(BaseAdapter):
    """Sends prepared requests to the simulator's WSGI program."""

    def __init__(self, app: Flask, *, on_wait: Callable[[float], object] = float) -> None:
        super().__init__()
        self._app = app
        self.on_wait = on_wait
        self.waited_seconds = 0.0

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Timeout = None,
        verify: bool | str = True,
        cert: object = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the answer. Raises ReadTimeout, ConnectionError as a real connection would."""
        wait = self._wait_for(_read_timeout(timeout))
        started: dict[str, Any] = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], *_exc_info: object
        ) -> Callable[[bytes], object]:
            started.update(status=status, headers=headers)
            return bytes

        try:
            pieces = self._app(_environ_of(request, wait), start_response)
        except CallerGaveUp:
            raise requests.ReadTimeout("Read timed out.", request=request) from None
        except DroppedAnswer as dropped:
            raise requests.ConnectionError("Connection aborted.", dropped, request=request) from None
        return _response(request, started, _Body(pieces))

    def close(self) -> None:
        """Nothing is open."""

    def _wait_for(self, read_timeout: float | None) -> Callable[[float], None]:
        def wait(seconds: float) -> None:
            if read_timeout is None and seconds == FOREVER:
                raise WaitsForever
            waited = min(seconds, math.inf if read_timeout is None else read_timeout)
            self.waited_seconds += waited
            self.on_wait(waited)
            if read_timeout is not None and seconds > read_timeout:
                raise CallerGaveUp

        return wait


class _Body(io.RawIOBase):
    """The body as it arrives: reading it may time out or break off, as on a socket."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._rest = b""
        self._close_pieces = getattr(pieces, "close", None)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = next(self._pieces)
            except StopIteration:
                return 0
            except CallerGaveUp:
                raise ReadTimeoutError(None, None, "Read timed out.") from None  # type: ignore[arg-type]
            except CutOff:
                raise ProtocolError("Connection broken", IncompleteRead(b"")) from None
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def close(self) -> None:
        if self._close_pieces is not None:
            self._close_pieces()
        super().close()


def _read_timeout(timeout: Timeout) -> float | None:
    return timeout[1] if isinstance(timeout, tuple) else timeout


def _environ_of(request: requests.PreparedRequest, wait: Callable[[float], None]) -> dict[str, Any]:
    parts = urlsplit(request.url or "")
    body = request.body or b""
    data = body.encode() if isinstance(body, str) else bytes(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method or "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": request.path_url,
        "SERVER_NAME": parts.hostname or "simulator",
        "SERVER_PORT": str(parts.port or (443 if parts.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme or "http",
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "simulator.wait": wait,
    }
    for name, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    return environ


def _response(request: requests.PreparedRequest, started: dict[str, Any], body: _Body) -> requests.Response:
    code, _, reason = started["status"].partition(" ")
    raw = HTTPResponse(
        body=body, headers=started["headers"], status=int(code), reason=reason, preload_content=False, version=11
    )
    response = requests.Response()
    response.status_code = int(code)
    response.headers = CaseInsensitiveDict(started["headers"])
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = raw
    response.reason = reason
    response.url = request.url or ""
    response.request = request
    return response

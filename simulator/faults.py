"""Faults: what can go wrong between an upstream service and its caller, switched on per endpoint.

`FaultLayer` sits around the whole program. Behind a real server it sleeps and closes connections. In the process of a
test nothing sleeps: the transport (`in_process`) hands a `wait` in, which gives up at once when the caller would have.
"""

from __future__ import annotations

import errno
import fnmatch
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from attrs import define, field, frozen
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as WsgiResponse

from .answers import crash, html_page, throttled, unauthorized
from .catalog.views import is_line_too_long
from .journal import Call, Journal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask, Response

    from .world import World

NEIGHBOURS = ("lms", "catalog", "license_manager", "discovery", "subsidy")
FOREVER = float("inf")
DRIPS = 10


class FaultKind(StrEnum):
    DELAY_BEFORE = "delay_before"  # wait, then do the work: a caller that gave up does not stop it
    DELAY_AFTER = "delay_after"  # do the work, then wait
    HANG = "hang"  # neither work nor answer
    UNREACHABLE = "unreachable"  # the connection breaks before any work
    STATUS = "status"  # answer `status` with `body`, without doing the work
    HTML = "html"  # answer 200 with a page for people, after doing the work
    MALFORMED_JSON = "malformed_json"
    TRUNCATED_JSON = "truncated_json"
    MISSING_KEYS = "missing_keys"  # `keys` are taken out, wherever they are
    NULL_KEYS = "null_keys"  # `keys` become null, wherever they are
    ODD_ROW = "odd_row"  # in rows that hold the value `row_of`, `keys` become `value`, wherever they are
    DROP = "drop"  # do the work, then close the connection without an answer
    CUT_OFF = "cut_off"  # do the work, send half of the body, then close the connection
    UNAUTHORIZED = "unauthorized"  # 401, without doing the work
    THROTTLED = "throttled"  # 429 with Retry-After: `seconds`, without doing the work
    SLOW_DRIP = "slow_drip"  # the body in ten pieces, `seconds` apart
    HUGE = "huge"  # the right body and `size_bytes` of white space


class DroppedAnswer(OSError):
    """The connection was closed instead of answering."""

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "The simulator dropped the connection.")


class CutOff(OSError):
    """The connection was closed in the middle of the body."""

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "The simulator closed the connection in the middle of the body.")


class CallerGaveUp(Exception):
    """The caller would not have waited that long (in the process of a test)."""


@frozen(kw_only=True)
class Fault:
    """One way to fail. `endpoint` is a pattern over `service.endpoint`, e.g. `catalog.*`; `times` None: until told."""

    kind: FaultKind = field(converter=FaultKind)
    endpoint: str
    times: int | None = 1
    seconds: float = 0.0
    status: int = 500
    body: str | None = None
    content_type: str = "application/json"
    keys: tuple[str, ...] = field(default=(), converter=tuple)
    size_bytes: int = 5_000_000
    row_of: str | int | None = None
    value: Any = None
    only_with: str = ""  # fail only calls with this word in path, query or body (of many asked about, one)

    def fits(self, endpoint: str, said: str) -> bool:
        is_said = (
            not self.only_with
            or re.search(rf"(?<!\w){re.escape(self.only_with)}(?!\w)", said, re.IGNORECASE) is not None
        )
        return is_said and fnmatch.fnmatchcase(endpoint, self.endpoint)


@define
class _Armed:
    fault: Fault
    left: int | None


class Faults:
    """The faults that are switched on. The first that fits an endpoint is taken, one per call."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()
        self._late_work: list[Callable[[], object]] = []
        self.released = threading.Event()

    def add(self, kind: FaultKind | str, endpoint: str, **about: Any) -> Fault:
        fault = Fault(kind=kind, endpoint=endpoint, **about)
        with self._lock:
            self._armed.append(_Armed(fault, fault.times))
            self.released.clear()
        return fault

    def clear(self, endpoint: str | None = None) -> None:
        """Switch off the faults of an endpoint, or all; what hangs is released."""
        with self._lock:
            self._armed = [it for it in self._armed if endpoint is not None and it.fault.endpoint != endpoint]
            self.released.set()

    def armed(self) -> list[tuple[Fault, int | None]]:
        """Return the faults with the number of calls that each still waits for."""
        return [(it.fault, it.left) for it in self._armed]

    def take(self, endpoint: str, said: str = "") -> Fault | None:
        with self._lock:
            found = next((it for it in self._armed if it.fault.fits(endpoint, said)), None)
            if found is None:
                return None
            if found.left is not None:
                found.left -= 1
                if found.left <= 0:
                    self._armed.remove(found)
            return found.fault

    def postpone(self, work: Callable[[], object]) -> None:
        """Keep work whose caller gave up before it was done."""
        self._late_work.append(work)

    def finish_late_work(self) -> int:
        """Do now what callers gave up on (in-process only; a real server does it by itself). Return how much it was."""
        late, self._late_work = self._late_work, []
        for work in late:
            work()
        return len(late)


class _AsMade(WsgiResponse):
    """An answer that is given no type when it has none."""

    default_mimetype = None


class FaultLayer:
    """A WSGI layer that logs every call to an upstream service and lets faults happen to it."""

    def __init__(self, app: Flask, inner: WSGIApplication, *, world: World, faults: Faults) -> None:
        self._app = app
        self._inner = inner
        self._world = world
        self._faults = faults

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        endpoint = self._endpoint_of(environ)
        if endpoint is None:
            return self._inner(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["simulator.seen"] = {}
        query = unquote_plus(environ.get("QUERY_STRING", ""))
        fault = self._faults.take(endpoint, f"{environ['PATH_INFO']} {query} {body.decode(errors='replace')}")
        call = _Exchange(self, environ, endpoint, fault, body)
        try:
            response = call.answer()
        except (DroppedAnswer, CallerGaveUp) as lost:
            call.log(None)
            return _close(environ, lost)
        call.log(response.status_code)
        return call.send(response, start_response)

    def work(self, environ: WSGIEnvironment, body: bytes) -> WsgiResponse:
        """Let the upstream service do what it was asked."""
        environ["wsgi.input"] = BytesIO(body)
        return _AsMade.from_app(self._inner, environ, buffered=True)

    @property
    def journal(self) -> Journal:
        return self._world.journal

    @property
    def world(self) -> World:
        return self._world

    @property
    def faults(self) -> Faults:
        return self._faults

    def _endpoint_of(self, environ: WSGIEnvironment) -> str | None:
        """Return `service.endpoint` of a call to an upstream service; None for our own pages."""
        path = environ.get("PATH_INFO", "")
        prefix = path.lstrip("/").split("/", 1)[0]
        if prefix.replace("-", "_") not in NEIGHBOURS:
            return None
        try:
            rule, _ = self._app.url_map.bind_to_environ(environ).match()
            return str(rule)
        except RequestRedirect:
            return f"{prefix.replace('-', '_')}.redirect"
        except HTTPException as error:
            return f"{prefix.replace('-', '_')}.{error.code}"


class _Exchange:
    """One call while it happens."""

    def __init__(
        self, layer: FaultLayer, environ: WSGIEnvironment, endpoint: str, fault: Fault | None, body: bytes
    ) -> None:
        self._layer = layer
        self._environ = environ
        self._endpoint = endpoint
        self._fault = fault
        self._body = body
        self._wait: Callable[[float], None] = environ.get("simulator.wait") or self._sleep

    def answer(self) -> WsgiResponse:
        """Do the work, or not, and return what goes over the wire. Raises DroppedAnswer, CallerGaveUp."""
        if self._endpoint.startswith("catalog.") and is_line_too_long(
            self._environ["REQUEST_METHOD"], self._environ.get("RAW_URI", "")
        ):
            return html_page(400, "Bad Request", "Request Line is too large")
        fault = self._fault
        if fault is None:
            return self._work()
        if instead := self._instead_of_work(fault):
            return instead
        if fault.kind is FaultKind.DELAY_BEFORE:
            self._wait_or_postpone(fault.seconds)
        response = self._work()
        if fault.kind is FaultKind.DELAY_AFTER:
            self._wait(fault.seconds)
        if fault.kind is FaultKind.DROP:
            raise DroppedAnswer
        return _spoil(fault, response)

    def send(self, response: WsgiResponse, start_response: StartResponse) -> Iterable[bytes]:
        fault = self._fault
        if fault is None or fault.kind not in (FaultKind.SLOW_DRIP, FaultKind.CUT_OFF):
            return response(self._environ, start_response)
        whole = response.get_data()
        start_response(response.status, list(response.headers))
        if fault.kind is FaultKind.CUT_OFF:
            return self._half_of(whole)
        return self._drips_of(whole, fault.seconds)

    def log(self, status: int | None) -> None:
        environ, journal = self._environ, self._layer.journal
        journal.add_call(
            Call(
                number=journal.next_number(),
                at=self._layer.world.now(),
                service=self._endpoint.split(".", 1)[0],
                endpoint=self._endpoint,
                method=environ["REQUEST_METHOD"],
                path="/" + environ["PATH_INFO"].lstrip("/").partition("/")[2],
                query=_query_of(environ),
                body=_readable(self._body),
                caller=environ["simulator.seen"].get("caller"),
                status=status,
                fault=str(self._fault.kind) if self._fault else None,
                request_id=environ.get("HTTP_X_REQUEST_ID"),
            )
        )

    def _work(self) -> WsgiResponse:
        return self._layer.work(self._environ, self._body)

    def _instead_of_work(self, fault: Fault) -> Response | WsgiResponse | None:
        match fault.kind:
            case FaultKind.HANG:
                self._wait(FOREVER)
                raise DroppedAnswer
            case FaultKind.UNREACHABLE:
                raise DroppedAnswer
            case FaultKind.STATUS if fault.body is None:
                return html_page(fault.status, f"Error ({fault.status})") if fault.status != 500 else crash()
            case FaultKind.STATUS:
                return WsgiResponse(fault.body, status=fault.status, content_type=fault.content_type)
            case FaultKind.UNAUTHORIZED:
                return unauthorized("Invalid token.")
            case FaultKind.THROTTLED:
                return throttled(int(fault.seconds) or 1)
        return None

    def _wait_or_postpone(self, seconds: float) -> None:
        try:
            self._wait(seconds)
        except CallerGaveUp:
            self._layer.faults.postpone(self._work)
            raise

    def _sleep(self, seconds: float) -> None:
        """Wait behind a real server: until the time is over or the faults are cleared."""
        if seconds == FOREVER:
            self._layer.faults.released.wait()
        else:
            time.sleep(seconds)

    def _half_of(self, whole: bytes) -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        _shut(self._environ)
        raise CutOff

    def _drips_of(self, whole: bytes, seconds: float) -> Iterator[bytes]:
        step = max(1, -(-len(whole) // DRIPS))
        for start in range(0, len(whole), step):
            self._wait(seconds)
            yield whole[start : start + step]


def _spoil(fault: Fault, response: WsgiResponse) -> WsgiResponse:
    """Return the answer as the fault leaves it."""
    match fault.kind:
        case FaultKind.HTML:
            return html_page(200, "Please sign in", fault.body or "This page is for people.")
        case FaultKind.MALFORMED_JSON:
            response.set_data(b'{"results": [}' if fault.body is None else fault.body)
        case FaultKind.TRUNCATED_JSON:
            response.set_data(response.get_data()[: len(response.get_data()) // 2])
        case FaultKind.MISSING_KEYS:
            response.set_data(json.dumps(_without(json.loads(response.get_data()), fault.keys)))
        case FaultKind.NULL_KEYS:
            response.set_data(json.dumps(_with_nulls(json.loads(response.get_data()), fault.keys)))
        case FaultKind.ODD_ROW:
            response.set_data(json.dumps(_spoil_rows(json.loads(response.get_data()), fault)))
        case FaultKind.HUGE:
            response.set_data(response.get_data() + b" " * fault.size_bytes)
    return response


def _without(body: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(body, list):
        return [_without(item, keys) for item in body]
    if isinstance(body, dict):
        return {name: _without(value, keys) for name, value in body.items() if name not in keys}
    return body


def _with_nulls(body: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(body, list):
        return [_with_nulls(item, keys) for item in body]
    if isinstance(body, dict):
        return {name: None if name in keys else _with_nulls(value, keys) for name, value in body.items()}
    return body


def _close(environ: WSGIEnvironment, lost: Exception) -> Iterable[bytes]:
    """End the exchange without an answer: in-process by raising, behind a server by shutting the socket."""
    _shut(environ)
    raise lost


def _shut(environ: WSGIEnvironment) -> None:
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if connection is not None:
        try:
            connection.shutdown(2)
        except OSError:  # the caller has gone already
            return


def _query_of(environ: WSGIEnvironment) -> dict[str, list[str]]:
    return dict(Request(environ).args.lists())


def _readable(body: bytes) -> Any:
    """Return the body as the log shows it; secrets of OAuth applications stay out."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return f"<{len(body)} bytes>"


def _spoil_rows(body: Any, fault: Fault) -> Any:
    """Return the body, where the rows of its lists that hold the value are odd."""
    if isinstance(body, list):
        return [_odd(row, fault) if _holds(row, fault.row_of) else row for row in body]
    if isinstance(body, dict):
        return {key: _spoil_rows(value, fault) for key, value in body.items()}
    return body


def _holds(row: Any, wanted: object) -> bool:
    members = row.values() if isinstance(row, dict) else ()
    return any(value == wanted or (isinstance(value, dict) and _holds(value, wanted)) for value in members)


def _odd(row: Any, fault: Fault) -> Any:
    if isinstance(row, list):
        return [_odd(item, fault) for item in row]
    if not isinstance(row, dict):
        return row
    return {key: fault.value if key in fault.keys else _odd(value, fault) for key, value in row.items()}

"""Recordings as files: {service, request{...}, response{...}}, one conversation each.

The folders differ a little. The query is in `query_string` (as sent), in `query.__raw__` (as sent, too), behind the
path, or in `query` (decoded: an object of values or of lists of them, or a list of pairs; null is nothing). An answer
that never came has a null `status` and a `client_error`. Without a `service` the folders around the file name it. All
else (`jwt_claims`, `outbound_calls`, `provenance`, notes) says something about the conversation, but is no part of it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import attrs
import requests

from enterprise_access.lib.http.scripted import Reply
from enterprise_access.lib.structure import Fields, ShapeError, items, text
from enterprise_access.upstream.replay.services import service_named

# Of the connection, or of the body's coding on the way; the recorded body is already decoded.
_NOT_REPLAYED = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})
# The most particular first.
_LOST: Mapping[str, Callable[[], Exception]] = {
    "ConnectTimeout": requests.ConnectTimeout,
    "ReadTimeout": requests.ReadTimeout,
    "Timeout": requests.Timeout,
    "timed out": requests.Timeout,
    "ChunkedEncodingError": requests.exceptions.ChunkedEncodingError,
    "ProxyError": requests.exceptions.ProxyError,
    "SSLError": requests.exceptions.SSLError,
}


class NotARecording(Exception):
    """The file holds something else. The text says what."""


@attrs.frozen
class Recording:
    """One recorded conversation. `reply` is the error instead when no answer came."""

    name: str
    service: str | None
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: object
    status: int | None
    reply: Reply | Exception
    answer_body: object

    def values(self, name: str) -> tuple[str, ...]:
        """Return all values of one parameter of the query."""
        return tuple(value for key, value in self.query if key == name)

    def value(self, name: str) -> str | None:
        """Return the last value of one parameter of the query, as servers read it; None when it is absent."""
        return (self.values(name) or (None,))[-1]


def find_recordings(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, and of the folders in it, that may be recordings."""
    yield from sorted(path for path in folder.rglob("*.json") if path.is_file())


def read_recording(path: Path, *, folder: Path) -> Recording:
    """Return the recording in a file. Raises NotARecording."""
    inside = path.relative_to(folder)
    around = [*reversed(inside.parent.parts), folder.resolve().name]
    try:
        return _read(_json_of(path), name=str(inside), around=around)
    except ShapeError as error:
        problem = str(error)
    raise NotARecording(problem)


def _json_of(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "not JSON: it is not even text"
    except ValueError as error:
        problem = f"not JSON: {error}"
    except RecursionError:
        problem = "not JSON that can be read: it is nested too deep"
    raise NotARecording(problem)


def _read(value: object, *, name: str, around: Sequence[str]) -> Recording:
    top = Fields(value)
    request, response = top.part("request"), top.part("response")
    url = urlsplit(request.optional("path", text) or request.need("url" if request.has("url") else "path", text))
    status = response.nullable("status", _status)
    headers = response.optional("headers", _headers) or {}
    answer_body = response.raw.get("body")
    return Recording(
        name=name,
        service=top.optional("service", text) or next(filter(service_named, around), None),
        method=request.need("method", text).upper(),
        path="/" + url.path.lstrip("/"),
        query=_query(request) or _parsed(url.query),
        headers=request.optional("headers", _headers) or {},
        body=_body(request.raw.get("body")),
        status=status,
        reply=_lost(response) if status is None else _reply(status, headers, answer_body),
        answer_body=answer_body,
    )


def _status(value: object) -> int:
    found = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{3}", value) else value
    if not isinstance(found, int) or isinstance(found, bool) or not 100 <= found <= 599:
        raise ShapeError("expected the status of an HTTP answer, or null for an answer that never came")
    return found


def _headers(value: object) -> dict[str, str]:
    """Return headers; one that came twice as one, its values separated by commas."""
    found: dict[str, str] = {}
    for name, content in _pairs(value):
        for part in content if isinstance(content, list) else [content]:
            found[name] = f"{found[name]}, {_as_sent(part)}" if name in found else _as_sent(part)
    return found


def _query(request: Fields) -> tuple[tuple[str, str], ...]:
    said = request.raw.get("query")
    pairs = () if isinstance(said, str) else request.optional("query", _pairs) or ()
    as_sent = request.optional("query_string", text) or (said if isinstance(said, str) else dict(pairs).get("__raw__"))
    if isinstance(as_sent, str):
        return _parsed(as_sent)
    return tuple(
        (name, _as_sent(value))
        for name, values in pairs
        for value in (values if isinstance(values, list) else [values])
        if value is not None
    )


def _pairs(value: object) -> tuple[tuple[str, object], ...]:
    """Return names and values, given as an object or as a list of pairs."""
    return items(_pair)(value) if isinstance(value, list) else tuple(Fields(value).raw.items())


def _pair(value: object) -> tuple[str, object]:
    if not isinstance(value, list) or len(value) != 2:
        raise ShapeError("expected a pair of name and value")
    return text(value[0]), value[1]


def _parsed(query_string: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query_string.removeprefix("?"), keep_blank_values=True))


def _as_sent(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _body(value: object) -> object:
    """Return the body that was sent; JSON that stands there as text is meant as JSON."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, dict | list) else value


def _reply(status: int, headers: Mapping[str, str], body: object) -> Reply:
    kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_REPLAYED}
    if not headers and isinstance(body, dict | list):
        # Headers were not recorded at all: nothing but JSON comes out as an object.
        kept = {"Content-Type": "application/json"}
    content_type = next((value for name, value in kept.items() if name.lower() == "content-type"), "")
    if "json" not in content_type.lower():
        if body is None:
            return Reply(status=status, headers=kept, body=b"")
        if isinstance(body, str):
            return Reply(status=status, headers=kept, body=body.encode(errors="replace"))
    return Reply(status=status, headers=kept, body=json.dumps(body).encode())


def _lost(response: Fields) -> Exception:
    """Return what a connection raises that ends like the recorded one, which is named somewhere in `client_error`."""
    said = json.dumps(response.raw.get("client_error"))
    for name, error in _LOST.items():
        if name in said:
            return error()
    return requests.ConnectionError()

"""Recordings as files: {service, request{...}, response{...}}, one conversation each.

The folders differ a little. The query is in `query_string` (as sent), in `query.__raw__` (as sent, too), or in `query`
(decoded, values or lists of them). An answer that never came has a null `status` and a `client_error`. What else there
is (`jwt_claims`, `outbound_calls`, `provenance`, notes) says something about the conversation, but is no part of it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl

import attrs
import requests

from enterprise_access.lib.http.scripted import Reply
from enterprise_access.lib.structure import Fields, ShapeError, integer, mapping, text

# Of the connection, or of the body's coding on the way; the recorded body is already decoded.
_NOT_REPLAYED = frozenset({"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"})


class NotARecording(Exception):
    """The file holds something else. The text says what is missing."""


@attrs.frozen
class Recording:
    """One recorded conversation. `reply` is the error instead when no answer came."""

    name: str
    service: str
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
    try:
        return _read(json.loads(path.read_bytes()), name=str(path.relative_to(folder)), parent=path.parent.name)
    except (ShapeError, ValueError, RecursionError, OSError) as error:
        raise NotARecording(str(error)) from error


def _read(value: object, *, name: str, parent: str) -> Recording:
    top = Fields(value)
    request, response = top.part("request"), top.part("response")
    status = response.nullable("status", integer)
    headers = response.optional("headers", mapping(text, text)) or {}
    answer_body = response.raw.get("body")
    return Recording(
        name=name,
        service=top.optional("service", text) or parent,
        method=request.need("method", text).upper(),
        path=request.need("path", text).partition("?")[0],
        query=_query(request),
        headers=request.optional("headers", mapping(text, text)) or {},
        body=request.raw.get("body"),
        status=status,
        reply=_lost(response) if status is None else _reply(status, headers, answer_body),
        answer_body=answer_body,
    )


def _query(request: Fields) -> tuple[tuple[str, str], ...]:
    members = request.raw.get("query") or {}
    if isinstance(members, str):
        return _parsed(members)
    decoded = Fields(members).raw
    raw = request.optional("query_string", text) or Fields(members).optional("__raw__", text)
    raw = raw or request.need("path", text).partition("?")[2]
    if raw:
        return _parsed(raw)
    return tuple(
        (name, _as_sent(value))
        for name, values in decoded.items()
        for value in (values if isinstance(values, list) else [values])
    )


def _parsed(query_string: str) -> tuple[tuple[str, str], ...]:
    return tuple(parse_qsl(query_string, keep_blank_values=True))


def _as_sent(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _reply(status: int, headers: Mapping[str, str], body: object) -> Reply:
    kept = {name: value for name, value in headers.items() if name.lower() not in _NOT_REPLAYED}
    content_type = next((value for name, value in kept.items() if name.lower() == "content-type"), "")
    if body is None and "json" not in content_type.lower():
        return Reply(status=status, headers=kept, body=b"")
    if isinstance(body, str) and "json" not in content_type.lower():
        return Reply(status=status, headers=kept, body=body.encode())
    return Reply(status=status, headers=kept, body=json.dumps(body).encode())


def _lost(response: Fields) -> Exception:
    """Return what a connection raises that ends like the recorded one."""
    kind = getattr(requests.exceptions, response.optional("client_error", text) or "", None)
    if isinstance(kind, type) and issubclass(kind, requests.RequestException):
        return kind()
    return requests.ConnectionError()

"""Whether two requests are the same, and if not, in what they differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import requests

from enterprise_access.upstream.replay.recording import Recording

_ABSENT: Final = object()


def differences(sent: requests.PreparedRequest, recorded: Recording) -> tuple[str, ...]:
    """Return a sentence for each difference that the upstream service could notice; none: the requests are the same."""
    url = urlsplit(sent.url or "")
    return (
        *_differing("method", sent.method, recorded.method),
        *_differing("path", unquote(url.path), unquote(recorded.path)),
        *_query_differences(parse_qsl(url.query, keep_blank_values=True), recorded),
        *_header_differences(sent, recorded),
        *_body_differences("body", _json(sent.body), _ABSENT if recorded.body is None else recorded.body),
    )


def _differing(what: str, ours: object, theirs: object) -> Iterator[str]:
    if ours != theirs:
        yield f"{what}: we send {_shown(ours)}, recorded is {_shown(theirs)}"


def _query_differences(ours: list[tuple[str, str]], recorded: Recording) -> Iterator[str]:
    for name in dict.fromkeys([*(name for name, _ in recorded.query), *(name for name, _ in ours)]):
        our_values = tuple(value for key, value in ours if key == name)
        yield from _differing(f"query {name}", _one_or_all(our_values), _one_or_all(recorded.values(name)))


def _one_or_all(values: tuple[str, ...]) -> object:
    if not values:
        return _ABSENT
    return values[0] if len(values) == 1 else list(values)


def _header_differences(sent: requests.PreparedRequest, recorded: Recording) -> Iterator[str]:
    """Compare what decides about the answer: who asks (whose token cannot be told), and in which formats."""
    theirs = {name.lower(): value for name, value in recorded.headers.items()}
    for name in ("Accept", "Content-Type"):
        if name.lower() in theirs:
            yield from _differing(f"header {name}", sent.headers.get(name, _ABSENT), theirs[name.lower()])
    ours = _scheme(sent.headers.get("Authorization"))
    yield from _differing("header Authorization", ours, _scheme(theirs.get("authorization")))


def _scheme(value: str | None) -> object:
    return _ABSENT if value is None else f"{value.split(' ')[0]} ..."


def _json(body: bytes | str | None) -> object:
    return _ABSENT if body is None else json.loads(body)


def _body_differences(place: str, ours: object, theirs: object) -> Iterator[str]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in dict.fromkeys([*theirs, *ours]):
            yield from _body_differences(f"{place}.{key}", ours.get(key, _ABSENT), theirs.get(key, _ABSENT))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (our_item, their_item) in enumerate(zip(ours, theirs, strict=True)):
            yield from _body_differences(f"{place}[{index}]", our_item, their_item)
    else:
        yield from _differing(place, ours, theirs)


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "nothing"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 200 else f"{shown[:200]}... ({len(shown)} characters)"

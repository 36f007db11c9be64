"""Hold one recorded conversation again: the client asks, the recording answers, below the whole HTTP stack."""

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs
import requests

from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamReason
from enterprise_access.lib.http import Limits, Transport
from enterprise_access.lib.http.scripted import Reply, ScriptedAdapter, ScriptedSession
from enterprise_access.lib.rows import PartlyRead
from enterprise_access.upstream.replay.compare import differences
from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.result import Comparison, Failure, Result, Value
from enterprise_access.upstream.replay.routes import Arguments, Endpoint, route_of

# No one has this address.
_BASE_URL: Final = "https://replay.invalid"
_LIMITS: Final = Limits(connect_seconds=1, read_seconds=1, total_seconds=60)


def replay(recording: Recording) -> Result:
    """Return what our clients make of a recorded conversation."""
    recorded = f"{recording.method} {recording.path}, answered {recording.status or type(recording.reply).__name__}"
    result = Result(name=recording.name, service=recording.service, recorded=recorded)
    route = route_of(recording)
    if route is None:
        return result
    result = attrs.evolve(result, method=route.name)
    sent, outcome = _converse(route, route.call, route.arguments_of(recording), recording)
    result = attrs.evolve(result, outcome=outcome, also=_made_of_it_by_others(route, recording))
    if sent:
        found = differences(sent[0], recording)
        return attrs.evolve(result, verdict=Comparison.DIFFERENT if found else Comparison.EQUAL, differences=found)
    why = outcome.error.detail if isinstance(outcome, Failure) else "there is nothing to ask for"
    _, answer = _converse(route, route.call, route.stand_ins_of(route.call, recording), recording)
    return attrs.evolve(result, verdict=Comparison.REFUSED_LOCALLY, differences=(why,), answer=answer)


def _made_of_it_by_others(route: Endpoint, recording: Recording) -> Mapping[str, Value | Failure]:
    """Return what other methods make of the answer; failures that every method would meet are left out."""
    found = {
        route.name_of(call): _converse(route, call, route.stand_ins_of(call, recording), recording)[1]
        for call in route.also
    }
    return {name: it for name, it in found.items() if isinstance(it, Value) or not it.is_typed}


def _converse(
    route: Endpoint, call: str, arguments: Arguments, recording: Recording
) -> tuple[list[requests.PreparedRequest], Value | Failure]:
    """Return the requests that were sent, and what came out of it."""
    adapter = ScriptedAdapter(_Answers(recording))
    transport = Transport(
        service=route.service,
        base_url=_BASE_URL,
        session=ScriptedSession(_BASE_URL, adapter),
        limits=_LIMITS,
        sleep=lambda _: None,
    )
    try:
        value: Any = getattr(route.client(transport), call)(**arguments)
    except UpstreamError as error:
        return adapter.sent, Failure(error)
    if isinstance(value, PartlyRead) and value.unreadable:
        row = value.unreadable[0]
        problem = f"{len(value.unreadable)} rows cannot be read: {row.where} {row.problem}"
        return adapter.sent, Failure(
            UpstreamChanged(problem, service=route.service, reason=UpstreamReason.UNKNOWN_SHAPE)
        )
    return adapter.sent, Value(value)


class _Answers:
    """The recorded answer to the first question and its repetitions; nothing more on any further page."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._first_url: str | None = None

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        self._first_url = self._first_url or request.url
        reply = self._recording.reply
        if isinstance(reply, Exception):
            raise reply
        return reply if request.url == self._first_url else attrs.evolve(reply, body=self._last_page())

    def _last_page(self) -> bytes:
        body = self._recording.answer_body
        if not isinstance(body, Mapping) or "results" not in body:
            return b"{}"
        return json.dumps({**body, "results": type(body["results"])(), "next": None}).encode()

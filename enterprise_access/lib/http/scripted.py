"""Answers from a script instead of from the network, below the whole stack of requests: for replays and tests."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import requests
import requests.adapters
import urllib3

from enterprise_access.lib.http.sessions import TOKEN_PATH, WorkerSession

TOKEN_BODY = b'{"access_token": "scripted.worker.token", "expires_in": 3600, "token_type": "JWT"}'


@attrs.frozen
class Reply:
    """What goes over the wire: nothing is added, and nothing is checked."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"Content-Type": "application/json"})
    body: bytes = b"{}"


class ScriptedAdapter(requests.adapters.HTTPAdapter):
    """Gives each request to `answer`, which returns a Reply or raises what a connection would raise.

    Token requests are answered here unless `token` does it. What was sent is in `sent` and `token_requests`.
    """

    def __init__(
        self,
        answer: Callable[[requests.PreparedRequest], Reply],
        *,
        token: Callable[[requests.PreparedRequest], Reply] = lambda _: Reply(body=TOKEN_BODY),
    ) -> None:
        super().__init__()
        self._answer = answer
        self._token = token
        self.sent: list[requests.PreparedRequest] = []
        self.token_requests: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, *_args: Any, **kwargs: Any) -> requests.Response:
        """Return what the script says. The timeouts are noted, and not waited for."""
        is_token = (request.url or "").endswith(TOKEN_PATH)
        (self.token_requests if is_token else self.sent).append(request)
        if not is_token:
            self.timeouts.append(kwargs.get("timeout"))
        reply = (self._token if is_token else self._answer)(request)
        wire = urllib3.HTTPResponse(
            body=io.BytesIO(reply.body), headers=reply.headers, status=reply.status, preload_content=False
        )
        response: requests.Response = self.build_response(request, wire)
        return response


class ScriptedSession(WorkerSession):
    """A worker session over a script. Its token is nobody's, and stays out of the cache that real ones share."""

    def __init__(self, base_url: str, adapter: ScriptedAdapter) -> None:
        super().__init__(base_url, "scripted", "scripted")
        self.mount("https://", adapter)

    def _cached(self) -> None:
        return None

    def _cache(self, entry: tuple[str, float] | None) -> None:
        """Keep nothing."""

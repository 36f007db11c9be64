"""One upstream service at the other end of HTTP: the only place where bytes leave the house.

Every call has a limit to connecting, to silence, to its whole duration (retries and a dripping body included) and to
the size of the answer, and keeps to the deadline that its caller has set for several calls together. An upstream
service that does not answer several times in a row is left alone for a while (`breaker`). Reads are repeated a little
when the connection broke, when a gateway complains, or when the upstream service asks for a short pause. Writes are
never repeated. The one exception, for both: a 401 drops the cached token and tries exactly once more, because a refused
call has not been carried out.

Whatever goes wrong is UpstreamUnavailable, UpstreamRefused or UpstreamChanged. Their texts name the service and the
address without identifiers, and they have no cause attached: the errors of the libraries quote whole URLs, and those
contain names and e-mail addresses.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from typing import Any, Final
from urllib.parse import quote

import attrs
import requests
import tenacity

from enterprise_access.lib import metrics, request_ids
from enterprise_access.lib.breaker import Breaker
from enterprise_access.lib.errors import (
    UpstreamChanged,
    UpstreamError,
    UpstreamReason,
    UpstreamRefused,
    UpstreamUnavailable,
)
from enterprise_access.lib.http.answers import Answer
from enterprise_access.lib.http.broken import LIBRARY_ERRORS, is_timeout, may_have_been_sent
from enterprise_access.lib.http.deadline import deadline, earliest, fresh_connection
from enterprise_access.lib.http.repeating import is_worth_repeating, pause_seconds
from enterprise_access.lib.http.sessions import LearnerSession, NoToken, WorkerSession, is_sendable_token
from enterprise_access.lib.prepared import forget_reads

Params = Sequence[tuple[str, str]]

MAX_BODY_BYTES: Final = 20_000_000
_CHUNK_BYTES: Final = 65_536


@attrs.frozen
class Limits:
    """How long a call may take, in seconds: to connect, to stay silent, and altogether with its retries."""

    connect_seconds: float
    read_seconds: float
    total_seconds: float
    retries: int = 2


class _TooLarge(Exception):
    """The answer is larger than any answer that we know of."""


class Transport:
    """Sends calls to one upstream service and returns its answers, or raises one of the three upstream failures."""

    def __init__(
        self,
        *,
        service: str,
        base_url: str,
        session: requests.Session,
        limits: Limits,
        sleep: Callable[[float], None] = time.sleep,
        max_body_bytes: int = MAX_BODY_BYTES,
        breaker: Breaker | None = None,
    ) -> None:
        self.service = service
        self.session = session
        self.limits = limits
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep
        self._max_body_bytes = max_body_bytes
        self._breaker = breaker

    def as_learner(self, token: str) -> "Transport":
        """Return a transport that calls as the learner to whom `token` belongs, over the same connections."""
        if not is_sendable_token(token):
            raise self.refusal("the learner's token cannot be sent")
        learners = copy(self)
        learners.session = LearnerSession(token)
        for prefix, adapter in self.session.adapters.items():
            learners.session.mount(prefix, adapter)
        return learners

    def own_claims(self) -> dict[str, Any]:
        """Return what our worker account's token says of it; nothing before the first call, or if it is unreadable."""
        return self.session.claims() if isinstance(self.session, WorkerSession) else {}

    def forget_token(self) -> None:
        """Let the next call as our worker account fetch a new token: what this one says may be out of date."""
        if isinstance(self.session, WorkerSession):
            self.session.forget_token()

    def refusal(self, detail: str) -> UpstreamRefused:
        """Return the failure that means: this must not be sent, and nothing was."""
        return UpstreamRefused(
            f"not sent to {self.service}: {detail}", service=self.service, reason=UpstreamReason.REFUSED_LOCALLY
        )

    def get(self, path: str, *ids: object, params: Params = (), expect: Collection[int] = (200,)) -> Answer:
        """Read. `path` has one {} for each of `ids`; `expect` are the statuses that the caller knows how to use."""
        call = _Call("GET", path, self._url(path, ids), params=params)
        return self._repeated(call, expect)

    def options(self, path: str, *ids: object, expect: Collection[int] = (200,)) -> Answer:
        """Read what an address has to say of itself."""
        return self._repeated(_Call("OPTIONS", path, self._url(path, ids)), expect)

    def read_by_post(self, path: str, *ids: object, json: object, expect: Collection[int] = (200,)) -> Answer:
        """Read with a POST, where the question is too long for an address. Repeated like any other read."""
        return self._repeated(_Call("POST", path, self._url(path, ids), json=json), expect)

    def post(
        self,
        path: str,
        *ids: object,
        params: Params = (),
        json: object = None,
        expect: Collection[int] = (200,),
        read_seconds: float | None = None,
    ) -> Answer:
        """Write, once. `read_seconds`: for a call that is known to be silent for longer than others."""
        call = _Call("POST", path, self._url(path, ids), params=params, json=json, is_write=True)
        limits = self.limits
        if read_seconds is not None:
            total = read_seconds + limits.connect_seconds
            limits = attrs.evolve(limits, read_seconds=read_seconds, total_seconds=total)
        return self._once(call, expect, limits, ends_at=earliest(time.monotonic() + limits.total_seconds))

    def patch(self, path: str, *ids: object, json: object, expect: Collection[int] = (200,)) -> Answer:
        """Change, once."""
        call = _Call("PATCH", path, self._url(path, ids), json=json, is_write=True)
        return self._once(call, expect, self.limits, ends_at=earliest(time.monotonic() + self.limits.total_seconds))

    # --- inside --------------------------------------------------------------------------------------------------

    def _url(self, path: str, ids: Sequence[object]) -> str:
        segments = [quote(str(segment), safe="") for segment in ids]
        if any(segment in {"", ".", ".."} for segment in segments):
            raise self.refusal("an identifier is empty or leads to another address")
        return self._base_url + path.format(*segments)

    def _repeated(self, call: "_Call", expect: Collection[int]) -> Answer:
        ends_at = earliest(time.monotonic() + self.limits.total_seconds)

        def is_over(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number > self.limits.retries or time.monotonic() + state.upcoming_sleep >= ends_at

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_worth_repeating),
            wait=pause_seconds,
            stop=is_over,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._once, call, expect, self.limits, ends_at=ends_at)

    def _once(self, call: "_Call", expect: Collection[int], limits: Limits, *, ends_at: float) -> Answer:
        """Send `call` unless there is no time for it, or the upstream service has to be left alone."""
        if time.monotonic() >= ends_at:
            raise UpstreamUnavailable(
                f"{self.service} was not asked: no time was left", service=self.service, reason=UpstreamReason.TIMEOUT
            )
        if self._breaker is None:
            return self._ask(call, expect, limits, ends_at)
        return self._breaker.call(lambda: self._ask(call, expect, limits, ends_at), is_write=call.is_write)

    def _ask(self, call: "_Call", expect: Collection[int], limits: Limits, ends_at: float) -> Answer:
        with metrics.NEIGHBOUR_SECONDS.labels(self.service, str(call)).time():
            return self._answer(call, expect, limits, ends_at)

    def _answer(self, call: "_Call", expect: Collection[int], limits: Limits, ends_at: float) -> Answer:
        answer = self._exchange(call, limits, ends_at)
        if answer.status == requests.codes.unauthorized and isinstance(self.session, WorkerSession):
            self.forget_token()
            answer = self._exchange(call, limits, ends_at)
        if answer.status not in expect:
            raise answer.failure()
        return answer

    def _exchange(self, call: "_Call", limits: Limits, ends_at: float) -> Answer:
        """Send `call` once and read the answer to its end."""
        failure: UpstreamError
        forget_reads()
        try:
            with deadline(ends_at), fresh_connection() if call.is_write else contextlib.nullcontext():
                return self._send(call, limits, ends_at)
        except NoToken as error:
            failure = self._without_token(str(error), is_refused=error.is_refused)
        except _TooLarge:
            failure = UpstreamChanged(
                f"{self.service} answered more than {self._max_body_bytes} bytes to {call}",
                service=self.service,
                reason=UpstreamReason.TOO_LARGE,
                may_have_happened=call.is_write,
            )
        except LIBRARY_ERRORS as error:
            failure = self._broken(call, error)
        # Raised here and not above, so that the library's error and the URL in it do not come along as the context.
        raise failure

    def _send(self, call: "_Call", limits: Limits, ends_at: float) -> Answer:
        left = max(0.001, ends_at - time.monotonic())
        response = self.session.request(
            call.method,
            call.url,
            params=list(call.params),
            json=call.json,
            headers=_headers(),
            timeout=(min(limits.connect_seconds, left), min(limits.read_seconds, left)),
            allow_redirects=False,
            stream=True,
        )
        with response:
            body = b"".join(self._chunks(response, ends_at))
        return Answer(
            service=self.service,
            call=str(call),
            status=response.status_code,
            headers=response.headers,
            body=body,
            is_write=call.is_write,
        )

    def _chunks(self, response: requests.Response, ends_at: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_content(_CHUNK_BYTES):
            size += len(chunk)
            if size > self._max_body_bytes:
                raise _TooLarge
            if time.monotonic() > ends_at:
                raise TimeoutError
            yield chunk

    def _without_token(self, detail: str, *, is_refused: bool) -> UpstreamError:
        kind = UpstreamRefused if is_refused else UpstreamUnavailable
        return kind(
            f"{self.service} was not asked: {detail}", service=self.service, reason=UpstreamReason.AUTHENTICATION
        )

    def _broken(self, call: "_Call", error: Exception) -> UpstreamError:
        late = is_timeout(error)
        return UpstreamUnavailable(
            f"{self.service} did not answer in time to {call}" if late else f"the connection broke during {call}",
            service=self.service,
            reason=UpstreamReason.TIMEOUT if late else UpstreamReason.CONNECTION,
            may_have_happened=call.is_write and may_have_been_sent(error),
        )


def _headers() -> dict[str, str]:
    request_id = request_ids.current()
    named = {} if request_id is None else {request_ids.HEADER: request_id}
    return {"Accept": "application/json", **named}


@attrs.frozen
class _Call:
    method: str
    path: str
    url: str
    params: Params = ()
    json: object = None
    is_write: bool = False

    def __str__(self) -> str:
        """Return the call's name for messages and logs: without identifiers."""
        return f"{self.method} {self.path}"

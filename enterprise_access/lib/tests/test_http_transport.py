"""What the transport sends, repeats, refuses and reports, with the answers scripted."""

import itertools
import traceback
from uuid import UUID

import pytest
import requests
import urllib3.exceptions
from django.core.cache import cache

from enterprise_access.lib.errors import (
    UpstreamChanged,
    UpstreamError,
    UpstreamReason,
    UpstreamRefused,
    UpstreamUnavailable,
)
from enterprise_access.lib.http import Limits, Transport, WorkerSession
from enterprise_access.lib.http.scripted import Reply, ScriptedAdapter
from enterprise_access.lib.structure import Fields, integer

OK = Reply(body=b'{"answer": 42}')
HTML = {"Content-Type": "text/html; charset=utf-8"}
LIMITS = Limits(connect_seconds=1, read_seconds=2, total_seconds=30)
ADA = "ada@acme.example"
UNKNOWN_HOST = urllib3.exceptions.MaxRetryError(
    urllib3.HTTPConnectionPool("lms.test"),
    "/x/",
    urllib3.exceptions.NewConnectionError(urllib3.connection.HTTPConnection("lms.test"), "unknown host"),
)


@pytest.fixture(autouse=True)
def _no_token_from_another_test():
    cache.clear()


class Wire:
    """A transport as our worker account; its neighbour gives `replies` one after the other, then the last again."""

    def __init__(self, *replies, token=None, limits=LIMITS, session=None):
        rest = itertools.chain(replies, itertools.repeat(replies[-1]))
        self.adapter = ScriptedAdapter(lambda _: self._next(rest), **({"token": token} if token else {}))
        self.session = session or WorkerSession("https://lms.test", "worker", "secret")
        self.session.mount("https://", self.adapter)
        self.pauses: list[float] = []
        self.transport = Transport(
            service="lms",
            base_url="https://lms.test/prefix/",
            session=self.session,
            limits=limits,
            sleep=self.pauses.append,
        )

    @staticmethod
    def _next(replies):
        reply = next(replies)
        if isinstance(reply, BaseException):
            raise reply
        return reply

    @property
    def sent(self):
        return self.adapter.sent

    @property
    def tokens(self):
        return self.adapter.token_requests

    def failure(self, *args, write=False, **kwargs):
        with pytest.raises(UpstreamError) as caught:
            (self.transport.post if write else self.transport.get)(*(args or ("/x/",)), **kwargs)
        return caught.value


# --- what is sent ---------------------------------------------------------------------------------------------------


def test_identifiers_are_percent_encoded_each_as_one_segment():
    wire = Wire(OK)
    wire.transport.get("/course/{}/of/{}/", "course-v1:edX+DemoX+2026_T1", "a/b?c#d é")
    assert wire.sent[0].url == (
        "https://lms.test/prefix/course/course-v1%3AedX%2BDemoX%2B2026_T1/of/a%2Fb%3Fc%23d%20%C3%A9/"
    )


def test_values_of_the_query_are_encoded_and_names_repeat():
    wire = Wire(OK)
    wire.transport.get("/x/", params=[("k", "edX+DemoX"), ("k", "a b&c=d"), ("page", "2")])
    assert wire.sent[0].url == "https://lms.test/prefix/x/?k=edX%2BDemoX&k=a+b%26c%3Dd&page=2"


def test_headers_and_body_of_a_write():
    wire = Wire(OK)
    wire.transport.post("/x/", json={"notify": False})
    headers = wire.sent[0].headers
    assert headers["Accept"] == "application/json"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "JWT scripted.worker.token"
    assert wire.sent[0].body == b'{"notify": false}'


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_an_identifier_that_changes_the_address_is_not_sent(segment):
    wire = Wire(OK)
    failure = wire.failure("/x/{}/", segment)
    assert (type(failure), failure.reason) == (UpstreamRefused, UpstreamReason.REFUSED_LOCALLY)
    assert wire.sent == []


def test_an_answer_is_read_into_a_value():
    answer = Wire(OK).transport.get("/x/")
    assert answer.read(lambda value: Fields(value).need("answer", integer)) == 42


def test_cookies_do_not_travel_from_one_call_to_the_next():
    wire = Wire(Reply(headers={"Content-Type": "application/json", "Set-Cookie": "sessionid=of-somebody"}))
    wire.transport.get("/x/")
    wire.transport.get("/x/")
    assert "Cookie" not in wire.sent[1].headers


# --- as whom --------------------------------------------------------------------------------------------------------


def test_one_token_serves_many_calls_and_other_sessions():
    wire = Wire(OK)
    wire.transport.get("/x/")
    wire.transport.get("/x/")
    other = Wire(OK)
    other.transport.get("/x/")
    assert (len(wire.tokens), len(other.tokens)) == (1, 0)
    assert other.sent[0].headers["Authorization"] == "JWT scripted.worker.token"


def test_the_token_request_is_the_one_that_the_lms_knows():
    wire = Wire(OK)
    wire.transport.get("/x/")
    (request,) = wire.tokens
    assert (request.method, request.url) == ("POST", "https://lms.test/oauth2/access_token")
    assert request.body == "grant_type=client_credentials&client_id=worker&client_secret=secret&token_type=jwt"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_401_drops_the_token_and_tries_once_more(write):
    tokens = iter([b"first", b"second"])
    wire = Wire(
        Reply(status=401), OK, token=lambda _: Reply(body=b'{"access_token": "%s", "expires_in": 60}' % next(tokens))
    )
    answer = (wire.transport.post if write else wire.transport.get)("/x/")
    assert answer.status == 200
    assert [request.headers["Authorization"] for request in wire.sent] == ["JWT first", "JWT second"]
    other = Wire(OK)
    other.transport.get("/x/")
    assert other.sent[0].headers["Authorization"] == "JWT second"


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_second_401_is_a_refusal(write):
    wire = Wire(Reply(status=401))
    failure = wire.failure(write=write)
    assert (type(failure), failure.reason, failure.may_have_happened) == (
        UpstreamRefused,
        UpstreamReason.AUTHENTICATION,
        False,
    )
    assert (len(wire.sent), len(wire.tokens)) == (2, 2)


def test_a_token_that_somebody_else_has_renewed_is_not_dropped():
    wire = Wire(OK, Reply(status=401), OK)
    wire.transport.get("/x/")
    other = WorkerSession("https://lms.test", "worker", "secret")
    cache.set(other._cache_key, ("renewed", 4_000_000_000.0))
    wire.transport.get("/x/")
    assert wire.sent[-1].headers["Authorization"] == "JWT renewed"
    assert len(wire.tokens) == 1


def test_an_expired_token_is_renewed_before_it_is_used():
    wire = Wire(OK, token=lambda _: Reply(body=b'{"access_token": "short", "expires_in": 4}'))
    wire.transport.get("/x/")
    wire.transport.get("/x/")
    assert len(wire.tokens) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=500, headers=HTML, body=b"<h1>Server Error</h1>"), UpstreamUnavailable),
        (Reply(status=429), UpstreamUnavailable),
        (Reply(status=302, headers={"Location": "https://elsewhere.test/"}), UpstreamUnavailable),
        (Reply(status=404, headers=HTML), UpstreamUnavailable),
        (Reply(headers=HTML, body=b"<h1>Welcome</h1>"), UpstreamUnavailable),
        (Reply(body=b"[]"), UpstreamUnavailable),
        (Reply(body=b'{"access_token": null, "expires_in": 60}'), UpstreamUnavailable),
        (Reply(body=b'{"access_token": "a\\nb", "expires_in": 60}'), UpstreamUnavailable),
        (Reply(body=b'{"access_token": "a"}'), UpstreamUnavailable),
        (Reply(body=b'{"access_token": "' + b"a" * 200_000 + b'", "expires_in": 60}'), UpstreamUnavailable),
        (Reply(status=400, body=b'{"error": "unsupported_grant_type"}'), UpstreamRefused),
        (Reply(status=401, body=b'{"error": "invalid_client"}'), UpstreamRefused),
    ],
)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_without_a_token_nothing_is_sent(reply, kind, write):
    wire = Wire(OK, token=lambda _: reply)
    failure = wire.failure(write=write)
    assert (type(failure), failure.reason, failure.may_have_happened) == (kind, UpstreamReason.AUTHENTICATION, False)
    assert wire.sent == []


@pytest.mark.parametrize("error", [requests.ReadTimeout(), requests.ConnectionError(), OSError()])
def test_a_token_endpoint_that_cannot_be_reached_is_unavailable_and_no_write_has_happened(error):
    def break_off(_):
        raise error

    failure = Wire(OK, token=break_off).failure(write=True)
    assert (type(failure), failure.reason, failure.may_have_happened) == (
        UpstreamUnavailable,
        UpstreamReason.AUTHENTICATION,
        False,
    )


def test_a_broken_cache_costs_a_token_and_nothing_else(monkeypatch):
    def break_down(*_, **__):
        raise RuntimeError("the cache is away")

    for method in ("get", "set", "delete"):
        monkeypatch.setattr(cache, method, break_down, raising=False)
    wire = Wire(Reply(status=401), OK)
    assert wire.transport.get("/x/").status == 200
    assert wire.transport.get("/x/").status == 200
    assert len(wire.tokens) == 2


def test_as_a_learner_the_learners_own_token_is_sent_over_the_same_connections():
    wire = Wire(OK)
    wire.transport.as_learner("learner.own-token").get("/x/")
    assert wire.sent[0].headers["Authorization"] == "JWT learner.own-token"
    assert wire.tokens == []


def test_a_401_to_a_learner_is_final():
    wire = Wire(Reply(status=401))
    with pytest.raises(UpstreamRefused) as caught:
        wire.transport.as_learner("learner.own-token").get("/x/")
    assert caught.value.reason is UpstreamReason.AUTHENTICATION
    assert len(wire.sent) == 1


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Admin: yes", "é", None])
def test_a_token_that_could_change_the_headers_is_not_sent(token):
    wire = Wire(OK)
    with pytest.raises(UpstreamRefused) as caught:
        wire.transport.as_learner(token)
    assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY


# --- which failure --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "kind", "reason", "write_may_have_happened"),
    [
        (Reply(status=204, headers={}, body=b""), UpstreamChanged, UpstreamReason.UNEXPECTED_STATUS, True),
        (Reply(status=301, headers={"Location": "/x"}), UpstreamChanged, UpstreamReason.UNEXPECTED_STATUS, True),
        (Reply(status=400), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (Reply(status=400, headers=HTML), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (Reply(status=403), UpstreamRefused, UpstreamReason.FORBIDDEN, False),
        (Reply(status=404), UpstreamRefused, UpstreamReason.NOT_FOUND, False),
        (Reply(status=404, headers={}, body=b""), UpstreamRefused, UpstreamReason.NOT_FOUND, False),
        (Reply(status=404, headers=HTML, body=b"<h1>Not Found</h1>"), UpstreamChanged, UpstreamReason.NOT_JSON, False),
        (Reply(status=405), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (Reply(status=406), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (Reply(status=408), UpstreamUnavailable, UpstreamReason.TIMEOUT, False),
        (Reply(status=409), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (Reply(status=422), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (Reply(status=423), UpstreamUnavailable, UpstreamReason.LOCKED, False),
        (Reply(status=429), UpstreamUnavailable, UpstreamReason.THROTTLED, False),
        (Reply(status=500, headers=HTML), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
        (Reply(status=502, headers=HTML), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
        (Reply(status=503, headers=HTML), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
        (Reply(status=504, headers=HTML), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
        (Reply(status=599), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
    ],
)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_status_that_is_not_expected_is_a_failure(reply, kind, reason, write_may_have_happened, write):
    failure = Wire(reply).failure(write=write)
    assert (type(failure), failure.reason, failure.status) == (kind, reason, reply.status)
    assert failure.may_have_happened is (write and write_may_have_happened)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(headers=HTML, body=b"<h1>Maintenance</h1>"), UpstreamReason.NOT_JSON),
        (Reply(headers={}, body=b'{"answer": 42}'), UpstreamReason.NOT_JSON),
        (Reply(body=b""), UpstreamReason.NOT_JSON),
        (Reply(body=b'{"answer": 4'), UpstreamReason.NOT_JSON),
        (Reply(body=b'{"answer": NaN}'), UpstreamReason.NOT_JSON),
        (Reply(body=b"\xff\xfe\x00"), UpstreamReason.NOT_JSON),
        (Reply(body=b'{"answer": ' + b"9" * 5000 + b"}"), UpstreamReason.NOT_JSON),
        (Reply(body=b"[" * 100_000), UpstreamReason.NOT_JSON),
        (Reply(body=b"{}"), UpstreamReason.UNKNOWN_SHAPE),
        (Reply(body=b'{"answer": null}'), UpstreamReason.UNKNOWN_SHAPE),
        (Reply(body=b'{"answer": "42"}'), UpstreamReason.UNKNOWN_SHAPE),
        (Reply(body=b"null"), UpstreamReason.UNKNOWN_SHAPE),
    ],
)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_body_that_we_do_not_know_means_that_the_neighbour_changed(reply, reason, write):
    wire = Wire(reply)
    answer = (wire.transport.post if write else wire.transport.get)("/x/")
    with pytest.raises(UpstreamChanged) as caught:
        answer.read(lambda value: Fields(value).need("answer", integer))
    assert (caught.value.reason, caught.value.may_have_happened) == (reason, write)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_known_by_its_media_type(content_type):
    assert Wire(Reply(headers={"content-type": content_type})).transport.get("/x/").json() == {}


@pytest.mark.parametrize(
    ("error", "reason", "write_may_have_happened"),
    [
        (requests.ReadTimeout(), UpstreamReason.TIMEOUT, True),
        (requests.ConnectTimeout(), UpstreamReason.TIMEOUT, False),
        (requests.ConnectionError(urllib3.exceptions.ProtocolError("dropped")), UpstreamReason.CONNECTION, True),
        (requests.ConnectionError(UNKNOWN_HOST), UpstreamReason.CONNECTION, False),
        (requests.exceptions.ProxyError(), UpstreamReason.CONNECTION, False),
        (requests.exceptions.ChunkedEncodingError(), UpstreamReason.CONNECTION, True),
        (requests.exceptions.ContentDecodingError(), UpstreamReason.CONNECTION, True),
        (requests.exceptions.InvalidURL(), UpstreamReason.CONNECTION, True),
        (urllib3.exceptions.HTTPError(), UpstreamReason.CONNECTION, True),
        (TimeoutError(), UpstreamReason.TIMEOUT, True),
        (OSError(), UpstreamReason.CONNECTION, True),
        (UnicodeError(), UpstreamReason.CONNECTION, True),
    ],
)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_no_error_of_a_library_leaks(error, reason, write_may_have_happened, write):
    failure = Wire(error).failure(write=write)
    assert (type(failure), failure.reason) == (UpstreamUnavailable, reason)
    assert failure.may_have_happened is (write and write_may_have_happened)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=400, body=f'{{"detail": "{ADA}"}}'.encode()),
        Reply(status=500, body=ADA.encode()),
        Reply(body=ADA.encode()),
        requests.ConnectionError(f"Max retries exceeded with url: /x/?user_email={ADA}"),
    ],
)
def test_what_is_said_about_a_failure_contains_nobodys_data(reply):
    wire = Wire(reply)
    with pytest.raises(UpstreamError) as caught:
        wire.transport.get("/of/{}/", ADA, params=[("user_email", ADA)]).json()
    assert ADA not in "".join(traceback.format_exception(caught.value)) + repr(caught.value.extra)
    assert caught.value.__context__ is None


# --- how often ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=502),
        Reply(status=503),
        Reply(status=504),
        Reply(status=429, headers={"Retry-After": "2"}),
        Reply(status=429),
        requests.ConnectionError(),
    ],
)
def test_a_read_is_tried_three_times_and_a_write_once(reply):
    wire = Wire(reply)
    wire.failure()
    assert (len(wire.sent), len(wire.pauses)) == (3, 2)
    wire = Wire(reply)
    wire.failure(write=True)
    assert (len(wire.sent), len(wire.pauses)) == (1, 0)


@pytest.mark.parametrize(
    "reply",
    [Reply(status=500), Reply(status=404), Reply(status=403), Reply(status=423), requests.ReadTimeout()],
)
def test_what_a_repetition_would_not_mend_is_not_repeated(reply):
    wire = Wire(reply)
    wire.failure()
    assert (len(wire.sent), wire.pauses) == (1, [])


def test_a_read_succeeds_at_the_second_try():
    wire = Wire(Reply(status=503), OK)
    assert wire.transport.get("/x/").status == 200


def test_a_question_that_is_posted_is_repeated_like_a_read():
    wire = Wire(Reply(status=503), OK)
    assert wire.transport.read_by_post("/x/", json={}).status == 200


def test_the_pause_that_the_neighbour_names_is_kept():
    wire = Wire(Reply(status=429, headers={"Retry-After": "3"}), OK)
    wire.transport.get("/x/")
    (pause,) = wire.pauses
    assert 3 < pause < 3.5


@pytest.mark.parametrize("retry_after", ["60", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_pause_beyond_the_budget_is_reported_instead_of_waited_for(retry_after):
    wire = Wire(Reply(status=429, headers={"Retry-After": retry_after}))
    failure = wire.failure()
    assert (len(wire.sent), wire.pauses) == (1, [])
    assert failure.retry_after_seconds >= 60


@pytest.mark.parametrize("retry_after", ["", "soon", "-5", "1e9", "٣", "9" * 400, "Wed, 99 Oct 2099 07:28:00 GMT"])
def test_a_pause_that_makes_no_sense_is_ignored(retry_after):
    failure = Wire(Reply(status=429, headers={"Retry-After": retry_after.encode().decode("latin-1")})).failure()
    assert failure.retry_after_seconds is None


def test_a_smaller_budget_allows_fewer_repetitions():
    smaller = Limits(connect_seconds=1, read_seconds=2, total_seconds=2)
    wire = Wire(Reply(status=429, headers={"Retry-After": "3"}), limits=smaller)
    with pytest.raises(UpstreamUnavailable):
        wire.transport.get("/x/")
    assert len(wire.sent) == 1


def test_uuids_are_sent_in_their_one_spelling():
    wire = Wire(OK)
    wire.transport.get("/x/{}/", UUID("7AE10000-0000-4000-8000-000000000001"))
    assert wire.sent[0].url.endswith("/x/7ae10000-0000-4000-8000-000000000001/")

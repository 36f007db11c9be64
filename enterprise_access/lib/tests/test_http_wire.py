"""The transport against real connections: every way in which a neighbour can be slow, broken or malicious."""

import socket
import threading
import time

import pytest
from attrs import evolve

from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.http import DeadlineAdapter, LearnerSession, Limits, Transport, WorkerSession
from enterprise_access.lib.tests.servers import has_request, serving
from tests.tally import Tally

pytestmark = pytest.mark.faults

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LIMITS = Limits(connect_seconds=0.5, read_seconds=0.3, total_seconds=0.8, retries=0)


@pytest.fixture(autouse=True)
def _counted(tally: Tally) -> None:
    tally.of("test-faults").add(broken_conversations=1)


def transport_to(base_url, **changes):
    session = LearnerSession("learner.own.token")
    session.mount("http://", DeadlineAdapter())
    return Transport(**{"service": "lms", "base_url": base_url, "session": session, "limits": LIMITS} | changes)


def failure_of(talk, *, write=False, **changes):
    """Return the failure of one call, having checked that it came in bounded time."""
    with serving(talk) as base_url:
        transport = transport_to(base_url, **changes)
        started = time.monotonic()
        with pytest.raises(UpstreamError) as caught:
            (transport.post if write else transport.get)("/x/")
        assert time.monotonic() - started < 2
        transport.session.close()
    return caught.value


def says(*parts, pause=0.0):
    def talk(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return talk


def drips(head, *, forever):
    """Send `head` at once, then one byte every 50 ms: never silent for long enough to notice."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            connection.sendall(forever)
            time.sleep(0.05)

    return talk


def hangs(connection: socket.socket) -> None:
    connection.settimeout(3)
    connection.recv(1)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def test_an_answer_comes_back_whole():
    with serving(says(HEAD + b"Content-Length: 8\r\n\r\n", b'{"a"', b": 1}", pause=0.01)) as base_url:
        assert transport_to(base_url).get("/x/").json() == {"a": 1}


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        pytest.param(hangs, UpstreamReason.TIMEOUT, id="silent"),
        pytest.param(drips(b"", forever=b"H"), UpstreamReason.TIMEOUT, id="status line drips"),
        pytest.param(drips(HEAD, forever=b"X"), UpstreamReason.TIMEOUT, id="head drips"),
        pytest.param(
            drips(HEAD + b"Content-Length: 1000\r\n\r\n", forever=b" "), UpstreamReason.TIMEOUT, id="body drips"
        ),
        pytest.param(
            drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", forever=b"1\r\n \r\n"),
            UpstreamReason.TIMEOUT,
            id="chunks drip",
        ),
        pytest.param(drips(HEAD + b"\r\n", forever=b" "), UpstreamReason.TIMEOUT, id="body without length drips"),
        pytest.param(says(HEAD + b"Content-Length: 100\r\n\r\n", b"{}"), UpstreamReason.CONNECTION, id="body cut off"),
        pytest.param(
            says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"), UpstreamReason.CONNECTION, id="chunk cut off"
        ),
        pytest.param(
            says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), UpstreamReason.CONNECTION, id="chunk garbage"
        ),
        pytest.param(says(b""), UpstreamReason.CONNECTION, id="closed without a word"),
        pytest.param(resets, UpstreamReason.CONNECTION, id="reset"),
        pytest.param(says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), UpstreamReason.CONNECTION, id="not HTTP"),
        pytest.param(says(b"HTTP/1.1 abc OK\r\n\r\n"), UpstreamReason.CONNECTION, id="status is no number"),
        pytest.param(
            says(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
            UpstreamReason.CONNECTION,
            id="two lengths",
        ),
        pytest.param(
            says(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
            UpstreamReason.CONNECTION,
            id="not gzip",
        ),
    ],
)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_broken_conversation_is_unavailable_and_a_write_may_have_happened(talk, reason, write):
    failure = failure_of(talk, write=write)
    assert (type(failure), failure.reason, failure.may_have_happened) == (UpstreamUnavailable, reason, write)
    assert failure.__cause__ is None
    assert failure.__context__ is None


def test_an_endless_head_is_unavailable():
    assert failure_of(says(HEAD + b"X: " + b"y" * 100_000)).reason is UpstreamReason.CONNECTION


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_a_huge_body_is_not_read_to_its_end(write):
    sent = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 100_000)
        sent.set()

    failure = failure_of(talk, write=write, max_body_bytes=1_000_000)
    assert (type(failure), failure.reason, failure.may_have_happened) == (
        UpstreamChanged,
        UpstreamReason.TOO_LARGE,
        write,
    )
    assert not sent.is_set()


def test_nobody_listening_is_unavailable_and_a_write_has_not_happened():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UpstreamUnavailable) as caught:
        transport_to(f"http://127.0.0.1:{port}").post("/x/")
    assert (caught.value.reason, caught.value.may_have_happened) == (UpstreamReason.CONNECTION, False)


def test_a_redirect_is_not_followed_and_its_body_is_not_trusted():
    head = b"HTTP/1.1 301 Moved\r\nLocation: http://[broken\r\nContent-Length: 0\r\n\r\n"
    failure = failure_of(says(head))
    assert (type(failure), failure.reason) == (UpstreamChanged, UpstreamReason.UNEXPECTED_STATUS)


def test_a_connection_serves_the_next_call_after_a_deadline_of_the_last():
    answer = HEAD + b"Content-Length: 2\r\n\r\n{}"

    def talk(connection: socket.socket) -> None:
        connection.sendall(answer)
        if has_request(connection):
            connection.sendall(answer)

    with serving(talk) as base_url:
        transport = transport_to(base_url, limits=evolve(LIMITS, total_seconds=0.2))
        assert transport.get("/x/").json() == {}
        transport.limits = LIMITS
        time.sleep(0.25)
        assert transport.get("/x/").json() == {}
        transport.session.close()


def test_a_write_never_starts_on_a_connection_that_the_neighbour_may_be_about_to_close():
    answer = HEAD + b"Content-Length: 2\r\n\r\n{}"

    def talk(connection: socket.socket) -> None:
        connection.sendall(answer)
        # Closes the kept connection in the very moment in which it is used again.
        has_request(connection)

    with serving(talk) as base_url:
        transport = transport_to(base_url)
        for _ in range(2):
            assert transport.get("/x/").json() == {}
            assert transport.post("/x/").json() == {}
            transport.session.close()


def test_a_read_is_repeated_when_the_connection_breaks():
    calls = []

    def talk(connection: socket.socket) -> None:
        calls.append(1)
        if len(calls) == 3:
            connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    pauses: list[float] = []
    limits = Limits(connect_seconds=0.5, read_seconds=0.5, total_seconds=5, retries=2)
    with serving(talk) as base_url:
        assert transport_to(base_url, limits=limits, sleep=pauses.append).get("/x/").json() == {}
    assert len(pauses) == 2


def test_a_token_endpoint_that_drips_does_not_hold_the_call():
    with serving(drips(HEAD + b"Content-Length: 1000\r\n\r\n", forever=b" ")) as base_url:
        session = WorkerSession(base_url, "worker", "secret", timeout=(0.5, 0.3))
        transport = transport_to(base_url, session=session)
        session.mount("http://", DeadlineAdapter())
        started = time.monotonic()
        with pytest.raises(UpstreamUnavailable) as caught:
            transport.post("/x/")
        assert time.monotonic() - started < 2
        session.close()
    assert (caught.value.reason, caught.value.may_have_happened) == (UpstreamReason.AUTHENTICATION, False)

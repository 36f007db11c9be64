"""Every fault of the simulator against every way of sending, and against every method where that makes a difference:
the right failure for the right reason, in time.

Never another exception, never "there is none" instead of a failure, and a write that may have happened says so. What
comes over the wire byte by byte is in lib/tests/test_http_wire.py, and what a single changed member of an answer costs
in upstream/tests/test_faults.py.
"""

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from enterprise_access.lib.errors import (
    UpstreamChanged,
    UpstreamError,
    UpstreamReason,
    UpstreamRefused,
    UpstreamUnavailable,
)
from enterprise_access.lib.http import transport
from enterprise_access.lib.http.deadline import earliest
from simulator.app import Simulator
from simulator.faults import FaultKind
from simulator.in_process import SimulatorAdapter
from tests.contracts.calls import (
    CALLS,
    ENROLL_READ_SECONDS,
    LIMITS,
    MAX_BODY_BYTES,
    PATIENT,
    PREFIXES,
    SENT,
    Call,
    client_of,
    make,
    session_over,
)
from tests.tally import Tally

pytestmark = pytest.mark.faults

NO_ANSWER_SECONDS = 60


@pytest.fixture(autouse=True)
def _counted(tally: Tally) -> None:
    tally.of("test-faults").add(faults_at_clients=1)


@attrs.frozen
class Fault:
    """What goes wrong, and the failure that it is; `may_have_happened` is about writes."""

    kind: FaultKind
    failure: type[UpstreamError]
    reason: UpstreamReason
    may_have_happened: bool
    about: dict[str, Any] = attrs.field(factory=dict)


def unavailable(kind: FaultKind, reason: UpstreamReason, *, maybe: bool, **about: Any) -> Fault:
    return Fault(kind, UpstreamUnavailable, reason, maybe, about)


def refused(reason: UpstreamReason, status: int, body: str | None = '{"detail": "No."}') -> Fault:
    return Fault(FaultKind.STATUS, UpstreamRefused, reason, False, {"status": status, "body": body})


def changed(kind: FaultKind, reason: UpstreamReason, *, maybe: bool = True, **about: Any) -> Fault:
    return Fault(kind, UpstreamChanged, reason, maybe, about)


def answered(
    status: int, *, reason: UpstreamReason = UpstreamReason.SERVER_ERROR, maybe: bool = True, body: str | None = None
) -> Fault:
    return unavailable(FaultKind.STATUS, reason, maybe=maybe, status=status, body=body)


FAULTS = {
    "late, before the work": unavailable(
        FaultKind.DELAY_BEFORE, UpstreamReason.TIMEOUT, maybe=True, seconds=NO_ANSWER_SECONDS
    ),
    "late, after the work": unavailable(
        FaultKind.DELAY_AFTER, UpstreamReason.TIMEOUT, maybe=True, seconds=NO_ANSWER_SECONDS
    ),
    "hangs": unavailable(FaultKind.HANG, UpstreamReason.TIMEOUT, maybe=True),
    "drips": unavailable(FaultKind.SLOW_DRIP, UpstreamReason.TIMEOUT, maybe=True, seconds=1.5),
    "breaks before the work": unavailable(FaultKind.UNREACHABLE, UpstreamReason.CONNECTION, maybe=True),
    "breaks after the work": unavailable(FaultKind.DROP, UpstreamReason.CONNECTION, maybe=True),
    "breaks in the body": unavailable(FaultKind.CUT_OFF, UpstreamReason.CONNECTION, maybe=True),
    "500 html": answered(500),
    "500 json": answered(500, body='{"detail": "Oops."}'),
    "502 html": answered(502),
    "503 html": answered(503),
    "503 json": answered(503, body='{"detail": "Later."}'),
    "504 html": answered(504),
    "423": unavailable(FaultKind.STATUS, UpstreamReason.LOCKED, maybe=False, status=423, body='"Locked."'),
    "429": unavailable(FaultKind.THROTTLED, UpstreamReason.THROTTLED, maybe=False, seconds=NO_ANSWER_SECONDS),
    "429 html": unavailable(FaultKind.STATUS, UpstreamReason.THROTTLED, maybe=False, status=429),
    "400 html": refused(UpstreamReason.BAD_REQUEST, 400, body=None),
    "400 json": refused(UpstreamReason.BAD_REQUEST, 400, body='{"field": ["No."]}'),
    "401": Fault(FaultKind.UNAUTHORIZED, UpstreamRefused, UpstreamReason.AUTHENTICATION, False),
    "403 html": refused(UpstreamReason.FORBIDDEN, 403, body=None),
    "403 json": refused(UpstreamReason.FORBIDDEN, 403),
    "404 without a word": refused(UpstreamReason.NOT_FOUND, 404, body="{}"),
    "404 html": changed(FaultKind.STATUS, UpstreamReason.NOT_JSON, maybe=False, status=404),
    "410": refused(UpstreamReason.NOT_FOUND, 410),
    "422": refused(UpstreamReason.BAD_REQUEST, 422, body='"No."'),
    "302": changed(FaultKind.STATUS, UpstreamReason.UNEXPECTED_STATUS, status=302),
    "204": changed(FaultKind.STATUS, UpstreamReason.UNEXPECTED_STATUS, status=204, body=""),
    "html": changed(FaultKind.HTML, UpstreamReason.NOT_JSON),
    "malformed": changed(FaultKind.MALFORMED_JSON, UpstreamReason.NOT_JSON),
    "truncated": changed(FaultKind.TRUNCATED_JSON, UpstreamReason.NOT_JSON),
    "keys missing": changed(FaultKind.MISSING_KEYS, UpstreamReason.UNKNOWN_SHAPE),
    "keys null": changed(FaultKind.NULL_KEYS, UpstreamReason.UNKNOWN_SHAPE),
    "huge": changed(FaultKind.HUGE, UpstreamReason.TOO_LARGE, size_bytes=2 * MAX_BODY_BYTES),
}
# The same for a call or for a moment only: what is then made of it by a read, and by a write.
PASSING: dict[str, tuple[FaultKind, dict[str, Any], UpstreamReason | None]] = {
    "a little late": (FaultKind.DELAY_BEFORE, {"seconds": 1}, None),
    "a little late, after the work": (FaultKind.DELAY_AFTER, {"seconds": 1}, None),
    "drips, but is done in time": (FaultKind.SLOW_DRIP, {"seconds": 0.2}, None),
    "large, but not too large": (FaultKind.HUGE, {"size_bytes": MAX_BODY_BYTES // 2}, None),
    "breaks once before the work": (FaultKind.UNREACHABLE, {}, UpstreamReason.CONNECTION),
    "breaks once after the work": (FaultKind.DROP, {}, UpstreamReason.CONNECTION),
    "breaks once in the body": (FaultKind.CUT_OFF, {}, UpstreamReason.CONNECTION),
    "502 once": (FaultKind.STATUS, {"status": 502}, UpstreamReason.SERVER_ERROR),
    "503 once": (FaultKind.STATUS, {"status": 503}, UpstreamReason.SERVER_ERROR),
    "429 once, for a second": (FaultKind.THROTTLED, {"seconds": 1}, UpstreamReason.THROTTLED),
}
# With another status than the one that a bulk enrollment has, its content is not even looked at.
ENROLL_REASONS = {"html": UpstreamReason.UNEXPECTED_STATUS}

# Lists of rows and nothing around them: a member that is missing in every row leaves every row unreadable.
WITHOUT_ENVELOPE = {"LmsClient.list_portal_enrollments"}
# The status says it all; nothing in the answer is needed.
ONLY_STATUS = {"LmsCreator.make_admin"}

# What a method itself makes something of: the status that it expects, and the content that it reads. All other faults
# end in the transport, which knows of a call only how it is sent (`Call.sending`).
READ_BY_METHODS = {"keys missing", "keys null", "html", "404 without a word", "404 html", "400 json"}

each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
each_way_of_sending = pytest.mark.parametrize("call", SENT, ids=lambda call: call.name)


class Clock:
    """Stands still but for what the simulator lets wait and what the client pauses."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def monotonic(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds

    def wait_for_bytes(self, seconds: float) -> None:
        """Wait as connections do that know the deadline of their call (`DeadlineAdapter`): not longer than that."""
        ends_at = earliest(math.inf)
        self.at += seconds
        if self.at > ends_at:
            self.at = ends_at
            raise TimeoutError

    @property
    def elapsed_seconds(self) -> float:
        return self.at - 1_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, adapter: SimulatorAdapter) -> Clock:
    clock = Clock()
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=clock.monotonic, sleep=clock.pause))
    adapter.on_wait = clock.wait_for_bytes
    return clock


@pytest.fixture
def send(adapter: SimulatorAdapter, neighbours: Simulator, clock: Clock) -> Callable[[Call], Any]:
    """Return a function that makes a call and looks whether it ended in time."""
    session = session_over(adapter)

    def make_in_time(call: Call) -> Any:
        try:
            return make(call, client_of(call.client, session, sleep=clock.pause), neighbours)
        finally:
            read_seconds = ENROLL_READ_SECONDS if call.method in PATIENT else LIMITS.read_seconds
            total_seconds = read_seconds + LIMITS.connect_seconds if call.method in PATIENT else LIMITS.total_seconds
            assert clock.elapsed_seconds <= total_seconds

    return make_in_time


def failure_of(send: Callable[[Call], Any], call: Call) -> UpstreamError:
    """Return the failure of a call; any other exception, and any value, fails the test."""
    with pytest.raises(UpstreamError) as caught:
        send(call)
    failure = caught.value
    # The libraries' errors quote addresses, and those contain names.
    assert (failure.__cause__, failure.__context__) == (None, None)
    return failure


def calls_of(neighbours: Simulator, call: Call, since: int) -> int:
    return len(neighbours.world.journal.calls(endpoint=call.endpoint, since=since))


TRIED = [(call, name) for name in FAULTS for call in (CALLS if name in READ_BY_METHODS else SENT)]


@pytest.mark.parametrize(("call", "name"), TRIED, ids=lambda part: getattr(part, "name", part))
def test_a_fault_has_its_kind_and_its_reason_in_time(
    call: Call, name: str, neighbours: Simulator, send: Callable[[Call], Any]
) -> None:
    fault, world = FAULTS[name], neighbours.world
    about = fault.about | ({"keys": call.needed} if "keys" in name else {})
    neighbours.faults.add(fault.kind, call.endpoint, times=None, **about)
    since = world.journal.next_number()
    if "keys" in name and call.name in WITHOUT_ENVELOPE:
        found = send(call)
        assert (len(found), bool(found.unreadable)) == (0, True)
        return
    if "keys" in name and call.name in ONLY_STATUS:
        assert send(call) is True
        return
    failure = failure_of(send, call)
    expected = ENROLL_REASONS.get(name, fault.reason) if call.method == "enroll" else fault.reason
    assert (type(failure), failure.reason) == (fault.failure, expected)
    assert failure.may_have_happened is (call.is_write and fault.may_have_happened)
    if call.is_write:
        # Never repeated, but for the 401 that our worker account answers with another token.
        assert calls_of(neighbours, call, since) == (2 if name == "401" and call.learner is None else 1)
        neighbours.faults.finish_late_work()
        has_happened = bool(world.journal.changes(since=since))
        assert failure.may_have_happened or not has_happened


@each_way_of_sending
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_not_noticed_by_reads_and_not_repeated_by_writes(
    call: Call, name: str, neighbours: Simulator, send: Callable[[Call], Any]
) -> None:
    kind, about, reason = PASSING[name]
    neighbours.faults.add(kind, call.endpoint, times=1, **about)
    since = neighbours.world.journal.next_number()
    if call.is_write and reason is not None:
        assert failure_of(send, call).reason is reason
        assert calls_of(neighbours, call, since) == 1
    else:
        assert send(call) not in (None, (), frozenset(), False)
        assert calls_of(neighbours, call, since) == (1 if reason is None else 2)


@each_way_of_sending
def test_a_401_is_answered_once_with_another_token_and_never_for_a_learner(
    call: Call, neighbours: Simulator, send: Callable[[Call], Any]
) -> None:
    neighbours.faults.add(FaultKind.UNAUTHORIZED, call.endpoint, times=1)
    if call.learner is not None:
        assert failure_of(send, call).reason is UpstreamReason.AUTHENTICATION
    else:
        assert send(call) not in (None, (), frozenset(), False)


# --- the endpoint that gives out tokens -------------------------------------------------------------------------------

TOKEN_FAULTS: dict[str, tuple[FaultKind, dict[str, Any], type[UpstreamError]]] = {
    "hangs": (FaultKind.HANG, {}, UpstreamUnavailable),
    "breaks": (FaultKind.DROP, {}, UpstreamUnavailable),
    "drips": (FaultKind.SLOW_DRIP, {"seconds": 1.5}, UpstreamUnavailable),
    "500": (FaultKind.STATUS, {"status": 500}, UpstreamUnavailable),
    "html": (FaultKind.HTML, {}, UpstreamUnavailable),
    "truncated": (FaultKind.TRUNCATED_JSON, {}, UpstreamUnavailable),
    "keys missing": (FaultKind.MISSING_KEYS, {"keys": ("access_token",)}, UpstreamUnavailable),
    "keys null": (FaultKind.NULL_KEYS, {"keys": ("expires_in",)}, UpstreamUnavailable),
    "throttled": (FaultKind.THROTTLED, {"seconds": 1}, UpstreamUnavailable),
    "401": (FaultKind.UNAUTHORIZED, {}, UpstreamRefused),
}


@pytest.mark.parametrize("call", [call for call in SENT if call.learner is None], ids=lambda call: call.name)
@pytest.mark.parametrize("name", TOKEN_FAULTS)
def test_without_a_token_nothing_was_asked(
    call: Call, name: str, neighbours: Simulator, send: Callable[[Call], Any]
) -> None:
    kind, about, failure_kind = TOKEN_FAULTS[name]
    neighbours.faults.add(kind, "lms.access_token", times=None, **about)
    since = neighbours.world.journal.next_number()
    failure = failure_of(send, call)
    assert (type(failure), failure.reason) == (failure_kind, UpstreamReason.AUTHENTICATION)
    assert failure.may_have_happened is False
    assert calls_of(neighbours, call, since) == 0


# --- the table is whole -----------------------------------------------------------------------------------------------


def test_every_kind_of_fault_that_the_simulator_knows_is_in_the_table():
    # What one odd row does: tests/faults/test_bulk.py.
    assert {fault.kind for fault in FAULTS.values()} == set(FaultKind) - {FaultKind.ODD_ROW}


# What the bar asks for, by the rows that are it.
ASKED_FOR = {
    "timeout": {"late, before the work", "late, after the work"},
    "hang": {"hangs"},
    "500 html": {"500 html"},
    "502": {"502 html"},
    "429": {"429"},
    "malformed JSON": {"malformed", "truncated"},
    "missing keys": {"keys missing"},
    "nulls": {"keys null"},
    "huge": {"huge"},
    "slow drip": {"drips"},
}


def test_every_fault_that_is_asked_for_is_tried_at_every_way_of_sending(tally: Tally) -> None:
    """That every method of every client has a call is held by test_clients_and_simulator.py; a 401 that passes has a
    test of its own above."""
    assert {name for names in ASKED_FOR.values() for name in names} <= FAULTS.keys()
    assert {(call.sending, name) for call, name in TRIED} == {(call.sending, name) for call in CALLS for name in FAULTS}
    assert {call for call, name in TRIED if name in READ_BY_METHODS} == set(CALLS)
    tally.add(
        endpoints=len({call.endpoint for call in CALLS}), neighbours=len({PREFIXES[call.client] for call in CALLS})
    )


@each_call
def test_every_call_is_sent_to_its_endpoint_in_the_way_that_its_faults_are_tried_in(
    call: Call, neighbours: Simulator, send: Callable[[Call], Any]
) -> None:
    since = neighbours.world.journal.next_number()
    send(call)
    seen = neighbours.world.journal.calls(endpoint=call.endpoint, since=since)
    assert {each.method for each in seen} == {call.sending[0]}
    has_changed = bool(neighbours.world.journal.changes(since=since))
    assert call.is_write is (has_changed and call.sending[0] in {"POST", "PATCH"})

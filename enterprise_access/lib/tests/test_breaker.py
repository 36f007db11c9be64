"""The circuit breaker: what opens it, what it lets through, and what it tells."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import override_settings
from prometheus_client import REGISTRY

from enterprise_access.lib import breaker as breakers
from enterprise_access.lib.breaker import Breaker, CircuitState, breaker_of, neighbour_states
from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.lib.tests.test_caching import BROKEN

LIMIT, PAUSE = 3, 10


def unavailable(reason=UpstreamReason.TIMEOUT, status=None):
    return UpstreamUnavailable("away", service="lms", reason=reason, status=status)


def refused(reason=UpstreamReason.BAD_REQUEST, status=400):
    return UpstreamRefused("no", service="lms", reason=reason, status=status)


class Neighbour:
    """A breaker, and behind it what its neighbour does: answers, or raises `failure`."""

    def __init__(self, service="lms", **about):
        self.told: list[CircuitState] = []
        self.breaker = Breaker(
            service, failures=LIMIT, pause_seconds=PAUSE, report=lambda said: self.told.append(said.state), **about
        )
        self.failure: BaseException | None = None
        self.asked = 0

    def send(self):
        self.asked += 1
        if self.failure:
            raise self.failure
        return "answer"

    def fail_now(self):
        raise unavailable()

    def ask(self, *, is_write=False):
        """Return the answer, or why there was none."""
        try:
            return self.breaker.call(self.send, is_write=is_write)
        except (UpstreamUnavailable, UpstreamRefused, UpstreamChanged) as error:
            return error.reason

    def fail(self, failure=None, times=LIMIT, **about):
        self.failure = failure or unavailable()
        reasons = [self.ask(**about) for _ in range(times)]
        self.failure = None
        return reasons

    @property
    def state(self) -> str:
        return str(self.breaker.state.state)


@pytest.fixture
def neighbour():
    return Neighbour()


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_answers_go_through(neighbour):
    assert [neighbour.ask() for _ in range(10)] == ["answer"] * 10
    assert (neighbour.state, neighbour.told) == (CircuitState.CLOSED, [])


OPENING = {
    "time-out": unavailable(UpstreamReason.TIMEOUT),
    "connection": unavailable(UpstreamReason.CONNECTION),
    "no token to be had": unavailable(UpstreamReason.AUTHENTICATION),
    "500": unavailable(UpstreamReason.SERVER_ERROR, 500),
    "502": unavailable(UpstreamReason.SERVER_ERROR, 502),
}


@pytest.mark.parametrize("failure", OPENING)
def test_who_is_not_there_several_times_in_a_row_is_left_alone(neighbour, failure):
    neighbour.fail(OPENING[failure])
    assert neighbour.state == CircuitState.OPEN
    assert [neighbour.ask() for _ in range(100)] == [UpstreamReason.CIRCUIT_OPEN] * 100
    assert neighbour.asked == LIMIT


SOMEBODY_THERE = {
    "400": refused(),
    "403": refused(UpstreamReason.FORBIDDEN, 403),
    "429": unavailable(UpstreamReason.THROTTLED, 429),
    "423": unavailable(UpstreamReason.LOCKED, 423),
    "408": unavailable(UpstreamReason.TIMEOUT, 408),
    "425": unavailable(UpstreamReason.SERVER_ERROR, 425),
    "nonsense": UpstreamChanged("?", service="lms", reason=UpstreamReason.NOT_JSON, status=200),
    "too much": UpstreamChanged("?", service="lms", reason=UpstreamReason.TOO_LARGE),
}


@pytest.mark.parametrize("failure", SOMEBODY_THERE)
def test_who_refuses_or_answers_nonsense_is_there(neighbour, failure):
    neighbour.fail(SOMEBODY_THERE[failure], times=10 * LIMIT)
    assert neighbour.state == CircuitState.CLOSED
    neighbour.fail(times=LIMIT - 1)
    neighbour.fail(SOMEBODY_THERE[failure], times=1)
    neighbour.fail(times=LIMIT - 1)
    assert neighbour.state == CircuitState.CLOSED


INCONCLUSIVE = {
    "500 to a write": (unavailable(UpstreamReason.SERVER_ERROR, 500), True),
    "refused credentials": (refused(UpstreamReason.AUTHENTICATION, None), False),
}


@pytest.mark.parametrize("failure", INCONCLUSIVE)
def test_what_does_not_tell_changes_nothing(neighbour, failure, clock):
    """A bulk enrollment with one bad item is a 500, and is looked for by asking again in halves."""
    error, is_write = INCONCLUSIVE[failure]
    neighbour.fail(error, times=10 * LIMIT, is_write=is_write)
    assert neighbour.state == CircuitState.CLOSED
    neighbour.fail(times=LIMIT - 1)
    neighbour.fail(error, times=1, is_write=is_write)
    neighbour.fail(times=1)
    assert neighbour.state == CircuitState.OPEN
    clock.shift(PAUSE)
    neighbour.fail(error, times=1, is_write=is_write)
    assert neighbour.state == CircuitState.OPEN
    assert neighbour.ask() == "answer", "whoever comes next may try instead"


def test_a_502_to_a_write_counts(neighbour):
    neighbour.fail(unavailable(UpstreamReason.SERVER_ERROR, 502), is_write=True)
    assert neighbour.state == CircuitState.OPEN


def test_failures_count_only_in_a_row(neighbour):
    for _ in range(5):
        neighbour.fail(times=LIMIT - 1)
        assert neighbour.ask() == "answer"
    assert neighbour.state == CircuitState.CLOSED


def test_a_refused_call_says_how_long_to_wait(neighbour, clock):
    neighbour.fail()
    clock.shift(4)
    with pytest.raises(UpstreamUnavailable) as caught:
        neighbour.breaker.call(neighbour.send)
    assert (caught.value.service, caught.value.retry_after_seconds) == ("lms", PAUSE - 4)
    assert not caught.value.may_have_happened


def test_after_the_pause_an_answer_closes(neighbour, clock):
    neighbour.fail()
    clock.shift(PAUSE - 1)
    assert neighbour.ask() == UpstreamReason.CIRCUIT_OPEN
    clock.shift(1)
    assert neighbour.ask() == "answer"
    assert neighbour.told == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]
    neighbour.fail(times=LIMIT - 1)
    assert neighbour.state == CircuitState.CLOSED


def test_after_the_pause_one_more_failure_is_another_pause(neighbour, clock):
    neighbour.fail()
    clock.shift(PAUSE)
    assert neighbour.fail(times=2) == [UpstreamReason.TIMEOUT, UpstreamReason.CIRCUIT_OPEN]
    clock.shift(PAUSE - 1)
    assert neighbour.ask() == UpstreamReason.CIRCUIT_OPEN
    clock.shift(1)
    assert neighbour.ask() == "answer"


def test_a_clock_that_was_set_back_does_not_prolong_the_pause(neighbour, clock):
    neighbour.fail()
    clock.shift(-86_400)
    assert neighbour.ask() == "answer"


def test_one_call_at_a_time_is_let_through_to_see(neighbour, clock):
    neighbour.fail()
    clock.shift(PAUSE)
    is_trying, may_end = threading.Event(), threading.Event()

    def slowly():
        is_trying.set()
        may_end.wait(10)
        return "answer"

    with ThreadPoolExecutor(1) as pool:
        probe = pool.submit(neighbour.breaker.call, slowly)
        is_trying.wait(10)
        assert neighbour.state == CircuitState.HALF_OPEN
        assert neighbour.breaker.is_open
        assert [neighbour.ask() for _ in range(20)] == [UpstreamReason.CIRCUIT_OPEN] * 20
        may_end.set()
        assert probe.result() == "answer"
    assert neighbour.state == CircuitState.CLOSED


def test_it_is_open_for_as_long_as_nothing_is_sent(neighbour, clock):
    assert not neighbour.breaker.is_open
    neighbour.fail()
    clock.shift(PAUSE - 1)
    assert neighbour.breaker.is_open
    clock.shift(1)
    assert not neighbour.breaker.is_open
    neighbour.ask()
    assert not neighbour.breaker.is_open


def test_a_probe_that_crashes_lets_the_next_one_try(neighbour, clock):
    neighbour.fail()
    clock.shift(PAUSE)
    neighbour.failure = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        neighbour.ask()
    neighbour.failure = None
    assert neighbour.ask() == "answer"


def test_calls_do_not_wait_for_each_other(neighbour):
    """Unlike those of pybreaker, which hold its lock as long as the neighbour takes."""
    barrier = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(neighbour.breaker.call, lambda: barrier.wait(10)) for _ in range(8)]
        assert sorted(call.result() for call in calls) == list(range(8))


def test_an_answer_that_was_under_way_closes_too(neighbour):
    may_end = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(neighbour.breaker.call, lambda: may_end.wait(10))
        neighbour.fail()
        assert neighbour.state == CircuitState.OPEN
        may_end.set()
        call.result()
    assert neighbour.ask() == "answer"


# --- what people see ----------------------------------------------------------------------------------------------


def metric(name, **labels):
    return REGISTRY.get_sample_value(f"enterprise_access_neighbour_{name}", labels) or 0


def test_metrics_tell_of_calls_and_states(clock):
    neighbour = Neighbour("counted")
    neighbour.ask()
    neighbour.fail(times=LIMIT + 2)
    assert metric("calls_total", service="counted", outcome="ok") == 1
    assert metric("calls_total", service="counted", outcome="timeout") == LIMIT
    assert metric("calls_total", service="counted", outcome="circuit_open") == 2
    assert metric("state", service="counted") == 2
    assert metric("state_changes_total", service="counted", state="open") == 1
    clock.shift(PAUSE)
    neighbour.ask()
    assert metric("state", service="counted") == 0


def test_any_process_can_show_what_all_say(clock, settings):
    catalog, lms = breaker_of("enterprise-catalog"), breaker_of("lms")
    assert neighbour_states() == []
    opened_at = datetime.now(UTC)
    for _ in range(settings.BREAKER_FAILURES):
        with pytest.raises(UpstreamUnavailable):
            lms.call(Neighbour("x").fail_now)
    (said,) = neighbour_states()
    assert (said.service, said.state, said.since, said.last_reason) == ("lms", CircuitState.OPEN, opened_at, "timeout")
    clock.shift(settings.BREAKER_PAUSE_SECONDS)
    lms.call(Neighbour("x").send)
    (said,) = neighbour_states()
    assert (said.state, said.since, said.last_reason) == (CircuitState.CLOSED, datetime.now(UTC), "timeout")
    assert catalog.state.state is CircuitState.CLOSED


def test_what_other_processes_said_stays(clock):
    breakers._publish(
        breakers.NeighbourState(
            service="lms",
            process="elsewhere:1",
            state=CircuitState.CLOSED,
            since=datetime.now(UTC),
            last_reason="connection",
        )
    )
    breakers._publish(
        breakers.NeighbourState(service="lms", process="elsewhere:2", state=CircuitState.OPEN, since=datetime.now(UTC))
    )
    assert [said.process for said in neighbour_states()] == ["elsewhere:2", "elsewhere:1"], "the worst first"
    clock.shift(3700)
    assert neighbour_states() == []


def test_what_a_process_that_has_ended_said_is_forgotten_after_a_minute(clock):
    open_for_one = breakers.NeighbourState(
        service="lms", process="ended:1", state=CircuitState.OPEN, since=datetime.now(UTC), last_reason="connection"
    )
    breakers._publish(open_for_one)
    clock.shift(breakers._BELIEVED_SECONDS - 1)
    assert [said.process for said in neighbour_states()] == ["ended:1"]
    clock.shift(2)
    assert neighbour_states() == []


def test_what_was_said_before_the_service_answered_another_process_is_over(clock):
    breakers._publish(
        breakers.NeighbourState(service="lms", process="ended:1", state=CircuitState.OPEN, since=datetime.now(UTC))
    )
    clock.shift(1)
    breakers._publish_success("lms")
    assert neighbour_states() == []


def test_without_a_cache_it_works_all_the_same():
    with override_settings(CACHES={"default": BROKEN["refused connection"]}):
        breaker = breaker_of("lms")
        for _ in range(10):
            with pytest.raises(UpstreamUnavailable):
                breaker.call(Neighbour("x").fail_now)
        assert breaker.state.state is CircuitState.OPEN
        assert neighbour_states() == []


def test_every_neighbour_has_its_own():
    assert breaker_of("lms") is breaker_of("lms")
    assert breaker_of("lms") is not breaker_of("enterprise-catalog")

"""Content while the catalog service does not answer: within the budget, then at warm speed; and nobody else suffers."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from enterprise_access.apps.content_metadata.selectors.content import UNAVAILABLE
from enterprise_access.apps.content_metadata.tests.neighbourhood import (
    DEMO,
    DEMO_RUN,
    SCALA,
    calls,
    fetch,
    fetch_one,
    outcome,
)
from enterprise_access.lib.breaker import CircuitState, breaker_of, neighbour_states
from enterprise_access.lib.errors import UpstreamReason
from enterprise_access.upstream import lms
from simulator.faults import FaultKind
from simulator.seed import ACME

HOUR = timedelta(hours=1, minutes=1)


@pytest.fixture
def clock():
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def open_breaker(simulator, settings):
    """Let the catalog hang until it is left alone."""
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    for _ in range(settings.BREAKER_FAILURES):
        fetch_one("EdinburghX+SUST1")
    assert breaker_of("enterprise-catalog").state.state is CircuitState.OPEN


def test_who_hangs_is_left_alone(world, simulator, settings, clock):
    open_breaker(simulator, settings)
    before = len(calls(world))
    with ThreadPoolExecutor(16) as pool:
        contents = list(pool.map(fetch_one, [DEMO, SCALA] * 32))
    assert contents == [UNAVAILABLE] * 64
    assert len(calls(world)) == before
    (said,) = neighbour_states()
    assert (said.service, said.state, said.last_reason) == (
        "enterprise-catalog",
        CircuitState.OPEN,
        UpstreamReason.TIMEOUT,
    )


def test_meanwhile_stale_content_is_served_at_warm_speed(world, simulator, settings, clock):
    keys = [run.key for run in world.tables.runs][:30]
    fetch(*keys)
    warm_seconds = min(seconds_of(lambda: fetch(*keys)) for _ in range(5))
    clock.shift(HOUR)
    open_breaker(simulator, settings)
    before = len(calls(world))
    stale_seconds = min(seconds_of(lambda: fetch(*keys)) for _ in range(5))
    stale = [content for content in fetch(*keys).values() if content.fetched_at]
    assert stale
    assert all(content.is_stale for content in stale)
    assert len(calls(world)) == before
    # Of the same order; asking would have taken seconds.
    assert stale_seconds < 10 * warm_seconds + 0.05


def seconds_of(do):
    started_at = time.perf_counter()
    do()
    return time.perf_counter() - started_at


def test_when_it_answers_again_the_right_answer_comes_after_the_pause(world, simulator, settings, clock):
    fetch_one(DEMO)
    clock.shift(HOUR)
    open_breaker(simulator, settings)
    simulator.faults.clear()
    assert fetch_one(DEMO).is_stale
    clock.shift(settings.BREAKER_PAUSE_SECONDS)
    content = fetch_one(DEMO)
    assert (outcome(content), content.is_stale) == (DEMO_RUN, False)
    assert breaker_of("enterprise-catalog").state.state is CircuitState.CLOSED


def test_one_caller_in_a_pause_is_let_through_to_see(world, simulator, settings, clock):
    open_breaker(simulator, settings)
    before = len(calls(world))
    clock.shift(settings.BREAKER_PAUSE_SECONDS)
    for _ in range(10):
        assert fetch_one(DEMO) == UNAVAILABLE
    assert len(calls(world)) == before + 1


def test_one_neighbour_that_is_left_alone_does_not_keep_us_from_another(simulator, settings, clock):
    open_breaker(simulator, settings)
    assert lms.from_settings().get_customer(customer_uuid=ACME) is not None


def test_refusals_do_not_open_it(simulator, settings, clock):
    simulator.faults.add(FaultKind.THROTTLED, "catalog.*", times=None, seconds=60)
    for _ in range(2 * settings.BREAKER_FAILURES):
        fetch_one(DEMO)
    simulator.faults.clear()
    assert outcome(fetch_one(DEMO)) == DEMO_RUN

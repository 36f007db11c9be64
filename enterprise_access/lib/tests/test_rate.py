"""A rate that all processes keep together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import time_machine
from django.test import override_settings

from enterprise_access.lib.rate import SharedRate
from enterprise_access.lib.tests.test_caching import BROKEN


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_so_many_uses_and_no_more(clock):
    rate = SharedRate(name="reads", limit=5)
    assert [rate.take() for _ in range(7)] == [True] * 5 + [False] * 2


def test_a_place_comes_free_when_its_minute_is_over(clock):
    rate = SharedRate(name="reads", limit=2)
    assert rate.take()
    clock.shift(40)
    assert rate.take()
    clock.shift(19)
    assert not rate.take()
    clock.shift(3)
    assert [rate.take(), rate.take()] == [True, False]


def test_in_no_stretch_of_a_minute_are_there_more_uses_than_allowed(clock):
    rate = SharedRate(name="reads", limit=10)
    used_at = []
    for second in range(300):
        used_at += [second] * rate.take()
        clock.shift(1)
    stretches = [sum(start <= at < start + 60 for at in used_at) for start in range(240)]
    assert max(stretches) == 10
    assert len(used_at) > 40


def test_some_are_left_for_others(clock):
    rate = SharedRate(name="reads", limit=5)
    assert [rate.take(leave=3) for _ in range(4)] == [True, True, False, False]
    assert [rate.take() for _ in range(4)] == [True, True, True, False]


def test_processes_and_threads_share_it():
    rate = SharedRate(name="reads", limit=20)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: rate.take(), range(60)))
    assert taken.count(True) == 20


def test_rates_of_other_names_are_other_rates():
    assert SharedRate(name="one", limit=1).take()
    assert SharedRate(name="other", limit=1).take()


@pytest.mark.parametrize("broken", ["refused connection", "no cache at all"])
def test_without_a_cache_nobody_counts(broken):
    with override_settings(CACHES={"default": BROKEN[broken]}):
        assert all(SharedRate(name="reads", limit=2).take() for _ in range(5))

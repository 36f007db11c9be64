"""One asker at a time: who comes second waits, and never for longer than there is time."""

import threading
import time

import pytest
from django.core.cache import cache

from enterprise_access.lib.one_at_a_time import one_at_a_time


def soon() -> float:
    return time.monotonic() + 5


def test_who_comes_first_has_waited_for_nobody():
    with one_at_a_time(ends_at=soon(), of="a") as has_waited:
        assert has_waited is False


def test_afterwards_nobody_is_waited_for():
    for _ in range(2):
        with one_at_a_time(ends_at=soon(), of="a") as has_waited:
            assert has_waited is False


def test_who_comes_second_begins_when_the_first_has_ended():
    order: list[str] = []

    def second() -> None:
        with one_at_a_time(ends_at=soon(), of="a") as has_waited:
            order.append(f"second, waited: {has_waited}")

    thread = threading.Thread(target=second)
    with one_at_a_time(ends_at=soon(), of="a"):
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second, waited: True"]


def test_other_names_are_not_waited_for():
    with one_at_a_time(ends_at=soon(), of="a"), one_at_a_time(ends_at=soon(), of="b") as has_waited:
        assert has_waited is False


def test_the_waiting_ends_in_time_and_takes_nothing_from_the_first():
    with one_at_a_time(ends_at=soon(), of="a"):
        started_at = time.monotonic()
        with one_at_a_time(ends_at=time.monotonic() + 0.1, of="a") as has_waited:
            assert has_waited is True
        assert 0.1 <= time.monotonic() - started_at < 3
        with one_at_a_time(ends_at=time.monotonic() + 0.05, of="a") as has_waited:
            assert has_waited is True


def test_an_error_inside_lets_the_next_one_in():
    with pytest.raises(ZeroDivisionError), one_at_a_time(ends_at=soon(), of="a"):
        raise ZeroDivisionError
    with one_at_a_time(ends_at=soon(), of="a") as has_waited:
        assert has_waited is False


def test_a_cache_that_loses_everything_keeps_nobody_out():
    with one_at_a_time(ends_at=soon(), of="a"):
        cache.clear()
        with one_at_a_time(ends_at=soon(), of="a") as has_waited:
            assert has_waited is False

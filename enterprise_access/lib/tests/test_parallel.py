"""Several calls at the same time: in order, bounded, in time, and nothing left open."""

import threading
import time
from contextvars import ContextVar
from functools import partial

import pytest
from django.db import connections

from enterprise_access.lib.parallel import run_parallel, start_early

SOMETHING: ContextVar[str] = ContextVar("something", default="nothing")


def in_a_second() -> float:
    return time.monotonic() + 1


def test_answers_come_in_the_order_of_the_calls():
    def call(number):
        time.sleep((5 - number) / 500)
        return number

    calls = [partial(call, number) for number in range(5)]
    assert run_parallel(calls, limit=5, ends_at=in_a_second()) == [0, 1, 2, 3, 4]


def test_nothing_to_call_is_no_answers():
    assert run_parallel([], limit=5, ends_at=in_a_second()) == []


def test_a_single_call_is_made_here():
    assert run_parallel([threading.get_ident], limit=5, ends_at=in_a_second()) == [threading.get_ident()]


def test_calls_are_made_at_the_same_time():
    barrier = threading.Barrier(4)
    assert len(run_parallel([lambda: barrier.wait(5)] * 4, limit=4, ends_at=time.monotonic() + 5)) == 4


def test_and_not_more_of_them_than_the_limit():
    under_way, most = [], []

    def call():
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.01)
        under_way.pop()

    run_parallel([call] * 9, limit=3, ends_at=in_a_second())
    assert max(most) <= 3


def test_a_failure_is_raised_without_waiting_for_the_others():
    never = threading.Event()
    calls = [lambda: never.wait(5), lambda: 1 / 0]
    started_at = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        run_parallel(calls, limit=2, ends_at=time.monotonic() + 5)
    assert time.monotonic() - started_at < 1
    never.set()


def test_a_call_that_hangs_does_not_keep_the_caller():
    never = threading.Event()
    started_at = time.monotonic()
    with pytest.raises(TimeoutError):
        run_parallel([lambda: never.wait(5), lambda: True], limit=2, ends_at=time.monotonic() + 0.05)
    assert time.monotonic() - started_at < 1
    never.set()


def test_calls_know_the_context_of_their_caller():
    SOMETHING.set("of the caller")
    assert run_parallel([SOMETHING.get] * 3, limit=3, ends_at=in_a_second()) == ["of the caller"] * 3


@pytest.mark.django_db(transaction=True)
def test_no_connection_to_the_database_is_left_open():
    used = []

    def use_the_database():
        connection = connections["default"]
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        used.append(connection)

    run_parallel([use_the_database] * 3, limit=3, ends_at=time.monotonic() + 5)
    is_in_memory = getattr(connections["default"], "is_in_memory_db", lambda: False)
    assert is_in_memory() or all(connection.connection is None for connection in used)


def test_a_call_that_is_begun_ahead_goes_on_meanwhile_and_knows_what_we_know():
    barrier = threading.Barrier(2)
    SOMETHING.set("ours")
    answer = start_early(lambda: (barrier.wait(5), SOMETHING.get())[1])
    barrier.wait(5)
    assert answer() == "ours"


def test_what_a_call_ahead_raises_is_raised_by_who_asks_for_the_answer():
    answer = start_early(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        answer()

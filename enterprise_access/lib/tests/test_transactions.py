"""Transactions that are done again after a deadlock, and errors that are not one."""

import pytest
from django.db import IntegrityError, OperationalError, transaction

from enterprise_access.lib.transactions import ATTEMPTS, is_deadlock, retry_deadlocks


class StateError(Exception):
    """What a PostgreSQL driver raises, as far as it matters here."""

    def __init__(self, sqlstate):
        super().__init__("terminated")
        self.sqlstate = sqlstate


def of_mysql(code):
    return OperationalError(code, "Try restarting transaction")


def of_postgresql(sqlstate):
    error = OperationalError("terminated")
    error.__cause__ = StateError(sqlstate)
    return error


DEADLOCKS = [of_mysql(1213), of_mysql(1205), of_postgresql("40P01"), of_postgresql("40001")]
OTHERS = [
    of_mysql(2006),
    of_postgresql("57014"),
    OperationalError(),
    OperationalError("database is locked"),
    IntegrityError(1213, "of another kind"),
    ZeroDivisionError(1213),
]


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    """Do not sleep between attempts; keep how long it would have been."""
    taken = []
    monkeypatch.setattr("tenacity.nap.time.sleep", taken.append)
    return taken


class Work:
    """Work that fails with these errors, one a call, before it succeeds."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = []

    def __call__(self, *args, **kwargs):
        self.calls.append((args, kwargs))
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def retried(work):
    @retry_deadlocks
    def some_work(*args, **kwargs):
        """Say what it is for."""
        return work(*args, **kwargs)

    return some_work


@pytest.mark.parametrize("error", DEADLOCKS)
def test_what_a_deadlock_is(error):
    assert is_deadlock(error)


@pytest.mark.parametrize("error", OTHERS)
def test_what_a_deadlock_is_not(error):
    assert not is_deadlock(error)


@pytest.mark.django_db(transaction=True)
def test_work_without_an_error_is_done_once(naps):
    work = Work()
    assert retried(work)() == "done"
    assert (len(work.calls), naps) == (1, [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", DEADLOCKS)
def test_after_a_deadlock_it_is_done_again_with_the_same_arguments(error, naps):
    work = Work(error, error)
    assert retried(work)(1, two=3) == "done"
    assert work.calls == [((1,), {"two": 3})] * 3
    assert len(naps) == 2
    assert all(0 <= nap <= 1 for nap in naps)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", OTHERS)
def test_after_another_error_it_is_not(error):
    work = Work(error)
    with pytest.raises(type(error)) as raised:
        retried(work)()
    assert raised.value is error
    assert len(work.calls) == 1


@pytest.mark.django_db(transaction=True)
def test_in_the_end_it_gives_up_with_the_error_itself():
    work = Work(*[of_mysql(1213) for _ in range(ATTEMPTS + 1)])
    last = work.errors[ATTEMPTS - 1]
    with pytest.raises(OperationalError) as raised:
        retried(work)()
    assert raised.value is last
    assert len(work.calls) == ATTEMPTS


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_of_the_caller_it_is_the_callers_to_repeat():
    work = Work(of_mysql(1213))
    with pytest.raises(OperationalError), transaction.atomic():
        retried(work)()
    assert len(work.calls) == 1


@pytest.mark.django_db(transaction=True)
def test_the_caller_may_be_repeated_as_a_whole():
    inner = Work(of_mysql(1213))

    @retry_deadlocks
    def outer():
        with transaction.atomic():
            return retried(inner)()

    assert outer() == "done"
    assert len(inner.calls) == 2


def test_name_and_description_stay():
    function = retried(Work())
    assert (function.__name__, function.__doc__) == ("some_work", "Say what it is for.")

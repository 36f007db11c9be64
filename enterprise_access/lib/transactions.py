"""Short transactions that are simply done again when the database picks them as the victim of a deadlock."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import tenacity
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model

P = ParamSpec("P")
R = TypeVar("R")

# What MySQL and MariaDB (deadlock, lock wait timeout) and PostgreSQL (deadlock, serialization failure) call it.
_MYSQL_CODES: Final = frozenset({1205, 1213})
_POSTGRESQL_STATES: Final = frozenset({"40P01", "40001"})
ATTEMPTS: Final = 6


def is_deadlock(error: BaseException) -> bool:
    """Say whether the transaction was rolled back only because another one was in its way."""
    if not isinstance(error, OperationalError):
        return False
    return bool(error.args and error.args[0] in _MYSQL_CODES) or (
        getattr(error.__cause__, "sqlstate", None) in _POSTGRESQL_STATES
    )


def is_lost(error: BaseException) -> bool:
    """Say whether it was the database's fault: a deadlock, a lost connection, a server that is going down."""
    return isinstance(error, OperationalError | InterfaceError)


def retry_deadlocks(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function in a transaction, and run it again after a deadlock.

    The function must have no effects but its writes; what is to happen once belongs into `transaction.on_commit`.
    Inside a transaction of the caller nothing is repeated: all of it was rolled back, and is the caller's to repeat.
    """

    @wraps(function)
    def retried(*args: P.args, **kwargs: P.kwargs) -> R:
        if transaction.get_connection().in_atomic_block:
            return function(*args, **kwargs)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_deadlock),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.02, max=1),
            reraise=True,
        )
        done: R = retrying(_in_transaction, function, *args, **kwargs)
        return done

    return retried


def _in_transaction(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    with transaction.atomic():
        return function(*args, **kwargs)


def upsert(
    model: type[Model], rows: Iterable[Model], *, unique: Sequence[str] = ("pk",), fields: Sequence[str] = ()
) -> None:
    """Insert rows, or update `fields` of those that are there, in one statement. No `fields`: all but `created`.

    The caller has locked the rows that are there.
    """
    has_target = connection.features.supports_update_conflicts_with_target
    every = [field.name for field in model._meta.concrete_fields if not field.primary_key and field.name != "created"]
    model._default_manager.bulk_create(
        rows, update_conflicts=True, update_fields=fields or every, unique_fields=unique if has_target else None
    )

"""Reads that every request makes: written by Django's ORM once, and from then on only filled in and run.

To build and compile a QuerySet takes several times as long as a database takes to answer a small one. What is run is
the statement that the ORM has written for the database at hand, and its own converters make values of the answer, so
that nothing is written here in SQL.

Reads that follow each other can be sent together (`read_together`): then they cost one round trip, where the database
answers several statements at once. A session of PostgreSQL keeps what it has read once (`lib/sessions.py`).
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db import connections, models

from enterprise_access.lib.sessions import Statement, answers_several, run

# What stands for a parameter while the statement is written. Nothing that a QuerySet holds by itself looks like these.
_STAND_INS: Final[dict[type, Callable[[int], object]]] = {
    models.UUIDField: lambda number: UUID(int=0x5EED_0000_4000_8000_0000_0000_0000_0000 + number),
    models.BigIntegerField: lambda number: 0x5EED_0000_0000_0000 + number,
    models.CharField: lambda number: f"stands for parameter {number}",
    models.DateTimeField: lambda number: datetime(1871, 3, 18, 1, 2, 3, number, tzinfo=UTC),
}

_PLAIN: Final = frozenset({models.BigIntegerField, models.CharField})

Rows = Sequence[tuple[Any, ...]]


@frozen
class _Written:
    """What was written for one database. `plain` are the parameters that the driver takes as they are."""

    statement: Statement
    plain: frozenset[str]
    converters: Mapping[int, tuple[Sequence[Callable[..., Any]], Any]]


class Prepared:
    """A read with parameters, each of which is named with the kind of its values.

    `build` makes a QuerySet of `values_list`, and must not look at its arguments: it is called once for each database,
    with other values in their places. Every parameter has to be in the statement as it was given.
    """

    def __init__(self, build: Callable[..., "models.QuerySet[Any, Any]"], **kinds: "models.Field[Any, Any]") -> None:
        self._build = build
        self._kinds = kinds
        self._written: dict[str, _Written] = {}

    def rows(self, **values: object) -> Rows:
        """Return what the QuerySet would, with these values for the parameters."""
        return self.converted(self.raw_rows(**values))

    def raw_rows(self, **values: object) -> Rows:
        """Return what the database has answered, as its driver gives it: to be compared, and for `converted`."""
        read_already = _ahead.get()
        if read_already:
            known = read_already.get(self.read_of(**values))
            if known is not None:
                return known
        (rows,) = run([self._filled(values)])
        return rows

    def read_of(self, **values: object) -> "Read":
        """Return the read with these values, for `read_together`."""
        return Read(self, tuple(sorted(values.items())))

    def _filled(self, values: Mapping[str, object]) -> tuple[Statement, dict[str, Any]]:
        """Return the statement, and what goes into it."""
        written, connection = self._written_here(), connections["default"]
        return written.statement, {
            name: value if name in written.plain else self._kinds[name].get_db_prep_value(value, connection)
            for name, value in values.items()
        }

    def converted(self, rows: Rows) -> Rows:
        """Return raw rows as the QuerySet would have. They may be cut off behind some column."""
        converters = self._written_here().converters
        if not rows or not converters:
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        connection = connections["default"]
        for place, (steps, expression) in converters.items():
            if place >= len(columns):
                continue
            # Many rows have the same instant, or belong to the same thing.
            known: dict[Any, Any] = {}
            for value in columns[place]:
                if value not in known:
                    known[value] = functools.reduce(
                        lambda so_far, step: step(so_far, expression, connection), steps, value
                    )
            columns[place] = [known[value] for value in columns[place]]
        return list(zip(*columns, strict=True))

    def _written_here(self) -> _Written:
        vendor = connections["default"].vendor
        if vendor not in self._written:
            self._written[vendor] = self._write()
        return self._written[vendor]

    def _write(self) -> _Written:
        """Let the ORM write the statement."""
        connection = connections["default"]
        stand_ins = {name: _STAND_INS[type(kind)](number) for number, (name, kind) in enumerate(self._kinds.items())}
        compiler = self._build(**stand_ins).query.get_compiler("default")
        sql, params = compiler.as_sql()
        names = {kind.get_db_prep_value(stand_ins[name], connection): name for name, kind in self._kinds.items()}
        places = tuple(names.get(value) for value in params)
        if missing := set(self._kinds) - set(places):
            raise ValueError(f"The statement has no place for {sorted(missing)}.")
        selected = [column[0] for column in compiler.select[: compiler.col_count]]
        plain = frozenset(name for name, kind in self._kinds.items() if type(kind) in _PLAIN)
        return _Written(Statement(sql, tuple(params), places), plain, compiler.get_converters(selected))


@frozen
class Read:
    """A prepared read with the values of its parameters."""

    prepared: Prepared
    values: tuple[tuple[str, object], ...]

    def rows(self) -> Rows:
        """Return what the QuerySet would."""
        return self.prepared.rows(**dict(self.values))

    def raw_rows(self) -> Rows:
        """Return what `Prepared.raw_rows` does."""
        return self.prepared.raw_rows(**dict(self.values))

    def filled(self) -> tuple[Statement, dict[str, Any]]:
        """Return the statement, and what goes into it."""
        return self.prepared._filled(dict(self.values))


# What was read ahead in this request, and may still be used. Threads that only call other services share it.
_ahead: Final[ContextVar[dict[Read, Rows] | None]] = ContextVar("what was read ahead", default=None)


@contextmanager
def read_together(*reads: Read) -> Iterator[None]:
    """Send these reads in one round trip; inside the block each of them finds its answer there.

    Their answers are those of the moment in which the block begins, and count until something may have changed them:
    after a statement that writes or locks, after a call to another service, and after a wait for another process
    (`forget_reads`), each is read again.
    What a block around this one has read is not read again. A database that answers one statement at a time is asked by
    each read itself.
    """
    known = _ahead.get()
    if known is not None:
        _read_ahead([read for read in reads if read not in known], known)
        yield
    elif not reads or not answers_several():
        yield
    else:
        known = {}
        token = _ahead.set(known)
        try:
            _read_ahead(reads, known)
            with connections["default"].execute_wrapper(_forgetting):
                yield
        finally:
            known.clear()
            _ahead.reset(token)


def forget_reads() -> None:
    """Let everything that was read ahead be read again, because something may have changed it."""
    known = _ahead.get()
    if known:
        known.clear()


def _forgetting(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    if not sql.startswith(("SELECT", "PREPARE", "EXECUTE")) or "FOR UPDATE" in sql:
        forget_reads()
    return execute(sql, params, many, context)


def _read_ahead(reads: Sequence[Read], known: dict[Read, Rows]) -> None:
    if reads:
        known.update(zip(reads, run([read.filled() for read in reads]), strict=True))

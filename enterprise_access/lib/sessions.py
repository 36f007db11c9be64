"""Running statements that were written once: several in one round trip, and kept by the session, where it can.

A session of PostgreSQL that has read a statement once (PREPARE) reads and plans it no more, which takes longer than
answering it: the nine statements of a question about credit take a third of the time. A session that does not stay the
same, because a pooler hands out another one for each transaction, does not know what was kept. Statements are kept
outside of transactions only, so that nothing is lost then but a round trip: they are sent again as they are.
DISABLE_SERVER_SIDE_CURSORS, which Django asks for behind such a pooler, says it from the start.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from attrs import define, field, frozen
from django.db import DatabaseError, connections

log = logging.getLogger(__name__)

Rows: TypeAlias = Sequence[tuple[Any, ...]]
# The session does not know the statement, knows it already, or knows one whose columns have another type by now.
_NOT_KEPT: Final = frozenset({"26000", "42P05", "0A000"})


@frozen(slots=False)
class Statement:
    """A statement for one database. `places` says, for each of `params`, which named value goes there, if any."""

    sql: str
    params: tuple[Any, ...]
    places: tuple[str | None, ...]

    @cached_property
    def name(self) -> str:
        """What a session keeps it as: the same for the same statement, in every process and release."""
        return "read_" + hashlib.sha256(repr((self.sql, self.params)).encode()).hexdigest()[:24]

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The values that it takes, each once."""
        return tuple(dict.fromkeys(place for place in self.places if place is not None))

    def filled(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return it with values, as it is."""
        places = zip(self.params, self.places, strict=True)
        return self.sql, [value if place is None else values[place] for value, place in places]

    @cached_property
    def to_keep(self) -> tuple[str, list[Any]]:
        """It, for a session to keep. What is always the same is part of it, so that partial indexes can be used."""
        numbers = {name: f"${number}" for number, name in enumerate(self.named, 1)}
        marks = ["%s" if place is None else numbers[place] for place in self.places]
        # A doubled percent sign stays one, whatever follows it.
        sql = self.sql.replace("%%", "%%%%") % tuple(marks)
        constants = [value for value, place in zip(self.params, self.places, strict=True) if place is None]
        return f"PREPARE {self.name} AS {sql}", constants

    def kept(self, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return what runs it where it is kept."""
        marks = ", ".join(["%s"] * len(self.named))
        return f"EXECUTE {self.name}({marks})" if marks else f"EXECUTE {self.name}", [
            values[name] for name in self.named
        ]


Filled: TypeAlias = tuple[Statement, Mapping[str, Any]]


@define(eq=False)
class _Session:
    """The names of the statements that a session keeps, and whether it may be asked for them."""

    names: set[str] = field(factory=set)
    keeps: bool = True


# Of the sessions of this process, by the driver's connection.
_sessions: Final[WeakKeyDictionary[Any, _Session]] = WeakKeyDictionary()


def answers_several() -> bool:
    """Say whether several statements can be sent at once: with psycopg 3, when it fills in the values itself."""
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return False
    is_psycopg3 = connection.Database.__name__ == "psycopg"  # type: ignore[attr-defined]
    return is_psycopg3 and not connection.settings_dict["OPTIONS"].get("server_side_binding")


def run(reads: Sequence[Filled]) -> list[Rows]:
    """Run statements that read, with their values, and return what each has answered; one round trip.

    More than one only where a database `answers_several`.
    """
    session = _session()
    if session is None or not session.keeps:
        return _fetched([statement.filled(values) for statement, values in reads])
    try:
        return _run_kept(reads, session)
    except DatabaseError as error:
        # What it keeps is not certain any more.
        session.keeps = False
        if getattr(error.__cause__, "sqlstate", None) not in _NOT_KEPT:
            raise
        log.warning(
            "A session of the database does not keep statements. Is a pooler in between, or was a table changed?"
        )
    return run(reads)


def _session() -> _Session | None:
    """Return the session at hand; None: none that could keep anything."""
    connection = connections["default"]
    is_pooled = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    if is_pooled or connection.in_atomic_block or not answers_several():
        return None
    # As a cursor would: it may be another session from here on.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return _sessions.setdefault(connection.connection, _Session())


def _run_kept(reads: Sequence[Filled], session: _Session) -> list[Rows]:
    new = {statement.name: statement for statement, _ in reads if statement.name not in session.names}
    found = _fetched([statement.kept(values) for statement, values in reads], [each.to_keep for each in new.values()])
    session.names.update(new)
    return found


def _fetched(statements: Sequence[tuple[str, list[Any]]], before: Sequence[tuple[str, list[Any]]] = ()) -> list[Rows]:
    """Send statements; return the rows of each. Those `before` them answer nothing."""
    found: list[Rows] = []
    with connections["default"].cursor() as cursor:
        all_of_them = [*before, *statements]
        cursor.execute(
            "; ".join(sql for sql, _ in all_of_them), [value for _, values in all_of_them for value in values]
        )
        for number in range(len(all_of_them)):
            if number:
                cursor.nextset()
            if number >= len(before):
                found.append(cursor.fetchall())
    return found

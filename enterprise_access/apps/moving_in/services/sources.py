"""Where the rows come from: a database that is opened read-only, or a `dumpdata` file that is laid out as one first.

Rows are read by rising key, some hundred at a time, so that a source of any size fits into memory.
"""

import json
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import environ
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from enterprise_access.apps.moving_in.domain.cells import Cells
from enterprise_access.apps.moving_in.domain.tables import TABLES, Table
from enterprise_access.apps.moving_in.errors import SourceUnreadable
from enterprise_access.apps.moving_in.services.dumps import objects_of

BATCH: Final = 500
_SCHEMES: Final = frozenset({"mysql", "postgres", "postgresql", "sqlite"})
_BITS: Final = 63
_ALIAS: Final = "moving_in_source"
_BY_MODEL: Final = {table.model: table for table in TABLES}


class SourceDatabase:
    """The tables of an installation of openedx/enterprise-access."""

    def __init__(self, connection: BaseDatabaseWrapper, remarks: Sequence[str] = ()) -> None:
        self._connection = connection
        self._columns = self._read_columns()
        self.remarks = [*remarks, *self._remarks()]

    def has(self, table: Table) -> bool:
        """Say whether the source has the table. A release that is older than a table has not."""
        return table.name in self._columns

    def batches(self, table: Table) -> Iterator[list[Cells]]:
        """Yield all rows of a table by rising key."""
        last: object = None
        while self.has(table):
            after = "" if last is None else f" WHERE {self._quoted(table.key)} > %s"
            order = f"{after} ORDER BY {self._quoted(table.key)} LIMIT {BATCH}"
            rows = self._select(table, order, [] if last is None else [last])
            if not rows:
                return
            yield rows
            last = rows[-1].raw(table.key)

    def matching(self, table: Table, column: str, values: Collection[object]) -> dict[object, list[Cells]]:
        """Return the rows whose column has one of the values, by that value. Both as the database writes them."""
        wanted = [value for value in dict.fromkeys(values) if value is not None]
        found: dict[object, list[Cells]] = defaultdict(list)
        for start in range(0, len(wanted) if self.has(table) else 0, BATCH):
            some = wanted[start : start + BATCH]
            where = f" WHERE {self._quoted(column)} IN ({', '.join(['%s'] * len(some))})"
            for row in self._select(table, f"{where} ORDER BY {self._quoted(table.key)}", some):
                found[row.raw(column)].append(row)
        return found

    def _select(self, table: Table, rest: str, parameters: Sequence[Any]) -> list[Cells]:
        names = [name for name in table.all_columns if name in self._columns[table.name]]
        listed = ", ".join(self._quoted(name) for name in names)
        with self._connection.cursor() as cursor:
            # Names are those of our own list of tables; values are parameters.
            cursor.execute(f"SELECT {listed} FROM {self._quoted(table.name)}{rest}", list(parameters))  # noqa: S608
            return [Cells(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]

    def _quoted(self, name: str) -> str:
        quoted: str = self._connection.ops.quote_name(name)
        return quoted

    def _read_columns(self) -> dict[str, frozenset[str]]:
        """Return the columns of the tables that are there. Raises SourceUnreadable where a needed one is missing."""
        introspection = self._connection.introspection
        with self._connection.cursor() as cursor:
            there = set(introspection.table_names(cursor))
            columns = {
                table.name: frozenset(row.name for row in introspection.get_table_description(cursor, table.name))
                for table in TABLES
                if table.name in there
            }
        if not columns:
            raise SourceUnreadable("The source has none of the tables of openedx/enterprise-access.")
        for table in TABLES:
            missing = [name for name in table.needed if name not in columns.get(table.name, table.needed)]
            if missing:
                raise SourceUnreadable(
                    f"The table {table.name} has no column {', '.join(missing)}. Upgrade the source to its latest "
                    "release first."
                )
        return columns

    def _remarks(self) -> Iterator[str]:
        for table in TABLES:
            if not self.has(table):
                yield f"The source has no table {table.name}: nothing was read of it."
                continue
            unknown = self._columns[table.name] - {*table.all_columns, *table.ignored}
            for name in sorted(unknown):
                yield f"The column {table.name}.{name} is not known here, and was not read."


@contextmanager
def opened(where: str) -> Iterator[SourceDatabase]:
    """Open a source: a database by its URL, else a file that `dumpdata` wrote. Raises SourceUnreadable."""
    if "://" in where:
        with _database(_config_of(where)) as connection:
            yield SourceDatabase(connection)
        return
    with tempfile.TemporaryDirectory(prefix="moving-in-") as folder:
        staged = Path(folder) / "source.sqlite3"
        remarks = _lay_out(Path(where), staged)
        with _database(_config_of(f"sqlite:///{staged}")) as connection:
            yield SourceDatabase(connection, remarks)


def _config_of(url: str) -> dict[str, Any]:
    """Return Django's settings of a database that is only read."""
    if url.partition("://")[0] not in _SCHEMES:
        raise SourceUnreadable("The URL of the source has to begin with mysql://, postgres:// or sqlite:///.")
    try:
        config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    except ValueError as error:
        raise SourceUnreadable("The URL of the source is not that of a database.") from error
    options = config.setdefault("OPTIONS", {})
    engine = str(config.get("ENGINE", ""))
    if engine.endswith("sqlite3"):
        if not Path(config["NAME"]).is_file():
            raise SourceUnreadable(f"There is no database {config['NAME']}.")
        config["NAME"] = f"file:{config['NAME']}?mode=ro"
    elif engine.endswith("mysql"):
        # All tables as they were at one instant.
        options |= {"charset": "utf8mb4", "isolation_level": "repeatable read"}
        options["init_command"] = "SET SESSION TRANSACTION READ ONLY"
    else:
        options |= {"options": "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"}
    return config


@contextmanager
def _database(config: dict[str, Any]) -> Iterator[BaseDatabaseWrapper]:
    """Open a database beside ours, in one transaction that only reads."""
    connections.settings[_ALIAS] = connections.configure_settings({DEFAULT_DB_ALIAS: {}, _ALIAS: config})[_ALIAS]
    try:
        connection = _connection()
        try:
            _begin(connection)
            yield connection
            connection.rollback()
        finally:
            connection.close()
            del connections[_ALIAS]
    finally:
        del connections.settings[_ALIAS]


def _connection() -> BaseDatabaseWrapper:
    try:
        return connections[_ALIAS]
    except ImproperlyConfigured as error:
        raise SourceUnreadable(
            "The Python driver for this kind of database is not installed. Install requirements/mysql.txt for MySQL "
            "and MariaDB, or import from a file that dumpdata wrote."
        ) from error


def _begin(connection: BaseDatabaseWrapper) -> None:
    try:
        with connection.wrap_database_errors:
            connection.connect()
        connection.set_autocommit(False)
    except Error as error:
        raise SourceUnreadable(f"The source cannot be opened: {type(error).__name__}.") from error


def _lay_out(path: Path, staged: Path) -> list[str]:
    """Write the objects of a file into a database of the source's tables; return what is to be remarked."""
    remarks: dict[str, None] = {}
    empty = dict.fromkeys(TABLES)
    with closing(sqlite3.connect(staged)) as database:
        for table in TABLES:
            keys = ", ".join(f'"{name}"' for name in table.all_columns if name != table.key)
            database.execute(f'CREATE TABLE "{table.name}" ("{table.key}" PRIMARY KEY, {keys})')
            for name in table.references:
                database.execute(f'CREATE INDEX "{table.name}_{name}" ON "{table.name}" ("{name}_id")')
        for one in objects_of(path):
            found = _BY_MODEL.get(str(one.get("model")))
            if found is not None:
                empty.pop(found, None)
                remarks |= dict.fromkeys(_insert(database, found, one))
        database.commit()
    return [*remarks, *(f"The file has no objects of {table.model}." for table in empty)]


def _insert(database: sqlite3.Connection, table: Table, one: dict[str, Any]) -> list[str]:
    """Write one object; return what is to be remarked. Raises SourceUnreadable where natural keys stand for keys."""
    fields = one.get("fields")
    fields = fields if isinstance(fields, dict) else {}
    if one.get("pk") is None or any(isinstance(fields.get(name), list) for name in table.references):
        raise SourceUnreadable(
            f"An object of {table.model} has no key, or refers to others by more than their keys. Run dumpdata without "
            "--natural-primary and --natural-foreign."
        )
    cells = {table.column_of(name): value for name, value in fields.items()} | {table.key: one.get("pk")}
    known = [name for name in table.all_columns if name in cells]
    marks, listed = ", ".join("?" * len(known)), ", ".join(f'"{name}"' for name in known)
    into = f'INTO "{table.name}" ({listed}) VALUES ({marks})'
    values = [_storable(cells[name]) for name in known]
    unknown = cells.keys() - {*table.all_columns, *table.ignored}
    remarks = [f"The member {table.model}.{name} is not known here, and was not read." for name in sorted(unknown)]
    if not database.execute(f"INSERT OR IGNORE {into}", values).rowcount:
        database.execute(f"INSERT OR REPLACE {into}", values)
        remarks.append(f"Some objects of {table.model} are in the file more than once: the last one of each was read.")
    return remarks


def _storable(value: object) -> object:
    """Return what SQLite takes: JSON as text, and numbers that it cannot hold, too. Halves of characters are lost."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return str(value) if isinstance(value, int) and value.bit_length() > _BITS else value

"""Run checks, migrations there and back, and the test suite on each of the databases given as URLs.

    python scripts/database_matrix.py sqlite://:memory: postgres://postgres@127.0.0.1:5432/postgres

Every database gets a name made up for this run, and is dropped afterwards, so the account must be allowed to make and
drop databases. The database named by the URL itself is never touched. The variable ARGS adds arguments for pytest; on
the URLs in TESTED_ALREADY only checks and migrations are run.
"""

import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
CONNECT_WITHIN_SECONDS = 10


class NotReachable(Exception):
    """The server does not answer, or does not let us in."""


def main(urls: list[str]) -> int:
    if not urls:
        print(__doc__)
        return 2
    results = {describe(url): run(url) for url in urls}
    print()
    for name, failed in results.items():
        print(f"{name}: {'FAILED at: ' + failed if failed else 'passed'}")
    broken = sum(failed is not None for failed in results.values())
    print(f"databases: {len(results) - broken} passed, {broken} failed")
    return 1 if broken else 0


def describe(url: str) -> str:
    """Return the URL without its password."""
    return re.sub(r":[^:@/]*@", "@", url)


def run(url: str) -> str | None:
    """Return the name of the step that failed; what comes after it is not tried."""
    print(f"\n=== {describe(url)} ===", flush=True)
    try:
        with fresh_database(url) as (for_migrations, for_tests):
            for name, command, target in steps(for_migrations, for_tests):
                if not passes(name, command, target):
                    return name
            return None
    except NotReachable as error:
        print(f"The database server cannot be used: {error}")
        return "connecting"


def steps(for_migrations: str, for_tests: str) -> Iterator[tuple[str, list[str], str]]:
    manage = [sys.executable, "manage.py"]
    yield "check", [*manage, "check", "--database", "default", "--fail-level", "WARNING"], for_migrations
    yield "migrate", [*manage, "migrate", "--verbosity", "0"], for_migrations
    yield "check after migrating", [*manage, "migrate", "--check", "--verbosity", "0"], for_migrations
    for label in labels_with_migrations():
        yield f"back to zero: {label}", [*manage, "migrate", label, "zero", "--verbosity", "0"], for_migrations
    yield "migrate again", [*manage, "migrate", "--verbosity", "0"], for_migrations
    if for_tests in os.environ.get("TESTED_ALREADY", "").split():
        return
    pytest = [sys.executable, "-m", "pytest", "-q", "-n", "2", *shlex.split(os.environ.get("ARGS", ""))]
    yield "tests", pytest, for_tests


def labels_with_migrations() -> list[str]:
    """Return the labels of our apps that have tables."""
    first_migrations = (ROOT / "enterprise_access").rglob("migrations/0001_*.py")
    return sorted(path.parent.parent.name for path in first_migrations)


def passes(name: str, command: list[str], url: str) -> bool:
    print(f"--- {name}", flush=True)
    started = time.monotonic()
    settings = {"DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test", "DATABASE_URL": url}
    code = subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=False).returncode
    print(f"    {'ok' if code == 0 else 'FAILED'}, {time.monotonic() - started:.1f} s", flush=True)
    return code == 0


# --- Making and dropping databases -----------------------------------------------------------------------------------


@contextmanager
def fresh_database(url: str) -> Iterator[tuple[str, str]]:
    """Yield the URL of an empty database for the migrations, and that of one which pytest makes itself."""
    if url.startswith("sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/matrix.sqlite3", url
        return
    execute = connect(url)
    name = f"matrix_{secrets.token_hex(4)}"
    # pytest puts test_ in front, and _gw0, _gw1 behind.
    made = [name, *(f"test_{name}{end}" for end in ("", "_gw0", "_gw1"))]
    execute(f"CREATE DATABASE {name}{' CHARACTER SET utf8mb4' if url.startswith('mysql') else ''}")
    fresh = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    try:
        yield fresh, fresh
    finally:
        for database in made:
            execute(f"DROP DATABASE IF EXISTS {database}")


def connect(url: str) -> Callable[[str], None]:
    """Return a function that runs one statement on the server, outside of a transaction."""
    connector = {"postgres": connect_to_postgres, "postgresql": connect_to_postgres, "mysql": connect_to_mysql}
    scheme = urlsplit(url).scheme
    if scheme not in connector:
        raise NotReachable(f"no idea how to make a database for {scheme}://")
    return connector[scheme](url)


def connect_to_postgres(url: str) -> Callable[[str], None]:
    import psycopg

    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_WITHIN_SECONDS)
    except psycopg.OperationalError as error:
        raise NotReachable(str(error).strip()) from None

    def execute(statement: str) -> None:
        connection.execute(statement.encode())

    return execute


def connect_to_mysql(url: str) -> Callable[[str], None]:
    try:
        import MySQLdb
    except ImportError:
        raise NotReachable("its driver is not installed (pip install -r requirements/mysql.txt)") from None
    parts = urlsplit(url)
    try:
        connection = MySQLdb.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            connect_timeout=CONNECT_WITHIN_SECONDS,
        )
    except MySQLdb.OperationalError as error:
        raise NotReachable(str(error)) from None

    def execute(statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return execute


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

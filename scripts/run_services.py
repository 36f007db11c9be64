"""Start the whole system on this machine with real servers: PostgreSQL or MariaDB, and Redis for everything else.

DATABASE_URL (postgres://..., mysql://...) and REDIS_URL say where the servers are; a database that is missing is made.
What else has to be kept is in one folder (var/services/, or EMBEDDED_HOME). WEB_PORT and SIMULATOR_PORT choose the
ports, WORKERS the number of worker processes. Redis is shared politely: the databases 11 (broker), 12 (cache) and 13
(event bus) are used.

Workers and consumers are restarted whenever they end, as a supervisor would do it: a broker or a bus that is away does
not stop the web process.
"""

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
os.environ.setdefault("EMBEDDED_HOME", str(ROOT / "var" / "services"))

import psycopg.errors  # noqa: E402
import redis  # noqa: E402
from database_matrix import NotReachable, connect  # noqa: E402
from honcho.manager import Manager  # noqa: E402
from honcho.printer import Printer  # noqa: E402
from run import (  # noqa: E402
    BIN,
    HOME,
    SIMULATOR_PORT,
    STOPPED_BY_CTRL_C,
    WEB_PORT,
    WEB_WORKERS,
    Output,
    environments,
    is_free,
    manage,
    run_until_stopped,
    say,
)

from enterprise_access.settings import embedded  # noqa: E402

DATABASE_URL = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/enterprise_access")
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")
BROKER_URL, CACHE_ADDRESS, BUS_URL = (f"{REDIS_URL}/{number}" for number in (11, 12, 13))
WORKERS = int(os.environ.get("WORKERS", "2"))
# As the simulator names them (simulator/event_bus.py). An LMS may name them otherwise.
TOPICS = (
    "learning-session-login",
    "learning-student-registration",
    "learning-course-enrollment-changed",
    "learning-course-unenrollment",
    "enterprise-subsidies-transaction-lifecycle",
)


def main() -> int:
    try:
        with embedded.lock(HOME):
            return run()
    except embedded.InUse as error:
        say(error.args[0])
        return 1


def run() -> int:
    for name, port in [("WEB_PORT", WEB_PORT), ("SIMULATOR_PORT", SIMULATOR_PORT)]:
        if not is_free(port):
            say(f"Port {port} is taken by another program. Choose another one: {name}={port + 1} make run-services")
            return 1
    if problem := prepare_servers():
        say(problem)
        return 1
    service, simulator = environments_with_servers()
    say("Preparing the database ...")
    if (code := manage(["migrate", "--verbosity", "0"], service).returncode) != 0:
        return code
    manager = Manager(Printer(Output()))
    for name, (command, environment) in processes(service, simulator).items():
        manager.add_process(name, command, cwd=str(ROOT), env=dict(environment))
    code = run_until_stopped(manager, service)
    say("Stopped. The data is kept in the database, and 'make run-services' goes on with it.")
    return code


def prepare_servers() -> str | None:
    """Make the database if it is missing. Return what is wrong with the servers, if anything is."""
    try:
        make_database()
    except NotReachable as error:
        return f"The database server cannot be used: {error}\nDATABASE_URL says where it is, and as whom to come."
    try:
        redis.Redis.from_url(REDIS_URL, socket_connect_timeout=5).ping()
    except redis.RedisError:
        return "Redis does not let us in. REDIS_URL says where it is."
    return None


def make_database() -> None:
    parts = urlsplit(DATABASE_URL)
    name = parts.path.lstrip("/")
    if not re.fullmatch(r"\w+", name):
        raise NotReachable("the address has to end with the name of a database: letters, digits and underscores")
    is_mysql = parts.scheme == "mysql"
    execute = connect(urlunsplit(parts._replace(path="/" if is_mysql else "/postgres")))
    if is_mysql:
        execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4")
        return
    with contextlib.suppress(psycopg.errors.DuplicateDatabase):
        execute(f"CREATE DATABASE {name}")


def environments_with_servers() -> tuple[dict[str, str], dict[str, str]]:
    """Return the environment of the service's processes, and that of the simulator."""
    service, simulator = environments()
    servers = {
        "DATABASE_URL": DATABASE_URL,
        "CELERY_BROKER_URL": BROKER_URL,
        "CACHE_URL": CACHE_ADDRESS.replace("redis", "rediscache", 1),
        "EVENT_BUS_REDIS_CONNECTION_URL": BUS_URL,
    }
    # So that management commands find the servers by themselves.
    kept = HOME / "services.env"
    kept.touch(mode=0o600)
    kept.write_text("".join(f"{name}={value}\n" for name, value in servers.items()))
    service |= servers | {"DJANGO_SETTINGS_MODULE": "enterprise_access.settings.services"}
    return service, simulator | {"SIMULATOR_EVENT_BUS_URL": BUS_URL}


def processes(service: Mapping[str, str], simulator: Mapping[str, str]) -> dict[str, tuple[str, Mapping[str, str]]]:
    """Return every process: its command and its environment."""
    python, celery = shlex.quote(sys.executable), f"{BIN / 'celery'} --quiet --app enterprise_access"
    gunicorn = f"exec {BIN / 'gunicorn'} --log-level warning --bind 127.0.0.1"
    found: dict[str, tuple[str, Mapping[str, str]]] = {
        "simulator": (f"{gunicorn}:{SIMULATOR_PORT} --threads 8 simulator.wsgi:application", simulator),
        "web": (f"{gunicorn}:{WEB_PORT} {WEB_WORKERS} enterprise_access.wsgi:application", service),
        "beat": (f"exec {celery} beat --loglevel warning --schedule {HOME / 'beat'} --pidfile=", service),
    }
    for number in range(1, WORKERS + 1):
        command = f"{celery} worker --queues interactive,celery --loglevel info --concurrency 1"
        found[f"worker{number}"] = (restarting(f"{command} --hostname worker{number}@%h"), service)
    background = f"{celery} worker --queues background --loglevel info --concurrency 1 --hostname background@%h"
    found["background"] = (restarting(background), service)
    for topic in TOPICS:
        consume = f"{python} manage.py consume_topic {topic} --name local"
        found[topic.removeprefix("learning-")] = (restarting(consume), service)
    return found


def restarting(command: str) -> str:
    """Return a shell command that starts `command` again whenever it ends, until both are told to stop.

    The signal reaches the shell and the command alike; the shell then waits for the command to finish its work.
    """
    return f"trap 'wait; exit 0' TERM INT; while :; do {command} & wait $!; sleep 1; done"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # while the database was being prepared
        say("Stopped before it had begun.")
        sys.exit(STOPPED_BY_CTRL_C)

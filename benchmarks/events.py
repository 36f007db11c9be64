"""`make bench-events`: how many events one consumer process takes in a second (bar P6), on PostgreSQL and Redis.

    python -m benchmarks.events [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/0] [--no-report]

Makes a database of its own beside the one named, and streams with a prefix of their own; both are removed afterwards.
Prints one line of JSON per case: events per second (of the wall clock, without start-up) and row writes per event.
EVENTS changes how many. Writes events.json and events.rst in docs/benchmarks.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.reporting import ROOT, Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import fresh_database, migrate

EVENTS = int(os.environ.get("EVENTS", "20000"))


def main(database_url: str, redis_url: str, *, is_reported: bool) -> int:
    """Run the cases in a process of its own, so that the environment can name the database."""
    about = about_this("make bench-events")
    with fresh_database(database_url) as (url, _):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
            "DATABASE_URL": url,
            "EVENT_BUS_REDIS_CONNECTION_URL": redis_url,
            "EVENT_BUS_TOPIC_PREFIX": f"bench-{secrets.token_hex(8)}",
            "EVENT_BUS_REDIS_STREAM_MAX_LEN": str(10 * EVENTS),
            "EVENT_BUS_OF_BENCHMARK": "1",
            "LOG_LEVEL": "WARNING",
        }
        migrate(environment)
        command = [sys.executable, "-m", "benchmarks.events"]
        child = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    print(child.stdout, end="")
    cases = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
    if is_reported:
        write("events", {"about": about, "cases": cases}, as_page(about, cases))
    return 0


def as_page(about: Row, cases: list[Row]) -> str:
    columns = ["case", "events", "batch", "events_per_second", "cpu_share", "row_writes_per_event"]
    lines = [
        *heading("Events: figures"),
        made_by(about),
        "One consumer process empties a stream of Redis into PostgreSQL, both on the same machine. *cpu_share* is how",
        "much of the time the consumer itself was busy; for the rest, it waited for the others. Rows are counted by",
        "the database.",
        "",
        *list_table(columns, [[case[column] for column in columns] for case in cases]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def measure() -> None:
    """Fill the stream, and let one consumer empty it: once per case."""
    import django

    django.setup()

    import redis
    from django.conf import settings
    from django.db import connection

    from enterprise_access.apps.customers.models import LearnerSighting
    from enterprise_access.events.consumer import DurableRedisConsumer
    from enterprise_access.events.handling import Event
    from enterprise_access.events.tests.made import as_message, changed, login

    client: Any = redis.Redis.from_url(str(settings.EVENT_BUS_REDIS_CONNECTION_URL), protocol=2)
    began = datetime.now(UTC) - timedelta(hours=1)

    class Draining(DurableRedisConsumer):
        block_seconds = 0.01

        def _read(self) -> list[tuple[bytes, dict[bytes, bytes] | None]]:
            entries = super()._read()
            self._shut_down_loop = not entries
            return entries

    def run(case: str, topic: str, make: Callable[[int], Event], *, count: int = EVENTS, batch: int = 200) -> None:
        settings.EVENT_BUS_BATCH = batch
        stream = f"{settings.EVENT_BUS_TOPIC_PREFIX}-{topic}"
        pipe = client.pipeline(transaction=False)
        for number in range(count):
            pipe.xadd(stream, as_message(make(number)))
        pipe.execute()
        before, cpu, started = row_writes(), time.process_time(), time.perf_counter()
        Draining(topic=topic, group_id="bench", consumer_name="one").consume_indefinitely()
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        result = {
            "case": case,
            "events": count,
            "batch": batch,
            "events_per_second": round(count / seconds),
            "cpu_share": round(cpu / seconds, 2),
            "row_writes_per_event": round((row_writes() - before) / count, 3),
        }
        print(json.dumps(result), flush=True)
        client.delete(stream)

    def row_writes() -> int:
        """Return what the server has counted; -1 for all that it does not tell."""
        if connection.vendor != "postgresql":
            return 0
        with connection.cursor() as cursor:
            cursor.execute("select pg_stat_force_next_flush()")
            cursor.execute("select 1")
            time.sleep(1)
            cursor.execute("select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables")
            return int(cursor.fetchone()[0] or 0)

    later = timedelta(minutes=1)
    run("logins of new learners", "logins", lambda number: login(number + 1, at=began))
    run("logins of known learners", "logins", lambda number: login(number + 1, at=began + later))
    run("the same logins again", "logins", lambda number: login(number + 1, at=began + later))
    run(
        "logins one at a time",
        "logins",
        lambda number: login(number + 1, at=began + 2 * later),
        count=EVENTS // 10,
        batch=1,
    )
    run("enrollments of strangers", "enrollments", lambda number: changed(number + 1, at=began))
    LearnerSighting.objects.all().delete()


if __name__ == "__main__":
    if os.environ.get("EVENT_BUS_OF_BENCHMARK"):
        measure()
    else:
        named = [argument for argument in sys.argv[1:] if argument != "--no-report"]
        defaults = ["postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/0"]
        sys.exit(main(*(named + defaults[len(named) :]), is_reported="--no-report" not in sys.argv))

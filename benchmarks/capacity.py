"""What one learner costs: the coefficients of docs/capacity, measured on PostgreSQL, MariaDB and Redis.

    python -m benchmarks.capacity [POSTGRES_URL] [MARIADB_URL] [REDIS_URL]

Counts the statements, calls and CPU seconds of one worker's looks at 1, 5, 20 and 100 learners; the rows and bytes that
a storm of CAPACITY_LEARNERS (1,000) leaves; the events that a consumer takes. Then it raises a storm of CAPACITY_CHECK
(5,000) learners, with which the calculator's forecast is compared. Writes docs/capacity/coefficients.json and
docs/capacity/storm.json, from which `make capacity-page` makes the page. Databases of its own are made and dropped; the
Redis database named is emptied. `--check` raises the second storm only.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any

from benchmarks.reporting import ROOT, about_this
from benchmarks.serving import Neighbours, children_of, cpu_seconds, fresh_database, migrate
from benchmarks.storm import celery, environment_of, neighbours, storm

FOLDER = ROOT / "docs" / "capacity"
LEARNERS = int(os.environ.get("CAPACITY_LEARNERS", "1000"))
CHECK_LEARNERS = int(os.environ.get("CAPACITY_CHECK", "5000"))
WORKERS = 2
# Looks at so many learners at once are measured, each so often.
LOOKS = (1, 5, 20, 100)
REPEAT = 3
MESSAGES = 2_000
GIVE_UP_SECONDS = 3600
INTENTIONS = 5  # as benchmarks/storm_neighbours.py has them
EVENTS = ("logins of new learners", "logins of known learners")
DEFAULTS = ["postgres://postgres@127.0.0.1:5432/postgres", "mysql://root:@127.0.0.1:3306/test"]
DEFAULTS += ["redis://127.0.0.1:6379/9"]


def main(postgres: str, mariadb: str, redis_url: str, *, is_check_only: bool) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not is_check_only:
        on_postgres = raise_storm(postgres, redis_url, LEARNERS)
        on_mariadb = raise_storm(mariadb, redis_url, LEARNERS)
        coefficients = {
            "about": about_this("make bench-capacity"),
            "looks": look(postgres, redis_url),
            "storm": {key: value for key, value in on_postgres.items() if key != "tables"},
            "rows_per_learner": {name: table["rows"] / LEARNERS for name, table in on_postgres["tables"].items()},
            "bytes_per_learner": {
                "postgresql": bytes_per_learner(on_postgres["tables"]),
                "mariadb": bytes_per_learner(on_mariadb["tables"]),
            },
            "events": events(postgres),
            "redis_bytes_per_message": bytes_of_a_message(redis_url),
        }
        write("coefficients.json", coefficients)
    write(
        "storm.json", {"about": about_this("make bench-capacity"), **raise_storm(postgres, redis_url, CHECK_LEARNERS)}
    )
    return 0


def bytes_per_learner(tables: dict[str, dict[str, int]]) -> dict[str, float]:
    return {name: round(table["bytes"] / LEARNERS, 1) for name, table in tables.items()}


def write(name: str, found: dict[str, Any]) -> None:
    (FOLDER / name).write_text(json.dumps(found, indent=2) + "\n")
    print(f"Written: docs/capacity/{name}", flush=True)


def run_inside(what: str, arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run a part of this file in a process that is set up for its database; return what it prints."""
    command = [sys.executable, "-m", "benchmarks.capacity", "--inside", what, *arguments]
    child = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    return found


# --- A storm ---------------------------------------------------------------------------------------------------------


def raise_storm(database_url: str, redis_url: str, learners: int) -> dict[str, Any]:
    """Raise the storm of benchmarks/storm.py; return what it says, the CPU seconds of all parts, and the tables."""
    os.environ["STORM_LEARNERS"] = str(learners)  # the neighbours' process reads it
    with fresh_database(database_url) as (url, _), neighbours() as address:
        environment = environment_of(url, redis_url, address)
        migrate(environment)
        (simulator,) = children_of(os.getpid())
        with celery(WORKERS, environment) as worker:
            before, worker_before, started = cpu_seconds(simulator), cpu_seconds(worker.pid), time.monotonic()
            found = run_inside("storm", [address, str(worker.pid)], environment)
            found["load_average"] = os.getloadavg()[0]
            found["elapsed"] = round(time.monotonic() - started, 1)
            found["cpu_seconds"] = {
                "workers": round(cpu_seconds(worker.pid) - worker_before, 1),
                "neighbours": round(cpu_seconds(simulator) - before, 1),
            }
    found["workers"] = WORKERS
    print(json.dumps({key: value for key, value in found.items() if key != "tables"}), flush=True)
    return found


def storm_inside(address: str, worker_pid: int) -> dict[str, Any]:
    import django

    from benchmarks import storm as storm_module

    django.setup()
    # Five times the learners take five times as long, and on a busy machine longer.
    storm_module.GIVE_UP_SECONDS = GIVE_UP_SECONDS
    # A storm leaves nothing behind that a look would not, so what the tables hold afterwards is what learners cost.
    before = tables()
    found = storm(address, worker_pid)
    after = tables()
    grown = {
        name: {"rows": after[name]["rows"] - before[name]["rows"], "bytes": after[name]["bytes"]}
        for name in after
        if after[name]["rows"] >= before[name]["rows"] + found["learners"]
    }
    return {**found, "tables": grown, "database_seconds": database_seconds()}


def tables() -> dict[str, dict[str, int]]:
    """Return rows and bytes (with indexes) of every table of ours."""
    from django.apps import apps
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if model.__module__.startswith("enterprise_access"):
                # What the database makes of a long name is its own affair.
                name = connection.ops.quote_name(model._meta.db_table)
                found[model._meta.label] = {"rows": count(cursor, name), "bytes": size(cursor, name)}
    return found


def count(cursor: Any, table: str) -> int:
    cursor.execute(f"select count(*) from {table}")  # noqa: S608 - a name of our own
    return int(cursor.fetchone()[0])


def size(cursor: Any, table: str) -> int:
    from django.db import connection

    if connection.vendor == "postgresql":
        cursor.execute("select pg_total_relation_size(%s)", [table])
    else:
        cursor.execute(f"analyze table {table}")
        cursor.fetchall()
        cursor.execute(
            "select data_length + index_length from information_schema.tables"
            " where table_schema = database() and table_name = %s",
            [table.strip("`")],
        )
    return int(cursor.fetchone()[0])


def database_seconds() -> float | None:
    """Return how long PostgreSQL was busy with statements for this database."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush()")
        cursor.execute("select active_time / 1000 from pg_stat_database where datname = current_database()")
        return round(float(cursor.fetchone()[0]), 1)


# --- Looks -----------------------------------------------------------------------------------------------------------


def look(database_url: str, redis_url: str) -> list[dict[str, Any]]:
    """Measure looks of a worker at some learners, in one process, without the queue."""
    os.environ["STORM_LEARNERS"] = str((1 + REPEAT) * sum(LOOKS))
    with fresh_database(database_url) as (url, _), neighbours() as address:
        environment = environment_of(url, redis_url, address)
        migrate(environment)
        return list(run_inside("looks", [address], environment)["looks"])


def looks_inside(address: str) -> dict[str, Any]:
    import django

    django.setup()
    from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER, STORM
    from enterprise_access.apps.customers.services import fetch_customer_by_slug
    from enterprise_access.apps.default_enrollments.services.intentions import add_intention

    customer = fetch_customer_by_slug(slug=STORM).pk
    for key in COURSES:
        add_intention(customer_uuid=customer, content_key=key)
    first, found = FIRST_LEARNER, []
    for learners in LOOKS:
        samples = []
        for _ in range(1 + REPEAT):  # the first one warms up
            samples.append(one_look(address, customer, range(first, first + learners)))
            first += learners
        samples = samples[1:]
        if len({json.dumps([sample["calls"], sample["statements"]]) for sample in samples}) > 1:
            raise RuntimeError(f"The same look did not cost the same: {samples}")
        middle = {key: sorted(sample[key] for sample in samples)[REPEAT // 2] for key in ("cpu_seconds", "seconds")}
        found.append({"learners": learners, "intentions": INTENTIONS, **samples[0], **middle})
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    checks = [one_check(address, customer) for _ in range(1 + REPEAT)][1:]
    found.append({"check_of_a_customer": True, **sorted(checks, key=lambda check: float(check["cpu_seconds"]))[0]})
    found.append({"page_of_licenses": True, **page_of_licenses(address, customer)})
    return {"looks": found}


def page_of_licenses(address: str, customer: Any) -> dict[str, Any]:
    """Measure reading the licenses of a plan; return the costs of one page."""
    from enterprise_access.upstream import license_manager

    client = license_manager.from_settings()
    (plan,) = client.list_plans(customer_uuid=customer)
    samples = [measured(address, lambda: client.list_plan_licenses(plan_uuid=plan.uuid)) for _ in range(1 + REPEAT)]
    best = min(samples[1:], key=lambda sample: float(sample["cpu_seconds"]))
    pages = sum(best["calls"].values())
    return {"pages": pages, **{key: round(best[key] / pages, 4) for key in ("cpu_seconds", "seconds")}}


def one_look(address: str, customer: Any, ids: range) -> dict[str, Any]:
    from django.utils import timezone

    from enterprise_access.apps.default_enrollments.models import Trigger
    from enterprise_access.apps.default_enrollments.services.realizing import realize_due
    from enterprise_access.apps.default_enrollments.services.requests import request_realization

    request_realization(customer_uuid=customer, lms_user_ids=ids, trigger=Trigger.LOGIN, now=timezone.now())

    def work() -> None:
        summary = realize_due(customer_uuid=customer, limit=len(ids), now=timezone.now())
        if summary.realized != len(ids) * INTENTIONS:
            raise RuntimeError(f"Not everything was realized: {summary}")

    return measured(address, work)


def one_check(address: str, customer: Any) -> dict[str, Any]:
    from enterprise_access.apps.default_enrollments.tasks import check_intentions

    return measured(address, lambda: check_intentions(customer_uuid=str(customer)))


def measured(address: str, work: Any) -> dict[str, Any]:
    """Return what one piece of work costs: calls by endpoint, statements, CPU seconds, and seconds of the clock."""
    from django.db import connection

    simulator, statements = Neighbours(address, 0), 0

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    simulator.forget_calls()
    cpu, started = time.process_time(), time.perf_counter()
    with connection.execute_wrapper(counting):
        work()
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - started
    return {
        "calls": dict(sorted(simulator.calls_by_endpoint().items())),
        "statements": statements,
        "cpu_seconds": round(cpu, 4),
        "seconds": round(seconds, 3),
    }


# --- Events ----------------------------------------------------------------------------------------------------------


def events(database_url: str) -> dict[str, dict[str, float]]:
    """Return what benchmarks/events.py says of the cases that matter here."""
    command = [sys.executable, "-m", "benchmarks.events", database_url, "--no-report"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    cases = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {
        case["case"]: {
            "events_per_second": case["events_per_second"],
            "cpu_seconds_per_event": round(case["cpu_share"] / case["events_per_second"], 7),
            "row_writes_per_event": case["row_writes_per_event"],
        }
        for case in cases
        if case["case"] in EVENTS
    }


def bytes_of_a_message(redis_url: str) -> int:
    """Return the memory that a login takes in a stream of Redis."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test"}
    return int(run_inside("message", [redis_url], environment)["bytes"])


def message_inside(redis_url: str) -> dict[str, int]:
    import django

    django.setup()
    import redis

    from enterprise_access.events.tests.made import as_message, login

    client: Any = redis.Redis.from_url(redis_url)
    client.flushdb()
    for number in range(MESSAGES):
        client.xadd("capacity", as_message(login(number + 1)))
    size_of_all = client.memory_usage("capacity", samples=0)
    client.flushdb()
    return {"bytes": round(size_of_all / MESSAGES)}


if __name__ == "__main__":
    if "--inside" in sys.argv:
        what, *rest = sys.argv[2:]
        if what == "storm":
            print(json.dumps(storm_inside(rest[0], int(rest[1]))))
        elif what == "looks":
            print(json.dumps(looks_inside(rest[0])))
        else:
            print(json.dumps(message_inside(rest[0])))
    else:
        named = [argument for argument in sys.argv[1:] if argument != "--check"]
        urls = [*named, *DEFAULTS[len(named) :]]
        sys.exit(main(urls[0], urls[1], urls[2], is_check_only="--check" in sys.argv))

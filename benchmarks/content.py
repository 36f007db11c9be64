"""`make bench-content`: how long content takes, how often the catalog service is asked, and how much room it takes.

Every time stands beside a floor of the same run: of cold reads, the cheapest call to the same neighbour with the same
delay; of warm reads, one look into the cache. Counts are the neighbour's own. Writes content.json and content.rst in
docs/benchmarks.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import django
from django.core.management import call_command

from benchmarks.neighbours import CATALOGS, COURSES, course_key, slug_of
from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import UpstreamServices, running
from simulator.seed import WORKER_KEY, WORKER_SECRET
from simulator.values import uuid_for

NUMBERS_OF_KEYS = (1, 10, 50, 100)
DELAYS = (0.0, 0.05)
BURSTS = (8, 64)
PROCESSES = 4
CUSTOMERS_IN_MEMORY = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="How often each cold read is measured.")
    parser.add_argument(
        "--cache-url", help="A cache that processes share. Left out: Django's database cache in a file."
    )
    parser.add_argument("--no-report", action="store_true", help="Print only.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running("benchmarks.neighbours:app") as neighbours:
        prepare(neighbours, Path(folder), options.cache_url)
        results = measure(neighbours, options.repeat)
    page = as_page(results)
    print(page)
    if not options.no_report:
        write("content", results, page)


def prepare(neighbours: UpstreamServices, folder: Path, cache_url: str | None) -> None:
    """Set this process (and those that it starts) up against the neighbours."""
    os.environ |= {
        # As `make run` has it, unless another cache is asked for.
        "DJANGO_SETTINGS_MODULE": f"enterprise_access.settings.{'test' if cache_url else 'local'}",
        "EMBEDDED_HOME": str(folder),
        "CACHE_URL": cache_url or "dbcache://cache_entry",
        "CACHE_STAMP": secrets.token_urlsafe(),
        # Every read looks into the cache, warm ones as well: nothing is left over for a cold one.
        "CONTENT_TRUSTED_SECONDS": "0",
        "LMS_BASE_URL": f"{neighbours.url}/lms",
        "CATALOG_BASE_URL": f"{neighbours.url}/catalog",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "LOG_LEVEL": "WARNING",
    }
    django.setup()
    if not cache_url:
        call_command("migrate", database="cache", verbosity=0)
        call_command("createcachetable", database="cache")


def customer_of(catalogs: int) -> UUID:
    return uuid_for("customer", slug_of(catalogs))


def keys_of(number: int) -> list[str]:
    return [course_key(index) for index in range(number)]


def measure(neighbours: UpstreamServices, repeat: int) -> Row:
    about = about_this("make bench-content", cache=os.environ["CACHE_URL"].partition("://")[0], repeat=repeat)
    for catalogs in CATALOGS:
        ask(customer_of(catalogs), COURSES)  # the neighbour's memory, our token and connections
    cold = []
    for delay in DELAYS:
        neighbours.delay(delay, "catalog")
        floor = percentiles(repeat, neighbours.bare_get)
        for catalogs in CATALOGS:
            cold += [measure_cold(neighbours, keys, catalogs, delay, floor, repeat) for keys in NUMBERS_OF_KEYS]
    neighbours.delay(DELAYS[-1], "catalog")
    floor = percentiles(repeat, neighbours.bare_get)
    burst = [measure_burst(neighbours, callers, floor) for callers in BURSTS]
    return {
        "about": about,
        "cold": cold,
        "warm": [measure_warm(keys, repeat * 4) for keys in NUMBERS_OF_KEYS],
        "burst": burst,
        "memory": measure_memory(),
    }


def ask(customer: UUID, keys: int) -> None:
    """Ask for content; every key must resolve, or nothing was measured."""
    from enterprise_access.apps.content_metadata.domain import Resolved
    from enterprise_access.apps.content_metadata.selectors import fetch_content

    contents = fetch_content(customer_uuid=customer, content_keys=keys_of(keys))
    unresolved = [key for key, content in contents.items() if not isinstance(content.resolution, Resolved)]
    if unresolved:
        raise RuntimeError(f"Not resolved: {unresolved[:3]} ...")


def empty_cache() -> None:
    from django.conf import settings

    settings.CACHE_STAMP = secrets.token_urlsafe()


def percentiles(repeat: int, do: Callable[[], None], before: Callable[[], None] = lambda: None) -> Row:
    """Return the median and the 95th percentile of what `do` takes, in milliseconds."""
    taken = []
    for _ in range(repeat):
        before()
        started_at = time.perf_counter()
        do()
        taken.append(1000 * (time.perf_counter() - started_at))
    return as_percentiles(taken)


def as_percentiles(taken: list[float]) -> Row:
    return {"p50_ms": round(statistics.median(taken), 2), "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 2)}


def measure_cold(neighbours: UpstreamServices, keys: int, catalogs: int, delay: float, floor: Row, repeat: int) -> Row:
    customer = customer_of(catalogs)
    neighbours.forget_calls()
    times = percentiles(repeat, lambda: ask(customer, keys), empty_cache)
    return {
        "keys": keys,
        "catalogs": catalogs,
        "delay_ms": 1000 * delay,
        "calls": neighbours.count_calls("catalog") / repeat,
        **times,
        "floor_p50_ms": floor["p50_ms"],
        "ratio": round(times["p50_ms"] / floor["p50_ms"], 1),
    }


def measure_warm(keys: int, repeat: int) -> Row:
    from django.core.cache import cache

    customer = customer_of(CATALOGS[-1])
    ask(customer, keys)
    cache.set("floor", 1)
    floor = percentiles(repeat, lambda: cache.get("floor"))
    times = percentiles(repeat, lambda: ask(customer, keys))
    ratio = round(times["p50_ms"] / floor["p50_ms"], 1)
    return {"keys": keys, **times, "floor_p50_ms": floor["p50_ms"], "ratio": ratio}


def measure_burst(neighbours: UpstreamServices, callers: int, floor: Row) -> Row:
    """Let several processes, with several threads each, ask for the same at the same moment."""
    empty_cache()
    from django.conf import settings

    customer, keys, catalogs = customer_of(CATALOGS[-1]), NUMBERS_OF_KEYS[-1], CATALOGS[-1]
    command = [sys.executable, "-m", "benchmarks.content_caller", str(customer), str(keys), str(callers // PROCESSES)]
    environment = os.environ | {"CACHE_STAMP": settings.CACHE_STAMP}
    processes = [
        subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for process in processes:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise RuntimeError("A caller did not start.")
    neighbours.forget_calls()
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("go\n")
            process.stdin.flush()
    taken = [1000 * seconds for process in processes for seconds in json.loads(process.communicate()[0])]
    times = as_percentiles(taken)
    return {
        "callers": callers,
        "processes": PROCESSES,
        "keys": keys,
        "catalogs": catalogs,
        "delay_ms": 1000 * DELAYS[-1],
        "calls": neighbours.count_calls("catalog"),
        **times,
        "floor_p50_ms": floor["p50_ms"],
        "ratio": round(times["p50_ms"] / floor["p50_ms"], 1),
    }


def measure_memory() -> Row:
    """Say how much room 10,000 cached courses take, as the cache is given them, and as the catalog tells of them."""
    from enterprise_access.apps.content_metadata.selectors import content
    from enterprise_access.lib.cached_entries import encoded
    from enterprise_access.upstream import catalog

    customer = customer_of(CATALOGS[-1])
    ask(customer, COURSES)
    entries = content._cache.peek(str(customer), [key.lower() for key in keys_of(COURSES)]).values()
    sizes = [len(encoded(entry)) for entry in entries]
    (first, *_) = catalog.from_settings().list_catalogs(customer_uuid=customer)
    answer = catalog.from_settings().transport.get(
        "/api/v2/enterprise-catalogs/{}/get_content_metadata/",
        first.uuid,
        params=[("content_keys", course_key(0)), ("traverse_pagination", "true")],
    )
    courses = COURSES * CUSTOMERS_IN_MEMORY
    return {
        "courses": courses,
        "runs_of_a_course": 3,
        "bytes_of_a_record": len(answer.body),
        "bytes_of_an_entry": round(statistics.mean(sizes)),
        "megabytes": round(statistics.mean(sizes) * courses / 1_000_000, 1),
    }


# --- The page --------------------------------------------------------------------------------------------------------


def as_page(results: Row) -> str:
    about, memory = results["about"], results["memory"]
    burst_floor = results["burst"][0]["floor_p50_ms"]
    lines = [
        *heading("Content: figures"),
        made_by(about),
        f"Cache: {about['cache']}; {about['repeat']} repetitions. The simulator plays enterprise-catalog in another",
        "process on the same machine. Times in ms, medians and 95th percentiles; *ratio* is the median divided by the",
        "floor of the same run.",
        "",
        *heading("Cold: nothing is cached", "-"),
        "Floor: one plain GET to the same service with the same delay.",
        "",
        *table_of(
            results["cold"],
            ["delay_ms", "catalogs", "keys", "calls", "p50_ms", "p95_ms", "floor_p50_ms", "ratio"],
        ),
        *heading("Warm: everything is cached", "-"),
        "Floor: one cache read of a small value. There are no upstream calls.",
        "",
        *table_of(results["warm"], ["keys", "p50_ms", "p95_ms", "floor_p50_ms", "ratio"]),
        *heading("Burst: many callers ask for the same content simultaneously, and nothing is cached", "-"),
        f"Several processes with several threads each; floor as for cold reads ({burst_floor} ms). One request alone",
        f"makes {results['cold'][-1]['calls']:g} calls.",
        "",
        *table_of(results["burst"], ["callers", "processes", "keys", "catalogs", "calls", "p50_ms", "p95_ms", "ratio"]),
        *heading("Memory", "-"),
        f"{memory['courses']:,} cached courses with {memory['runs_of_a_course']} runs each take"
        f" {memory['megabytes']} MB: {memory['bytes_of_an_entry']} bytes each,"
        f" of records of {memory['bytes_of_a_record']} bytes.",
    ]
    return "\n".join(lines) + "\n"


def table_of(rows: list[Row], columns: list[str]) -> list[str]:
    return list_table(columns, [[row[column] for column in columns] for row in rows])


if __name__ == "__main__":
    main()

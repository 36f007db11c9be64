"""`make bench-api`: learner-status and the list of intentions beside their floor, and neighbours that are silent.

    python -m benchmarks.api [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/10]

Web servers are gunicorn with 2 sync workers, on SQLite with Django's database cache (as `make run` has it), and on
PostgreSQL with Redis. The floor is an authenticated view on the same server that returns the same body, prepared,
through the same renderer; floor and candidate are measured in turns. Every run makes a database of its own beside the
one named and drops it; the Redis database named is emptied. Writes docs/benchmarks/api.json, api.rst and pictures.
"""

import argparse
import contextlib
import functools
import http.client
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.api_page import as_page
from benchmarks.api_world import COUNT, NEWCOMER, SIZES, learner_of, seed_api, slug_of
from benchmarks.plots import plot_cold, plot_warm
from benchmarks.reporting import ROOT, Row, about_this, percentiles, write
from benchmarks.serving import (
    DELAY_SECONDS,
    UpstreamServices,
    children_of,
    free_port,
    fresh_database,
    running,
    serving,
    wait_for,
)
from simulator.seed import WORKER_KEY, WORKER_SECRET
from simulator.tokens import Tokens, throwaway_jwk
from simulator.values import uuid_for
from simulator.world import World

API = "/api/v1/default-enterprise-enrollment-intentions/"
ISSUER, AUDIENCE = "https://lms.bench/oauth2", "openedx"
WORKER_USERNAME = "enterprise_access_worker"
CLIENTS = (1, 8)
BURSTS = (8, 64)
# Sizes of which warm requests are profiled: those that have a bar.
PROFILED = (10, 100)
PROFILE_REPEAT = 30
BREAKERS_OPEN = 10
# So often that the first ones, which wait until the breakers open, are not the ordinary case.
STALE_REPEAT = 60
# How often something is asked that nobody knows, while nobody answers; not so often that breakers open.
COLD_WHILE_SILENT = 4
# So many requests meet both workers.
WARM_ENOUGH = 6
# Each customer of the measured world has one.
CATALOGS = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("redis", nargs="?", default="redis://127.0.0.1:6379/10")
    parser.add_argument("--repeat", type=int, default=60, help="How often each warm request is measured.")
    parser.add_argument("--cold-repeat", type=int, default=10, help="How often each cold request is measured.")
    parser.add_argument("--seconds", type=float, default=1.5, help="How long each load of several clients lasts.")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--no-report", action="store_true", help="Print only.")
    options = parser.parse_args()
    about = about_this("make bench-api", server="gunicorn, 2 sync workers", repeat=options.repeat)
    jwk = throwaway_jwk()
    results = []
    if options.only != "postgres":
        with tempfile.TemporaryDirectory() as folder:
            urls = {"DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "CACHE_URL": "dummycache://"}
            results.append(measure("SQLite, database cache", urls | {"EMBEDDED_HOME": folder}, jwk, options))
    if options.only != "sqlite":
        with fresh_database(options.database) as (url, _):
            urls = {"DATABASE_URL": url, "CACHE_URL": options.redis.replace("redis://", "rediscache://")}
            results.append(measure("PostgreSQL, Redis", urls, jwk, options))
    page = as_page(about, results)
    print(page)
    if not options.no_report:
        write("api", {"about": about, "results": results}, page)
        plot_warm(results, "api")
        plot_cold(results, "api-cold")


# --- The servers -------------------------------------------------------------------------------------------------


def environment_of(urls: dict[str, str], jwk: Row, simulator: str, prepared: str) -> dict[str, str]:
    public = {name: value for name, value in jwk.items() if name in {"kty", "n", "e", "kid"}}
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.api_settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "CELERY_BROKER_URL": "memory://",
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [public]}),
        "SIMULATOR_SIGNING_JWK": json.dumps(jwk),
        "LMS_BASE_URL": f"{simulator}/lms",
        "OAUTH2_BASE_URL": f"{simulator}/lms",
        "CATALOG_BASE_URL": f"{simulator}/catalog",
        "LICENSE_MANAGER_BASE_URL": f"{simulator}/license-manager",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "CHECK_NEIGHBOURS_AT_START": "false",
        "LOG_LEVEL": "CRITICAL",
        # Copies stay young while they are to be warm; what is to be stale is made so in the database.
        "ENROLLMENTS_FRESH_SECONDS": "600",
        "LINKS_FRESH_SECONDS": "600",
        "BENCH_PREPARED": prepared,
        "PYTHONWARNINGS": "",
        **urls,
    }


def measure(name: str, urls: dict[str, str], jwk: Row, options: argparse.Namespace) -> Row:
    print(f"--- {name}", flush=True)
    simulator_port, web_port = free_port(), free_port()
    tokens = Tokens(world=World(seed=seed_api), signing_jwk=jwk, issuer=ISSUER, audience=AUDIENCE)
    with contextlib.ExitStack() as stack:
        prepared = stack.enter_context(tempfile.TemporaryDirectory())
        environment = environment_of(urls, jwk, f"http://127.0.0.1:{simulator_port}", prepared)
        neighbours = stack.enter_context(running("benchmarks.api_world:app", environment, simulator_port))
        inside = stack.enter_context(process_inside(environment))
        inside("set_up")
        web = stack.enter_context(serving("enterprise_access.wsgi:application", web_port, environment, "-w", "2"))
        bench = Bench(web_port, web, neighbours, tokens, Path(prepared), inside, options)
        wait_for(bench.is_alive, while_runs=web)
        return {"storage": name, **bench.run()}


Inside = Callable[..., Any]


@contextlib.contextmanager
def process_inside(environment: dict[str, str]) -> Iterator[Inside]:
    """Yield a function that gives orders to a process that is set up like the measured server; see api_data."""
    command = [sys.executable, "-m", "benchmarks.api_data"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    orders, answers = process.stdin, process.stdout
    if orders is None or answers is None:
        raise RuntimeError("There is no pipe.")

    def order(do: str, **arguments: object) -> Any:
        orders.write(json.dumps({"do": do, **arguments}) + "\n")
        orders.flush()
        line = answers.readline()
        if not line:
            raise RuntimeError(f"The process inside has failed at {do!r}.")
        return json.loads(line)

    try:
        yield order
    finally:
        orders.close()
        answers.close()
        process.wait(timeout=30)


# --- Measuring ---------------------------------------------------------------------------------------------------


class Bench:
    """Measures one web server."""

    def __init__(
        self,
        port: int,
        web: "subprocess.Popen[bytes]",
        neighbours: UpstreamServices,
        tokens: Tokens,
        prepared: Path,
        inside: Inside,
        options: argparse.Namespace,
    ) -> None:
        self.port = port
        self.web = web
        self.neighbours = neighbours
        self.tokens = tokens
        self.prepared = prepared
        self.inside = inside
        self.repeat: int = options.repeat
        self.cold_repeat: int = options.cold_repeat
        self.seconds: float = options.seconds

    def run(self) -> Row:
        found: Row = {
            "learner_status": [self.measure_status(size) for size in SIZES],
            "list": [self.measure_list(size) for size in PROFILED],
            "profiles": {str(size): self.profile(size) for size in PROFILED},
        }
        self.neighbours.delay(DELAY_SECONDS)
        found |= {
            "delay_ms": round(1000 * DELAY_SECONDS),
            "cold": [self.measure_cold(size) for size in SIZES],
            "burst": [self.measure_burst(callers) for callers in BURSTS],
            "timeline": self.inside("timeline", path=self.path_of(max(SIZES)), token=self.token_of(max(SIZES))),
        }
        self.neighbours.delay(0)
        found["silent"] = self.measure_silence()
        found["calls_without_modes"] = self.count_calls_without_modes()
        return found

    def path_of(self, size: int) -> str:
        return f"{API}learner-status/?enterprise_customer_uuid={uuid_for('customer', slug_of(size))}"

    def list_of(self, size: int) -> str:
        return f"{API}?enterprise_customer_uuid={uuid_for('customer', slug_of(size))}&page_size={size}"

    def token_of(self, size: int) -> str:
        return self.tokens.token_for(learner_of(size))

    def is_alive(self) -> bool:
        try:
            return self.get("/health/live/", "")[0] == http.client.OK
        except OSError:
            return False

    def get(self, path: str, token: str, headers: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
        """Return status, headers and body. A connection for each request: that is how sync workers serve."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            authorization = {"Authorization": f"JWT {token}"} if token else {}
            connection.request("GET", path, headers=authorization | (headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def expect(self, path: str, token: str) -> bytes:
        status, _, body = self.get(path, token)
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")
        return body

    # --- Warm

    def count_statements(self, path: str, token: str) -> Row:
        """Count what a warm request costs that comes when no process trusts any more what it was shown: the most."""
        self.inside("wait_until_nothing_is_trusted")
        self.neighbours.forget_calls()
        told = [self.get(path, token, {COUNT: "1"})[1] for _ in range(WARM_ENOUGH)]
        return {
            "statements": max(int(headers[COUNT]) for headers in told),
            "statements_of_database_cache": max(int(headers[f"{COUNT}-Of-Cache"]) for headers in told),
            "upstream_calls": self.neighbours.count_calls(),
        }

    def measure_status(self, size: int) -> Row:
        return {"intentions": size, **self.compare(f"status-{size}", self.path_of(size), self.token_of(size))}

    def measure_list(self, size: int) -> Row:
        """Measure the list of all intentions of a customer."""
        path, token = self.list_of(size), self.tokens.token_for(WORKER_USERNAME)
        if (found := len(json.loads(self.expect(path, token))["results"])) != size:
            raise RuntimeError(f"The list has {found} intentions.")
        return {"intentions": size, **self.compare(f"list-{size}", path, token)}

    def compare(self, name: str, path: str, token: str) -> Row:
        """Measure floor and candidate in turns, by one client and by several."""
        for _ in range(WARM_ENOUGH):
            body = self.expect(path, token)
        (self.prepared / f"{name}.json").write_bytes(body)
        floor_path = f"/floor/{name}/"
        for _ in range(WARM_ENOUGH):
            if len(self.expect(floor_path, token)) != len(body):
                raise RuntimeError("The floor answers another body.")
        floor, candidate = [], []
        for _ in range(self.repeat):
            floor.append(taken(lambda: self.expect(floor_path, token)))
            candidate.append(taken(lambda: self.expect(path, token)))
        row = {
            "bytes": len(body),
            **self.count_statements(path, token),
            **beside(floor, candidate),
            "loads": [self.measure_load(floor_path, path, token, clients) for clients in CLIENTS],
        }
        print(json.dumps({"name": name, **row}), flush=True)
        return row

    def measure_load(self, floor_path: str, path: str, token: str, clients: int) -> Row:
        """Measure floor and candidate in turns while so many clients ask without a pause."""
        turns, floor, candidate = 2, list[float](), list[float]()
        for _ in range(turns):
            for asked, times in ((floor_path, floor), (path, candidate)):
                times += self.load(asked, token, clients, self.seconds / turns)
        rates = {"floor": round(len(floor) / self.seconds, 1), "candidate": round(len(candidate) / self.seconds, 1)}
        return {"clients": clients, **beside(floor, candidate), "per_second": rates}

    def load(self, path: str, token: str, clients: int, seconds: float) -> list[float]:
        """Return the milliseconds of every request."""
        ends_at = time.monotonic() + seconds
        times: list[float] = []

        def ask() -> None:
            while time.monotonic() < ends_at:
                times.append(taken(lambda: self.expect(path, token)))

        at_once([ask] * clients)
        return times

    def profile(self, size: int) -> Row:
        """Profile a request in a process of its own, before which as many are made as it takes to open breakers."""
        paths = {"path": self.path_of(size), "floor": f"/floor/status-{size}/"}
        more = {"repeat": PROFILE_REPEAT, "unmeasured": BREAKERS_OPEN}
        found: Row = self.inside("profile", token=self.token_of(size), **paths, **more)
        return found

    # --- Cold

    def measure_cold(self, size: int) -> Row:
        """Measure a first request, when nothing is known but the intentions and the modes."""
        ask, floor = (
            functools.partial(self.expect, path, self.token_of(size))
            for path in (self.path_of(size), f"/floor/status-{size}/")
        )
        times, floors, calls = [], [], list[dict[str, int]]()
        for _ in range(self.cold_repeat if size == max(SIZES) else max(1, self.cold_repeat // 3)):
            self.inside("forget")
            self.neighbours.forget_calls()
            times.append(taken(ask))
            calls.append(self.neighbours.calls_by_endpoint())
            floors += [taken(floor) for _ in range(5)]
        if not all(calls):
            raise RuntimeError("Nobody was asked: the request was not cold.")
        most = max(calls, key=lambda by_endpoint: sum(by_endpoint.values()))
        row = {
            "intentions": size,
            "catalogs": CATALOGS,
            "upstream_calls": sum(most.values()),
            "calls": most,
            "p50": round(statistics.median(times), 1),
            "slowest": round(max(times), 1),
            "floor_p50": round(statistics.median(floors), 2),
        }
        print(json.dumps({"name": f"cold-{size}", **row}), flush=True)
        return row

    def measure_burst(self, callers: int) -> Row:
        """Count the upstream calls when many ask at once for what nobody knows."""
        path, token = self.path_of(10), self.token_of(10)
        self.inside("forget")
        self.neighbours.forget_calls()
        at_once([lambda: self.expect(path, token)] * callers)
        return {"callers": callers, "intentions": 10, "upstream_calls": self.neighbours.count_calls()}

    def count_calls_without_modes(self) -> dict[str, int]:
        """Count the upstream calls of a request when nobody knows the modes of the runs either."""
        size = max(SIZES)
        self.restart_workers()
        self.inside("forget_modes")
        self.neighbours.forget_calls()
        self.expect(self.path_of(size), self.token_of(size))
        return self.neighbours.calls_by_endpoint()

    # --- Silent neighbours

    def measure_silence(self) -> Row:
        """Let every neighbour hang, and ask for what has a stale copy; then again, for what nobody knows."""
        path, token = self.path_of(10), self.token_of(10)
        self.get_warm(path, token)
        self.inside("age")
        stale, floor, unmarked = [], [], 0
        with self.neighbours.hanging():
            for _ in range(STALE_REPEAT):
                floor.append(taken(lambda: self.expect("/floor/status-10/", token)))
                started_at = time.perf_counter()
                body = self.expect(path, token)
                stale.append(1000 * (time.perf_counter() - started_at))
                unmarked += not json.loads(body)["stale"]
            profile = self.profile(10)
        return {
            **beside(floor, stale),
            "slowest": round(max(stale), 1),
            "unmarked": unmarked,
            "profile": profile,
            "slower_than_half_a_second": sum(each > 500 for each in stale),
            "unknown": self.measure_unknown(),
        }

    def measure_unknown(self) -> Row:
        """Ask for what nobody knows while nobody answers, from the first request on, when breakers are closed."""
        self.restart_workers()
        self.get_warm(self.path_of(10), self.token_of(10))
        self.inside("forget")
        path, token = self.path_of(max(SIZES)), self.tokens.token_for(NEWCOMER)
        answers, times = [], []
        with self.neighbours.hanging():
            for _ in range(COLD_WHILE_SILENT):
                started_at = time.perf_counter()
                status, _, body = self.get(path, token)
                times.append(1000 * (time.perf_counter() - started_at))
                answers.append((status, json.loads(body).get("code")))
        expected = (http.client.SERVICE_UNAVAILABLE, "upstream_unavailable")
        status, code = answers[0]
        return {
            "asked": len(answers),
            "status": status,
            "code": code,
            "answered_otherwise": sum(answer != expected for answer in answers),
            "first": round(times[0], 1),
            "p50": round(statistics.median(times), 1),
            "slowest": round(max(times), 1),
        }

    def get_warm(self, path: str, token: str) -> None:
        for _ in range(WARM_ENOUGH):
            self.expect(path, token)

    def restart_workers(self) -> None:
        """Have new web processes, whose breakers are closed."""
        old = set(children_of(self.web.pid))
        os.kill(self.web.pid, signal.SIGHUP)

        def are_new() -> bool:
            now = children_of(self.web.pid)
            return len(now) == len(old) and not old & set(now)

        wait_for(are_new, while_runs=self.web)
        wait_for(self.is_alive, while_runs=self.web)


def at_once(calls: Sequence[Callable[[], object]]) -> None:
    failures: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that measures
            failures.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def taken(do: Callable[[], object]) -> float:
    """Return how many milliseconds it took."""
    started_at = time.perf_counter()
    do()
    return 1000 * (time.perf_counter() - started_at)


def beside(floor: Sequence[float], candidate: Sequence[float]) -> Row:
    """Return the times of both, and how many floors the candidate takes."""
    ratio = statistics.median(candidate) / statistics.median(floor)
    return {"floor": percentiles(floor), "candidate": percentiles(candidate), "ratio": round(ratio, 2)}


if __name__ == "__main__":
    main()

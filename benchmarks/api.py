"""`make bench-api`: learner-status and the list of intentions beside their floor, and neighbours that are silent.

    python -m benchmarks.api [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/10]

Web servers are gunicorn with 2 sync workers, on SQLite with Django's database cache (as `make run` has it), and on
PostgreSQL with Redis. The floor is an authenticated view on the same server that returns the same body, prepared,
through the same renderer; floor and candidate are measured in turns. Every run makes a database of its own beside the
one named and drops it; the Redis database named is emptied. Writes docs/benchmarks/api.json, api.rst and api.svg.
"""

import argparse
import contextlib
import functools
import http.client
import json
import os
import platform
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from database_matrix import fresh_database  # noqa: E402

from benchmarks.api_world import COUNT, NEWCOMER, SIZES, learner_of, seed_api, slug_of  # noqa: E402
from simulator.seed import WORKER_KEY, WORKER_SECRET  # noqa: E402
from simulator.tokens import Tokens, throwaway_jwk  # noqa: E402
from simulator.values import uuid_for  # noqa: E402
from simulator.world import World  # noqa: E402

REPORT = ROOT / "docs" / "benchmarks" / "api"
API = "/api/v1/default-enterprise-enrollment-intentions/"
ISSUER, AUDIENCE = "https://lms.bench/oauth2", "openedx"
CLIENTS = (1, 8)
BURSTS = (8, 64)
BARS = {10: 1.5, 100: 2.5}

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("redis", nargs="?", default="redis://127.0.0.1:6379/10")
    parser.add_argument("--repeat", type=int, default=60, help="How often each request is measured.")
    parser.add_argument("--seconds", type=float, default=1.5, help="How long each load of several clients lasts.")
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--no-report", action="store_true", help="Print only.")
    options = parser.parse_args()
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
    about = about_this(options)
    print(as_table(about, results))
    if not options.no_report:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.with_suffix(".json").write_text(json.dumps({"about": about, "results": results}, indent=2) + "\n")
        REPORT.with_suffix(".rst").write_text(as_table(about, results))
        plot(results)


def about_this(options: argparse.Namespace) -> Row:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return {
        "command": "make bench-api",
        "machine": f"{os.cpu_count()} cores, shared with other work",
        "python": platform.python_version(),
        "commit": commit.stdout.strip() or "unknown",
        "server": "gunicorn, 2 sync workers",
        "repeat": options.repeat,
    }


# --- The servers -------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(app: str, port: int, environment: dict[str, str], *more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program under gunicorn, and end it whatever happens."""
    command = [sys.executable, "-m", "gunicorn", app, "-b", f"127.0.0.1:{port}", "--log-level", "error", *more]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGCONT)
            process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def await_answer(url: str) -> None:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            requests.get(url, timeout=10)
            return
        time.sleep(0.1)
    raise RuntimeError(f"Nobody answers at {url}.")


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
    simulator = f"http://127.0.0.1:{simulator_port}"
    tokens = Tokens(world=World(seed=seed_api), signing_jwk=jwk, issuer=ISSUER, audience=AUDIENCE)
    with contextlib.ExitStack() as stack:
        prepared = stack.enter_context(tempfile.TemporaryDirectory())
        environment = environment_of(urls, jwk, simulator, prepared)
        neighbours = stack.enter_context(
            serving("benchmarks.api_world:app", simulator_port, environment, "--threads", "32")
        )
        await_answer(f"{simulator}/catalog/health/")
        inside("set-up", environment)
        stack.enter_context(serving("enterprise_access.wsgi:application", web_port, environment, "-w", "2"))
        await_answer(f"http://127.0.0.1:{web_port}/health/live/")
        bench = Bench(web_port, simulator, tokens, Path(prepared), environment, neighbours.pid, options)
        return {"storage": name, **bench.run()}


def inside(what: str, environment: dict[str, str]) -> None:
    """Do something with the database of the measured server, in a process that is set up for it."""
    subprocess.run([sys.executable, "-m", "benchmarks.api_data", what], cwd=ROOT, env=environment, check=True)


# --- Measuring ---------------------------------------------------------------------------------------------------


class Bench:
    """Measures one web server."""

    def __init__(
        self,
        port: int,
        simulator: str,
        tokens: Tokens,
        prepared: Path,
        environment: dict[str, str],
        neighbours_pid: int,
        options: argparse.Namespace,
    ) -> None:
        self.port = port
        self.simulator = simulator
        self.tokens = tokens
        self.prepared = prepared
        self.environment = environment
        self.neighbours_pid = neighbours_pid
        self.repeat: int = options.repeat
        self.seconds: float = options.seconds

    def run(self) -> Row:
        return {
            "learner_status": [self.measure_status(size) for size in SIZES],
            "list": self.measure_list(),
            "cold": self.measure_cold(),
            "burst": [self.measure_burst(callers) for callers in BURSTS],
            "silent": self.measure_silence(),
        }

    def get(self, path: str, token: str, headers: dict[str, str] | None = None) -> tuple[int, Any, bytes]:
        """Return status, headers and body. A connection for each request: that is how sync workers serve."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"JWT {token}", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def expect(self, path: str, token: str) -> bytes:
        status, _, body = self.get(path, token)
        if status != http.client.OK:
            raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")
        return body

    def measure_status(self, size: int) -> Row:
        path = f"{API}learner-status/?enterprise_customer_uuid={uuid_for('customer', slug_of(size))}"
        row = self.compare(f"status-{size}", path, self.tokens.token_for(learner_of(size)))
        return {"intentions": size, **row}

    def measure_list(self) -> Row | None:
        """Measure the list of all intentions of the largest customer, if this version has such a list."""
        customer, operator = uuid_for("customer", slug_of(max(SIZES))), self.tokens.token_for(WORKER_USERNAME)
        path = f"{API}?enterprise_customer_uuid={customer}&page_size=100"
        status, _, body = self.get(path, operator)
        if status != http.client.OK:
            return None
        return {"intentions": len(json.loads(body)["results"]), **self.compare("list", path, operator)}

    def compare(self, name: str, path: str, token: str) -> Row:
        """Measure floor and candidate in turns, by one client and by several."""
        for _ in range(6):  # both workers
            body = self.expect(path, token)
        (self.prepared / f"{name}.json").write_bytes(body)
        floor_path = f"/floor/{name}/"
        for _ in range(6):
            if len(self.expect(floor_path, token)) != len(body):
                raise RuntimeError("The floor answers another body.")
        self.forget_calls()
        _, headers, _ = self.get(path, token, {COUNT: "1"})
        floor, candidate = [], []
        for _ in range(self.repeat):
            floor.append(taken(lambda: self.expect(floor_path, token)))
            candidate.append(taken(lambda: self.expect(path, token)))
        row = {
            "bytes": len(body),
            "statements": int(headers[COUNT]),
            "statements_of_database_cache": int(headers[f"{COUNT}-Of-Cache"]),
            "upstream_calls": self.count_calls(),
            "floor": percentiles(floor),
            "candidate": percentiles(candidate),
            "ratio": round(statistics.median(candidate) / statistics.median(floor), 2),
        }
        for clients in CLIENTS:
            floor_rate, rate = self.rates([floor_path, path], token, clients)
            row[f"per_second_{clients}"] = {"floor": floor_rate, "candidate": rate}
        print(json.dumps({"name": name, **row}), flush=True)
        return row

    def rates(self, paths: Sequence[str], token: str, clients: int) -> list[float]:
        """Return how many requests a second are answered of each path, measured in turns."""
        turns = 2
        done = dict.fromkeys(paths, 0)
        for _ in range(turns):
            for path in paths:
                done[path] += self.load(path, token, clients, self.seconds / turns)
        return [round(done[path] / self.seconds, 1) for path in paths]

    def load(self, path: str, token: str, clients: int, seconds: float) -> int:
        ends_at, done = time.monotonic() + seconds, []

        def ask() -> None:
            while time.monotonic() < ends_at:
                self.expect(path, token)
                done.append(1)

        at_once([ask] * clients)
        return len(done)

    def measure_cold(self) -> list[Row]:
        """Count the upstream calls of a first request, when nothing is known but the intentions."""
        rows = []
        for size in SIZES:
            path = f"{API}learner-status/?enterprise_customer_uuid={uuid_for('customer', slug_of(size))}"
            token = self.tokens.token_for(learner_of(size))
            inside("forget", self.environment)
            self.forget_calls()
            milliseconds = taken(functools.partial(self.expect, path, token))
            rows.append({"intentions": size, "upstream_calls": self.count_calls(), "ms": round(milliseconds, 1)})
        return rows

    def measure_burst(self, callers: int) -> Row:
        """Count the upstream calls when many ask at once for what nobody knows."""
        path = f"{API}learner-status/?enterprise_customer_uuid={uuid_for('customer', slug_of(10))}"
        token = self.tokens.token_for(learner_of(10))
        inside("forget", self.environment)
        self.forget_calls()
        at_once([lambda: self.expect(path, token)] * callers)
        return {"callers": callers, "upstream_calls": self.count_calls()}

    def measure_silence(self) -> Row:
        """Let every neighbour hang, and ask for what has a stale copy, and for what nobody knows."""
        path = f"{API}learner-status/?enterprise_customer_uuid={uuid_for('customer', slug_of(10))}"
        token = self.tokens.token_for(learner_of(10))
        inside("forget", self.environment)
        for _ in range(6):
            body = self.expect(path, token)
        inside("age", self.environment)
        os.kill(self.neighbours_pid, signal.SIGSTOP)
        for worker in children_of(self.neighbours_pid):
            os.kill(worker, signal.SIGSTOP)
        try:
            stale, floor = [], []
            for _ in range(self.repeat):
                floor.append(taken(lambda: self.expect("/floor/status-10/", token)))
                started_at = time.perf_counter()
                body = self.expect(path, token)
                stale.append(1000 * (time.perf_counter() - started_at))
                if not json.loads(body)["stale"]:
                    raise RuntimeError("The answer is not marked as stale.")
            cold = f"{API}learner-status/?enterprise_customer_uuid={uuid_for('customer', slug_of(max(SIZES)))}"
            started_at = time.perf_counter()
            status, headers, body = self.get(cold, self.tokens.token_for(NEWCOMER))
            unknown = 1000 * (time.perf_counter() - started_at)
        finally:
            for worker in children_of(self.neighbours_pid):
                os.kill(worker, signal.SIGCONT)
            os.kill(self.neighbours_pid, signal.SIGCONT)
        return {
            "stale": percentiles(stale) | {"slowest": round(max(stale), 1)},
            "floor": percentiles(floor),
            "ratio": round(statistics.median(stale) / statistics.median(floor), 2),
            "slower_than_half_a_second": sum(each > 500 for each in stale),
            "unknown": {
                "status": status,
                "code": json.loads(body).get("code"),
                "retry_after": headers.get("Retry-After"),
                "ms": round(unknown, 1),
            },
        }

    def forget_calls(self) -> None:
        requests.delete(f"{self.simulator}/control/log", timeout=30).raise_for_status()

    def count_calls(self) -> int:
        calls: list[Row] = requests.get(f"{self.simulator}/control/log", timeout=30).json()["calls"]
        return len(calls)


WORKER_USERNAME = "enterprise_access_worker"


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


def percentiles(milliseconds: Sequence[float]) -> Row:
    ordered = sorted(milliseconds)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95) - 1], 2)}


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# --- The report --------------------------------------------------------------------------------------------------


def as_table(about: Row, results: Sequence[Row]) -> str:
    lines = ["The API", "=======", ""]
    lines += [
        f"Made by ``{about['command']}`` at commit {about['commit']} on {about['machine']}, Python {about['python']};",
        f"{about['server']}. The floor is an authenticated view on the same server that returns the same body,",
        "prepared, through the same renderer; both are measured in turns, so that the ratio holds on a busy machine.",
        "Times are milliseconds of one client, network and token included. Statements are all of the request's, the",
        "caller's own included; those of a cache that lives in a database stand apart.",
        "",
        ".. image:: api.svg",
        "   :alt: How many times the floor learner-status takes, by number of intentions.",
        "",
    ]
    for result in results:
        lines += [result["storage"], "-" * len(result["storage"]), ""]
        lines += _list_table(
            ["", "bytes", "statements (cache)", "upstream", "floor p50 / p95", "ours p50 / p95", "ratio (bar)"]
            + [f"a second, {clients} client{'s' * (clients > 1)}: floor / ours" for clients in CLIENTS],
            [_status_line(row) for row in result["learner_status"]]
            + ([_line("list of intentions", result["list"], "")] if result["list"] else []),
        )
        lines += _prose(result)
    return "\n".join(lines) + "\n"


def _status_line(row: Row) -> list[str]:
    bar = BARS.get(row["intentions"])
    return _line(f"learner-status, {row['intentions']}", row, f" ({bar})" if bar else "")


def _line(title: str, row: Row, bar: str) -> list[str]:
    return [
        title,
        str(row["bytes"]),
        f"{row['statements']} ({row['statements_of_database_cache']})",
        str(row["upstream_calls"]),
        f"{row['floor']['p50']} / {row['floor']['p95']}",
        f"{row['candidate']['p50']} / {row['candidate']['p95']}",
        f"{row['ratio']}{bar}",
        *(
            f"{row[f'per_second_{clients}']['floor']} / {row[f'per_second_{clients}']['candidate']}"
            for clients in CLIENTS
        ),
    ]


def _list_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [titles, *rows]:
        lines += [f"   {'*' if number == 0 else ' '} - {cell}".rstrip() for number, cell in enumerate(row)]
    return [*lines, ""]


def _prose(result: Row) -> list[str]:
    silent, unknown = result["silent"], result["silent"]["unknown"]
    cold = ", ".join(f"{row['upstream_calls']} ({row['intentions']})" for row in result["cold"])
    burst = ", ".join(f"{row['upstream_calls']} (burst of {row['callers']})" for row in result["burst"])
    return [
        f"Upstream calls of a first request, by number of intentions: {cold}. Of many at once, 10 intentions: {burst}.",
        "",
        f"While every neighbour hangs, what has a stale copy is answered in {silent['stale']['p50']} ms (p50; "
        f"{silent['ratio']} floors), {silent['stale']['slowest']} ms at worst; {silent['slower_than_half_a_second']} "
        "requests waited before the breaker opened. What nobody knows is answered with "
        f"{unknown['status']} ``{unknown['code']}`` (Retry-After: {unknown['retry_after']}) after {unknown['ms']} ms.",
        "",
    ]


def plot(results: Sequence[Row]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "api"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for result in results:
        rows = result["learner_status"]
        axes.plot([row["intentions"] for row in rows], [row["ratio"] for row in rows], "o-", label=result["storage"])
    axes.plot(list(BARS), list(BARS.values()), "k_", markersize=20, label="bar")
    axes.axhline(1, color="grey", linewidth=1, linestyle=":", label="floor")
    axes.set(xlabel="intentions", ylabel="times the floor (p50)", title="learner-status, warm", ylim=(0, None))
    axes.legend()
    figure.savefig(REPORT.with_suffix(".svg"), metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    main()

"""The processes that a measurement needs beside itself: servers on free ports, the neighbours, databases of its own."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import requests

from benchmarks.reporting import ROOT, Row
from simulator.seed import WORKER_KEY, WORKER_SECRET

if TYPE_CHECKING:
    from simulator.app import Simulator

sys.path.insert(0, str(ROOT / "scripts"))

from database_matrix import fresh_database

__all__ = [
    "UpstreamServices",
    "children_of",
    "cpu_seconds",
    "fresh_database",
    "measure_apart",
    "migrate",
    "running",
    "served_here",
    "serving",
    "simulated",
    "taken",
    "wait_for",
]

# In milliseconds where figures are told, in seconds where it is done.
DELAY_SECONDS = 0.05
NEIGHBOURS = ("lms", "platform", "catalog", "license_manager")
POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
# Names, in the environment of a process, the benchmark that is measured in it.
MEASURED = "BENCHMARK_MEASURED"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class UpstreamServices:
    """The simulator in a process of its own, and its control interface."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self.pid = pid
        self._session = requests.Session()

    def delay(self, seconds: float, *services: str) -> None:
        """Let every answer of these services (of all, if none is named) come later by so much."""
        self._call("DELETE", "/control/faults")
        for service in (services or NEIGHBOURS) if seconds else ():
            fault = {"kind": "delay_before", "endpoint": f"{service}.*", "times": None, "seconds": seconds}
            self._call("POST", "/control/faults", json=fault)

    def throttle(self) -> None:
        """Let them throttle as the real ones do."""
        self._call("PATCH", "/control/quirks", json={"has_throttles": True})

    def forget_calls(self) -> None:
        self._call("DELETE", "/control/log")

    def calls(self, service: str | None = None) -> list[Row]:
        """Return the calls since `forget_calls`."""
        parameters = {"service": service} if service else {}
        calls: list[Row] = self._call("GET", "/control/log", params=parameters).json()["calls"]
        return calls

    def count_calls(self, service: str | None = None) -> int:
        return len(self.calls(service))

    def calls_by_endpoint(self) -> dict[str, int]:
        return dict(Counter(call["endpoint"] for call in self.calls()).most_common())

    def bare_get(self) -> None:
        """Make the cheapest call that there is, over a connection that is open already: a floor."""
        self._call("GET", "/catalog/health/")

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Let them accept calls and never answer."""
        processes = [self.pid, *children_of(self.pid)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(processes):
                os.kill(process, signal.SIGCONT)

    def _call(self, method: str, path: str, **options: object) -> requests.Response:
        answer = self._session.request(method, self.url + path, timeout=60, **options)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer


@contextlib.contextmanager
def running(app: str, environment: dict[str, str] | None = None, port: int | None = None) -> Iterator[UpstreamServices]:
    """Run neighbours. One process, because the world lives in its memory; threads, so that calls overlap."""
    port = port or free_port()
    with serving(app, port, environment or dict(os.environ), "--threads", "32") as process:
        neighbours = UpstreamServices(f"http://127.0.0.1:{port}", process.pid)
        wait_for(lambda: _answers(neighbours), while_runs=process)
        yield neighbours


def _answers(neighbours: UpstreamServices) -> bool:
    neighbours.bare_get()
    return True


@contextlib.contextmanager
def serving(app: str, port: int, environment: dict[str, str], *more: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program under gunicorn, and end it whatever happens."""
    command = [sys.executable, "-m", "gunicorn", app, "-b", f"127.0.0.1:{port}", "--log-level", "error", *more]
    process = subprocess.Popen(command, cwd=ROOT, env=environment | {"PYTHONWARNINGS": ""}, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def served_here(workers: int = 2) -> Iterator[Callable[[str, dict[str, str]], bytes]]:
    """Serve this process by gunicorn with sync workers, which begin with everything that it knows.

    Yields a function that asks for a path with headers, over a connection of its own as sync workers have it, and
    returns the body; RuntimeError for an answer other than 200.
    """
    from django.db import connections

    connections.close_all()
    port = free_port()
    server = os.fork()
    if not server:
        _serve(port, workers)

    def ask(path: str, headers: dict[str, str]) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path, headers={"Host": "testserver", **headers})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
        return body

    try:
        wait_for(lambda: _is_open(port))
        yield ask
    finally:
        os.kill(server, signal.SIGTERM)
        os.waitpid(server, 0)


def _serve(port: int, workers: int) -> None:
    """Be the server until it is ended."""
    from django.core.wsgi import get_wsgi_application
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in {"bind": f"127.0.0.1:{port}", "workers": workers, "loglevel": "error"}.items():
                self.cfg.set(name, value)

        def load(self) -> object:
            return get_wsgi_application()

    try:
        Server().run()
    finally:
        # Neither the server nor a worker of it goes on with the measurement.
        os._exit(0)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(
    is_so: Callable[[], object], seconds: float = 60, while_runs: "subprocess.Popen[bytes] | None" = None
) -> None:
    """Wait until something is so; not to be reached is not to be so. Raises RuntimeError after so many seconds."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and (while_runs is None or while_runs.poll() is None):
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            if is_so():
                return
        time.sleep(0.1)
    raise RuntimeError(f"Waited {seconds:.0f} s in vain, or for a process that has ended.")


def measure_apart(
    name: str,
    measure: Callable[["Simulator"], list[Row]],
    tell: Callable[[list[Row]], None],
    environment: dict[str, str] | None = None,
) -> None:
    """Be the program `python -m benchmarks.NAME [POSTGRES]`: measure in a process of its own, and tell what it found.

    The process has a database of its own, with tables, beside the PostgreSQL named, and `environment` besides.
    """
    if os.environ.get(MEASURED) == name:
        print(json.dumps(measure(simulated())))
        return
    with fresh_database(sys.argv[1] if len(sys.argv) > 1 else POSTGRES) as (fresh, _):
        whole = os.environ | {
            "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
            "DATABASE_URL": fresh,
            "LOG_LEVEL": "ERROR",
            "OAUTH2_CLIENT_ID": WORKER_KEY,
            "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
            MEASURED: name,
            **(environment or {}),
        }
        migrate(whole)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        found = subprocess.run(command, cwd=ROOT, env=whole, check=True, stdout=subprocess.PIPE, text=True)
    tell(json.loads(found.stdout.splitlines()[-1]))


def simulated() -> "Simulator":
    """Set Django up, and put the simulator, in this process, where the upstream services are. Its delays are real."""
    import django

    django.setup()
    from django.conf import settings

    from simulator.app import create_app, simulator_of
    from simulator.in_process import SimulatorAdapter
    from simulator.tokens import throwaway_jwk

    (issuer,) = settings.JWT_AUTH["JWT_ISSUERS"]
    app = create_app(signing_key=throwaway_jwk(), issuer=issuer["ISSUER"], audience=issuer["AUDIENCE"])
    adapter = SimulatorAdapter(app, on_wait=time.sleep)
    requests.adapters.HTTPAdapter.send = (  # type: ignore[method-assign]
        lambda _, *args, **kwargs: adapter.send(*args, **kwargs)
    )
    simulator = simulator_of(app)
    settings.JWT_AUTH |= {"JWT_PUBLIC_SIGNING_JWK_SET": simulator.tokens.public_jwk_set()}
    return simulator


def taken(do: Callable[[], object]) -> float:
    """Return how many seconds it took."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def migrate(environment: dict[str, str]) -> None:
    """Make the tables of the database that the environment names."""
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its children have used so far."""
    total = 0
    for each in [pid, *children_of(pid)]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS

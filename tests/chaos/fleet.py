"""The processes of an installation and of its neighbours, and somebody who starts anew what has ended."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

from benchmarks.storm_neighbours import STORM
from tests.chaos.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
STARTED_WITHIN_SECONDS = 120
TENDED_EVERY_SECONDS = 0.5
# Every call to a neighbour takes so much longer, so that there is a middle to be met in.
DELAY_SECONDS = 0.05

WORKERS = ("worker1", "worker2")
TOPICS = (
    "learning-session-login",
    "learning-student-registration",
    "learning-course-enrollment-changed",
    "learning-course-unenrollment",
    "enterprise-subsidies-transaction-lifecycle",
)
EVERYONE = ("web", "beat", *WORKERS, *TOPICS)


def wait_until(is_so: Callable[[], bool], seconds: float, what: str = "it") -> None:
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at, f"{what} was not so after {seconds:.0f} s"
        time.sleep(0.2)


class Fleet:
    """The processes of one installation, as `make run-services` has them. What each of them says is in `folder`."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder
        self.web = f"http://127.0.0.1:{free_port()}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # Who ended without having been killed, and how: Celery's worker may, for one, when Redis dies under it.
        self.ended_by_themselves: list[tuple[str, int]] = []
        self._lock = threading.RLock()

    def _command(self, name: str) -> list[str]:
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "--quiet", "--app", "enterprise_access"]
        if name in WORKERS:
            return [*celery, "worker", "--concurrency", "2", "--hostname", f"{name}@%h", "--loglevel", "info"]
        if name == "beat":
            return [*celery, "beat", "--schedule", str(self.folder / "beat"), "--pidfile=", "--loglevel", "warning"]
        if name == "web":
            address = self.web.removeprefix("http://")
            return [*python, "gunicorn", "--bind", address, "--workers", "2", "enterprise_access.wsgi:application"]
        return [sys.executable, "manage.py", "consume_topic", name, "--name", "steady"]

    def start(self, *names: str) -> None:
        """Start these."""
        with self._lock:
            for name in names:
                self._start(name)

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            # A session of its own, so that a process and its children can be killed together.
            self.processes[name] = subprocess.Popen(
                self._command(name), cwd=ROOT, env=self.environment, start_new_session=True, stdout=log, stderr=log
            )

    def kill(self, *names: str, for_now: bool = False) -> None:
        """End these with SIGKILL, and their children with them. `for_now`: they stay dead until they are started."""
        with self._lock:
            for name in names:
                process = self.processes.pop(name)
                end_group(process)
                process.wait()
                if not for_now:
                    self._start(name)

    def kill_all(self) -> None:
        """End everybody for good."""
        self.kill(*self.processes, for_now=True)

    def kill_child(self, name: str) -> None:
        """End one of the processes that a worker has for its work, as a kernel does that runs out of memory."""
        wait_until(lambda: bool(self._children(name)), STARTED_WITHIN_SECONDS, "a worker with children")
        os.kill(self._children(name)[0], signal.SIGKILL)

    def _children(self, name: str) -> list[int]:
        pid = self.processes[name].pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def is_ready(self) -> bool:
        """Say whether the web answers that all its parts do, and the workers have children for their work."""
        return answers(f"{self.web}/health/ready/") and all(self._children(name) for name in WORKERS)

    @contextlib.contextmanager
    def tended(self) -> Iterator[None]:
        """While inside, somebody starts anew what has ended, as a supervisor does."""
        is_over = threading.Event()
        supervisor = threading.Thread(target=self._tend, args=(is_over,))
        supervisor.start()
        try:
            yield
        finally:
            is_over.set()
            supervisor.join()

    def _tend(self, is_over: threading.Event) -> None:
        while not is_over.wait(TENDED_EVERY_SECONDS):
            with self._lock:
                for name, process in list(self.processes.items()):
                    if (code := process.poll()) is not None:
                        self.ended_by_themselves.append((name, code))
                        end_group(process)
                        self._start(name)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process, and whoever it has left behind, with SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class UpstreamServices:
    """The simulated neighbours as a process of their own."""

    def __init__(self, process: "subprocess.Popen[bytes]", address: str) -> None:
        self.process, self.address = process, address

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Return what they answer. Raises requests.RequestException."""
        answer = requests.request(method, self.address + path, **{"timeout": 60, **options})
        answer.raise_for_status()
        return answer.json()

    def fault(self, kind: str, endpoint: str, **about: Any) -> None:
        """Let a fault happen to every call of an endpoint; the first that was switched on is the one that happens."""
        self.call("POST", "/control/faults", json={"kind": kind, "endpoint": endpoint, "times": None, **about})

    def slow_down(self, *, enroll_seconds: float) -> None:
        """Let nothing be wrong with them but that they take their time."""
        self.call("DELETE", "/control/faults")
        self.fault("delay_before", "lms.enroll_learners", seconds=enroll_seconds)
        self.fault("delay_before", "*", seconds=DELAY_SECONDS)

    def hang(self) -> None:
        """Let no call be answered any more, and let what is asked not be done."""
        self.call("DELETE", "/control/faults")
        self.fault("hang", "*")

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """While inside, the process stands still; then it does what it was asked meanwhile, whoever has given up."""
        os.killpg(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self.process.pid, signal.SIGCONT)

    def customer_uuid(self) -> str:
        """Return the customer of the storm."""
        groups = self.call("GET", "/portal/learners")
        return next(group["customer"]["uuid"] for group in groups if group["customer"]["slug"] == STORM)


@contextlib.contextmanager
def neighbours(*, learners: int, bus_url: str, folder: Path) -> Iterator[UpstreamServices]:
    """Run the neighbours of a storm, throttling as the real ones do."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    # One process, whose world dies with it: it may stand still, and calls that hang may not keep out those that end it.
    command += ["--threads", "200", "--timeout", "0", "--graceful-timeout", "2", "tests.chaos.neighbours:app"]
    environment = os.environ | {"SIMULATOR_EVENT_BUS_URL": bus_url, "STORM_LEARNERS": str(learners)}
    with (folder / "neighbours.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, stdout=log, stderr=log)
    found = UpstreamServices(process, f"http://127.0.0.1:{port}")
    try:
        wait_until(lambda: answers(f"{found.address}/catalog/health/"), STARTED_WITHIN_SECONDS, "a simulator")
        found.call("PATCH", "/control/quirks", json={"has_throttles": True})
        yield found
    finally:
        process.terminate()
        process.wait()


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False

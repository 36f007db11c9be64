"""The neighbours as a process of their own, on a free port of this machine, with words to control them."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import requests


class Neighbours:
    """The control interface of the simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def delay(self, seconds: float) -> None:
        """Let every answer of the catalog service come later by so much."""
        self._call("DELETE", "/control/faults")
        if seconds:
            fault = {"kind": "delay_before", "endpoint": "catalog.*", "times": None, "seconds": seconds}
            self._call("POST", "/control/faults", json=fault)

    def forget_calls(self) -> None:
        self._call("DELETE", "/control/log")

    def count_calls(self) -> int:
        """Return how often the catalog service was called since `forget_calls`."""
        calls: list[object] = self._call("GET", "/control/log", params={"service": "catalog"}).json()["calls"]
        return len(calls)

    def bare_get(self) -> None:
        """Make the cheapest call that there is, over a connection that is open already: the floor."""
        self._call("GET", "/catalog/health/")

    def _call(self, method: str, path: str, **options: object) -> requests.Response:
        answer = self._session.request(method, self.url + path, timeout=30, **options)  # type: ignore[arg-type]
        answer.raise_for_status()
        return answer


@contextlib.contextmanager
def running() -> Iterator[Neighbours]:
    """Run the neighbours. One process, because the world lives in its memory; threads, so that calls overlap."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = ["-m", "gunicorn", "benchmarks.neighbours:app", "-b", address, "-w", "1", "--threads", "32"]
    process = subprocess.Popen(
        [sys.executable, *command, "--log-level", "error"], env=os.environ | {"PYTHONWARNINGS": ""}
    )
    try:
        yield _answering(Neighbours(f"http://{address}"), process)
    finally:
        process.terminate()
        process.wait()


def _answering(neighbours: Neighbours, process: "subprocess.Popen[bytes]") -> Neighbours:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at and process.poll() is None:
        with contextlib.suppress(requests.ConnectionError):
            neighbours.bare_get()
            return neighbours
        time.sleep(0.1)
    raise RuntimeError("The neighbours did not start.")

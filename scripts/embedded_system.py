"""The processes of `make run`, started in a folder and on ports of their own: for the demonstration and the tests.

Nothing of the caller's environment but the ordinary reaches them, so that a test's settings are not theirs.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STARTED_WITHIN_SECONDS = 180
STOPPED_WITHIN_SECONDS = 30
RUN = (sys.executable, "scripts/run.py")
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "VIRTUAL_ENV")


class Differs(Exception):
    """The system did something else than expected."""


class System:
    """The whole system: `web` and `simulator` are the addresses of the service and of the simulated upstream services.

    It keeps its data in `home`. `command` starts it, in the folder `root`; `settings` are added to its environment.
    """

    def __init__(self, home: Path, *, root: Path = ROOT, command: Sequence[str] = RUN, **settings: str) -> None:
        self.home, self.root, self.command = home, root, command
        self.ports = web, simulator = free_port(), free_port()
        self.web, self.simulator = f"http://localhost:{web}", f"http://localhost:{simulator}"
        self.environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | {
            "EMBEDDED_HOME": str(home),
            "WEB_PORT": str(web),
            "SIMULATOR_PORT": str(simulator),
            **settings,
        }
        self.output = home / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything, and wait until it says that it is ready. Raises Differs when it does not come to that."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that stop() reaches all of it, and Ctrl-C only through stop()
            )
        wait_for(lambda: "Ready." in self.log(), "the system to be ready", STARTED_WITHIN_SECONDS, self.check_runs)

    def check_runs(self) -> None:
        if self.process is None or self.process.poll() is not None:
            raise Differs("the system stopped by itself")

    def log(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    @property
    def password(self) -> str:
        """The one of the demonstration's login to the admin pages."""
        found = re.search(r"with the password (\S+)", self.log())
        if found is None:
            raise Differs("the system named no password")
        return found[1]

    def stop(self) -> None:
        """Stop everything as Ctrl-C does: what does not stop by itself is killed, after a few seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(timeout=STOPPED_WITHIN_SECONDS)


def wait_for(is_so: Callable[[], bool], what: str, seconds: float, check: Callable[[], None] = lambda: None) -> None:
    """Wait until something is so; `check` may raise what makes waiting vain. Raises Differs when the time is up."""
    ends_at = time.monotonic() + seconds
    while not is_so():
        check()
        if time.monotonic() > ends_at:
            raise Differs(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


def is_free(port: int) -> bool:
    """Whether no one listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

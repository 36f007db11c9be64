"""A PostgreSQL and a Redis of a test's own, which may crash and be emptied without anybody else's noticing.

Their programs have to be installed on this machine; no server has to run.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis

READY_WITHIN_SECONDS = 120
# PostgreSQL refuses to be run by root.
OWNER = "postgres"


class NotInstalled(Exception):
    """This machine lacks a program that the test cannot do without."""


class PostgreSQL:
    """A PostgreSQL server whose data is in `folder`, which belongs to it. Anybody on this machine may come in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._programs = _folder_of_postgresql()
        self._as_owner = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        if self._as_owner:
            shutil.chown(folder, user=OWNER)
        self._run("initdb", "--auth", "trust", "--username", OWNER, "--encoding", "UTF8", "--locale", "C")

    def url(self, database: str) -> str:
        """Return the address of a database, as DATABASE_URL has it."""
        return f"postgres://{OWNER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it lets clients in; after a crash it first does again what it had promised."""
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder}"
        self._run("pg_ctl", "start", "--wait", "--log", str(self.folder / "log"), "--options", options)

    def stop(self, mode: str) -> None:
        """Stop it: `fast` ends what is under way in good order, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "--wait", "--mode", mode)

    def _run(self, program: str, *arguments: str) -> None:
        # A server keeps the output of who started it: nobody may wait for the end of that.
        done = subprocess.run(
            [*self._as_owner, self._programs / program, *arguments, "--pgdata", self.folder / "data"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=READY_WITHIN_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            raise RuntimeError(f"{program} failed.\n{log.read_text() if log.exists() else ''}")


class Redis:
    """A Redis server that keeps nothing: when it dies, all that was in it is gone."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, number: int) -> str:
        """Return the address of one of its databases."""
        return f"redis://127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        program = _program("redis-server")
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([*command, "--dir", self.folder], stdout=subprocess.DEVNULL)
        ends_at = time.monotonic() + READY_WITHIN_SECONDS
        with redis.Redis.from_url(self.url(0)) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    if time.monotonic() > ends_at:
                        raise
                    time.sleep(0.1)

    def kill(self) -> None:
        """End it as SIGKILL does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let it accept connections and answer nothing, as SIGSTOP does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def flush(self, number: int) -> None:
        """Empty one of its databases."""
        with redis.Redis.from_url(self.url(number)) as client:
            client.flushdb()


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _folder_of_postgresql() -> Path:
    """Return where the programs of the newest PostgreSQL are that is a server. Raises NotInstalled."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: _version(path.parent), reverse=True)
    for folder in [*installed, *_told_by_pg_config(), *(Path(path) for path in os.get_exec_path())]:
        if (folder / "initdb").exists():
            return folder
    raise NotInstalled("PostgreSQL's programs initdb and pg_ctl are needed (Debian: apt install postgresql).")


def _version(folder: Path) -> list[int]:
    return [int(part) for part in folder.name.split(".") if part.isdigit()]


def _told_by_pg_config() -> list[Path]:
    if shutil.which("pg_config") is None:
        return []
    return [Path(subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip())]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotInstalled(f"The program {name} is needed (Debian: apt install {name}).")
    return found

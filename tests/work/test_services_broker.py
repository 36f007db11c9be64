"""A broker that hangs (not: refuses) costs a sender one short wait, and then nothing for a while."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_SECONDS = 2.5

pytestmark = pytest.mark.services

SENDER = """
import sys, time, django
django.setup()
from enterprise_access.lib import jobs
assert jobs.send("nobody.knows.it"), "the broker takes messages"
print("warm", flush=True)
sys.stdin.readline()
for _ in range(3):
    began = time.monotonic()
    assert not jobs.send("nobody.knows.it")
    print(time.monotonic() - began, flush=True)
"""


@pytest.fixture
def redis() -> Iterator[tuple[int, int]]:
    """Start a Redis of our own; return its process and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield server.pid, port
    finally:
        server.send_signal(signal.SIGCONT)
        server.kill()
        server.wait(timeout=10)


def _wait_for(port: int) -> None:
    ends_at = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < ends_at, "Redis did not start"
            time.sleep(0.05)


def test_a_broker_that_hangs_holds_a_sender_up_once_and_not_for_long(redis):
    pid, port = redis
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "DATABASE_URL": "sqlite://:memory:",
        "PYTHONPATH": str(ROOT),
    }
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDER],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sender.stdin is not None
    assert sender.stdout is not None
    assert sender.stdout.readline().strip() == "warm"
    os.kill(pid, signal.SIGSTOP)
    said, _ = sender.communicate("go\n", timeout=60)
    first, *later = (float(line) for line in said.split())
    assert first < LIMIT_SECONDS
    assert max(later) < 0.1


def _ask_redis(port: int, *words: str) -> str:
    command = ["redis-cli", "-p", str(port), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_worker_outlives_a_broker_that_is_read_only_for_a_while(redis, tmp_path):
    """A fail-over makes the Redis that a worker talks to a replica, which answers, and refuses to take messages off."""
    _, port = redis
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "DATABASE_URL": "sqlite://:memory:",
    }
    log = tmp_path / "log"
    with log.open("w") as lines:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "enterprise_access", "worker", "--pool", "solo", "-l", "info"],
            cwd=ROOT,
            env=environment,
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
        try:
            _await_listener(port)
            _ask_redis(port, "REPLICAOF", "127.0.0.1", "1")
            _ask_redis(port, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            time.sleep(5)
            assert worker.poll() is None, log.read_text()[-2000:]
            _ask_redis(port, "REPLICAOF", "NO", "ONE")
            _await_listener(port)
            assert worker.poll() is None
        finally:
            worker.kill()
            worker.wait(timeout=10)


def _await_listener(port: int) -> None:
    """Wait until a worker waits for messages."""
    ends_at = time.monotonic() + 60
    while "cmd=brpop" not in _ask_redis(port, "CLIENT", "LIST").lower():
        assert time.monotonic() < ends_at, "no worker listens"
        time.sleep(0.2)

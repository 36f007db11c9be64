"""The web process as the image runs it: whatever holds requests up, /health/live/ answers at once.

The command is the Dockerfile's own; upstream services are the simulator in a process of its own.
"""

import contextlib
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from attrs import frozen

from benchmarks.serving import UpstreamServices, migrate, running, wait_for
from simulator.seed import ACME, WORKER_KEY, WORKER_SECRET
from tests.chaos.servers import Redis
from tests.delivery.compose import ROOT, free_port, instructions

pytestmark = pytest.mark.services

# The probes of an orchestrator give up after three; what is promised is one.
LIVE_SECONDS = 1.0
# A page has a budget of 3 s, and each use of the cache one of 0.5 s.
WITHOUT_REDIS_SECONDS = 8
INTENTIONS = "/api/v1/default-enterprise-enrollment-intentions/"
REALIZE = "/api/v1/default-enterprise-enrollment-intentions/realize/"
DASHBOARD = "/api/v1/bffs/learner/dashboard/"


@frozen
class Web:
    """The running web process."""

    port: int
    upstream: UpstreamServices

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, headers={"Host": "testserver"}, timeout=60)

    def post(self, path: str, username: str, **body: object) -> float:
        """Post as a learner; return how long the answer took."""
        token = self._token(username)
        headers = {"Host": "testserver", "Authorization": f"JWT {token}"}
        started_at = time.monotonic()
        answer = requests.post(self.url + path, json=body, headers=headers, timeout=60)
        assert answer.status_code in {200, 201, 202, 503}, answer.text[:300]
        return time.monotonic() - started_at

    def _token(self, username: str) -> str:
        answer = requests.post(f"{self.upstream.url}/control/token", json={"username": username}, timeout=10)
        token: str = answer.json()["token"]
        return token

    def slowest_live(self, seconds: float) -> float:
        """Ask for /health/live/ again and again; return the longest that an answer took."""
        slowest, ends_at = 0.0, time.monotonic() + seconds
        while time.monotonic() < ends_at:
            started_at = time.monotonic()
            assert self.get("/health/live/").status_code == 200
            slowest = max(slowest, time.monotonic() - started_at)
            time.sleep(0.1)
        return slowest


def command_of_the_image(port: int) -> list[str]:
    """Return the Dockerfile's command with a port of our own, from the virtual environment of this run."""
    (words,) = [json.loads(text) for name, text in instructions("service") if name == "CMD"]
    words = [f"127.0.0.1:{port}" if word.startswith("0.0.0.0:") else word for word in words]
    return [sys.executable, "-m", *words]


def environment_of_the_image() -> dict[str, str]:
    found: dict[str, str] = {}
    for name, text in instructions("service"):
        if name == "ENV":
            found |= dict(word.split("=", 1) for word in shlex.split(text))
    return {name: found[name] for name in ("WEB_CONCURRENCY", "WEB_THREADS")}


@contextlib.contextmanager
def web_process(folder: Path, redis: Redis | None) -> Iterator[Web]:
    with running("benchmarks.neighbours:app") as upstream:
        port = free_port()
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "CELERY_BROKER_URL": redis.url(0) if redis else "memory://",
            "CACHE_URL": redis.url(1).replace("redis://", "rediscache://") if redis else "locmemcache://",
            "CACHE_STAMP": secrets.token_urlsafe(),
            "LMS_BASE_URL": f"{upstream.url}/lms",
            "OAUTH2_BASE_URL": f"{upstream.url}/lms",
            "CATALOG_BASE_URL": f"{upstream.url}/catalog",
            "LICENSE_MANAGER_BASE_URL": f"{upstream.url}/license-manager",
            "OAUTH2_CLIENT_ID": WORKER_KEY,
            "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
            "JWT_PUBLIC_SIGNING_JWK_SET": requests.get(f"{upstream.url}/lms/oauth2/jwks", timeout=10).text,
            "JWT_ISSUER": "https://lms.example.com/oauth2",
            "JWT_AUDIENCE": "openedx",
            "REQUEST_BUDGET_SECONDS": "2.8",
            "STALE_BUDGET_SECONDS": "1",
            "REALIZE_WAITERS": "16",
            "LOG_LEVEL": "ERROR",
            **environment_of_the_image(),
        }
        migrate(environment)
        process = subprocess.Popen(command_of_the_image(port), cwd=ROOT, env=environment, start_new_session=True)
        try:
            web = Web(port, upstream)
            wait_for(lambda: web.get("/health/live/").status_code == 200, while_runs=process)
            web.post(
                INTENTIONS, "enterprise_access_worker", enterprise_customer_uuid=str(ACME), content_key="edX+DemoX"
            )
            yield web
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with web_process(tmp_path, None) as found:
        yield found


@contextlib.contextmanager
def slow_clients(web: Web, count: int, head: str, drip: bytes) -> Iterator[None]:
    """Hold connections open that begin with `head` and then send one piece of `drip` a second."""
    stop = threading.Event()

    def send() -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", web.port)) as connection:
            connection.sendall(head.encode())
            while not stop.wait(1):
                connection.sendall(drip)

    threads = [threading.Thread(target=send) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


BODY = (
    "POST /admin/login/ HTTP/1.1\r\nHost: testserver\r\nCookie: csrftoken=" + "a" * 32 + "\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
)
HEADERS = "GET /health/live/ HTTP/1.1\r\nHost: testserver\r\nX-Slow: "


@pytest.mark.parametrize(("head", "drip"), [(BODY, b"a"), (HEADERS, b"a")], ids=["bodies", "headers"])
@pytest.mark.parametrize("count", [2, 12])
def test_clients_that_send_slowly_hold_up_nobody_else(web: Web, head: str, drip: bytes, count: int):
    with slow_clients(web, count, head, drip):
        time.sleep(1)
        assert web.slowest_live(4) < LIVE_SECONDS


@pytest.mark.parametrize("delay", [0, 8])
def test_learners_who_wait_hold_up_nobody_else(web: Web, delay: float):
    web.upstream.delay(delay, "lms", "platform")
    names = ["ada", "ben", "hal", "max", "lea", "carol", "dave", "erin"] * 4
    with ThreadPoolExecutor(len(names)) as pool:
        ask = [
            pool.submit(web.post, REALIZE, name, enterprise_customer_uuid=str(ACME), wait_seconds=3) for name in names
        ]
        time.sleep(0.5)
        assert web.slowest_live(4) < LIVE_SECONDS
        assert max(each.result() for each in ask) < 5


@pytest.mark.parametrize("path", [REALIZE, DASHBOARD])
def test_a_broker_and_cache_that_stop_answering_cost_no_more_than_the_budget(tmp_path: Path, path: str):
    redis = Redis(tmp_path)
    redis.start()
    try:
        with web_process(tmp_path, redis) as web:
            web.post(path, "ada", **body_of(path))
            redis.freeze()
            assert web.post(path, "ben", **body_of(path)) < WITHOUT_REDIS_SECONDS
            with ThreadPoolExecutor(8) as pool:
                asked = [pool.submit(web.post, path, "ben", **body_of(path)) for _ in range(8)]
                assert web.slowest_live(1) < LIVE_SECONDS
                assert max(each.result() for each in asked) < WITHOUT_REDIS_SECONDS
    finally:
        redis.kill()


def body_of(path: str) -> dict[str, object]:
    return {"enterprise_customer_slug": "acme/"} if path == DASHBOARD else {"enterprise_customer_uuid": str(ACME)}

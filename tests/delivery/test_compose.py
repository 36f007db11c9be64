"""What docker-compose.yml describes starts, does its work and stops: real processes, MariaDB, Redis and memcached.

In place of containers there are processes (see compose.py), and in place of MySQL there is MariaDB: MARIADB_URL says
where, as an account that may make databases and accounts. DELIVERY_REDIS_URL names a database of Redis, which is
emptied. memcached is started here.
"""

import os
import secrets
import shelve
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
import requests
from pymemcache.client.base import Client as Memcached  # type: ignore[import-untyped]

from simulator.event_bus import TOPICS
from simulator.seed import GLOBEX
from tests.delivery.compose import ROOT, Engine, build, free_port, printed_env, services

sys.path.insert(0, str(ROOT / "scripts"))

from database_matrix import connect

# Nothing is spent here, so that enterprise-subsidy tells nothing on its topic.
HEARD = "learning-"

MARIADB_URL = os.environ.get("MARIADB_URL", "mysql://root:@127.0.0.1:3306/test")
REDIS_URL = os.environ.get("DELIVERY_REDIS_URL", "redis://127.0.0.1:6379/12")
PATIENCE_SECONDS = 90
HEIDI, FRANK = 2001, 2003
COURSE, RUN = "edX+DemoX", "course-v1:edX+DemoX+2026_T1"
API = "/api/v1/default-enterprise-enrollment-intentions"
# How long the LMS takes to enroll while everything is told to stop, and how long a request would wait for it.
CALL_SECONDS, REQUEST_SECONDS = 5, 20
# What an operator may write into settings.env. (Beat is to have done something before it is told to stop.)
SETTINGS = {"RESOLVE_SIGHTINGS_SECONDS": "3", "REALIZE_WAIT_MAX_SECONDS": str(REQUEST_SECONDS)}

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def memcached() -> Iterator[Memcached]:
    port = free_port()
    command = ["memcached", "--listen", "127.0.0.1", "--port", str(port), "--user", "nobody"]
    with subprocess.Popen(command) as process:
        client = Memcached(("127.0.0.1", port), connect_timeout=1, timeout=1, default_noreply=False)
        try:
            until(lambda: is_there(client))
            yield client
        finally:
            client.close()
            process.terminate()


def is_there(client: Memcached) -> bool:
    try:
        return bool(client.version())
    except OSError:
        return False


class Database:
    """A database and an account of this run's own, as the image of MySQL makes them."""

    def __init__(self, password: str) -> None:
        parts = urlsplit(MARIADB_URL)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 3306
        self.name = self.account = f"delivery_{secrets.token_hex(4)}"
        self.password = password
        self._as_root = connect(MARIADB_URL)

    def make(self) -> None:
        self._as_root(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")
        self._as_root(f"CREATE USER '{self.account}'@'%' IDENTIFIED BY '{self.password}'")
        self._as_root(f"GRANT ALL ON {self.name}.* TO '{self.account}'@'%'")

    def drop(self) -> None:
        self._as_root(f"DROP DATABASE IF EXISTS {self.name}")
        self._as_root(f"DROP USER IF EXISTS '{self.account}'@'%'")

    def count(self, table: str, condition: str) -> int:
        """Return how many rows of a table are so."""
        import MySQLdb

        connection = MySQLdb.connect(
            host=self.host, port=self.port, user=self.account, password=self.password, database=self.name
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT COUNT(*) FROM {table} WHERE {condition}")
                (number,) = cursor.fetchone()
                return int(number)
        finally:
            connection.close()

    def realizations(self, condition: str) -> int:
        return self.count("default_enrollments_defaultenterpriseenrollmentrealization", condition)


class Installation:
    """What `docker compose --profile simulator up` starts, and where it is reached."""

    def __init__(
        self, home: Path, memcached: Memcached, database: Database, bus: redis.Redis, env: dict[str, str]
    ) -> None:
        self.database, self.memcached, self.bus = database, memcached, bus
        web, simulator = free_port(), free_port()
        self.web, self.simulator = f"http://localhost:{web}", f"http://localhost:{simulator}"
        # By what the words in the files are replaced: what a container reaches by a name of its own.
        instead = {
            "mysql://access:": f"mysql://{database.account}:",
            "@mysql:3306/access": f"@{database.host}:{database.port}/{database.name}",
            "redis://redis:6379/0": REDIS_URL,
            "redis://redis:6379/1": REDIS_URL,
            "memcached:11211": f"127.0.0.1:{memcached.server[1]}",
            "simulator:8900": f"127.0.0.1:{simulator}",
            ":8900": f":{simulator}",
            ":8000": f":{web}",
            "0.0.0.0": "127.0.0.1",
        }
        images = {
            "enterprise-access": build("service", home / "image"),
            "enterprise-access-simulator": build("simulator", home / "image of simulator"),
        }
        run = home / "run"
        run.mkdir()
        ours = services(images=images, env=env, settings=SETTINGS, instead=instead, home=run)
        self.engine = Engine(ours, run)
        self.beat_schedule = run / "beat" / "beat"

    def start(self) -> None:
        """Start everything, in the order that the file asks for, and wait until all of it is healthy."""
        self.engine.run("migrate")
        self.engine.start(*(name for name in self.engine.services if name != "migrate"))
        self.engine.wait_until_healthy()

    def neighbour(self, method: str, path: str, **options: Any) -> Any:
        answer = requests.request(method, self.simulator + path, timeout=10, **options)
        answer.raise_for_status()
        return answer.json()

    def sign_in(self, username: str) -> dict[str, str]:
        """Let a learner sign in at the LMS, which tells the event bus. Return the header of their calls."""
        signed_in = self.neighbour("POST", "/portal/sign-in", json={"username": username, "customer": "globex"})
        return {"Authorization": f"JWT {signed_in['token']}"}

    def has_heard(self, topic: str) -> bool:
        """Say whether everything that the LMS has told on a topic was read by our consumers, and acknowledged."""
        last = self.bus.xinfo_stream(topic)["last-generated-id"]
        return any(
            group["last-delivered-id"] == last and not group["pending"] for group in self.bus.xinfo_groups(topic)
        )

    def statistic(self, name: str) -> int:
        """Return a count of memcached's."""
        return int(self.memcached.stats()[name.encode()])


@pytest.fixture(scope="module")
def installation(memcached: Memcached, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    bus = redis.Redis.from_url(REDIS_URL)
    bus.flushdb()
    env = printed_env()
    database = Database(env["MYSQL_PASSWORD"])
    database.make()
    engine = None
    try:
        installation = Installation(tmp_path_factory.mktemp("compose"), memcached, database, bus, env)
        engine = installation.engine
        installation.start()
        yield installation
    finally:
        if engine is not None:
            engine.kill()
        database.drop()
        bus.flushdb()
        bus.close()


def until(is_so: Callable[[], bool]) -> None:
    gives_up_at = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < gives_up_at, "This takes too long."
        time.sleep(0.2)


def test_what_compose_describes_starts_works_and_stops(installation: Installation) -> None:
    engine, database = installation.engine, installation.database

    # The command that the file's first lines tell, with something to begin with.
    seed = ("python", "manage.py", "seed_demonstration", f"globex={COURSE}")
    engine.run("web", *seed, DEMONSTRATION_PASSWORD=secrets.token_urlsafe(12))

    # The LMS tells of a login; who has a license is enrolled.
    header = installation.sign_in("heidi")
    until(lambda: database.realizations(f"lms_user_id = {HEIDI}") == 1)
    (course,) = installation.neighbour("GET", "/portal/courses", params={"username": "heidi"})
    assert (course["course_run_key"], course["mode"], course["is_active"]) == (RUN, "verified", True)

    # The LMS tells of the enrollment, of one that is left, and of a registration.
    until(lambda: database.count("customers_learnerenrollment", f"lms_user_id = {HEIDI} AND is_active = 1") == 1)
    installation.neighbour("POST", "/portal/leave", json={"username": "heidi", "course_run_key": RUN})
    until(lambda: database.realizations(f"lms_user_id = {HEIDI} AND left_at IS NOT NULL") == 1)
    newcomer = {"id": 2101, "username": "newcomer", "customer": "globex"}
    installation.neighbour("POST", "/control/world/add_learner", json=newcomer)
    until(lambda: database.count("default_enrollments_realizationrequest", "lms_user_id = 2101") == 1)
    until(lambda: all(installation.has_heard(topic) for topic in TOPICS.values() if topic.startswith(HEARD)))

    # The web process reads what the others keep in memcached.
    hits = installation.statistic("get_hits")
    address = f"{installation.web}{API}/learner-status/"
    status = requests.get(address, params={"enterprise_customer_uuid": str(GLOBEX)}, headers=header, timeout=10)
    assert status.status_code == 200
    assert installation.statistic("get_hits") > hits
    assert installation.statistic("curr_items") > 0

    # Everything is told to stop while the LMS enrolls somebody, and somebody waits for that at the web process.
    slow = {"kind": "delay_before", "endpoint": "lms.enroll_learners", "times": None, "seconds": CALL_SECONDS}
    installation.neighbour("POST", "/control/faults", json=slow)
    with ThreadPoolExecutor(max_workers=1) as pool:
        asked = pool.submit(
            requests.post,
            f"{installation.web}{API}/realize/",
            json={"enterprise_customer_uuid": str(GLOBEX), "wait_seconds": REQUEST_SECONDS},
            headers=installation.sign_in("frank"),
            timeout=30,
        )
        until(lambda: database.count("default_enrollments_realizationattempt", "outcome = 'sending'") == 1)
        assert not asked.done()
        of_service = [name for name in engine.processes if name != "simulator"]
        ended = engine.stop(of_service)
        assert ended == dict.fromkeys(of_service, 0)
        assert asked.result().status_code == 200
    assert engine.left_behind() == []

    # The call in hand has ended and is recorded; nobody has to wait for a lease to run out.
    assert database.realizations(f"lms_user_id = {FRANK}") == 1
    assert database.count("default_enrollments_realizationattempt", "outcome IN ('sending', 'in_doubt')") == 0
    assert database.count("default_enrollments_realizationrequest", "lease_token IS NOT NULL") == 0
    assert database.count("events_outbox", "lease_token IS NOT NULL") == 0
    with shelve.open(str(installation.beat_schedule), "r") as schedule:
        assert schedule["entries"]["resolve logins"].total_run_count > 0
    assert engine.stop(["simulator"]) == {"simulator": 0}

    # Nothing of it went wrong.
    for name in engine.services:
        assert [line for line in engine.log(name).splitlines() if "ERROR" in line or "Traceback" in line] == [], name

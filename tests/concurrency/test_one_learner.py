"""Two, eight, thirty-two workers at once for one learner: one enrollment per intention.

Every worker is a process of its own with a connection of its own; the neighbours are a server. Needs a database that
processes can share (`make test-concurrency` runs it on a file, PostgreSQL and MariaDB).
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from django.db import connection

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
)
from simulator.seed import ACME, GLOBEX, WORKER_KEY, WORKER_SECRET
from tests.tally import Tally

ROOT = Path(__file__).resolve().parent.parent.parent
FRANK = 2003  # linked to both customers, with a license of each
RUN = "course-v1:edX+DemoX+2026_T1"
STARTED_WITHIN_SECONDS = 30

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# One process gets ready and splits into as many as there are learners named; all start their work in the same moment.
WORKERS = """
import os, sys, django
django.setup()
from uuid import UUID
from django.utils import timezone
from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
reading, writing = os.pipe()
children = []
for pair in sys.argv[1:]:
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    customer, learner = pair.split(":")
    now = timezone.now()
    request_realization(
        customer_uuid=UUID(customer), lms_user_ids=[int(learner)], trigger=Trigger.PORTAL, now=now
    )
    realize_due(customer_uuid=UUID(customer), limit=10, now=now)
    os._exit(0)
os.close(writing)
failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
sys.exit(failed)
"""


@pytest.fixture
def neighbours() -> Iterator[str]:
    """Start the simulator as a server; return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "32"]
    command += ["--graceful-timeout", "2", "--log-level", "error", "simulator.wsgi:application"]
    server = subprocess.Popen(command, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        ends_at = time.monotonic() + STARTED_WITHIN_SECONDS
        while True:
            try:
                requests.get(f"{address}/", timeout=5).raise_for_status()
                break
            except (requests.ConnectionError, requests.Timeout):
                assert time.monotonic() < ends_at, "the simulator did not start"
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


def database_url() -> str:
    """Return the address of the test database, for other processes."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        assert "memory" not in str(config["NAME"]), "this test needs a database that processes can share"
        return f"sqlite:///{config['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    host, port = config["HOST"] or "127.0.0.1", config["PORT"] or {"postgres": 5432, "mysql": 3306}[scheme]
    return f"{scheme}://{config['USER']}:{config['PASSWORD']}@{host}:{port}/{config['NAME']}"


def run_program(neighbours: str, program: str, *arguments: str, **settings: str) -> str:
    """Run a Python program with the test database and these neighbours (and more settings); return what it printed."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
        "DATABASE_URL": database_url(),
        "LMS_BASE_URL": f"{neighbours}/lms",
        "OAUTH2_BASE_URL": f"{neighbours}/lms",
        "CATALOG_BASE_URL": f"{neighbours}/catalog",
        "LICENSE_MANAGER_BASE_URL": f"{neighbours}/license-manager",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "PYTHONPATH": str(ROOT),
        # As many processes as there are come to the database at once, and share a machine with it.
        "DATABASE_CONNECT_TIMEOUT_SECONDS": "60",
        **settings,
    }
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def work_at_once(neighbours: str, who: list[tuple[UUID, int]]) -> None:
    """Let as many processes as there are pairs in `who` start their work in the same moment."""
    run_program(neighbours, WORKERS, *(f"{customer}:{learner}" for customer, learner in who))


def enroll_items(neighbours: str) -> list[dict[str, Any]]:
    """Return every item of every call that enrolls, as the LMS saw it."""
    log = requests.get(f"{neighbours}/control/log", timeout=10).json()
    bodies = [call["body"] for call in log["calls"] if call["path"].endswith("/enroll_learners_in_courses/")]
    parsed = [json.loads(body) if isinstance(body, str) else body for body in bodies]
    return [item for body in parsed for item in body["enrollments_info"]]


def count(tally: Tally, *, expected: int, made: int, **tried: int) -> None:
    """Say what was tried at once on this database, and how much of it was not made, or made twice."""
    tally.of(f"test-concurrency on {connection.vendor}").add(**tried)
    tally.lose(not_made=max(0, expected - made), made_twice=max(0, made - expected))


@pytest.fixture
def _intentions(django_db_blocker: Any) -> None:
    for uuid, slug in ((ACME, "acme"), (GLOBEX, "globex")):
        customer = EnterpriseCustomer.objects.create(uuid=uuid, slug=slug, name=slug, fetched_at="2026-01-01T00:00:00Z")
        DefaultEnterpriseEnrollmentIntention.objects.create(customer=customer, content_key="edX+DemoX")


@pytest.mark.usefixtures("_intentions")
@pytest.mark.parametrize("workers", [2, 8, 32])
def test_many_workers_for_one_learner_enroll_once(neighbours: str, workers: int, tally: Tally) -> None:
    work_at_once(neighbours, [(ACME, FRANK)] * workers)

    items = enroll_items(neighbours)
    count(tally, expected=1, made=len(items), **{f"races_of_{workers}_workers_for_one_learner": 1})
    assert [item["course_run_key"] for item in items] == [RUN]
    assert DefaultEnterpriseEnrollmentRealization.objects.count() == 1
    assert not RealizationAttempt.objects.unsettled().exists()
    assert not RealizationRequest.objects.exclude(lease_token=None).exists()


@pytest.mark.usefixtures("_intentions")
def test_a_learner_of_two_customers_is_enrolled_by_one_of_them(neighbours: str, tally: Tally) -> None:
    work_at_once(neighbours, [(ACME, FRANK), (GLOBEX, FRANK)] * 4)
    # Who came too late for the lease has the learner in its queue still.
    work_at_once(neighbours, [(ACME, FRANK), (GLOBEX, FRANK)])

    items = enroll_items(neighbours)
    count(tally, expected=1, made=len(items), races_of_8_workers_of_two_customers=1)
    assert [item["course_run_key"] for item in items] == [RUN]
    assert DefaultEnterpriseEnrollmentRealization.objects.count() == 1

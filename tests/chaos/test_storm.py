"""Everything dies in the middle of a storm, and nothing is lost or done twice.

Real processes on PostgreSQL and Redis: workers and beat are killed with SIGKILL, broker and cache are flushed, every
connection of the database is cut. `make test-chaos` runs it; it takes some minutes, since leases have to run out.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import requests
from django.db import connection
from django.utils import timezone

from benchmarks.storm import ROOT, environment_of, items_of, neighbours
from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER, STORM
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.requests import request_realization
from tests.concurrency.test_one_learner import database_url

LEARNERS = int(os.environ.get("CHAOS_LEARNERS", "200"))
REDIS_URL = os.environ.get("CHAOS_REDIS_URL", "redis://127.0.0.1:6379/8")
OVER_WITHIN_SECONDS = 900

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


class Fleet:
    """A worker with two processes and beat, which can be killed and started anew."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        celery = [sys.executable, "-m", "celery", "--quiet", "--app", "enterprise_access"]
        quietly = ["--loglevel", "warning"]
        self.run([*celery, "worker", "--concurrency", "2", "--without-gossip", "--without-mingle", *quietly])
        self.run([*celery, "beat", "--schedule", f"{self.environment['BEAT_FOLDER']}/beat", "--pidfile=", *quietly])

    def run(self, command: list[str]) -> None:
        # A session of its own, so that a worker and its children can be killed together.
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, start_new_session=True, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)

    def kill(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes = []


@pytest.fixture
def fleet(tmp_path: Any) -> Iterator[tuple[Fleet, str]]:
    with neighbours() as address:
        environment = environment_of(database_url(), REDIS_URL, address)
        environment |= {
            # So that the test is over in minutes: what waits for a dead worker waits for these.
            "LEASE_SECONDS": "40",
            "LMS_REQUEST_LIMIT_SECONDS": "35",
            "SWEEP_SECONDS": "2",
            "BEAT_FOLDER": str(tmp_path),
        }
        fleet = Fleet(environment)
        try:
            yield fleet, address
        finally:
            fleet.kill()
            redis.Redis.from_url(REDIS_URL).flushdb()


def wait_until(is_so: Callable[[], bool], seconds: float = OVER_WITHIN_SECONDS) -> None:
    ends_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends_at, "it was not over in time"
        time.sleep(0.2)


def cut_every_connection() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


def meet_customer(address: str) -> EnterpriseCustomer:
    """Know the customer of the storm, as the neighbours at this address have it, and what it intends."""
    customer_uuid = next(
        row["customer"]["uuid"]
        for row in requests.get(f"{address}/portal/learners", timeout=30).json()
        if row["customer"]["slug"] == STORM
    )
    customer = EnterpriseCustomer.objects.create(uuid=customer_uuid, slug=STORM, name=STORM, fetched_at=timezone.now())
    for key in COURSES:
        DefaultEnterpriseEnrollmentIntention.objects.create(customer=customer, content_key=key)
    return customer


@pytest.mark.skipif(connection.vendor != "postgresql", reason="runs on PostgreSQL, as `make test-chaos` does")
def test_a_storm_survives_the_death_of_everything(fleet: tuple[Fleet, str]) -> None:
    fleet_, address = fleet
    broker = redis.Redis.from_url(REDIS_URL)
    broker.flushdb()
    customer = meet_customer(address)
    realized = DefaultEnterpriseEnrollmentRealization.objects.all()
    total = LEARNERS * len(COURSES)

    def is_realized(at_least: float) -> bool:
        return realized.count() >= at_least

    fleet_.start()
    learners = range(FIRST_LEARNER, FIRST_LEARNER + LEARNERS)
    request_realization(customer_uuid=customer.pk, lms_user_ids=learners, trigger=Trigger.LOGIN, now=timezone.now())
    for share in (0.1, 0.5):
        wait_until(functools.partial(is_realized, total * share))
        fleet_.kill()
        broker.flushdb()
        cut_every_connection()
        fleet_.start()
    wait_until(lambda: realized.count() == total)
    wait_until(lambda: not RealizationRequest.objects.filter(due_at__isnull=False).exists())

    calls = requests.get(f"{address}/control/log", timeout=60).json()["calls"]
    posts = [call for call in calls if call["endpoint"] == "lms.enroll_learners"]
    sent = Counter(item for call in posts for item in items_of(call["body"]))
    assert len(sent) == total, "every learner got every course"
    assert [item for item, times in sent.items() if times > 1] == [], "nothing was sent twice"
    assert not RealizationAttempt.objects.unsettled().exists()
    assert not RealizationRequest.objects.exclude(dead_at=None).exists()

"""Workers are told to stop in the middle of a call that enrolls, and nothing is cut off, lost or done twice.

Real processes on PostgreSQL and Redis. How they are told differs: a container engine signals the parent alone, systemd
and a terminal every process; and who is impatient signals again.
"""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import pytest
import redis
import requests
from django.db import connection
from django.utils import timezone

from benchmarks.storm import items_of
from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.requests import request_realization
from tests.chaos.test_storm import REDIS_URL, Fleet, fleet, meet_customer, wait_until

__all__ = ["fleet"]

LEARNERS = 120
# How long the LMS takes for one call that enrolls: long enough to be met in the middle of one.
CALL_SECONDS = 3
# The call in hand, what is written down after it, and a busy machine. A round of 100 learners would take 25 calls.
STOPS_WITHIN_SECONDS = CALL_SECONDS + 12

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="runs on PostgreSQL, as `make test-chaos` does"),
]


def tell_parent(worker: "subprocess.Popen[bytes]") -> None:
    worker.send_signal(signal.SIGTERM)


def tell_everyone(worker: "subprocess.Popen[bytes]") -> None:
    os.killpg(worker.pid, signal.SIGTERM)


def tell_twice(worker: "subprocess.Popen[bytes]") -> None:
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    worker.send_signal(signal.SIGTERM)


def raise_storm(fleet: Fleet, address: str) -> "subprocess.Popen[bytes]":
    """Let workers begin with many learners whose enrolling takes long; return the worker in the middle of a call."""
    redis.Redis.from_url(REDIS_URL).flushdb()
    fault = {"kind": "delay_before", "endpoint": "lms.enroll_learners", "times": None, "seconds": CALL_SECONDS}
    requests.delete(f"{address}/control/faults", timeout=5).raise_for_status()
    requests.post(f"{address}/control/faults", json=fault, timeout=5).raise_for_status()
    customer = meet_customer(address)
    fleet.start()
    learners = range(FIRST_LEARNER, FIRST_LEARNER + LEARNERS)
    request_realization(customer_uuid=customer.pk, lms_user_ids=learners, trigger=Trigger.LOGIN, now=timezone.now())
    wait_until(RealizationAttempt.objects.unsettled().exists, 60)
    return fleet.processes[0]


def sent_by(address: str) -> Counter[tuple[int, str]]:
    calls = requests.get(f"{address}/control/log", timeout=60).json()["calls"]
    return Counter(
        item for call in calls if call["endpoint"] == "lms.enroll_learners" for item in items_of(call["body"])
    )


@pytest.mark.parametrize("tell", [tell_parent, tell_everyone, tell_twice])
def test_the_call_in_hand_ends_and_the_rest_is_given_back(
    fleet: tuple[Fleet, str], tell: Callable[["subprocess.Popen[bytes]"], None]
) -> None:
    fleet_, address = fleet
    worker = raise_storm(fleet_, address)
    tell(worker)
    assert worker.wait(timeout=STOPS_WITHIN_SECONDS) == 0
    fleet_.kill()

    assert not RealizationRequest.objects.exclude(lease_token=None).exists(), "nobody waits for a lease to run out"
    assert not RealizationAttempt.objects.unsettled().exists(), "the call in hand was recorded"
    assert not RealizationAttempt.objects.filter(outcome="in_doubt").exists()
    realized = DefaultEnterpriseEnrollmentRealization.objects.count()
    assert 0 < realized < LEARNERS * len(COURSES)
    assert RealizationRequest.objects.due(timezone.now()).exists(), "the rest waits for the next worker"

    requests.delete(f"{address}/control/faults", timeout=5).raise_for_status()
    fleet_.start()
    wait_until(lambda: DefaultEnterpriseEnrollmentRealization.objects.count() == LEARNERS * len(COURSES), 120)
    sent = sent_by(address)
    assert len(sent) == LEARNERS * len(COURSES)
    assert max(sent.values()) == 1, "nothing was sent twice"


def test_who_is_impatient_loses_nothing_either(fleet: tuple[Fleet, str]) -> None:
    """SIGQUIT cuts the call off: its outcome is in doubt until the platform is asked, and nothing is done twice."""
    fleet_, address = fleet
    worker = raise_storm(fleet_, address)
    worker.send_signal(signal.SIGQUIT)
    worker.wait(timeout=STOPS_WITHIN_SECONDS)
    fleet_.kill()
    requests.delete(f"{address}/control/faults", timeout=5).raise_for_status()
    fleet_.start()
    wait_until(lambda: DefaultEnterpriseEnrollmentRealization.objects.count() == LEARNERS * len(COURSES), 240)
    wait_until(lambda: not RealizationAttempt.objects.unsettled().exists(), 60)
    assert len(sent_by(address)) == LEARNERS * len(COURSES)

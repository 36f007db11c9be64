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
from django.utils import timezone

from benchmarks.storm import items_of
from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from tests.chaos.conftest import Installation
from tests.chaos.fleet import wait_until
from tests.tally import Tally

LEARNERS = 60
# How long the LMS takes for one call that enrolls: long enough to be met in the middle of one.
CALL_SECONDS = 3
# The call in hand, what is written down after it, and a busy machine. All learners would take 15 calls.
STOPS_WITHIN_SECONDS = CALL_SECONDS + 12

pytestmark = [pytest.mark.services, pytest.mark.parametrize("installation", [LEARNERS], indirect=True)]


def tell_parent(worker: "subprocess.Popen[bytes]") -> None:
    worker.send_signal(signal.SIGTERM)


def tell_everyone(worker: "subprocess.Popen[bytes]") -> None:
    os.killpg(worker.pid, signal.SIGTERM)


def tell_twice(worker: "subprocess.Popen[bytes]") -> None:
    worker.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    worker.send_signal(signal.SIGTERM)


def raise_storm(installation: Installation) -> "subprocess.Popen[bytes]":
    """Let a worker begin with many learners whose enrolling takes long; return it in the middle of a call."""
    installation.neighbours.slow_down(enroll_seconds=CALL_SECONDS)
    installation.fleet.start("worker1", "beat")
    learners = range(FIRST_LEARNER, FIRST_LEARNER + LEARNERS)
    customer_uuid = installation.customer.pk
    request_realization(customer_uuid=customer_uuid, lms_user_ids=learners, trigger=Trigger.LOGIN, now=timezone.now())
    wait_until(RealizationAttempt.objects.unsettled().exists, 60)
    return installation.fleet.processes["worker1"]


def sent_to(installation: Installation) -> Counter[tuple[int, str]]:
    calls = installation.neighbours.call("GET", "/control/log", params={"endpoint": "lms.enroll_learners"})["calls"]
    return Counter(item for call in calls for item in items_of(call["body"]))


def go_on(installation: Installation, seconds: float) -> None:
    """Start another worker, and wait until it has done everything."""
    installation.neighbours.slow_down(enroll_seconds=0)
    installation.fleet.start("worker2", "beat")
    total = LEARNERS * len(COURSES)
    wait_until(lambda: DefaultEnterpriseEnrollmentRealization.objects.count() == total, seconds)
    wait_until(lambda: not RealizationAttempt.objects.unsettled().exists(), 60)


def count(installation: Installation, tally: Tally, **tried: int) -> None:
    """Say how much of what was sent was sent twice, or never."""
    sent = sent_to(installation)
    tally.of("test-chaos").add(**tried)
    tally.lose(enrollments=LEARNERS * len(COURSES) - len(sent), doubles=sent.total() - len(sent))


@pytest.mark.parametrize("tell", [tell_parent, tell_everyone, tell_twice])
def test_the_call_in_hand_ends_and_the_rest_is_given_back(
    installation: Installation, tell: Callable[["subprocess.Popen[bytes]"], None], tally: Tally
) -> None:
    worker = raise_storm(installation)
    tell(worker)
    assert worker.wait(timeout=STOPS_WITHIN_SECONDS) == 0
    installation.fleet.kill_all()

    assert not RealizationRequest.objects.exclude(lease_token=None).exists(), "nobody waits for a lease to run out"
    assert not RealizationAttempt.objects.unsettled().exists(), "the call in hand was recorded"
    assert not RealizationAttempt.objects.filter(outcome="in_doubt").exists()
    realized = DefaultEnterpriseEnrollmentRealization.objects.count()
    assert 0 < realized < LEARNERS * len(COURSES)
    assert RealizationRequest.objects.due(timezone.now()).exists(), "the rest waits for the next worker"

    go_on(installation, 120)
    count(installation, tally, workers_told_to_stop=1)
    sent = sent_to(installation)
    assert len(sent) == LEARNERS * len(COURSES)
    assert max(sent.values()) == 1, "nothing was sent twice"


def test_who_is_impatient_loses_nothing_either(installation: Installation, tally: Tally) -> None:
    """SIGQUIT cuts the call off: its outcome is in doubt until the platform is asked, and nothing is done twice."""
    worker = raise_storm(installation)
    worker.send_signal(signal.SIGQUIT)
    worker.wait(timeout=STOPS_WITHIN_SECONDS)
    installation.fleet.kill_all()
    go_on(installation, 240)
    count(installation, tally, workers_cut_off=1)
    assert sent_to(installation) == dict.fromkeys(sent_to(installation), 1)
    assert len(sent_to(installation)) == LEARNERS * len(COURSES)

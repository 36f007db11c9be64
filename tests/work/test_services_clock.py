"""A process whose clock is wrong works by the database's clock: it takes nothing in flight and sends nothing twice."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import RealizationRequest
from enterprise_access.apps.default_enrollments.services.realizing.engine import work_on_requests
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, ask_for, asked, intend
from enterprise_access.lib import clock
from enterprise_access.lib.health import HealthLevel
from enterprise_access.lib.work import leases

AHEAD = timedelta(minutes=7)
SECOND = timedelta(seconds=1)

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _database_clock(settings):
    if connection.vendor == "sqlite":
        pytest.skip("a database with a clock of its own is needed")
    settings.DATABASE_CLOCK = True
    clock.forget()


@pytest.fixture(params=[AHEAD, -AHEAD], ids=["ahead", "behind"])
def skew(request):
    return request.param


@pytest.fixture
def wrong_clock(skew):
    """Work as a process whose clock is wrong."""

    def begin():
        clock.forget()
        return time_machine.travel(timezone.now() + skew)

    return begin


def test_the_time_is_the_databases_and_the_difference_is_reported(wrong_clock, skew):
    right = clock.now()
    assert clock.look_at_clock().level is HealthLevel.OK
    with wrong_clock():
        assert abs(clock.now() - right) < 5 * SECOND
        part = clock.look_at_clock()
    assert part.level is HealthLevel.DEGRADED
    assert f"{skew.total_seconds():+.0f}"[:4] in part.detail


def test_a_lease_in_flight_is_not_taken_by_a_worker_whose_clock_is_wrong(world, wrong_clock):
    intend(DEMO)
    ask_for(ADA)
    held = leases.take(QUEUE, limit=1)
    assert held.items
    with wrong_clock():
        ask_for(ADA)
        assert leases.take(QUEUE, limit=1).items == ()
        assert leases.renew(held) == {held.items[0].pk}


def test_a_call_without_an_answer_is_not_sent_again_by_a_worker_whose_clock_is_wrong(world, simulator, wrong_clock):
    intend(DEMO)
    simulator.faults.add("hang", "lms.enroll_learners", times=1)
    ask_for(ADA)
    work_on_requests(limit=10)
    assert asked(world, "lms.enroll_learners") == 1
    with wrong_clock():
        RealizationRequest.objects.update(due_at=clock.now())
        work_on_requests(limit=10)
    assert asked(world, "lms.enroll_learners") == 1

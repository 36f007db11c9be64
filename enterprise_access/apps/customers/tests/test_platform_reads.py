"""Platform reads keep one pace, and take along whoever waits for one, of any customer."""

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.models import CallPace, EnterpriseLearner
from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.customers.services import (
    fetch_customer,
    read_enrollments,
    read_wanted_enrollments,
    refresh_learners,
    want_enrollments,
)
from enterprise_access.apps.customers.services.pace import Pace
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamUnavailable
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db

READ = "platform.enrollments"
ADA, BEN, HEIDI = 1001, 1002, 2001


@pytest.fixture
def clock():
    import time_machine

    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def linked(world):
    """Know ada and ben of one customer, and heidi of another."""
    for customer, ids in ((ACME, [ADA, BEN]), (GLOBEX, [HEIDI])):
        fetch_customer(customer_uuid=customer)
        refresh_learners(customer_uuid=customer, lms_user_ids=ids)


def learner(lms_user_id, customer=ACME):
    return list_learners(customer_uuid=customer, lms_user_ids=[lms_user_id])[lms_user_id]


def reads(world):
    return [sorted(call.query["username"][0].split(",")) for call in world.journal.calls(endpoint=READ)]


def read_at(lms_user_id):
    return EnterpriseLearner.objects.get(lms_user_id=lms_user_id).enrollments_fetched_at


def test_a_read_takes_along_waiting_learners_of_other_customers(world, linked):
    want_enrollments(lms_user_ids=[BEN, HEIDI])
    read_enrollments(learners=[learner(ADA)])
    assert reads(world) == [["ada", "ben", "heidi"]]
    assert read_at(HEIDI) is not None
    read_enrollments(learners=[learner(HEIDI, GLOBEX)], reuse_seconds=30)
    assert len(reads(world)) == 1


def test_a_read_that_began_before_somebody_asked_is_made_again(world, linked, clock):
    read_enrollments(learners=[learner(ADA)])
    clock.shift(1)
    read_enrollments(learners=[learner(ADA)], reuse_seconds=30)
    assert len(reads(world)) == 1
    want_enrollments(lms_user_ids=[ADA])
    read_enrollments(learners=[learner(ADA)], reuse_seconds=30)
    read_enrollments(learners=[learner(ADA)], reuse_seconds=30, must_read={ADA})
    assert len(reads(world)) == 3


def test_a_learner_who_is_taken_along_is_asked_for_by_the_name_that_the_lms_tells_now(world, linked, clock):
    want_enrollments(lms_user_ids=[HEIDI])
    EnterpriseLearner.objects.filter(lms_user_id=HEIDI).update(username="somebody_else")
    clock.shift(1)
    read_enrollments(learners=[learner(ADA)])
    assert reads(world) == [["ada", "heidi"]]


def test_a_read_that_fails_because_of_one_learner_is_made_again_for_each_half(world, linked, simulator):
    want_enrollments(lms_user_ids=[HEIDI])
    simulator.faults.add("status", READ, status=500, times=1)
    read_enrollments(learners=[learner(ADA)])
    assert reads(world) == [["ada", "heidi"], ["ada"], ["heidi"]]


def test_a_refusal_for_calling_too_often_pauses_everybody_and_is_never_an_empty_answer(
    world, linked, simulator, settings, clock
):
    settings.PLATFORM_READS_PER_MINUTE = 96
    simulator.faults.add("throttled", READ, times=None, seconds=40)
    with pytest.raises(UpstreamUnavailable) as refused:
        read_enrollments(learners=[learner(ADA)], ends_at=0)
    assert (refused.value.reason, read_at(ADA)) == (UpstreamReason.THROTTLED, None)
    simulator.faults.clear()
    so_far = len(reads(world))
    clock.shift(39)
    with pytest.raises(UpstreamUnavailable):
        read_enrollments(learners=[learner(BEN)], ends_at=0)
    assert len(reads(world)) == so_far
    clock.shift(2)
    read_enrollments(learners=[learner(BEN)], ends_at=0)
    assert read_at(BEN) is not None


def test_who_has_no_turn_in_time_is_told_so_and_taken_along_by_the_next_read(world, linked, settings, clock):
    settings.PLATFORM_READS_PER_MINUTE, settings.PLATFORM_READS_AT_ONCE = 60, 1
    read_enrollments(learners=[learner(ADA)])
    with pytest.raises(UpstreamError):
        read_enrollments(learners=[learner(HEIDI, GLOBEX)], ends_at=0)
    clock.shift(1)
    read_enrollments(learners=[learner(BEN)])
    assert reads(world) == [["ada"], ["ben", "heidi"]]


def test_background_reads_leave_turns_to_those_who_wait(world, linked, settings, clock):
    settings.PLATFORM_READS_PER_MINUTE, settings.PLATFORM_READS_AT_ONCE = 60, 5
    want_enrollments(lms_user_ids=[HEIDI])
    assert read_wanted_enrollments() == 1
    want_enrollments(lms_user_ids=[HEIDI])
    assert read_wanted_enrollments() == 0
    read_enrollments(learners=[learner(ADA)], ends_at=0)


@pytest.mark.parametrize(("per_minute", "burst"), [(96, 16), (60, 1), (38, 4)])
def test_no_minute_has_more_turns_than_the_rate_and_its_burst(clock, per_minute, burst):
    pace = Pace(name="reads", per_minute=per_minute, burst=burst)
    start, taken = timezone.now(), []
    for _ in range(720):
        clock.shift(0.25)
        if pace.take():
            taken.append((timezone.now() - start).total_seconds())
    assert max(sum(at <= each < at + 60 for each in taken) for at in taken) <= per_minute + burst
    assert len(taken) >= per_minute * 3 - 1


def test_a_clock_that_was_far_ahead_holds_nobody_up_for_good(clock):
    pace = Pace(name="reads", per_minute=60, burst=1)
    CallPace.objects.create(name="reads", used_until_ms=int(timezone.now().timestamp() * 1000) + 24 * 3600 * 1000)
    assert pace.take()
    assert not pace.take()

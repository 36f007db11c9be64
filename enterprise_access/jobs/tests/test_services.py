"""Running jobs: each step is stored once, whatever ends, is canceled, fails or comes twice."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from enterprise_access.jobs import kinds, services
from enterprise_access.jobs.models import Job, JobState
from enterprise_access.lib import stopping
from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable

STEPS = 5

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def during():
    """Register a kind of job of some steps; return what happens during each, to add to: by number of the step."""
    happens = {}

    def run_step(job):
        number = job.cursor.get("next", 0)
        happens.get(number, lambda: None)()
        row = kinds.RowResult(cells=(str(number),), outcome="done")
        return kinds.JobStep(
            results=[row], cursor={"next": number + 1}, done=number + 1, is_last=number + 1 == STEPS, total=STEPS
        )

    kinds.register(
        kinds.Kind(name="test", columns=("number",), outcomes={"done": "Done"}, permission="x.y", run_step=run_step)
    )
    yield happens
    del kinds.KINDS["test"]


@pytest.fixture
def job(during):
    return services.start_job(kind="test", title="x", parameters={}, by=None)


def run(job):
    services.run_jobs()
    job.refresh_from_db()
    return job


def due():
    return list(Job.objects.due(timezone.now()))


def numbers(job):
    return [int(row.cells[0]) for row in job.results.all()]


def test_a_job_runs_to_its_end_once(job):
    assert (run(job).state, numbers(job), job.done) == (JobState.FINISHED, list(range(STEPS)), STEPS)
    assert numbers(run(job)) == list(range(STEPS))


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("number", range(STEPS))
def test_a_worker_that_ends_loses_one_step_which_another_repeats(job, during, clock, error, number):
    def end():
        raise error

    during[number] = end
    with pytest.raises(error):
        services.run_jobs()
    during.clear()
    assert due() == [job]
    assert numbers(run(job)) == list(range(STEPS))


def test_a_worker_that_is_killed_keeps_a_job_until_its_lease_runs_out(job, during, clock):
    seconds = services.QUEUE.lease_seconds
    Job.objects.update(lease_token=uuid4(), leased_until=timezone.now() + timedelta(seconds=seconds))
    assert (numbers(run(job)), due()) == ([], [])
    clock.shift(timedelta(seconds=seconds + 1))
    assert numbers(run(job)) == list(range(STEPS))


def test_a_worker_that_was_taken_for_dead_stores_nothing(job, during, clock):
    def be_late():
        during.clear()
        clock.shift(timedelta(seconds=services.QUEUE.lease_seconds + 1))
        services.run_jobs()

    during[2] = be_late
    assert numbers(run(job)) == list(range(STEPS))


def test_a_canceled_job_stops_before_its_next_result_and_can_continue(job, during):
    during[2] = lambda: services.cancel_job(job_uuid=job.pk)
    assert (run(job).state, numbers(job)) == (JobState.CANCELED, [0, 1])
    assert run(job).state == JobState.CANCELED
    during.clear()
    assert [services.retry_job(job_uuid=job.pk) for _ in range(2)] == [True, False]
    assert numbers(run(job)) == list(range(STEPS))
    assert not services.cancel_job(job_uuid=job.pk)


def test_an_upstream_service_that_is_silent_is_waited_for(job, during, clock):
    def fail():
        raise UpstreamUnavailable("the LMS is away", service="lms", reason=UpstreamReason.TIMEOUT)

    during[1] = fail
    for tries in range(1, 4):
        assert (run(job).state, job.problem, job.failures) == (JobState.PENDING, "the LMS is away", tries)
        assert due() == []
        clock.shift(services.QUEUE.back_off.last)
    during.clear()
    assert (numbers(run(job)), job.problem, job.failures) == (list(range(STEPS)), "", 0)


def test_a_job_that_fails_again_and_again_is_left_to_staff(job, during, clock):
    """Whatever the reasons are: here they take turns."""

    def fail():
        if job.failures % 2:
            raise UpstreamUnavailable("the LMS is away", service="lms", reason=UpstreamReason.TIMEOUT)
        raise LookupError("odd")

    during[1] = fail
    for _ in range(services.QUEUE.max_failures):
        assert job.state == JobState.PENDING
        run(job)
        clock.shift(services.QUEUE.back_off.last)
    assert (job.state, job.problem) == (JobState.FAILED, "the LMS is away")
    assert job.failed_at == job.finished_at
    during.clear()
    services.retry_job(job_uuid=job.pk)
    assert numbers(run(job)) == list(range(STEPS))


def test_a_lost_database_is_no_fault_of_the_job(job, during):
    def fail():
        during.clear()
        raise OperationalError("away")

    during[1] = fail
    with pytest.raises(OperationalError):
        services.run_jobs()
    job.refresh_from_db()
    assert (job.failures, job.problem, due()) == (0, "", [job])
    assert numbers(run(job)) == list(range(STEPS))


def test_a_long_job_gives_others_their_turn(job, during, clock, monkeypatch):
    monkeypatch.setattr(services, "TURN_SECONDS", 0)
    other = services.start_job(kind="test", title="y", parameters={}, by=None)
    order = []
    for number in range(STEPS):
        during[number] = lambda: (order.append(Job.objects.exclude(lease_token=None).get()), clock.shift(1))
    run(job)
    assert order == [job, other] * STEPS


def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_others(job, during):
    during[2] = stopping.begin
    try:
        assert (run(job).state, numbers(job)) == (JobState.PENDING, [0, 1, 2])
    finally:
        stopping.forget()
    during.clear()
    assert due() == [job]
    assert numbers(run(job)) == list(range(STEPS))


def test_results_are_applied_by_one_job_however_often_that_is_asked_for(job, during):
    run(job)
    first, second = (
        services.start_job(kind="test", title="apply", parameters={}, by=None, continues=job) for _ in range(2)
    )
    assert first == second


def test_jobs_that_ended_long_ago_are_deleted(job, during, clock):
    run(job)
    waiting = services.start_job(kind="test", title="y", parameters={}, by=None)
    clock.shift(timedelta(days=31))
    assert services.prune_jobs(before=timezone.now() - timedelta(days=30)) == 1
    assert list(Job.objects.all()) == [waiting]

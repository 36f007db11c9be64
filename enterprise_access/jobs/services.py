"""Starting, running, canceling and retrying jobs.

Claim, do a step, store its results and the cursor in one transaction: so no row has two results, and a worker that
ends loses one step at most, which another worker repeats. The engine of all pending work claims them (lib/work).
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import F

from enterprise_access.jobs.kinds import KINDS, JobStep, RunningJob
from enterprise_access.jobs.models import Job, JobResult, JobState
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import waking
from enterprise_access.lib.work.blame import is_nobodys_fault
from enterprise_access.lib.work.leases import Lease, Settlement, claim, keep, postpone, settle
from enterprise_access.lib.work.queues import BackOff, Queue

log = logging.getLogger(__name__)

RUN_JOB: Final = "jobs.run"
# How long one message is worked on, and how long one job before another one has its turn.
WORK_SECONDS: Final = 50.0
TURN_SECONDS: Final = 10.0
STEP_FAILED: Final = "step_failed"

QUEUE: Final = Queue(
    name="jobs",
    model=Job,
    job=RUN_JOB,
    # How long a worker that is not heard of keeps a job.
    lease_seconds=180,
    back_off=BackOff(first=timedelta(seconds=5), last=timedelta(minutes=5)),
    # After so many failed steps in a row staff have to look.
    max_failures=12,
)


def start_job(
    *,
    kind: str,
    title: str,
    parameters: Mapping[str, Any],
    by: Any,
    total: int | None = None,
    continues: Job | None = None,
) -> Job:
    """Start a job in the background. One that continues another is started once; the second time it is returned."""
    values = {
        "kind": KINDS[kind].name,
        "title": title[:255],
        "parameters": dict(parameters),
        "total": total,
        "created_by": by,
    }
    return _insert(continues, values)


@retry_deadlocks
def _insert(continues: Job | None, values: Mapping[str, Any]) -> Job:
    values = {**values, "due_at": clock.now()}
    if continues is None:
        job = Job.objects.create(**values)
    else:
        job, _ = Job.objects.get_or_create(continues=continues, defaults=values)
    waking.wake(QUEUE)
    return job


def run_jobs() -> int:
    """Run the steps of jobs that are due, each job for a while; return how many turns there were."""
    return waking.work(QUEUE, _take_turn, limit=1, seconds=WORK_SECONDS)


def _take_turn(_group: object, limit: int) -> int:
    with claim(QUEUE, limit=limit, rows=Job.objects.pending()) as lease:
        for job in lease.items:
            if waking.is_anything_due(QUEUE):
                # A long job does not hold up another one while there is a worker for that.
                waking.wake(QUEUE)
            _run_steps(lease, job)
    return len(lease.items)


def _run_steps(lease: Lease[Job], claimed: Job) -> None:
    """Run steps of a job until it ends, has to wait, or another one should have its turn."""
    ends_at = time.monotonic() + TURN_SECONDS
    while not is_stopping():
        job = Job.objects.get(pk=claimed.pk)
        try:
            step = KINDS[job.kind].run_step(
                RunningJob(uuid=job.pk, parameters=job.parameters, cursor=job.cursor, failures=job.failures)
            )
        except UpstreamError as error:
            _postpone(lease, job, error.detail)
            return
        except Exception as error:
            if is_nobodys_fault(error):
                raise
            log.error("A step of a job failed. job=%s kind=%s error=%s", job.pk, job.kind, type(error).__name__)
            _postpone(lease, job, f"Internal error ({type(error).__name__}).")
            return
        if not _record(lease, job, step, is_last_of_turn=time.monotonic() >= ends_at):
            return


@retry_deadlocks
def _record(lease: Lease[Job], job: Job, step: JobStep, *, is_last_of_turn: bool) -> bool:
    """Store what a step has done; say whether the next one may begin immediately."""
    with transaction.atomic():
        is_held = keep(
            lease,
            job,
            cursor=dict(step.cursor),
            done=step.done,
            total=F("total") if step.total is None else step.total,
            failures=0,
            problem="",
            waiting_for="",
        )
        if not is_held:
            return False
        first = job.results.count()
        JobResult.objects.bulk_create(
            JobResult(job=job, position=first + number, cells=list(row.cells), outcome=row.outcome, text=row.text)
            for number, row in enumerate(step.results)
        )
        _write_log(job, step)
        now = clock.now()
        if step.is_last:
            settle(lease, [Settlement(item=job, columns={"state": JobState.FINISHED, "finished_at": now})])
        elif step.pause_seconds or is_last_of_turn:
            settle(lease, [Settlement(item=job, due_at=now + timedelta(seconds=step.pause_seconds))])
    return not (step.is_last or step.pause_seconds or is_last_of_turn)


def _write_log(job: Job, step: JobStep) -> None:
    if job.created_by_id is None:
        return
    for row in step.results:
        if row.logged is not None:
            changed, flag, message = row.logged
            LogEntry.objects.log_actions(
                user_id=job.created_by_id,
                queryset=[changed],
                action_flag=flag,
                change_message=message,
                single_object=True,
            )


@retry_deadlocks
def _postpone(lease: Lease[Job], job: Job, problem: str) -> None:
    """Try again later, after growing pauses; in the end, leave it to staff."""
    is_last = job.failures + 1 >= QUEUE.max_failures
    ended = {"state": JobState.FAILED, "finished_at": clock.now()} if is_last else {}
    # (The reason has one code, so that steps which fail for different reasons count together.)
    if keep(lease, job, problem=problem[:500], waiting_for=STEP_FAILED, **ended):
        postpone(lease, [job], waiting_for=STEP_FAILED, is_blamed=True)


@retry_deadlocks
def cancel_job(*, job_uuid: UUID) -> bool:
    """End a job before its next step; say whether that changed anything. What it has done stays done."""
    pending = Job.objects.pending().filter(pk=job_uuid)
    return bool(pending.update(state=JobState.CANCELED, finished_at=clock.now(), due_at=None, **QUEUE.freed))


@retry_deadlocks
def retry_job(*, job_uuid: UUID) -> bool:
    """Let a failed or canceled job continue where it stopped; say whether that changed anything."""
    stopped = Job.objects.filter(pk=job_uuid, state__in=[JobState.FAILED, JobState.CANCELED])
    retried = stopped.update(
        state=JobState.PENDING,
        finished_at=None,
        failed_at=None,
        failures=0,
        problem="",
        waiting_for="",
        due_at=clock.now(),
        generation=F("generation") + 1,
    )
    if retried:
        waking.wake(QUEUE)
    return bool(retried)


def ask_for_jobs() -> None:
    """Tell a worker if any job is due: its message was lost, or its worker has ended."""
    if waking.is_anything_due(QUEUE):
        waking.wake(QUEUE)


@retry_deadlocks
def prune_jobs(*, before: datetime) -> int:
    """Delete jobs that ended before then, with their results; return how many."""
    ended = list(Job.objects.filter(finished_at__lt=before).values_list("pk", flat=True)[:1000])
    return Job.objects.filter(pk__in=ended).delete()[0] and len(ended)

"""Starting, running, canceling and retrying jobs.

Claim, do a step, store its results and the cursor in one transaction: so no row has two results, and a worker that
ends loses one step at most, which another worker repeats.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import F, Q

from enterprise_access.jobs.kinds import KINDS, Running, Step
from enterprise_access.jobs.models import Job, JobResult, JobState
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.jobs import enqueue_on_commit
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)

RUN_JOB: Final = "jobs.run"
# How long a worker that is not heard of keeps a job.
LEASE_SECONDS: Final = 180
# How long one message works on a job before others have their turn.
RUN_SECONDS: Final = 50
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 5, 300
# After so many failed steps in a row staff have to look.
MAX_FAILURES: Final = 12


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
    with transaction.atomic():
        values = {
            "kind": KINDS[kind].name,
            "title": title[:255],
            "parameters": dict(parameters),
            "total": total,
            "created_by": by,
        }
        if continues is None:
            job = Job.objects.create(**values)
        else:
            job, _ = Job.objects.get_or_create(continues=continues, defaults=values)
        enqueue_on_commit(RUN_JOB, job_uuid=str(job.pk))
    return job


def run_job(*, job_uuid: UUID) -> None:
    """Run the steps of a job until it ends, has to wait, or others should have their turn."""
    token, ends_at = uuid4(), time.monotonic() + RUN_SECONDS
    if not _claim(job_uuid, token, now=clock.now()):
        return
    while not is_stopping() and time.monotonic() < ends_at:
        job = Job.objects.get(pk=job_uuid)
        try:
            step = KINDS[job.kind].run_step(
                Running(uuid=job.pk, parameters=job.parameters, cursor=job.cursor, failures=job.failures)
            )
        except UpstreamError as error:
            _postpone(job, token, error.detail)
            return
        except Exception as error:  # noqa: BLE001 - one broken job must not stop the worker
            log.error("A step of a job failed. job=%s kind=%s error=%s", job.pk, job.kind, type(error).__name__)
            _postpone(job, token, f"Internal error ({type(error).__name__}).")
            return
        if not _record(job, token, step):
            return
    _release(job_uuid, token)


@retry_deadlocks
def _claim(job_uuid: UUID, token: UUID, *, now: datetime) -> bool:
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = Job.objects.filter(free, pk=job_uuid, state=JobState.PENDING, due_at__lte=now)
    return bool(due.update(lease_token=token, leased_until=now + timedelta(seconds=LEASE_SECONDS)))


@retry_deadlocks
def _record(job: Job, token: UUID, step: Step) -> bool:
    """Store what a step has done; say whether the next one may begin at once."""
    now, is_going_on = clock.now(), not step.is_last and not step.pause_seconds
    with transaction.atomic():
        is_stored = Job.objects.filter(pk=job.pk, lease_token=token, state=JobState.PENDING).update(
            cursor=dict(step.cursor),
            done=step.done,
            total=F("total") if step.total is None else step.total,
            failures=0,
            problem="",
            due_at=now + timedelta(seconds=step.pause_seconds),
            state=JobState.FINISHED if step.is_last else JobState.PENDING,
            finished_at=now if step.is_last else None,
            lease_token=token if is_going_on else None,
            leased_until=now + timedelta(seconds=LEASE_SECONDS) if is_going_on else None,
        )
        if not is_stored:
            return False
        first = job.results.count()
        JobResult.objects.bulk_create(
            JobResult(job=job, position=first + number, cells=list(row.cells), outcome=row.outcome, text=row.text)
            for number, row in enumerate(step.results)
        )
        _write_log(job, step)
    return is_going_on


def _write_log(job: Job, step: Step) -> None:
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
def _postpone(job: Job, token: UUID, problem: str) -> None:
    """Try again later, after growing pauses; in the end, leave it to staff."""
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(job.failures, 10), LAST_PAUSE_SECONDS)
    is_last = job.failures + 1 >= MAX_FAILURES
    Job.objects.filter(pk=job.pk, lease_token=token, state=JobState.PENDING).update(
        failures=F("failures") + 1,
        problem=problem[:500],
        state=JobState.FAILED if is_last else JobState.PENDING,
        finished_at=clock.now() if is_last else None,
        due_at=clock.now() + timedelta(seconds=pause),
        lease_token=None,
        leased_until=None,
    )


@retry_deadlocks
def _release(job_uuid: UUID, token: UUID) -> None:
    with transaction.atomic():
        if Job.objects.filter(pk=job_uuid, lease_token=token).update(lease_token=None, leased_until=None):
            enqueue_on_commit(RUN_JOB, job_uuid=str(job_uuid))


def cancel_job(*, job_uuid: UUID) -> bool:
    """End a job before its next step; say whether that changed anything. What it has done stays done."""
    pending = Job.objects.filter(pk=job_uuid, state=JobState.PENDING)
    ended = {"state": JobState.CANCELED, "finished_at": clock.now(), "lease_token": None, "leased_until": None}
    return bool(pending.update(**ended))


def retry_job(*, job_uuid: UUID) -> bool:
    """Let a failed or canceled job continue where it stopped; say whether that changed anything."""
    stopped = Job.objects.filter(pk=job_uuid, state__in=[JobState.FAILED, JobState.CANCELED])
    with transaction.atomic():
        retried = stopped.update(state=JobState.PENDING, finished_at=None, failures=0, problem="", due_at=clock.now())
        if retried:
            enqueue_on_commit(RUN_JOB, job_uuid=str(job_uuid))
    return bool(retried)


def list_due_jobs(*, now: datetime) -> list[UUID]:
    """Return the jobs that a worker may run now: what a lost message or a dead worker left behind."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = Job.objects.filter(free, state=JobState.PENDING, due_at__lte=now).order_by("due_at")
    return list(due.values_list("pk", flat=True))


def ask_for_jobs(*, now: datetime) -> None:
    """Send a message for each job that is due."""
    for job_uuid in list_due_jobs(now=now):
        enqueue_on_commit(RUN_JOB, job_uuid=str(job_uuid))


def prune_jobs(*, before: datetime) -> int:
    """Delete jobs that ended before then, with their results; return how many."""
    ended = list(Job.objects.filter(finished_at__lt=before).values_list("pk", flat=True)[:1000])
    return Job.objects.filter(pk__in=ended).delete()[0] and len(ended)

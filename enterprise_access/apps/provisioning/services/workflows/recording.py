"""What the engine saves: one short transaction each, and nothing for a worker that has lost its lease."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import attrs
from django.db.models import F

from enterprise_access.apps.notifications.selectors import find_unsettled
from enterprise_access.apps.provisioning.domain.states import StepState
from enterprise_access.apps.provisioning.domain.values import to_json
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.leases import Lease, LeaseLost, Settlement, renew, settle
from enterprise_access.lib.work.queues import Queue

# The mails that tell people that they are admins of a new customer.
ADMIN_ADDED: Final = "admin_added"
# A write whose answer was lost may still be carried out: so long it is looked for, and not sent again.
UNKNOWN_FOR: Final = timedelta(seconds=60)
MAX_PROBLEM_LENGTH: Final = 1000


@attrs.frozen
class Ended:
    """How an attempt at a step ended. `code` and `problem` name no person."""

    state: StepState
    output: Any = None
    is_created: bool = False
    code: str = ""
    problem: str = ""
    due_at: datetime | None = None


@retry_deadlocks
def begin(lease: Lease[Workflow], row: WorkflowStep, given: object) -> None:
    """Save that a step is running, and with which input."""
    hold(lease)
    now = clock.now()
    Workflow.objects.filter(pk=row.workflow_id, started_at=None).update(started_at=now)
    WorkflowStep.objects.filter(pk=row.pk).update(
        state=StepState.RUNNING, input=to_json(given), attempts=F("attempts") + 1, started_at=row.started_at or now
    )


@retry_deadlocks
def intend(lease: Lease[Workflow], row: WorkflowStep, key: str) -> None:
    """Save that a write is about to be sent."""
    hold(lease)
    # The last one is the one whose outcome may be unknown.
    row.intended = [*(each for each in row.intended if each != key), key]
    row.sent_at = clock.now()
    row.save(update_fields=["intended", "sent_at"])


@retry_deadlocks
def take_back(row: WorkflowStep, keys: Sequence[str]) -> None:
    """Save that these writes were certainly not carried out, and that no outcome is unknown."""
    row.intended = [key for key in row.intended if key not in keys]
    row.sent_at = None
    row.save(update_fields=["intended", "sent_at"])


def settle_outcome(row: WorkflowStep, key: str) -> None:
    """Save that the outcome of the last write is known, if it was this one."""
    if row.sent_at is not None and row.intended[-1:] == [key]:
        take_back(row, ())


@retry_deadlocks
def record(row: WorkflowStep, ended: Ended) -> None:
    """Save how an attempt ended. What was created is saved whether or not the lease still stands."""
    now = clock.now()
    values: dict[str, Any] = {"state": ended.state, "error": ended.code, "problem": ended.problem[:MAX_PROBLEM_LENGTH]}
    if ended.state in (StepState.DONE, StepState.SKIPPED):
        values |= {"output": to_json(ended.output), "is_created": ended.is_created, "ended_at": now}
        WorkflowStep.objects.filter(pk=row.pk).update(**values)
    else:
        # Another worker may have finished the step meanwhile.
        WorkflowStep.objects.filter(pk=row.pk).exclude(state=StepState.DONE).update(**values)
    for name, value in values.items():
        setattr(row, name, value)


@retry_deadlocks
def finish(lease: Lease[Workflow], item: Workflow) -> None:
    """End a workflow whose steps are all done. Its email addresses have served their purpose, unless mails wait."""
    forget_people_without_mails([item.pk])
    settle(lease, [Settlement(item=item, columns={"ended_at": clock.now()})])


@retry_deadlocks
def forget_people_without_mails(workflow_uuids: Sequence[UUID]) -> int:
    """Delete the email addresses of those workflows that no mail still needs; return of how many."""
    waiting = find_unsettled(workflow_uuids, kinds=[ADMIN_ADDED])
    done = [pk for pk in workflow_uuids if pk not in waiting]
    return Workflow.objects.filter(pk__in=done, has_people=True).update(people=[], has_people=False)


@retry_deadlocks
def fail(lease: Lease[Workflow], item: Workflow, code: str) -> None:
    """End a workflow whose step was refused, until staff or the caller retry it."""
    now = clock.now()
    settle(lease, [Settlement(item=item, waiting_for=code[:100], columns={"failed_at": now, "ended_at": now})])


@retry_deadlocks
def wait(lease: Lease[Workflow], item: Workflow, queue: Queue[Workflow], ended: Ended) -> None:
    """Let a workflow come due again after a growing pause, because an upstream service could not be asked."""
    failures = item.failures + 1
    due_at = ended.due_at or clock.now() + queue.back_off.pause(failures)
    settle(lease, [Settlement(item=item, due_at=due_at, waiting_for=ended.code[:100], failures=failures)])


def hold(lease: Lease[Workflow]) -> None:
    """Prolong the lease. Raises LeaseLost where another worker has the workflow."""
    if not renew(lease):
        raise LeaseLost

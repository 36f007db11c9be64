"""Starting a workflow, once for each dedup key, and retrying one that failed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from enterprise_access.apps.provisioning.domain.states import FINISHED_STEPS, StepState
from enterprise_access.apps.provisioning.domain.values import from_json, to_json
from enterprise_access.apps.provisioning.errors import CorrectionRefused, NothingToRetry, WorkflowUnknown
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.workflows.engine import QUEUE
from enterprise_access.apps.provisioning.services.workflows.steps import Step, WorkflowKind, kind_of
from enterprise_access.lib import clock
from enterprise_access.lib.structure import ShapeError
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import asking
from enterprise_access.lib.work.models import URGENT
from enterprise_access.lib.work.queues import lock_in_order
from enterprise_access.lib.work.waking import wake


def get_or_start(
    *, kind: WorkflowKind, asked: Any, subject: str, people: Sequence[str] = (), requested_by: Any = None
) -> Workflow:
    """Return the workflow for what is asked, and start it where there is none. Asking twice is asking once."""
    body = to_json(asked)
    key = dedup_key(kind.name, body, people)
    found = Workflow.objects.filter(dedup_key=key).first()
    if found is not None:
        return _start_again(found) if kind.is_repeated and found.ended_at is not None else found
    try:
        return _start(kind, body, key, subject, people, requested_by)
    except IntegrityError:
        # Another process started it in this moment.
        return Workflow.objects.get(dedup_key=key)


def dedup_key(kind: str, body: Any, people: Sequence[str]) -> str:
    """Return what is the same for two requests that ask for the same. Addresses cannot be read back from it."""
    canonical = json.dumps([kind, body, list(people)], sort_keys=True, separators=(",", ":"))
    return salted_hmac("enterprise_access.provisioning", canonical, algorithm="sha256").hexdigest()


@retry_deadlocks
def _start(kind: WorkflowKind, body: Any, key: str, subject: str, people: Sequence[str], requested_by: Any) -> Workflow:
    now = clock.now()
    with transaction.atomic():
        row = Workflow.objects.create(
            kind=kind.name,
            subject=subject[:255],
            dedup_key=key,
            input=body,
            people=list(people),
            has_people=bool(people),
            requested_by=requested_by,
            created_at=now,
            due_at=now,
        )
        WorkflowStep.objects.bulk_create(
            WorkflowStep(workflow=row, position=position, name=step.name) for position, step in enumerate(kind.steps)
        )
    return row


@retry_deadlocks
def _start_again(item: Workflow) -> Workflow:
    """Let a workflow that has ended begin again from its first step."""
    (row,) = lock_in_order(Workflow.objects.filter(pk=item.pk))
    if row.ended_at is not None:
        row.steps.update(state=StepState.WAITING, intended=[], sent_at=None, is_created=False, error="", problem="")
        Workflow.objects.filter(pk=row.pk).update(ended_at=None, failed_at=None, failures=0, waiting_for="")
        asking.make_due(QUEUE, Workflow.objects.filter(pk=row.pk), priority=URGENT)
    return Workflow.objects.get(pk=item.pk)


@retry_deadlocks
def retry_workflow(
    *, workflow_uuid: UUID, correction: Mapping[str, Any] | None = None, people: Sequence[str] = ()
) -> Workflow:
    """Let a failed workflow go on from the step that failed, with corrected input where that step takes it.

    `people`: the addresses again, should they have been deleted meanwhile. Raises WorkflowUnknown, NothingToRetry,
    CorrectionRefused.
    """
    rows = lock_in_order(Workflow.objects.filter(pk=workflow_uuid))
    if not rows:
        raise WorkflowUnknown(f"There is no workflow {workflow_uuid}.")
    if rows[0].failed_at is None:
        raise NothingToRetry("This workflow has not failed. Only failed workflows are retried.")
    row = rows[0].steps.exclude(state__in=FINISHED_STEPS).order_by("position").first()
    if row is not None:
        if correction:
            row.correction = row.correction | _checked(rows[0], row, correction)
        row.state = StepState.WAITING.value
        row.save(update_fields=["state", "correction"])
    kept: dict[str, Any] = {"people": list(people), "has_people": True} if people else {}
    asking.retry(QUEUE, [workflow_uuid], ended_at=None, **kept)
    return Workflow.objects.get(pk=workflow_uuid)


def _checked(item: Workflow, row: WorkflowStep, correction: Mapping[str, Any]) -> dict[str, Any]:
    step: Step[Any, Any] = kind_of(item.kind).steps[row.position]
    if unknown := sorted(correction.keys() - step.correctable):
        known = ", ".join(sorted(step.correctable)) or "nothing"
        raise CorrectionRefused(f"{unknown[0]} of the step {row.name!r} cannot be corrected; {known} can.")
    try:
        from_json(step.input_class, {**(row.input or {}), **correction})
    except ShapeError as error:
        raise CorrectionRefused(f"This correction cannot be read: {error}.") from None
    return dict(correction)


def continue_now(*, workflow_uuid: UUID) -> None:
    """Make a workflow that waits for an upstream service due now, because the caller asks again."""
    waiting = Workflow.objects.filter(pk=workflow_uuid, ended_at=None, failed_at=None, due_at__gt=clock.now())
    if waiting.exists():
        asking.make_due(QUEUE, waiting, priority=URGENT)


def hand_over(*, workflow_uuid: UUID) -> None:
    """Tell a worker, because the caller does not wait any longer."""
    if Workflow.objects.filter(pk=workflow_uuid, ended_at=None, failed_at=None).exists():
        wake(QUEUE)

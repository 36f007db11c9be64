"""Provisioning a customer within a request: start or continue its workflow, and wait for it for a bounded time."""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.provisioning.domain.customers import AskedProvisioning
from enterprise_access.apps.provisioning.domain.states import StepState, WorkflowState
from enterprise_access.apps.provisioning.errors import NothingToRetry, WorkflowUnknown
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.kinds.line_item import SET_LINE_ITEM, LineItemInput
from enterprise_access.apps.provisioning.services.kinds.provision_customer import (
    PROVISION_CUSTOMER,
    FirstPaidPlanStep,
    TrialPlanStep,
)
from enterprise_access.apps.provisioning.services.workflows.engine import run_workflow
from enterprise_access.apps.provisioning.services.workflows.starting import (
    continue_now,
    get_or_start,
    hand_over,
    retry_workflow,
)
from enterprise_access.lib import clock
from enterprise_access.lib.stopping import is_stopping

POLL_SECONDS: Final = 0.25


@frozen(kw_only=True)
class Progress:
    """A workflow with its steps in order, as it stood at `now`. `has_created`: something since the request began."""

    workflow: Workflow
    steps: tuple[WorkflowStep, ...]
    state: WorkflowState
    has_created: bool

    @property
    def stopped_at(self) -> WorkflowStep | None:
        """The step with the error that holds the workflow up; None where there is no error."""
        return next((step for step in self.steps if step.error), None)


def provision(*, asked: AskedProvisioning, people: Sequence[str], requested_by: Any, seconds: float) -> Progress:
    """Provision a customer, or go on with it; return how it stands after so many seconds at most."""
    began = clock.now()
    item = get_or_start(
        kind=PROVISION_CUSTOMER,
        asked=asked,
        subject=asked.customer.slug,
        people=people,
        requested_by=requested_by,
    )
    return _continue(item, people, began, seconds)


def set_line_item(
    *, workflow_uuid: UUID, line_item: str, is_trial: bool, requested_by: Any, seconds: float
) -> Progress:
    """Set the line item of a plan that a workflow has provisioned. Raises WorkflowUnknown."""
    began = clock.now()
    step_class = TrialPlanStep if is_trial else FirstPaidPlanStep
    step = WorkflowStep.objects.filter(
        workflow_id=workflow_uuid, workflow__kind=PROVISION_CUSTOMER.name, name=step_class.name, state=StepState.DONE
    ).first()
    customer = WorkflowStep.objects.filter(workflow_id=workflow_uuid, name="enterprise_customer").first()
    if step is None or customer is None:
        raise WorkflowUnknown(f"No workflow {workflow_uuid} has created such a plan.")
    asked = LineItemInput(customer_uuid=_uuid_of(customer), plan_uuid=_uuid_of(step), line_item=line_item)
    item = get_or_start(kind=SET_LINE_ITEM, asked=asked, subject=f"plan {asked.plan_uuid}", requested_by=requested_by)
    return _continue(item, (), began, seconds)


def _uuid_of(step: WorkflowStep) -> UUID:
    return UUID((step.output or {})["uuid"])


def retry(*, workflow_uuid: UUID, correction: dict[str, Any], seconds: float) -> Progress:
    """Retry a failed workflow, with corrected input of the step that failed.

    Raises WorkflowUnknown, NothingToRetry, CorrectionRefused.
    """
    began = clock.now()
    item = retry_workflow(workflow_uuid=workflow_uuid, correction=correction)
    return _run_and_wait(item, began, seconds)


def get_progress(*, workflow_uuid: UUID, since: datetime | None = None) -> Progress:
    """Return how a workflow stands. Raises WorkflowUnknown."""
    item = Workflow.objects.filter(pk=workflow_uuid).first()
    if item is None:
        raise WorkflowUnknown(f"There is no workflow {workflow_uuid}.")
    steps = tuple(item.steps.order_by("position"))
    return Progress(
        workflow=item,
        steps=steps,
        state=item.state_at(clock.now()),
        has_created=any(_is_created_since(step, since) for step in steps),
    )


def _is_created_since(step: WorkflowStep, since: datetime | None) -> bool:
    return step.is_created and step.ended_at is not None and (since is None or step.ended_at >= since)


def _continue(item: Workflow, people: Sequence[str], began: datetime, seconds: float) -> Progress:
    """Go on with a workflow that is requested again: a failed one is retried, one that waits is tried now."""
    if item.failed_at is not None:
        try:
            item = retry_workflow(workflow_uuid=item.pk, people=people)
        except NothingToRetry:
            # Another request has just retried it.
            item.refresh_from_db()
    elif item.ended_at is None:
        continue_now(workflow_uuid=item.pk)
    return _run_and_wait(item, began, seconds)


def _run_and_wait(item: Workflow, began: datetime, seconds: float) -> Progress:
    ends_at = time.monotonic() + seconds
    if item.ended_at is None or item.failed_at is not None:
        run_workflow(workflow_uuid=item.pk, seconds=seconds)
    progress = get_progress(workflow_uuid=item.pk, since=began)
    # Two who ask at once are one workflow: another process is at it, or is about to say so.
    while _is_moving(progress) and time.monotonic() + POLL_SECONDS < ends_at:
        time.sleep(POLL_SECONDS)
        if progress.state is WorkflowState.WAITING:
            run_workflow(workflow_uuid=item.pk, seconds=ends_at - time.monotonic())
        progress = get_progress(workflow_uuid=item.pk, since=began)
    if progress.state is WorkflowState.WAITING:
        hand_over(workflow_uuid=item.pk)
    return progress


def _is_moving(progress: Progress) -> bool:
    """Say whether a workflow is run, or is due and not yet taken up by a process."""
    due_at = progress.workflow.due_at
    is_due = due_at is not None and due_at <= clock.now() and not is_stopping()
    return progress.state is WorkflowState.RUNNING or (progress.state is WorkflowState.WAITING and is_due)

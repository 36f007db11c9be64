"""Removing a workflow that is no longer wanted. What its steps created stays."""

from uuid import UUID

from django.db import transaction

from enterprise_access.apps.provisioning.domain.states import WorkflowState
from enterprise_access.apps.provisioning.errors import NotRemovable, WorkflowUnknown
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order

REMOVABLE = frozenset({WorkflowState.FAILED, WorkflowState.WAITING})


@retry_deadlocks
def remove_workflow(*, workflow_uuid: UUID) -> None:
    """Delete a workflow that failed or waits, with its steps. Raises WorkflowUnknown and NotRemovable."""
    with transaction.atomic():
        rows = lock_in_order(Workflow.objects.filter(pk=workflow_uuid))
        if not rows:
            raise WorkflowUnknown(f"There is no workflow {workflow_uuid}.")
        state = rows[0].state_at(clock.now())
        if state not in REMOVABLE:
            raise NotRemovable(f"This workflow is {state.value}. Only workflows that failed or wait are removed.")
        Workflow.objects.filter(pk=workflow_uuid).delete()

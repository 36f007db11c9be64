"""Creating a learner-credit budget in the background."""

from typing import Any

from enterprise_access.apps.provisioning.domain.budgets import AskedBudget
from enterprise_access.apps.provisioning.errors import NothingToRetry
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services.kinds.create_budget import CREATE_BUDGET
from enterprise_access.apps.provisioning.services.workflows.starting import get_or_start, hand_over, retry_workflow


def start_budget(*, asked: AskedBudget, requested_by: Any) -> Workflow:
    """Start the workflow that creates a budget, or go on with it; the same budget is created once."""
    item = get_or_start(kind=CREATE_BUDGET, asked=asked, subject=asked.display_name, requested_by=requested_by)
    if item.failed_at is not None:
        try:
            item = retry_workflow(workflow_uuid=item.pk)
        except NothingToRetry:
            item.refresh_from_db()
    hand_over(workflow_uuid=item.pk)
    return item

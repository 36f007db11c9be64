"""Reads of workflows that ask no upstream service."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Min, Q

from enterprise_access.apps.provisioning.domain.states import WorkflowState
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.lib.state import State, age, by_label


def read_workflows(now: datetime) -> Iterable[State]:
    """Return, for /metrics, how many workflows are not done, by state, and how long the oldest one has waited."""
    open_rows = Q(ended_at=None, failed_at=None)
    running = open_rows & Q(leased_until__gte=now)
    found = Workflow.objects.order_by().aggregate(
        failed=Count("pk", filter=Q(failed_at__isnull=False)),
        running=Count("pk", filter=running),
        unfinished=Count("pk", filter=open_rows),
        oldest=Min("created_at", filter=open_rows),
    )
    counts = {
        WorkflowState.WAITING: found["unfinished"] - found["running"],
        WorkflowState.RUNNING: found["running"],
        WorkflowState.FAILED: found["failed"],
    }
    return [
        by_label(
            "workflows", "Workflows that are not done, by state.", "state", {k.value: v for k, v in counts.items()}
        ),
        age("oldest_workflow_seconds", "Age of the oldest workflow that is not done.", found["oldest"], now=now),
    ]

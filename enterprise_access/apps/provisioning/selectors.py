"""Reads of workflows that ask no upstream service."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Min, Q
from django.urls import reverse

from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.provisioning.domain.states import WorkflowState
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.lib.activity import Done, until
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


# What a workflow of a kind does to its customer.
_DONE: Final = {"provision_customer": "Requested the customer", "create_budget": "Requested the budget"}


def list_requested(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who asked for which workflow of a customer, for its activity (lib/activity.py), in two statements."""
    customer = get_customer(customer_uuid=customer_uuid)
    mine = Q(kind="create_budget", input__customer_uuid=str(customer_uuid))
    if customer is not None:
        mine |= Q(kind="provision_customer", subject=customer.slug)
    rows = until(Workflow.objects.filter(mine).select_related("requested_by"), "created_at", before)
    return [
        Done(
            at=row.created_at,
            what=_DONE[row.kind] if row.kind == "provision_customer" else f"{_DONE[row.kind]} {row.subject}",
            key=str(row.pk),
            who=row.requested_by.get_username() if row.requested_by else "",
            url=reverse("admin:provisioning_workflow_change", args=[row.pk]),
        )
        for row in rows.order_by("-created_at", "-uuid")[:limit]
    ]

"""What people did with a customer's assignments (lib/activity.py): two statements."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Max

from enterprise_access.apps.content_assignments.domain.showing import REMINDER_REQUESTED
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment, LearnerContentAssignmentAction
from enterprise_access.lib.activity import Done, list_actions_together, until

_VERBS: Final = {"cancelled": "Cancelled", REMINDER_REQUESTED: "Sent reminders for"}


def list_allocations(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who assigned what to how many people. An allocation is one event."""
    rows = LearnerContentAssignment.objects.filter(customer_uuid=customer_uuid, allocation_batch_id__isnull=False)
    groups: Any = (
        rows.order_by()
        .values("allocation_batch_id", "admin_lms_user_id", "content_title", "content_key_folded")
        .annotate(people=Count("pk"), at=Max("allocated_at"))
    )
    return [
        Done(
            at=group["at"],
            what=f"Assigned {group['content_title'] or group['content_key_folded']} to {_people(group['people'])}",
            key=str(group["allocation_batch_id"]),
            who=_who(group["admin_lms_user_id"]),
        )
        for group in until(groups, "at", before).order_by("-at", "-allocation_batch_id")[:limit]
    ]


def list_actions(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who cancelled and reminded."""
    actions = LearnerContentAssignmentAction.objects.filter(assignment__customer_uuid=customer_uuid)
    return list_actions_together(actions, before, limit, kind="action_type", verbs=_VERBS, noun="assignment")


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _who(lms_user_id: int | None) -> str:
    return "" if lms_user_id is None else f"LMS user {lms_user_id}"

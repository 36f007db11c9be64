"""What people decided about the requests of a customer's learners (lib/activity.py): one statement."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count

from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequestAction
from enterprise_access.lib.activity import Done

_VERBS: Final = {
    ActionType.APPROVED.value: "Approved",
    ActionType.DECLINED.value: "Declined",
    ActionType.CANCELLED.value: "Cancelled",
    ActionType.REMINDED.value: "Sent reminders for",
}


def list_decisions(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return the newest decisions. What one person decided at one time is one event."""
    actions = SubsidyRequestAction.objects.filter(
        request__customer_uuid=customer_uuid, actor_lms_user_id__isnull=False, type__in=_VERBS
    )
    if before is not None:
        actions = actions.filter(created__lte=before)
    groups = actions.order_by().values("created", "type", "actor_lms_user_id").annotate(requests=Count("pk"))
    return [
        Done(
            at=group["created"],
            what=f"{_VERBS[group['type']]} {group['requests']} request{'' if group['requests'] == 1 else 's'}",
            key=f"{group['type']} {group['actor_lms_user_id']:020}",
            who=f"LMS user {group['actor_lms_user_id']}",
        )
        for group in groups.order_by("-created", "-type", "-actor_lms_user_id")[:limit]
    ]

"""What people decided about the requests of a customer's learners (lib/activity.py): one statement."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequestAction
from enterprise_access.lib.activity import Done, list_actions_together

_VERBS: Final = {
    ActionType.APPROVED.value: "Approved",
    ActionType.DECLINED.value: "Declined",
    ActionType.CANCELLED.value: "Cancelled",
    ActionType.REMINDED.value: "Sent reminders for",
}


def list_decisions(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return the newest decisions."""
    actions = SubsidyRequestAction.objects.filter(request__customer_uuid=customer_uuid)
    return list_actions_together(actions, before, limit, kind="type", verbs=_VERBS, noun="request")

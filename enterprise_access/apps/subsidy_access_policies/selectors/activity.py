"""Who changed a customer's budgets, when and why (lib/activity.py): one statement."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.lib.activity import Done, until

_VERBS = {"+": "Created", "-": "Deleted"}


def list_budget_changes(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return the newest changes of the customer's budgets."""
    rows = until(SubsidyAccessPolicy.history.filter(customer_uuid=customer_uuid), "history_date", before)
    return [
        Done(
            at=row.history_date,
            what=f"{_verb(row)} the budget {row.display_name or row.uuid}",
            key=f"{row.history_id:020}",
            who=row.history_user.get_username() if row.history_user else "",
            why=row.history_change_reason or "",
            url=reverse("admin:subsidy_access_policies_subsidyaccesspolicy_change", args=[row.uuid]),
        )
        for row in rows.select_related("history_user").order_by("-history_date", "-history_id")[:limit]
    ]


def _verb(row: Any) -> str:
    state = " (retired)" if row.retired else "" if row.active else " (inactive)"
    return _VERBS.get(row.history_type, "Changed") + state

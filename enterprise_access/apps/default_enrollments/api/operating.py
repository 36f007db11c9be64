"""Who may operate, and writing down who did."""

from typing import Any
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from rest_framework.request import Request

from enterprise_access.apps.core.domain import Role
from enterprise_access.apps.default_enrollments.api.access import caller_with_a_role
from enterprise_access.apps.default_enrollments.errors import MayNotOperate

CUSTOMER = "enterprise_customer_uuid"


def need_operator(request: Request, customer_uuid: UUID | None) -> None:
    """Raise MayNotRead for whoever has no role, and MayNotOperate for anybody but operators of this customer.

    `customer_uuid` None: of every customer.
    """
    caller = caller_with_a_role(request)
    if not caller.has(Role.OPERATOR, customer_uuid=customer_uuid):
        raise MayNotOperate(
            "Only operators do this."
            if customer_uuid is not None
            else f"Only operators of every customer do this without naming a customer ({CUSTOMER})."
        )


def note(request: Request, row: Any, message: str, *, flag: int = CHANGE) -> None:
    """Write down who did what, where the admin writes it down."""
    LogEntry.objects.log_actions(user_id=request.user.pk or 0, queryset=[row], action_flag=flag, change_message=message)

"""Deposits in the admin: a form that notes one, and a list that shows how far each has come."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest

from enterprise_access.apps.subsidy_access_policies.admin.dollars import as_dollars
from enterprise_access.apps.subsidy_access_policies.admin.forms import DepositForm
from enterprise_access.apps.subsidy_access_policies.models import Deposit
from enterprise_access.apps.subsidy_access_policies.services.deposits import QUEUE, send_again
from enterprise_access.lib.admin import AsksBeforeAddingAdmin
from enterprise_access.lib.work.admin import WorkAdmin, chosen


@admin.register(Deposit)
class DepositAdmin(AsksBeforeAddingAdmin, WorkAdmin):
    """Deposits. A worker makes them; what it cannot settle needs attention."""

    queue = QUEUE
    form = DepositForm
    list_display = ["uuid", "policy", "dollars", "get_state_display", "state", "waiting_for", "actor", "created"]
    list_filter = ["state"]
    list_select_related = ["policy", "actor"]
    search_fields = ["=uuid", "=policy__uuid", "sales_contract_reference_id"]
    raw_id_fields = ["policy"]
    actions = ["retry", "send_again"]

    @admin.display(description="amount", ordering="amount")
    def dollars(self, row: Deposit) -> str:
        return as_dollars(row.amount)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subsidy_access_policies.add_deposit")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["policy", "amount", "sales_contract_reference_id", "sales_contract_reference_provider"]
        more = ["uuid", "state", "sent_at", "transaction_uuid", "waiting_for", "error", "actor", "created"]
        return fields if obj is None else [*fields, *more]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Do nothing: the form has written it, through the service."""

    @admin.action(permissions=["retry"], description="Send again (those that the ledger does not list)")
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        rows = chosen(request, queryset.filter(failed_at__isnull=False))
        sent = [row for row in rows or [] if send_again(deposit=row)]
        if sent:
            LogEntry.objects.log_actions(
                user_id=request.user.pk or 0, queryset=sent, action_flag=CHANGE, change_message="Sent again."
            )
        messages.info(request, f"{len(sent)} of these will be sent again in a moment.")

"""The groups that budgets are restricted to: a form that adds one, and a list from which they are removed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.subsidy_access_policies.admin.forms import GroupForm
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation
from enterprise_access.apps.subsidy_access_policies.services.groups import end_association_of
from enterprise_access.lib.admin import AsksBeforeAddingAdmin, BoundedActionsAdmin, BoundedPaginator

_MAY_CHANGE_BUDGETS = "subsidy_access_policies.change_subsidyaccesspolicy"


@admin.register(PolicyGroupAssociation)
class GroupAssociationAdmin(AsksBeforeAddingAdmin, BoundedActionsAdmin):
    """Restrictions of budgets to groups. Who may change budgets may add and remove them."""

    form = GroupForm
    list_display = ["group_uuid", "policy", "customer_uuid", "created"]
    list_select_related = ["policy"]
    search_fields = ["=group_uuid", "=policy__uuid", "=policy__customer_uuid"]
    raw_id_fields = ["policy"]
    show_full_result_count = False
    paginator = BoundedPaginator

    @admin.display(description="customer", ordering="policy__customer_uuid")
    def customer_uuid(self, row: PolicyGroupAssociation) -> str:
        return str(row.policy.customer_uuid)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("subsidy_access_policies.view_subsidyaccesspolicy") or self._may_change(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def _may_change(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_MAY_CHANGE_BUDGETS)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Do nothing: the form has written it, through the service."""

    def delete_model(self, request: HttpRequest, obj: PolicyGroupAssociation) -> None:
        end_association_of(obj.policy, group_uuid=obj.group_uuid)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset.select_related("policy"):
            self.delete_model(request, row)

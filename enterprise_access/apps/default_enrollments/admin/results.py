"""What the lists of attempts and realizations have in common: whose they are, and what staff can do about them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.acting import MAY_OVERRIDE, MAY_STEER, look_now
from enterprise_access.apps.default_enrollments.admin.overrides import ask_for_override
from enterprise_access.apps.default_enrollments.admin.why import why_link
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.work.admin import chosen


class ResultsAdmin(LearnerRowsAdmin):
    """Rows about one learner and one intention."""

    list_select_related = ["intention__customer"]
    actions = ["look_now", "override"]

    @admin.display(ordering="intention__customer__name")
    def customer(self, row: Any) -> EnterpriseCustomer:
        return row.intention.customer

    @admin.display(description="explanation")
    def explanation(self, row: Any) -> str:
        return why_link(row.intention.customer_id, row.lms_user_id)

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_STEER)

    def has_override_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_OVERRIDE)

    @admin.action(permissions=["steer"], description="Check now")
    def look_now(self, request: HttpRequest, queryset: Any) -> None:
        if (rows := chosen(request, queryset)) is not None:
            look_now(request, rows, [(row.intention.customer_id, row.lms_user_id) for row in rows])

    @admin.action(permissions=["override"], description="Allow re-enrollment (override)")
    def override(self, request: HttpRequest, queryset: Any) -> Any:
        return ask_for_override(request, list(queryset[:2]))

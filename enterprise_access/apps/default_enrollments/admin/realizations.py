"""Realizations in the admin: what became enrollments."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.acting import MAY_OVERRIDE, MAY_STEER, look_now
from enterprise_access.apps.default_enrollments.admin.filters import CustomerOfIntentionFilter, LeftFilter
from enterprise_access.apps.default_enrollments.admin.overrides import ask_for_override
from enterprise_access.apps.default_enrollments.admin.why import why_link
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization
from enterprise_access.lib.admin import LearnerRowsAdmin, ReadOnlyHistoryAdmin
from enterprise_access.lib.work.admin import chosen


@admin.register(DefaultEnterpriseEnrollmentRealization)
class RealizationAdmin(ReadOnlyHistoryAdmin, LearnerRowsAdmin):
    """What became enrollments, and whether the learner is still there."""

    list_display = [
        "course_run_key",
        "lms_user_id",
        "explanation",
        "customer",
        "predicted_mode",
        "seen_mode",
        "realized_at",
        "left_at",
        "downgraded_at",
    ]
    list_filter = [LeftFilter, CustomerOfIntentionFilter, ("realized_at", admin.DateFieldListFilter)]
    list_select_related = ["intention__customer"]
    search_fields = ["course_run_key", "intention__customer__slug", "intention__customer__name"]
    search_help_text = "LMS user ids, uuids, parts of a key, or of the customer's name or slug."
    uuid_paths = ("uuid", "intention_id", "intention__customer_id")
    actions = ["look_now", "override"]

    @admin.display(ordering="intention__customer__name")
    def customer(self, realization: DefaultEnterpriseEnrollmentRealization) -> EnterpriseCustomer:
        return realization.intention.customer

    @admin.display(description="explanation")
    def explanation(self, realization: DefaultEnterpriseEnrollmentRealization) -> str:
        return why_link(realization.intention.customer_id, realization.lms_user_id)

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

"""How customers take requests, in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest

from enterprise_access.apps.subsidy_requests.models import SubsidyRequestCustomerConfiguration
from enterprise_access.apps.subsidy_requests.services.configurations import change_configuration
from enterprise_access.lib import clock
from enterprise_access.lib.admin import BoundedActionsAdmin, ReadOnlyAdmin, ReadOnlyHistoryAdmin
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.work.admin import chosen


@admin.register(SubsidyRequestCustomerConfiguration)
class ConfigurationAdmin(BoundedActionsAdmin, ReadOnlyHistoryAdmin, ReadOnlyAdmin):
    """How customers take requests, and who changed that."""

    list_display = [
        "customer_uuid",
        "subsidy_requests_enabled",
        "subsidy_type",
        "attempt_auto_enrollment",
        "notification_cadence",
        "last_remind_date",
        "modified",
    ]
    list_filter = ["subsidy_requests_enabled", "subsidy_type", "attempt_auto_enrollment", "notification_cadence"]
    search_fields = ["=customer_uuid"]
    actions = ["enroll_after_approvals", "enroll_no_one"]

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subsidy_requests.change_subsidyrequestcustomerconfiguration")

    @admin.action(permissions=["act"], description="Enroll learners after an approval, into the only open run")
    def enroll_after_approvals(self, request: HttpRequest, queryset: Any) -> None:
        self._switch(request, queryset, is_on=True)

    @admin.action(permissions=["act"], description="Enroll no one after an approval")
    def enroll_no_one(self, request: HttpRequest, queryset: Any) -> None:
        self._switch(request, queryset, is_on=False)

    def _switch(self, request: HttpRequest, queryset: Any, *, is_on: bool) -> None:
        rows = chosen(request, queryset.exclude(attempt_auto_enrollment=is_on))
        for row in rows or []:
            try:
                change_configuration(
                    customer_uuid=row.pk,
                    changes={"attempt_auto_enrollment": is_on},
                    actor_lms_user_id=getattr(request.user, "lms_user_id", None),
                    now=clock.now(),
                )
            except ServiceError as error:
                messages.error(request, f"Customer {row.pk} was not changed. {error.detail}")
                continue
            LogEntry.objects.log_actions(
                user_id=request.user.pk or 0,
                queryset=[row],
                action_flag=CHANGE,
                change_message=f"Enrolling after approvals: {'on' if is_on else 'off'}.",
            )
        if rows is not None:
            messages.success(request, f"Enrolling after approvals is {'on' if is_on else 'off'} for what was selected.")

"""Requests in the admin: what is owed to whom, and when it is looked at again."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from enterprise_access.apps.customers.admin import CustomerFilter
from enterprise_access.apps.default_enrollments.admin.acting import MAY_STEER, look_now, note, say
from enterprise_access.apps.default_enrollments.admin.choosing import CustomerField
from enterprise_access.apps.default_enrollments.admin.filters import (
    RequestStateFilter,
    WaitingForFilter,
    reason_in_words,
)
from enterprise_access.apps.default_enrollments.admin.why import why_link
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import RealizationRequest
from enterprise_access.apps.default_enrollments.services.operations.steering import realize_now, revive
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE, UNEXPECTED_ERROR
from enterprise_access.lib import clock
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.work.admin import WorkAdmin, chosen


class LookNowForm(forms.Form):
    """One learner of one customer, also one whom no one has looked at yet."""

    customer = CustomerField()
    lms_user_id = forms.IntegerField(label="LMS user id", min_value=1, max_value=2**63 - 1)


@admin.register(RealizationRequest)
class RequestAdmin(WorkAdmin, LearnerRowsAdmin):
    """What is owed to whom, and when it is looked at again."""

    queue = QUEUE
    change_list_template = "default_enrollments/requests.html"
    list_display = [
        "lms_user_id",
        "explanation",
        "customer",
        "state",
        "waiting",
        "due_at",
        "failures",
        "trigger",
        "modified",
    ]
    list_filter = [RequestStateFilter, WaitingForFilter, CustomerFilter, ("due_at", admin.DateFieldListFilter)]
    list_select_related = ["customer"]
    ordering = ["-pk"]
    search_help_text = "LMS user ids, the UUID of a customer, parts of its name or slug, or of a reason code."
    search_fields = ["customer__slug", "customer__name", "waiting_for"]
    uuid_paths = ("customer_id",)
    actions = ["look_now", "retry"]

    @admin.display(description="waiting for", ordering="waiting_for")
    def waiting(self, row: RealizationRequest) -> str:
        if not row.waiting_for:
            return ""
        if row.waiting_for == UNEXPECTED_ERROR:
            return "An unexpected error; see the log."
        return reason_in_words(explain(row.waiting_for).text, row.waiting_for)

    @admin.display(description="explanation")
    def explanation(self, row: RealizationRequest) -> str:
        return why_link(row.customer_id, row.lms_user_id)

    def has_steer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MAY_STEER)

    @admin.action(permissions=["steer"], description="Check now")
    def look_now(self, request: HttpRequest, queryset: Any) -> None:
        if (rows := chosen(request, queryset)) is not None:
            look_now(request, rows, [(row.customer_id, row.lms_user_id) for row in rows])

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.has_steer_permission(request)

    def retry_rows(self, rows: list[Any]) -> int:
        return revive(request_ids=[row.pk for row in rows], now=clock.now())

    def get_urls(self) -> list[Any]:
        mine = path("look/", self.admin_site.admin_view(self.look_view), name="look_at_learner")
        return [mine, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"may_steer": self.has_steer_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def look_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a look at one learner, also one to whom nothing was ever owed."""
        if not self.has_steer_permission(request):
            raise PermissionDenied
        form = LookNowForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            customer, lms_user_id = form.cleaned_data["customer"], form.cleaned_data["lms_user_id"]
            say(request, realize_now(customer_uuid=customer.pk, lms_user_ids=[lms_user_id], now=clock.now()))
            note(
                request,
                RealizationRequest.objects.filter(customer=customer, lms_user_id=lms_user_id),
                "Queued for evaluation.",
            )
            return HttpResponseRedirect(
                f"{reverse('admin:default_enrollments_realizationrequest_changelist')}?q={lms_user_id}"
            )
        context = {
            **self.admin_site.each_context(request),
            "title": "Evaluate a learner now",
            "opts": self.opts,
            "form": form,
            "text": "The learner is evaluated as if they had just signed in, and enrolled in the default enrollments "
            "that they lack. No rule is skipped.",
            "button": "Check now",
        }
        return TemplateResponse(request, "default_enrollments/form.html", context)

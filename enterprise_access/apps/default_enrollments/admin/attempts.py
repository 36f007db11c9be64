"""Attempts in the admin: what came of every look, and why."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.acting import MAY_OVERRIDE, MAY_STEER, look_now
from enterprise_access.apps.default_enrollments.admin.filters import (
    CustomerOfIntentionFilter,
    ReasonFilter,
    reason_in_words,
)
from enterprise_access.apps.default_enrollments.admin.overrides import ask_for_override
from enterprise_access.apps.default_enrollments.admin.why import why_link
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.work.admin import chosen


class NewestFilter(admin.SimpleListFilter):
    """By whether it is the last word on its learner and intention."""

    title = "which"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("newest", "The last of each learner and intention")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.newest() if self.value() == "newest" else queryset


@admin.register(RealizationAttempt)
class AttemptAdmin(LearnerRowsAdmin):
    """What came of every look, and why. The newest first."""

    list_display = [
        "intention",
        "lms_user_id",
        "explanation",
        "outcome",
        "why",
        "customer",
        "course_run_key",
        "times",
        "last_seen_at",
    ]
    list_filter = [
        NewestFilter,
        "outcome",
        ReasonFilter,
        CustomerOfIntentionFilter,
        ("last_seen_at", admin.DateFieldListFilter),
        "trigger",
    ]
    list_select_related = ["intention__customer"]
    # The order in which they were written: the database need not sort all of them.
    ordering = ["-pk"]
    search_fields = [
        "intention__content_key",
        "course_run_key",
        "reason",
        "intention__customer__slug",
        "intention__customer__name",
    ]
    search_help_text = "LMS user ids, uuids, parts of a key, of the customer's name or slug, or of a reason code."
    uuid_paths = ("intention_id", "intention__customer_id")
    actions = ["look_now", "override"]

    @admin.display(description="reason", ordering="reason")
    def why(self, attempt: RealizationAttempt) -> str:
        """The blocking reason in a word or two, and in a sentence on hover; an attempt that went well needs none."""
        if attempt.outcome not in (Outcome.BLOCKED, Outcome.IN_DOUBT):
            return ""
        return reason_in_words(explain(attempt.reason).text, attempt.reason)

    @admin.display(ordering="intention__customer__name")
    def customer(self, attempt: RealizationAttempt) -> EnterpriseCustomer:
        return attempt.intention.customer

    @admin.display(description="explanation")
    def explanation(self, attempt: RealizationAttempt) -> str:
        return why_link(attempt.intention.customer_id, attempt.lms_user_id)

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

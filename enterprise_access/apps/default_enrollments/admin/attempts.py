"""Attempts in the admin: what came of every look, and why."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.default_enrollments.admin.filters import (
    CustomerOfIntentionFilter,
    ReasonFilter,
    reason_in_words,
)
from enterprise_access.apps.default_enrollments.admin.results import ResultsAdmin
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt


class NewestFilter(admin.SimpleListFilter):
    """By whether it is the last word on its learner and intention."""

    title = "which"
    parameter_name = "which"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("newest", "The last of each learner and intention")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.newest() if self.value() == "newest" else queryset


@admin.register(RealizationAttempt)
class AttemptAdmin(ResultsAdmin):
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
    # The order in which they were written: the database need not sort all of them.
    ordering = ["-pk"]
    search_fields = [
        "intention__content_key",
        "course_run_key",
        "reason",
        "intention__customer__slug",
        "intention__customer__name",
    ]
    search_help_text = "LMS user ids, UUIDs, parts of a key, of the customer's name or slug, or of a reason code."
    uuid_paths = ("intention_id", "intention__customer_id")

    @admin.display(description="reason", ordering="reason")
    def why(self, attempt: RealizationAttempt) -> str:
        """The blocking reason in a word or two, and in a sentence on hover; an attempt that went well needs none."""
        if attempt.outcome not in (Outcome.BLOCKED, Outcome.IN_DOUBT):
            return ""
        return reason_in_words(explain(attempt.reason).text, attempt.reason)

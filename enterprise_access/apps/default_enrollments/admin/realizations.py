"""Realizations in the admin: what became enrollments."""

from django.contrib import admin

from enterprise_access.apps.default_enrollments.admin.filters import CustomerOfIntentionFilter, LeftFilter
from enterprise_access.apps.default_enrollments.admin.results import ResultsAdmin
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization
from enterprise_access.lib.admin import ReadOnlyHistoryAdmin


@admin.register(DefaultEnterpriseEnrollmentRealization)
class RealizationAdmin(ReadOnlyHistoryAdmin, ResultsAdmin):
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
    search_fields = ["course_run_key", "intention__customer__slug", "intention__customer__name"]
    search_help_text = "LMS user ids, UUIDs, parts of a key, or of the customer's name or slug."
    uuid_paths = ("uuid", "intention_id", "intention__customer_id")

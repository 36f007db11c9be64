"""What workers still have to do about decided requests."""

from typing import Any

from django.contrib import admin

from enterprise_access.apps.subsidy_requests.models import AutoEnrollment, UnlinkRequest
from enterprise_access.apps.subsidy_requests.services import auto_enrolling, unlinking
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.work.admin import WorkAdmin


@admin.register(UnlinkRequest)
class UnlinkRequestAdmin(WorkAdmin):
    """Learners of declined requests who are still to be unlinked from their customer in the LMS."""

    queue = unlinking.QUEUE
    list_display = ["request_id", "customer_uuid", "state", "created", "due_at", "failures", "waiting_for"]
    list_filter = ["waiting_for"]
    search_fields = ["=request__uuid"]
    actions = ["retry"]


@admin.register(AutoEnrollment)
class AutoEnrollmentAdmin(LearnerRowsAdmin, WorkAdmin):
    """Enrollments after approvals, of customers who want that: what was tried, and why it came to nothing."""

    queue = auto_enrolling.QUEUE
    list_display = [
        "request_id",
        "lms_user_id",
        "state",
        "reason",
        "course_run_key",
        "work",
        "due_at",
        "waiting_for",
    ]
    list_filter = ["state", "reason", "waiting_for"]
    search_fields = ["course_run_key"]
    uuid_paths = ("pk", "customer_uuid", "batch")
    exclude = ["lease_token", "generation", "priority"]
    actions = ["retry"]

    @admin.display(description="state", ordering="state")
    def state(self, row: Any) -> str:
        return str(row.state)

    @admin.display(description="worker")
    def work(self, row: AutoEnrollment) -> str:
        return super().state(row) if row.ended_at is None else ""

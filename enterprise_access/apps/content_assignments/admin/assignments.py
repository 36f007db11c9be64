"""What happened to each assignment, and what support does about them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from enterprise_access.apps.content_assignments.admin.allocating import allocate_view
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment, LinkRequest
from enterprise_access.apps.content_assignments.selectors.timeline import timeline_of
from enterprise_access.apps.content_assignments.services import linking, reminding, transitions
from enterprise_access.lib import clock
from enterprise_access.lib.admin import LearnerRowsAdmin, SectionedAdmin
from enterprise_access.lib.work.admin import WorkAdmin, chosen


class AccountFilter(admin.SimpleListFilter):
    """Whether it is known whose an assignment is."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", "Known"), ("unseen", "Not seen yet"), ("unclear", "Unknown: two accounts")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "known":
            return queryset.filter(lms_user_id__isnull=False)
        if self.value() in ("unseen", "unclear"):
            return queryset.filter(lms_user_id=None, account_unclear_at__isnull=self.value() == "unseen")
        return queryset


@admin.register(LearnerContentAssignment)
class AssignmentAdmin(SectionedAdmin, LearnerRowsAdmin):
    """The assignments of all customers. Redemptions are shown by the app that makes them, in a section of its own."""

    list_display = [
        "content_title",
        "learner_email",
        "account",
        "state",
        "learner_state",
        "price",
        "allocated_at",
        "expires_at",
    ]
    list_filter = ["state", "learner_state", AccountFilter, "expires_because"]
    search_fields = ["=learner_email_folded", "content_key_folded"]
    search_help_text = "An LMS user id, a UUID (of an assignment, budget or customer), an address, or a part of a key."
    uuid_paths = ("pk", "policy_uuid", "customer_uuid", "configuration_uuid", "transaction_uuid")
    actions = ["cancel", "remind"]
    readonly_fields = ["timeline"]
    first_fields = ["content_title", "learner_email", "account", "state", "price", "expires_at", "timeline"]
    exclude = [
        "learner_email_folded",
        "content_key_folded",
        "learner_state_order",
        "identity",
    ]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(lambda request: allocate_view(request, self.admin_site))
        return [path("allocate/", page, name="content_assignments_allocate"), *super().get_urls()]

    @admin.display(description="LMS user id", ordering="lms_user_id")
    def account(self, row: LearnerContentAssignment) -> str:
        if row.lms_user_id is not None:
            return str(row.lms_user_id)
        return "Not seen yet" if row.account_unclear_at is None else "Unknown: two accounts"

    @admin.display(description="price", ordering="content_quantity")
    def price(self, row: LearnerContentAssignment) -> str:
        return f"${row.price_cents / 100:,.2f}"

    @admin.display(description="What happened")
    def timeline(self, row: LearnerContentAssignment) -> SafeString:
        lines = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            ((f"{entry.at:%Y-%m-%d %H:%M:%S} UTC", entry.what, entry.outcome) for entry in timeline_of(row)),
        )
        return format_html("<table><tbody>{}</tbody></table>", lines)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("content_assignments.change_learnercontentassignment")

    @admin.action(permissions=["act"], description="Cancel (all of them or none)")
    def cancel(self, request: HttpRequest, queryset: Any) -> None:
        def do(uuids: list[UUID]) -> int:
            return len(transitions.cancel(uuids, now=clock.now(), actor_lms_user_id=_account_of(request)))

        self._act(request, queryset, do, done="cancelled")

    @admin.action(permissions=["act"], description="Remind (all of them or none)")
    def remind(self, request: HttpRequest, queryset: Any) -> None:
        def do(uuids: list[UUID]) -> int:
            return reminding.remind(uuids, now=clock.now(), actor_lms_user_id=_account_of(request))

        self._act(request, queryset, do, done="reminded")

    def _act(self, request: HttpRequest, queryset: Any, do: Callable[[list[UUID]], int], *, done: str) -> None:
        rows = chosen(request, queryset)
        if rows is None:
            return
        try:
            count = do([row.pk for row in rows])
        except AssignmentTransitionRefused as error:
            reasons = ", ".join(f"{uuid} ({reason})" for uuid, reason in list(error.refused.items())[:10])
            messages.error(request, f"Nothing was changed. These are in another state: {reasons}.")
            return
        LogEntry.objects.log_actions(
            user_id=request.user.pk or 0, queryset=rows, action_flag=CHANGE, change_message=done.capitalize()
        )
        messages.success(request, f"{count} {'assignment' if count == 1 else 'assignments'} {done}.")


def _account_of(request: HttpRequest) -> int | None:
    """Return the LMS user id of a member of staff; a local account has none."""
    return getattr(request.user, "lms_user_id", None)


@admin.register(LinkRequest)
class LinkRequestAdmin(WorkAdmin):
    """People who are still to be linked to their customer in the LMS."""

    queue = linking.QUEUE
    list_display = ["assignment_id", "customer_uuid", "state", "created", "due_at", "failures", "waiting_for"]
    list_filter = ["waiting_for"]
    search_fields = ["=assignment__uuid"]
    actions = ["retry"]

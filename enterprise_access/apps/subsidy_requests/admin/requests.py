"""Requests in the admin: what happened to each, and what support does about them."""

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from enterprise_access.apps.subsidy_requests.admin.deciding import ApproveForm, DeclineForm, Together, group
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.selectors.timeline import list_consequences
from enterprise_access.apps.subsidy_requests.services.granting import QUEUE
from enterprise_access.apps.subsidy_requests.services.reviewing import Review
from enterprise_access.lib import clock
from enterprise_access.lib.admin import LearnerRowsAdmin, ReadOnlyHistoryAdmin
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.work.admin import WorkAdmin, chosen

_APPROVABLE: Final = [RequestState.REQUESTED.value, RequestState.ERROR.value]
DONE: Final = {"approve": "approved", "decline": "declined"}


@admin.register(SubsidyRequest)
class SubsidyRequestAdmin(ReadOnlyHistoryAdmin, LearnerRowsAdmin, WorkAdmin):
    """The requests of all customers."""

    queue = QUEUE
    # The page that confirms a decision sends every row as a field, of which Django takes 1,000.
    most_at_once = 900
    list_display = [
        "lms_user_id",
        "email",
        "subsidy_type",
        "course_id",
        "state",
        "error_reason",
        "work",
        "due_at",
        "created",
    ]
    list_filter = ["subsidy_type", "state", "error_reason", "waiting_for"]
    search_fields = ["=email_folded", "course_id_folded"]
    search_help_text = "An LMS user id, a UUID (of a request, customer, plan, budget or assignment), or an address."
    uuid_paths = ("pk", "customer_uuid", "plan_uuid", "policy_uuid", "assignment_uuid", "license_uuid")
    actions = ["approve", "decline"]
    readonly_fields = ["timeline", "work"]
    first_fields = ["subsidy_type", "course_title", "course_id", "email", "state", "error_reason", "work", "timeline"]
    exclude = ["email_folded", "course_id_folded", "open_key", "lease_token", "generation", "priority"]

    @admin.display(description="state", ordering="state")
    def state(self, row: Any) -> str:
        return str(row.state)

    @admin.display(description="worker")
    def work(self, row: SubsidyRequest) -> str:
        return super().state(row) if row.state == RequestState.PENDING.value else ""

    @admin.display(description="What happened")
    def timeline(self, row: SubsidyRequest) -> SafeString:
        told = [(one.created, one.type, one.error_reason, _actor(one.actor_lms_user_id)) for one in row.actions.all()]
        told += [(one.at, one.text, one.reason, "this service") for one in list_consequences(row)]
        lines = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            ((f"{at:%Y-%m-%d %H:%M:%S} UTC", *what) for at, *what in sorted(told, key=lambda one: one[0])),
        )
        return format_html("<table><tbody>{}</tbody></table>", lines)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subsidy_requests.change_subsidyrequest")

    @admin.action(permissions=["act"], description="Approve, also again after an error")
    def approve(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self._decide(request, queryset.filter(state__in=_APPROVABLE), "approve")

    @admin.action(permissions=["act"], description="Decline")
    def decline(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self._decide(request, queryset, "decline")

    def _decide(self, request: HttpRequest, queryset: Any, action: str) -> HttpResponse | None:
        """Show what is about to be decided, and decide when that page is sent."""
        rows = chosen(request, queryset, limit=self.most_at_once)
        if rows is None:
            return None
        if not rows:
            messages.info(request, "None of these can be decided that way; nothing was changed.")
            return None
        groups = group(rows)
        data = request.POST if "confirmed" in request.POST else None
        try:
            form = ApproveForm(data, groups=groups) if action == "approve" else DeclineForm(data)
        except ServiceError as error:
            messages.error(request, f"Nothing was changed. {error.detail}")
            return None
        if data is not None and form.is_valid():
            for together in groups:
                self._decide_group(request, form, together, DONE[action])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": f"{action.capitalize()} requests",
            "action": action,
            "form": form,
            "groups": groups,
            "opts": self.opts,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "subsidy_requests/decide.html", context)

    def _decide_group(
        self, request: HttpRequest, form: ApproveForm | DeclineForm, together: Together, done: str
    ) -> None:
        review = Review(
            customer_uuid=together.first.customer_uuid,
            request_uuids=[row.pk for row in together.rows],
            reviewer_lms_user_id=getattr(request.user, "lms_user_id", None),
            now=clock.now(),
            is_mail_wanted=form.cleaned_data["tell"],
        )
        try:
            changed = form.decide(review, together)
        except ServiceError as error:
            messages.error(request, f"{together.name}: nothing was changed. {error.detail}")
            return
        LogEntry.objects.log_actions(
            user_id=request.user.pk or 0, queryset=changed, action_flag=CHANGE, change_message=done.capitalize()
        )
        messages.success(request, f"{len(changed)} {'request' if len(changed) == 1 else 'requests'} {done}.")


def _actor(lms_user_id: int | None) -> str:
    return "this service" if lms_user_id is None else f"user {lms_user_id}"

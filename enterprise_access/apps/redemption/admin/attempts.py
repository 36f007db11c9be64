"""Redemptions in the admin: what was tried, how it stands, and the decision about those that need attention."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.redemption.admin.forms import ExplainForm, ForceForm
from enterprise_access.apps.redemption.domain.settling import Enrolled
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.errors import RedemptionAttemptUnknown
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services import deciding
from enterprise_access.apps.redemption.services.explained import show_explanation
from enterprise_access.apps.redemption.services.explaining import explain_credit
from enterprise_access.apps.redemption.services.forcing import force_redemption
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.subsidy_access_policies.domain.money import dollars_text
from enterprise_access.lib import clock
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.work.admin import WorkAdmin

ENROLLED: Final[Mapping[Enrolled, str]] = {
    Enrolled.NO: "The learner is not enrolled in a paid mode.",
    Enrolled.BEFORE: "The learner was enrolled in a paid mode before the first call.",
    Enrolled.BY_THIS_ATTEMPT: "The learner is enrolled in a paid mode, and was not before the first call.",
    Enrolled.UNKNOWN: "The LMS cannot be asked now, or does not know the learner. Try again shortly.",
}

_DECISIONS: Final[Mapping[str, tuple[Callable[..., None], str]]] = {
    "paid": (deciding.settle_as_paid, "Recorded as paid."),
    "not_paid": (deciding.settle_as_not_paid, "Recorded as not paid; the money was given back."),
    "again": (deciding.try_again, "It will be tried again in a moment."),
}

_STATES: Final[Mapping[str, str]] = {
    AttemptState.SENDING.value: "Waiting for enterprise-subsidy",
    AttemptState.IN_DOUBT.value: "Outcome unknown",
    AttemptState.COMMITTED.value: "Paid",
    AttemptState.REFUSED.value: "Refused",
    AttemptState.DEAD.value: "Needs attention",
}


@admin.register(RedemptionAttempt)
class RedemptionAttemptAdmin(WorkAdmin, LearnerRowsAdmin):
    """Tries to redeem, the newest first."""

    queue = QUEUE
    change_form_template = "redemption/attempt.html"
    change_list_template = "redemption/attempts.html"
    list_display = [
        "created",
        "lms_user_id",
        "content_key",
        "policy",
        "stands",
        "reason",
        "dollars",
        "trigger",
        "state_of_work",
    ]
    list_filter = ["state", "trigger", "reason", ("created", admin.DateFieldListFilter)]
    list_select_related = ["policy"]
    ordering = ["-created", "uuid"]
    search_fields = ["content_key"]
    uuid_paths = ("uuid", "policy_id", "customer_uuid", "transaction_uuid", "assignment_uuid")
    actions = ["retry"]
    readonly_fields = ["stands", "dollars", "created"]
    first_fields = [
        "policy",
        "lms_user_id",
        "content_key",
        "content_title",
        "stands",
        "reason",
        "rule",
        "dollars",
        "trigger",
        "created",
        "ended_at",
    ]
    exclude = ["amount", "metadata", "lease_token", "generation", "priority"]

    @admin.display(description="outcome", ordering="state")
    def stands(self, attempt: RedemptionAttempt) -> str:
        return _STATES[attempt.state]

    @admin.display(description="work")
    def state_of_work(self, attempt: RedemptionAttempt) -> str:
        return self.state(attempt)

    @admin.display(description="amount", ordering="amount")
    def dollars(self, attempt: RedemptionAttempt) -> str:
        return "" if attempt.amount is None else dollars_text(attempt.amount)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("redemption.change_redemptionattempt")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:attempt_uuid>/decide/", view(self.decide_view), name="decide_redemption"),
            path("explain/", view(self.explain_view), name="explain_credit"),
            path("force/", view(self.force_view), name="force_redemption"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {"may_force": self.has_force_permission(request), **(extra_context or {})}
        return super().changelist_view(request, context)

    def has_force_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("redemption.add_redemptionattempt")

    def explain_view(self, request: HttpRequest) -> HttpResponse:
        """Say which budget pays for a run for a learner, or why none does."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ExplainForm(request.GET or None)
        found = None
        if form.is_bound and form.is_valid():
            found = self._explained(form)
        return TemplateResponse(
            request, "redemption/explain.html", self._page(request, "Explain learner credit", form=form, found=found)
        )

    def _explained(self, form: ExplainForm) -> dict[str, Any] | None:
        given = form.cleaned_data
        try:
            customer = get_customer_named(slug_or_uuid=given["customer"])
        except ServiceError as error:
            form.add_error("customer", error.detail)
            return None
        plain = explain_credit(
            customer_uuid=customer.pk,
            lms_user_id=given["lms_user_id"],
            run_key=given["content_key"],
            now=clock.now(),
        )
        return show_explanation(plain)

    def force_view(self, request: HttpRequest) -> HttpResponse:
        """Redeem for a learner: the attempt is written, and a worker carries it out."""
        if not self.has_force_permission(request):
            raise PermissionDenied
        form = ForceForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                attempt = force_redemption(**form.values())
            except ServiceError as error:
                form.add_error(None, error.detail)
            else:
                rows = RedemptionAttempt.objects.filter(pk=attempt.pk)
                LogEntry.objects.log_actions(
                    user_id=request.user.pk or 0,
                    queryset=rows,
                    action_flag=ADDITION,
                    change_message="Redeemed for a learner.",
                )
                return HttpResponseRedirect(reverse("admin:redemption_redemptionattempt_change", args=[attempt.pk]))
        return TemplateResponse(
            request, "redemption/force.html", self._page(request, "Redeem for a learner", form=form)
        )

    def _page(self, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **more}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {"may_decide": self.has_decide_permission(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def decide_view(self, request: HttpRequest, attempt_uuid: UUID) -> HttpResponse:
        """Show what the ledger and the LMS say of an attempt, and take the decision."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        try:
            if request.method == "POST":
                return self._decide(request, attempt_uuid)
            evidence = deciding.gather_evidence(attempt_uuid=attempt_uuid)
        except RedemptionAttemptUnknown as error:
            raise Http404 from error
        return TemplateResponse(request, "redemption/decide.html", self._context(request, evidence))

    def _decide(self, request: HttpRequest, attempt_uuid: UUID) -> HttpResponse:
        decide, said = _DECISIONS.get(request.POST.get("decision", ""), (None, ""))
        if decide is None:
            raise Http404
        try:
            decide(attempt_uuid=attempt_uuid)
        except RedemptionAttemptUnknown:
            raise
        except ServiceError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, said)
            rows = RedemptionAttempt.objects.filter(pk=attempt_uuid)
            LogEntry.objects.log_actions(
                user_id=request.user.pk or 0, queryset=rows, action_flag=CHANGE, change_message=said
            )
        return HttpResponseRedirect(reverse("admin:redemption_redemptionattempt_change", args=[attempt_uuid]))

    def _context(self, request: HttpRequest, evidence: deciding.Evidence) -> dict[str, Any]:
        names = ("uuid", "state", "reversal", "created")
        return {
            **self._page(request, "Check and decide"),
            "attempt": evidence.attempt,
            "evidence": evidence,
            "rows": [
                {
                    **{name: getattr(row, name) for name in names},
                    "amount": dollars_text(row.quantity_cents),
                    "is_own": evidence.is_own(row),
                }
                for row in evidence.rows or ()
            ],
            "enrolled": ENROLLED[evidence.enrolled],
            "is_dead": evidence.attempt.state == AttemptState.DEAD.value,
        }

"""Workflows in the admin: each as a line of steps with times, outputs and errors, and a guarded retry."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from enterprise_access.apps.provisioning.admin.budgets import BudgetForm, start
from enterprise_access.apps.provisioning.domain.states import FINISHED_STEPS
from enterprise_access.apps.provisioning.errors import NothingToRetry
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.explaining import explain, title_of
from enterprise_access.apps.provisioning.services.provisioning import get_progress
from enterprise_access.apps.provisioning.services.removing import remove_workflow
from enterprise_access.apps.provisioning.services.workflows.engine import QUEUE
from enterprise_access.apps.provisioning.services.workflows.starting import retry_workflow
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.work.admin import WorkAdmin
from enterprise_access.lib.work.models import WorkItem


class WorkflowStateFilter(admin.SimpleListFilter):
    """Filters by how a workflow ended, if it has."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Not done"), ("failed", "Failed"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> QuerySet[Workflow]:
        filters: dict[str, dict[str, Any]] = {
            "open": {"ended_at": None, "failed_at": None},
            "failed": {"failed_at__isnull": False},
            "done": {"ended_at__isnull": False, "failed_at": None},
        }
        return queryset.filter(**filters.get(self.value() or "", {}))


class RemoveForm(forms.Form):
    """Why a workflow is removed."""

    reason = forms.CharField(max_length=300, help_text="Kept with your name in the history. Name no person.")


@admin.register(Workflow)
class WorkflowAdmin(WorkAdmin):
    """A list of workflows; a page shows the steps of one."""

    queue = QUEUE
    change_form_template = "provisioning/workflow.html"
    change_list_template = "provisioning/workflows_list.html"
    list_display = ("subject", "kind", "state", "stopped_at", "created_at", "ended_at", "requested_by")
    list_filter = (WorkflowStateFilter, "kind")
    list_select_related = ("requested_by",)
    search_fields = ("subject", "uuid")
    search_help_text = "The slug of a customer, or the UUID of a workflow."
    actions = ("retry",)
    fields = (
        "explanation",
        "steps_line",
        "uuid",
        "kind",
        "subject",
        "asked",
        "requested_by",
        "created_at",
        "started_at",
        "ended_at",
        "due_at",
    )
    readonly_fields = fields

    def get_urls(self) -> list[Any]:
        mine = path(
            "create-budget/", self.admin_site.admin_view(self.create_budget_view), name="provisioning_create_budget"
        )
        remove = path(
            "<uuid:workflow_uuid>/remove/",
            self.admin_site.admin_view(self.remove_view),
            name="provisioning_remove_workflow",
        )
        return [mine, remove, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        context = {"may_remove": self._may_remove(request), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def remove_view(self, request: HttpRequest, workflow_uuid: UUID) -> HttpResponse:
        """Ask why, and remove a workflow that failed or waits."""
        if not self._may_remove(request):
            raise PermissionDenied
        item = get_object_or_404(Workflow, pk=workflow_uuid)
        form = RemoveForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                remove_workflow(workflow_uuid=workflow_uuid)
            except ServiceError as error:
                messages.error(request, error.detail)
            else:
                LogEntry.objects.log_actions(
                    user_id=request.user.pk or 0,
                    queryset=[item],
                    action_flag=DELETION,
                    change_message=f"Removed: {form.cleaned_data['reason']}",
                    single_object=True,
                )
                messages.success(request, "The workflow was removed. What its steps created stays.")
            return HttpResponseRedirect(reverse("admin:provisioning_workflow_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Remove a workflow",
            "opts": self.opts,
            "form": form,
            "item": item,
        }
        return TemplateResponse(request, "provisioning/remove.html", context)

    def _may_remove(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.delete_{self.opts.model_name}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(
            request, {"may_create_budgets": self._may_create(request), **(extra_context or {})}
        )

    def create_budget_view(self, request: HttpRequest) -> HttpResponse:
        """Show the form, and start the workflow of a valid one."""
        if not self._may_create(request):
            raise PermissionDenied
        form = BudgetForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            item = start(request, form)
            LogEntry.objects.log_actions(
                user_id=request.user.pk or 0,
                queryset=[item],
                action_flag=ADDITION,
                change_message="Requested a budget.",
                single_object=True,
            )
            messages.success(request, "A worker creates the budget in a moment. This page shows how far it is.")
            return HttpResponseRedirect(reverse("admin:provisioning_workflow_change", args=[item.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": "Create a budget",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "provisioning/create_budget.html", context)

    def _may_create(self, request: HttpRequest) -> bool:
        # Workflows are not added by Django's own page, but by this one.
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        return super().get_queryset(request).prefetch_related("steps")

    @admin.display(description="state")
    def state(self, row: WorkItem) -> str:
        assert isinstance(row, Workflow)  # noqa: S101 (the list is of workflows)
        return row.state_at(clock.now()).value.capitalize()

    @admin.display(description="stopped at")
    def stopped_at(self, row: Workflow) -> str:
        stopped = next((step for step in row.steps.all() if step.error and step.state not in FINISHED_STEPS), None)
        return "" if stopped is None else title_of(row.kind, stopped)

    @admin.display(description="explanation")
    def explanation(self, row: Workflow) -> str:
        return explain(get_progress(workflow_uuid=row.pk))

    @admin.display(description="request")
    def asked(self, row: Workflow) -> str:
        return _pretty(row.input)

    @admin.display(description="steps")
    def steps_line(self, row: Workflow) -> str:
        head = ("#", "Step", "State", "Created here", "Attempts", "Started", "Ended", "Output", "Error")
        return format_html(
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
            format_html_join("", '<th scope="col">{}</th>', ((name,) for name in head)),
            format_html_join("", "<tr>{}</tr>", ((_cells(row, step),) for step in row.steps.all())),
        )

    def retry_rows(self, rows: list[Any]) -> int:
        return sum(_retried(row) for row in rows)


def _retried(row: Workflow) -> bool:
    try:
        retry_workflow(workflow_uuid=row.pk)
    except NothingToRetry:
        return False
    return True


def _cells(row: Workflow, step: WorkflowStep) -> str:
    cells = (
        step.position + 1,
        title_of(row.kind, step),
        step.state.capitalize(),
        "Yes" if step.is_created else "",
        step.attempts,
        _time(step.started_at),
        _time(step.ended_at),
        _pretty(step.output),
        f"{step.problem} ({step.error})" if step.error else "",
    )
    return format_html_join("", "<td>{}</td>", ((cell,) for cell in cells))


def _time(instant: Any) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _pretty(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=1)

"""Intentions in the admin: what customers intend for their learners."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from enterprise_access.apps.content_metadata.selectors import peek_content
from enterprise_access.apps.customers.admin import CustomerFilter
from enterprise_access.apps.default_enrollments.admin.adding import AddIntentionForm
from enterprise_access.apps.default_enrollments.admin.checking import CUSTOMER, CheckingAdmin
from enterprise_access.apps.default_enrollments.admin.csv_pages import export_view, import_view
from enterprise_access.apps.default_enrollments.admin.filters import HealthFilter, StateFilter, sentence
from enterprise_access.apps.default_enrollments.admin.job_pages import (
    backfill_view,
    check_all_view,
    import_from_lms_view,
)
from enterprise_access.apps.default_enrollments.admin.pausing import may_pause, pausing_urls
from enterprise_access.apps.default_enrollments.models import Intention, IntentionHealth
from enterprise_access.apps.default_enrollments.selectors.standing import count_learners_of
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_saved
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import (
    add_intention,
    delete_intention,
    restore_intention,
)
from enterprise_access.apps.default_enrollments.services.operations.steering import is_everything_paused
from enterprise_access.apps.default_enrollments.services.requests.sweeping import MAY_BACKFILL
from enterprise_access.lib.admin import BoundedActionsAdmin, BoundedPaginator
from enterprise_access.lib.errors import ServiceError

REALIZATIONS = "admin:default_enrollments_defaultenterpriseenrollmentrealization_changelist"
ATTEMPTS = "admin:default_enrollments_realizationattempt_changelist"
NOTHING = "-"


@admin.register(Intention)
class IntentionAdmin(BoundedActionsAdmin, CheckingAdmin):
    """What customers intend. A key is not changed: delete the intention and add another."""

    change_list_template = "default_enrollments/intentions.html"
    change_form_template = "default_enrollments/intention.html"
    delete_confirmation_template = "default_enrollments/delete_intention.html"
    delete_selected_confirmation_template = "default_enrollments/delete_intentions.html"
    list_display = ["content_key", "customer", "last_check", "stands_for", "created", "deleted_at"]
    list_filter = [StateFilter, HealthFilter, CustomerFilter]
    list_select_related = ["customer", "health"]
    search_fields = [
        "content_key",
        "uuid",
        "customer__slug",
        "customer__name",
        "health__course_run_key",
        "health__reason",
    ]
    search_help_text = "A part of a key or run, of a customer's name or slug, of a reason code, or a UUID."
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    actions = ["restore"]
    # The page that confirms a deletion sends every row as a field, of which Django takes 1,000.
    most_at_once = 900
    fields = [
        "customer",
        "content_key",
        "title",
        "content_type",
        "stands_for",
        "last_check",
        "what_would_change_it",
        "checked_at",
        "uuid",
        "created",
        "deleted_at",
    ]
    history_list_display = ["done"]

    # --- what is shown ---------------------------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [str(field) for field in self.fields or ()]

    @admin.display(description="course")
    def title(self, intention: Intention) -> str:
        """Show the title that the cache has; no upstream service is called for it."""
        found = peek_content(customer_uuid=intention.customer_id, content_keys=[intention.content_key])
        content = found.get(intention.content_key_folded)
        return content.title or NOTHING if content else NOTHING

    @admin.display(description="resolves to")
    def stands_for(self, intention: Intention) -> str:
        health = getattr(intention, "health", None)
        return health.course_run_key or NOTHING if health else NOTHING

    @admin.display(description="last check")
    def last_check(self, intention: Intention) -> str:
        health = getattr(intention, "health", None)
        if health is None:
            return "Not checked yet."
        words = health.explanation
        return sentence(words.text, health.reason) if words else "Healthy."

    @admin.display(description="what would change it")
    def what_would_change_it(self, intention: Intention) -> str:
        health = getattr(intention, "health", None)
        words = health.explanation if health else None
        return words.what_would_change_it if words else NOTHING

    @admin.display(description="checked at")
    def checked_at(self, intention: Intention) -> str:
        health = getattr(intention, "health", None)
        return f"{health.checked_at:%Y-%m-%d %H:%M} UTC" if health else NOTHING

    @admin.display(description="done")
    def done(self, record: Any) -> str:
        if record.history_type == "+":
            return "Added"
        return "Deleted" if record.deleted_at else "Restored, or saved unchanged"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        context = {
            "title": "Default enrollments",
            "may_pause": may_pause(request),
            "may_check": self.has_change_permission(request),
            "is_everything_paused": is_everything_paused(),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        # There is nothing to save: what can be done has a button of its own.
        context = {
            "show_save": False,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
            "may_restore": self.has_change_permission(request),
            "may_backfill": request.user.has_perm(MAY_BACKFILL),
            "counts": self._counts(object_id),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def _counts(self, object_id: str) -> list[tuple[str, int, str, str]]:
        """Return how many learners stand how, with the list of them."""
        try:
            intention = Intention.objects.filter(pk=UUID(unquote(object_id))).first()
        except ValueError:
            intention = None
        if intention is None:
            return []
        found = count_learners_of(intention)
        realizations = f"{reverse(REALIZATIONS)}?q={intention.pk}"
        attempts = f"{reverse(ATTEMPTS)}?which=newest&q={intention.pk}"
        blocked = f"{attempts}&outcome__exact=blocked"
        return [
            ("Enrolled", found.realized, "This intention enrolled them.", realizations),
            ("Left", found.left, "Of these, no longer in the course.", f"{realizations}&state=left"),
            (
                "Already enrolled",
                found.already_enrolled,
                "In the course anyway.",
                f"{attempts}&outcome__exact=not_needed",
            ),
            ("Blocked", found.blocked, "Not enrolled; the list says why.", blocked),
            ("Waiting", found.waiting, "An upstream service did not answer; retried automatically.", attempts),
        ]

    def save_model(self, request: HttpRequest, obj: Intention, form: Any, change: bool) -> None:
        """Leave the row as it is: a page that was open for long must not bring back what it showed."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        mine = [
            path("import/", view(import_view), name="import_intentions"),
            path("export/", view(export_view), name="export_intentions"),
            *pausing_urls(view),
            path("import-from-lms/", view(import_from_lms_view), name="import_from_lms"),
            path("check-all/", view(check_all_view), name="check_all_intentions"),
            path("backfill/<uuid:customer_uuid>/", view(backfill_view), name="backfill"),
            path(
                "backfill/<uuid:customer_uuid>/<uuid:intention_uuid>/", view(backfill_view), name="backfill_intention"
            ),
            path("<uuid:uuid>/check/", view(self.check_one_view), name="check_intention"),
            path("check/<uuid:customer_uuid>/", view(self.check_view), name="check_intentions"),
            path("<uuid:uuid>/restore/", view(self.restore_view), name="restore_intention"),
        ]
        return [*mine, *super().get_urls()]

    # --- adding ----------------------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what the key stands for, and save it when that was seen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = AddIntentionForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid() and form.is_confirmed and "again" not in request.POST:
            intention = self._add(request, form)
            if intention is not None:
                return HttpResponseRedirect(reverse(CUSTOMER, args=[intention.customer_id]))
        preview = form.preview if form.is_bound and not form.errors else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Add a default enrollment",
            "opts": self.opts,
            "form": form,
            "preview": preview,
            "reach": form.reach if preview else None,
        }
        return TemplateResponse(request, "default_enrollments/add_intention.html", context)

    def _add(self, request: HttpRequest, form: AddIntentionForm) -> Intention | None:
        customer = form.cleaned_data["customer"]
        try:
            intention, _ = add_intention(
                customer_uuid=customer.pk, content_key=form.cleaned_data["content_key"], asks_lms=True
            )
        except ServiceError as error:
            form.add_error("content_key", forms.ValidationError(error.detail, code=error.code))
            return None
        self.log_addition(request, intention, [{"added": {}}])
        messages.success(
            request,
            f"From now on, the learners of {customer} start with {intention}. Learners who are linked already are "
            "evaluated at their next sign-in; to evaluate them now, select Evaluate all learners below.",
        )
        for warning in form.warnings:
            messages.warning(request, f"On {intention}: {warning.text}")
        check_saved([intention])
        return intention

    # --- deleting and restoring ------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_there = obj is None or not obj.is_deleted
        return is_there and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name what would be deleted: softly, so that nothing hangs on it."""
        return [str(intention) for intention in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Intention) -> None:
        delete_intention(obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for intention in queryset.filter(deleted_at=None):
            delete_intention(intention)

    @admin.action(permissions=["change"], description="Restore (those that were deleted)")
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        self._restore(request, list(queryset.exclude(deleted_at=None).select_related("customer")))

    @method_decorator(require_POST)
    def restore_view(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """Bring one back, by a button."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        intention = get_object_or_404(Intention, pk=uuid)
        if intention.is_deleted:
            self._restore(request, [intention])
        return HttpResponseRedirect(reverse(CUSTOMER, args=[intention.customer_id]))

    def _restore(self, request: HttpRequest, intentions: list[Intention]) -> None:
        """Bring them back, and warn of what keeps each from enrolling learners, as adding does."""
        for intention in intentions:
            restore_intention(intention)
            self.log_change(request, intention, "Restored.")
            messages.success(request, f"Restored: {intention}.")
        check_saved(intentions)
        uuids = [intention.pk for intention in intentions]
        for health in IntentionHealth.objects.filter(pk__in=uuids).select_related("intention__customer"):
            if health.explanation is not None:
                text, change = health.explanation.text, health.explanation.what_would_change_it
                messages.warning(request, f"On {health.intention}: {text} What would change it: {change}")

"""Intentions, and what became of them, in the admin."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.services.intentions import (
    Checked,
    add_intention,
    delete_intention,
    restore_intention,
)
from enterprise_access.lib.admin import AsksBeforeAddingAdmin, ReadOnlyAdmin, ReadOnlyHistoryAdmin
from enterprise_access.lib.errors import ServiceError


class AddIntentionForm(forms.ModelForm):
    """A customer and a key; what the key stands for is looked up when the form is sent."""

    customer = forms.ModelChoiceField(EnterpriseCustomer.objects.all())

    class Meta:
        model = DefaultEnterpriseEnrollmentIntention
        fields = ("customer", "content_key")

    checked: Checked

    def clean(self) -> dict[str, Any]:
        """Add the intention; what speaks against it is shown at the key."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.instance, self.checked = add_intention(
                    customer_uuid=cleaned["customer"].pk, content_key=cleaned["content_key"]
                )
            except ServiceError as error:
                self.add_error("content_key", forms.ValidationError(error.detail, code=error.code))
        return cleaned

    def _post_clean(self) -> None:
        """Leave out the model's own validation: the service has saved a valid row by now."""

    def save(self, commit: bool = True) -> DefaultEnterpriseEnrollmentIntention:
        return self.instance

    def save_m2m(self) -> None:
        """There is nothing more to save."""


class StateFilter(admin.SimpleListFilter):
    """Living intentions unless asked otherwise."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("deleted", "deleted"), ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "living"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "deleted":
                return queryset.exclude(deleted_at=None)
            case "all":
                return queryset
            case _:
                return queryset.filter(deleted_at=None)


@admin.register(DefaultEnterpriseEnrollmentIntention)
class IntentionAdmin(ReadOnlyHistoryAdmin, AsksBeforeAddingAdmin):
    """What customers intend. A key is not changed: delete the intention and add another."""

    list_display = ["content_key", "customer", "content_type", "created", "deleted_at"]
    list_filter = [StateFilter, "customer"]
    list_select_related = ["customer"]
    search_fields = ["content_key", "uuid"]
    actions = ["delete_softly", "restore"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = AddIntentionForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["customer", "content_key", "content_type", "uuid", "created", "deleted_at"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["customer", "content_key"] if obj is None else self.get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Say what the key stands for; the service has saved the row when the form was checked."""
        if change:
            return
        resolution = form.checked.resolution
        if isinstance(resolution, Resolved):
            messages.info(request, f"{obj.content_key} stands for {resolution.run.key}, “{resolution.course.title}”.")
        for warning in form.checked.warnings:
            messages.warning(request, warning)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        delete_intention(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Deleting is soft, by the action below.
        return False

    @admin.action(
        permissions=["change"], description="Delete (nobody is enrolled for them any more; what was realized stays)"
    )
    def delete_softly(self, request: HttpRequest, queryset: Any) -> None:
        for intention in queryset.filter(deleted_at=None):
            delete_intention(intention)
            messages.success(request, f"{intention} is deleted. It can be restored.")

    @admin.action(permissions=["change"], description="Restore")
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        for intention in queryset.exclude(deleted_at=None):
            restore_intention(intention)
            messages.success(request, f"{intention} is restored.")


@admin.register(DefaultEnterpriseEnrollmentRealization)
class RealizationAdmin(ReadOnlyHistoryAdmin, ReadOnlyAdmin):
    """What became enrollments."""

    list_display = [
        "course_run_key",
        "lms_user_id",
        "customer",
        "predicted_mode",
        "seen_mode",
        "realized_at",
        "left_at",
        "downgraded_at",
    ]
    list_filter = ["intention__customer"]
    list_select_related = ["intention__customer"]
    search_fields = ["=lms_user_id", "course_run_key"]

    @admin.display(ordering="intention__customer__name")
    def customer(self, realization: DefaultEnterpriseEnrollmentRealization) -> EnterpriseCustomer:
        return realization.intention.customer


@admin.register(RealizationAttempt)
class AttemptAdmin(ReadOnlyAdmin):
    """What came of every look, and why."""

    list_display = ["intention", "lms_user_id", "outcome", "reason", "why", "course_run_key", "times", "last_seen_at"]
    list_filter = ["outcome", "reason", "intention__customer"]
    list_select_related = ["intention"]
    search_fields = ["=lms_user_id", "intention__content_key"]

    @admin.display(description="in words")
    def why(self, attempt: RealizationAttempt) -> str:
        """What stands in the way; an attempt that went well needs no words."""
        return explain(attempt.reason).text if attempt.outcome in (Outcome.BLOCKED, Outcome.IN_DOUBT) else ""


@admin.register(RealizationRequest)
class RequestAdmin(ReadOnlyAdmin):
    """What is owed to whom, and when it is looked at again."""

    list_display = ["lms_user_id", "customer", "due_at", "waiting_for", "failures", "leased_until", "dead_at"]
    list_filter = ["waiting_for", "customer"]
    list_select_related = ["customer"]
    search_fields = ["=lms_user_id"]

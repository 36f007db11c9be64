"""Overrides in the admin: leave to enroll one learner once more, with a reason."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.filters import CustomerOfIntentionFilter, UsedFilter
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    RealizationOverride,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.services.overrides import grant_override
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.errors import ServiceError


class OverrideForm(forms.Form):
    """One learner, one intention, and why."""

    intention = forms.UUIDField(label="Intention", help_text="The uuid of the intention, as its page shows it.")
    lms_user_id = forms.IntegerField(label="LMS user id", min_value=1, max_value=2**63 - 1)
    reason = forms.CharField(
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        max_length=2000,
        help_text="Why this learner is to be enrolled again. It is kept, with your name.",
    )

    def clean_intention(self) -> DefaultEnterpriseEnrollmentIntention:
        uuid: UUID = self.cleaned_data["intention"]
        found = DefaultEnterpriseEnrollmentIntention.objects.living().select_related("customer").filter(pk=uuid).first()
        if found is None:
            raise forms.ValidationError("There is no such intention, or it was deleted.")
        return found


def ask_for_override(request: HttpRequest, rows: list[Any]) -> HttpResponseRedirect | None:
    """Lead from one row of a list (attempt or realization) to the form; it is about one learner at a time."""
    if len(rows) != 1:
        messages.error(request, "An override is about one learner and one intention: choose one row.")
        return None
    query = urlencode({"intention": str(rows[0].intention_id), "lms_user_id": rows[0].lms_user_id})
    return HttpResponseRedirect(f"{reverse('admin:default_enrollments_realizationoverride_add')}?{query}")


@admin.register(RealizationOverride)
class OverrideAdmin(LearnerRowsAdmin):
    """Who let whom be enrolled once more, why, and when it was used. Given once, it is not changed."""

    list_display = ["intention", "lms_user_id", "customer", "by", "created", "reason", "used"]
    list_filter = [UsedFilter, CustomerOfIntentionFilter, ("created", admin.DateFieldListFilter)]
    list_select_related = ["intention__customer"]
    ordering = ["-pk"]
    search_fields = ["intention__content_key", "by"]
    search_help_text = "An LMS user id, a uuid, a part of a key, or the username of who gave it."
    uuid_paths = ("intention_id", "intention__customer_id")

    @admin.display(ordering="intention__customer__name")
    def customer(self, override: RealizationOverride) -> EnterpriseCustomer:
        return override.intention.customer

    @admin.display(description="used", ordering="used_at", empty_value="not yet")
    def used(self, override: RealizationOverride) -> Any:
        return override.used_at

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("default_enrollments.add_realizationoverride")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for learner, intention and reason, and let the service decide."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OverrideForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid() and self._grant(request, form):
            return HttpResponseRedirect(reverse("admin:default_enrollments_realizationoverride_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Enroll one learner once more",
            "opts": self.opts,
            "form": form,
            "text": "Nobody is enrolled again in a course that they left, or whose license was taken away. An override "
            "lets this one learner be enrolled once more for this one intention. It is used up by that enrollment.",
            "button": "Let this learner be enrolled once more",
        }
        return TemplateResponse(request, "default_enrollments/form.html", context)

    def _grant(self, request: HttpRequest, form: OverrideForm) -> bool:
        intention, lms_user_id = form.cleaned_data["intention"], form.cleaned_data["lms_user_id"]
        try:
            override = grant_override(
                intention=intention,
                lms_user_id=lms_user_id,
                by=request.user.get_username(),
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        except ServiceError as error:
            form.add_error(None, error.detail)
            return False
        self.log_addition(request, override, "Override given.")
        messages.success(
            request, f"Learner {lms_user_id} may be enrolled once more for {intention}, and is looked at in a moment."
        )
        if RealizationRequest.objects.filter(
            customer_id=intention.customer_id, lms_user_id=lms_user_id, failed_at__isnull=False
        ).exists():
            messages.warning(request, "This learner had been given up: revive the request, or nothing happens.")
        return True

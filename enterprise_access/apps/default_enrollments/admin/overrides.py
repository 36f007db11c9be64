"""Overrides in the admin: one-time permission to re-enroll one learner, with a reason; and taking it back."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from enterprise_access.apps.content_metadata.selectors import peek_content
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.default_enrollments.admin.filters import CustomerOfIntentionFilter, UsedFilter
from enterprise_access.apps.default_enrollments.admin.why import why_url
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    RealizationOverride,
    RealizationRequest,
    override_validity,
)
from enterprise_access.apps.default_enrollments.services.overrides import cancel_override, grant_override
from enterprise_access.lib import clock
from enterprise_access.lib.admin import LearnerRowsAdmin
from enterprise_access.lib.errors import ServiceError


class OverrideForm(forms.Form):
    """One learner, one intention, and why."""

    intention = forms.UUIDField(label="Intention", help_text="The UUID of the intention, as its page shows it.")
    lms_user_id = forms.IntegerField(label="LMS user id", min_value=1, max_value=2**63 - 1)
    reason = forms.CharField(
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        max_length=2000,
        help_text="Why the learner is to be enrolled again, and the ticket if there is one. Kept with your name.",
    )

    def clean_intention(self) -> DefaultEnterpriseEnrollmentIntention:
        uuid: UUID = self.cleaned_data["intention"]
        found = DefaultEnterpriseEnrollmentIntention.objects.living().select_related("customer").filter(pk=uuid).first()
        if found is None:
            raise forms.ValidationError("There is no such intention, or it was deleted.")
        return found

    def keep(self, *names: str) -> None:
        """Keep what the page that led here has chosen: it is shown in words, and sent along unseen."""
        for name in names:
            if name not in self.errors:
                self.fields[name].widget = forms.HiddenInput()


def ask_for_override(request: HttpRequest, rows: list[Any]) -> HttpResponseRedirect | None:
    """Lead from one row of a list (attempt or realization) to the form; it is about one learner at a time."""
    if len(rows) != 1:
        messages.error(request, "An override is about one learner and one intention: choose one row.")
        return None
    query = urlencode({"intention": str(rows[0].intention_id), "lms_user_id": rows[0].lms_user_id})
    return HttpResponseRedirect(f"{reverse('admin:default_enrollments_realizationoverride_add')}?{query}")


class CancelForm(forms.Form):
    """Why an override is taken back."""

    reason = forms.CharField(
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        max_length=2000,
        help_text="Why, and the ticket if there is one.",
    )


def _described(intention: DefaultEnterpriseEnrollmentIntention, lms_user_id: int) -> list[tuple[str, str]]:
    """Return what an override is about, by names; no one is asked for them."""
    content = peek_content(customer_uuid=intention.customer_id, content_keys=[intention.content_key])
    known = content.get(intention.content_key_folded)
    title = known.title if known else ""
    learner = list_learners(customer_uuid=intention.customer_id, lms_user_ids=[lms_user_id]).get(lms_user_id)
    return [
        ("Course", f"{title} ({intention.content_key})" if title else intention.content_key),
        ("Customer", intention.customer.name),
        ("Learner", f"{learner.username} ({lms_user_id})" if learner else f"{lms_user_id}"),
    ]


def _chosen(request: HttpRequest) -> OverrideForm | None:
    """Return what the page that led here has chosen, as the form sends it along; None when it chose nothing whole."""
    forms_so_far = [OverrideForm({**given.dict(), "reason": "-"}) for given in (request.GET, request.POST) if given]
    return forms_so_far[-1] if request.GET and all(form.is_valid() for form in forms_so_far) else None


@admin.register(RealizationOverride)
class OverrideAdmin(LearnerRowsAdmin):
    """Who let whom be enrolled once more, why, and what became of it. It can be cancelled, and not changed."""

    list_display = ["intention", "lms_user_id", "customer", "state", "actor", "created", "expires", "reason"]
    change_form_template = "default_enrollments/override_change_form.html"
    list_filter = [UsedFilter, CustomerOfIntentionFilter, ("created", admin.DateFieldListFilter)]
    list_select_related = ["intention__customer"]
    ordering = ["-pk"]
    search_fields = ["intention__content_key", "by", "reason", "intention__customer__slug", "intention__customer__name"]
    search_help_text = "LMS user ids, UUIDs, parts of a key, of the customer's name, the reason, or who gave it."
    uuid_paths = ("intention_id", "intention__customer_id")

    @admin.display(ordering="intention__customer__name")
    def customer(self, override: RealizationOverride) -> EnterpriseCustomer:
        return override.intention.customer

    @admin.display(description="state")
    def state(self, override: RealizationOverride) -> str:
        return str(override.state_at(clock.now()).label)

    @admin.display(description="by", ordering="by")
    def actor(self, override: RealizationOverride) -> str:
        return override.by if override.is_actor_verified else f"{override.by} (not verified)"

    @admin.display(description="expires", ordering="expires_at")
    def expires(self, override: RealizationOverride) -> Any:
        return override.ends_at

    def get_urls(self) -> list[Any]:
        """Add the page that cancels one override."""
        cancel = self.admin_site.admin_view(self.cancel_view)
        return [
            path("<int:pk>/cancel/", cancel, name="default_enrollments_realizationoverride_cancel"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to cancel an override that is active."""
        found = RealizationOverride.objects.active(clock.now()).filter(pk=object_id) if object_id.isdigit() else None
        may_cancel = self.has_add_permission(request) and found is not None and found.exists()
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "may_cancel": may_cancel})

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and take the override back."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        override = get_object_or_404(RealizationOverride.objects.select_related("intention__customer"), pk=pk)
        form = CancelForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                cancel_override(
                    override=override,
                    by=request.user.get_username(),
                    reason=form.cleaned_data["reason"],
                    now=clock.now(),
                )
            except ServiceError as error:
                form.add_error(None, error.detail)
            else:
                self.log_change(request, override, "Override cancelled.")
                messages.success(request, f"The override for learner {override.lms_user_id} is cancelled.")
                return HttpResponseRedirect(why_url(override.intention.customer_id, override.lms_user_id))
        context = {
            **self.admin_site.each_context(request),
            "title": "Cancel override",
            "opts": self.opts,
            "form": form,
            "facts": _described(override.intention, override.lms_user_id),
            "text": "The learner is not enrolled again then.",
            "button": "Cancel override",
        }
        return TemplateResponse(request, "default_enrollments/form.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("default_enrollments.add_realizationoverride")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for learner, intention and reason, and let the service decide."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, chosen = OverrideForm(request.POST or None, initial=request.GET.dict()), _chosen(request)
        if request.method == "POST" and form.is_valid() and self._grant(request, form):
            return HttpResponseRedirect(
                why_url(form.cleaned_data["intention"].customer_id, form.cleaned_data["lms_user_id"])
            )
        facts: list[tuple[str, str]] = []
        if chosen is not None:
            form.keep("intention", "lms_user_id")
            facts = _described(chosen.cleaned_data["intention"], chosen.cleaned_data["lms_user_id"])
        context = {
            **self.admin_site.each_context(request),
            "title": "Allow one re-enrollment",
            "opts": self.opts,
            "form": form,
            "facts": facts,
            "text": "A learner who left a course, or lost the license for it, is not enrolled again. "
            "An override allows one more enrollment of this learner for this intention. That enrollment uses it up; "
            f"otherwise it expires after {override_validity().days} days.",
            "button": "Allow re-enrollment",
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
                now=clock.now(),
            )
        except ServiceError as error:
            form.add_error(None, error.detail)
            return False
        self.log_addition(request, override, "Override given.")
        messages.success(
            request, f"Learner {lms_user_id} may be enrolled once more for {intention}, and is evaluated in a moment."
        )
        if RealizationRequest.objects.filter(
            customer_id=intention.customer_id, lms_user_id=lms_user_id, failed_at__isnull=False
        ).exists():
            messages.warning(request, "The request of this learner has failed: retry it, or nothing happens.")
        return True

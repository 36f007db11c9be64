"""Pausing and resuming, for all customers or for one: two pages, two addresses, two operations.

The address says what is wanted, and resuming names the pause that was shown. So a second press, a second operator or a
page that was open for long changes nothing that somebody else has decided.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from waffle.admin import SwitchAdmin
from waffle.models import Switch

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.services import pause_customer, resume_customer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.selectors.pauses import Pause, get_pause
from enterprise_access.apps.default_enrollments.selectors.state import PAUSE_SWITCH
from enterprise_access.apps.default_enrollments.services.operations.steering import pause_everything, resume_everything
from enterprise_access.lib import clock

# Whoever may change switches may pause everything.
MAY_PAUSE_EVERYTHING = "waffle.change_switch"
MAY_PAUSE_CUSTOMER = "customers.change_enterprisecustomer"
# How a form names a pause of which no one knows when it began.
UNKNOWN = "unknown"


class PauseForm(forms.Form):
    """Why enrolling is paused."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Name the ticket if there is one. Your name and the reason are shown on every admin page meanwhile.",
    )


def may_pause(request: HttpRequest, customer_uuid: UUID | None = None) -> bool:
    """Say whether the user may pause and resume everything, or this customer."""
    return request.user.has_perm(MAY_PAUSE_EVERYTHING if customer_uuid is None else MAY_PAUSE_CUSTOMER)


def pause_view(request: HttpRequest, customer_uuid: UUID | None = None) -> HttpResponse:
    """Ask why, and pause. While it is paused already, say so, and change nothing."""
    customer = _begin(request, customer_uuid)
    pause = get_pause(customer_uuid=customer_uuid)
    form = PauseForm(request.POST or None)
    if request.method == "POST" and (pause is not None or form.is_valid()):
        if pause is None and _pause(request, customer, form.cleaned_data["reason"]):
            _log(request, customer, f"Paused: {form.cleaned_data['reason']}")
            messages.success(request, f"Enrolling is paused for {_scope(customer)}.")
        else:
            messages.warning(
                request, f"Enrolling was already paused for {_scope(customer)}, and stays paused. Nothing was changed."
            )
        return _go_back(customer)
    return _page(request, customer, title=f"Pause enrolling for {_scope(customer)}", form=form, pause=pause)


def resume_view(request: HttpRequest, customer_uuid: UUID | None = None) -> HttpResponse:
    """Show the pause, and end the one that was shown."""
    customer = _begin(request, customer_uuid)
    pause = get_pause(customer_uuid=customer_uuid)
    if request.method != "POST":
        return _page(request, customer, title=f"Resume enrolling for {_scope(customer)}", pause=pause, is_resuming=True)
    if pause is None:
        messages.info(request, f"Enrolling is not paused for {_scope(customer)}. Nothing was changed.")
        return _go_back(customer)
    if version_of(pause) == request.POST.get("shown") and _resume(request, customer, pause):
        _log(request, customer, "Resumed.")
        messages.success(
            request,
            f"Enrolling is resumed for {_scope(customer)}. Pending learners are enrolled within about a minute.",
        )
        return _go_back(customer)
    messages.error(
        request,
        "Enrolling stays paused. The page that you sent is out of date: since then, enrolling was paused again. "
        "Read the reason below, and resume if you still want to.",
    )
    return HttpResponseRedirect(request.path)


def version_of(pause: Pause) -> str:
    """Return what tells this pause from any other."""
    return pause.since.isoformat() if pause.since else UNKNOWN


def _begin(request: HttpRequest, customer_uuid: UUID | None) -> EnterpriseCustomer | None:
    if not may_pause(request, customer_uuid):
        raise PermissionDenied
    return None if customer_uuid is None else get_object_or_404(EnterpriseCustomer, pk=customer_uuid)


def _pause(request: HttpRequest, customer: EnterpriseCustomer | None, reason: str) -> bool:
    by = request.user.get_username()
    if customer is None:
        return pause_everything(by=by, because=reason)
    return pause_customer(customer_uuid=customer.pk, by=by, because=reason, now=clock.now())


def _resume(request: HttpRequest, customer: EnterpriseCustomer | None, pause: Pause) -> bool:
    if customer is None:
        return resume_everything(by=request.user.get_username(), shown=pause.since)
    return resume_customer(customer_uuid=customer.pk, shown=pause.since)


def _scope(customer: EnterpriseCustomer | None) -> str:
    return "all customers" if customer is None else customer.name


def _log(request: HttpRequest, customer: EnterpriseCustomer | None, message: str) -> None:
    row = customer or Switch.objects.get(name=PAUSE_SWITCH)
    admin.site.get_model_admin(type(row)).log_change(request, row, message)


def _go_back(customer: EnterpriseCustomer | None) -> HttpResponseRedirect:
    if customer is None:
        return HttpResponseRedirect(
            reverse("admin:default_enrollments_defaultenterpriseenrollmentintention_changelist")
        )
    return HttpResponseRedirect(reverse("admin:customers_enterprisecustomer_change", args=[customer.pk]))


def _page(request: HttpRequest, customer: EnterpriseCustomer | None, **more: Any) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "opts": DefaultEnterpriseEnrollmentIntention._meta,
        "customer": customer,
        **more,
    }
    if (pause := more["pause"]) is not None:
        context["shown"] = version_of(pause)
    return TemplateResponse(request, "default_enrollments/pause.html", context)


def pausing_urls(view: Any) -> list[Any]:
    """Return the addresses of these pages, each wrapped in `view`."""
    return [
        path("pause-everything/", view(pause_view), name="pause_everything"),
        path("resume-everything/", view(resume_view), name="resume_everything"),
        path("pause/<uuid:customer_uuid>/", view(pause_view), name="pause_customer"),
        path("resume/<uuid:customer_uuid>/", view(resume_view), name="resume_customer"),
    ]


class OtherSwitchesAdmin(SwitchAdmin):
    """Every switch but the one that pauses everything: it has pages of its own, and asks for a reason there."""

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(name=PAUSE_SWITCH)


admin.site.unregister(Switch)
admin.site.register(Switch, OtherSwitchesAdmin)

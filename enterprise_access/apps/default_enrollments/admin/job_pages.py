"""The pages that start a background job, besides the import of a file: each leads to the page of the job."""

from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.selectors import list_customers
from enterprise_access.apps.default_enrollments.admin.choosing import CustomerField
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.moving_in import importing
from enterprise_access.apps.default_enrollments.services.requests import sweeping
from enterprise_access.jobs.admin import url_of
from enterprise_access.jobs.services import start_job


class NothingToSayForm(forms.Form):
    """A button."""


class LmsImportForm(forms.Form):
    """Whose default enrollments the LMS is asked for."""

    of_customer = CustomerField(required=False, help_text="Empty: all customers known here.")


class BackfillForm(forms.Form):
    """How fast the learners of a customer are evaluated."""

    learners_per_minute = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100_000,
        label="At most, learners per minute",
        help_text="Empty: without a limit of its own.",
    )


def import_from_lms_view(request: HttpRequest) -> HttpResponse:
    """Start the job that checks what the LMS intends itself. Nothing is saved before its results were seen."""
    _require(request, importing.MAY_ADD)
    form = LmsImportForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(
            request,
            form,
            title="Import default enrollments from the LMS",
            text="The default enrollments that the LMS has for these customers are checked first, in the background. "
            "You see the outcome of each before anything is saved.",
            button="Check them",
        )
    customer = form.cleaned_data["of_customer"]
    customers = [customer] if customer else list_customers()
    return _start(
        request,
        kind=importing.LMS_IMPORT,
        title=f"Import from the LMS for {customer or 'all customers'}",
        parameters={"customers": [str(each.pk) for each in customers], "save": False},
    )


def check_all_view(request: HttpRequest) -> HttpResponse:
    """Start the job that checks the default enrollments of every customer."""
    _require(request, sweeping.MAY_CHECK)
    form = NothingToSayForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(
            request,
            form,
            title="Check all default enrollments",
            text="What every default enrollment resolves to is looked up again, and learners who wait for a change are "
            "evaluated. This runs in the background.",
            button="Check all",
        )
    return _start(
        request,
        kind=sweeping.CHECK_JOB,
        title="Check of all default enrollments",
        parameters=sweeping.parameters_of_check(),
    )


def backfill_view(request: HttpRequest, customer_uuid: UUID, intention_uuid: UUID | None = None) -> HttpResponse:
    """Start the job that requests evaluation of every linked learner of a customer: of all, or of those whom one
    intention has not enrolled."""
    _require(request, sweeping.MAY_BACKFILL)
    customer = get_object_or_404(EnterpriseCustomer, pk=customer_uuid)
    living = DefaultEnterpriseEnrollmentIntention.objects.living().of_customer(customer_uuid)
    intention = get_object_or_404(living, pk=intention_uuid) if intention_uuid else None
    of_whom = f"learners of {customer}" + (f" for {intention}" if intention else "")
    form = BackfillForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        those = f", and whom {intention} has not enrolled yet," if intention else ""
        return _ask(
            request,
            form,
            title=f"Evaluate all {of_whom}",
            text=f"Every linked learner who has selected this customer{those} is evaluated as if they had just signed "
            "in. No rule is skipped, and no learner is enrolled twice. This runs in the background.",
            button="Evaluate all learners",
        )
    return _start(
        request,
        kind=sweeping.BACKFILL_JOB,
        title=f"Evaluation of all {of_whom}",
        parameters=sweeping.parameters_of_backfill(
            customer_uuid=customer_uuid,
            learners_per_minute=form.cleaned_data["learners_per_minute"],
            intention_uuid=intention_uuid,
        ),
    )


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _start(request: HttpRequest, *, kind: str, title: str, parameters: dict[str, object]) -> HttpResponse:
    return HttpResponseRedirect(url_of(start_job(kind=kind, title=title, parameters=parameters, by=request.user)))


def _ask(request: HttpRequest, form: forms.Form, *, title: str, text: str, button: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "opts": DefaultEnterpriseEnrollmentIntention._meta,
        "form": form,
        "title": title,
        "text": text,
        "button": button,
    }
    return TemplateResponse(request, "default_enrollments/form.html", context)

"""The pages that take in a file of intentions, and hand one out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from enterprise_access.apps.default_enrollments.admin.acting import plural
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.services.csv_intentions import Row, read_csv, write_csv
from enterprise_access.apps.default_enrollments.services.moving_in.importing import (
    CSV_IMPORT,
    MAY_ADD,
    parameters_of_csv,
)
from enterprise_access.jobs.admin import url_of
from enterprise_access.jobs.services import start_job
from enterprise_access.lib.errors import ServiceError

MAY_SEE = "default_enrollments.view_defaultenterpriseenrollmentintention"


class ImportForm(forms.Form):
    """A file, or its text."""

    file = forms.FileField(
        required=False,
        label="CSV file",
        help_text="With the columns “customer” (slug or UUID) and “content_key”. Other columns are ignored. Cells may "
        "be separated by commas, semicolons or tabs.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
    )
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)

    rows: tuple[Row, ...]

    def clean(self) -> dict[str, Any]:
        """Read the rows; no one is asked about them here."""
        cleaned = super().clean() or self.cleaned_data
        content = cleaned["file"].read() if cleaned.get("file") else cleaned.get("text", "").encode()
        if not content:
            raise forms.ValidationError({"file": "Choose a file."})
        try:
            self.rows = read_csv(content)
        except ServiceError as error:
            raise forms.ValidationError({"file": error.detail}) from error
        return cleaned

    @property
    def title(self) -> str:
        file = self.cleaned_data.get("file")
        return f"Import of {file.name if file else 'pasted rows'} ({plural(len(self.rows), 'row')})"


def import_view(request: HttpRequest) -> HttpResponse:
    """Take in a file, and start the job that checks its rows. With `save`, the job saves them at once."""
    if not request.user.has_perm(MAY_ADD):
        raise PermissionDenied
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if request.method == "POST" and form.is_valid():
        job = start_job(
            kind=CSV_IMPORT,
            title=form.title,
            parameters=parameters_of_csv(form.rows, save="save" in request.POST),
            by=request.user,
            total=len(form.rows),
        )
        return HttpResponseRedirect(url_of(job))
    context = {
        **admin.site.each_context(request),
        "title": "Add default enrollments from a CSV file",
        "opts": Intention._meta,
        "form": form,
    }
    return TemplateResponse(request, "default_enrollments/import_intentions.html", context)


def export_view(request: HttpRequest) -> HttpResponse:
    """Hand out the intentions that the list shows, with the same filters and search, as a CSV file."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    registered = admin.site.get_model_admin(Intention)
    rows = registered.get_changelist_instance(request).get_queryset(request)
    answer = HttpResponse(write_csv(rows.select_related("customer", "health")), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="default-enrollments.csv"'
    return answer

"""The pages that take in a file of intentions, and hand one out."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from enterprise_access.apps.default_enrollments.admin.acting import plural
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.csv_intentions import (
    CheckedRow,
    Imported,
    RowState,
    check_rows,
    count_states,
    import_rows,
    read_csv,
    write_csv,
)
from enterprise_access.lib.errors import ServiceError

Intention = DefaultEnterpriseEnrollmentIntention
MAY_ADD = "default_enrollments.add_defaultenterpriseenrollmentintention"
MAY_SEE = "default_enrollments.view_defaultenterpriseenrollmentintention"
MAY_RESTORE = "default_enrollments.change_defaultenterpriseenrollmentintention"


class ImportForm(forms.Form):
    """A file, or what was read of it: the first sending checks, and the second saves what was shown."""

    file = forms.FileField(
        required=False,
        label="CSV file",
        help_text="With the columns “customer” (slug or uuid) and “content_key”; other columns are passed over.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )
    text = forms.CharField(required=False, widget=forms.HiddenInput, strip=False)
    restore_deleted = forms.BooleanField(
        required=False, label="Restore those that were deleted", help_text="Otherwise they stay deleted."
    )

    checked: list[CheckedRow]

    def clean(self) -> dict[str, Any]:
        """Check every row; a file that is none is an error at the file."""
        cleaned = super().clean() or self.cleaned_data
        content = cleaned["file"].read() if cleaned.get("file") else cleaned.get("text", "").encode()
        if not content:
            raise forms.ValidationError({"file": "Choose a file."})
        try:
            self.checked = check_rows(read_csv(content))
        except ServiceError as error:
            raise forms.ValidationError({"file": error.detail}) from error
        self.read = content.decode("utf-8-sig")
        return cleaned


def import_view(request: HttpRequest) -> HttpResponse:
    """Show what would come of every row, and save when that was seen."""
    if not request.user.has_perm(MAY_ADD):
        raise PermissionDenied
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": "Add default enrollments from a CSV file",
        "opts": Intention._meta,
        "form": form,
    }
    if request.method == "POST" and form.is_valid():
        if "save" in request.POST:
            may_restore = form.cleaned_data["restore_deleted"] and request.user.has_perm(MAY_RESTORE)
            _say(request, import_rows(form.checked, restore_deleted=may_restore))
            return HttpResponseRedirect(
                reverse("admin:default_enrollments_defaultenterpriseenrollmentintention_changelist")
            )
        counts = count_states(form.checked)
        context |= {
            "rows": [(each, [explain(reason) for reason in each.warnings]) for each in form.checked],
            "read": form.read,
            "counts": counts,
            "adding": counts[RowState.ADD],
            "restorable": counts[RowState.RESTORE] if request.user.has_perm(MAY_RESTORE) else 0,
            "errors": counts[RowState.ERROR],
            "existing": counts[RowState.EXISTS],
        }
    return TemplateResponse(request, "default_enrollments/import_intentions.html", context)


def _say(request: HttpRequest, imported: Imported) -> None:
    registered = admin.site.get_model_admin(Intention)
    for intention in imported.added:
        registered.log_addition(request, intention, "Added from a CSV file.")
    for intention in imported.restored:
        registered.log_change(request, intention, "Restored from a CSV file.")
    restored = f", {len(imported.restored)} restored" if imported.restored else ""
    messages.success(request, f"{plural(len(imported.added), 'default enrollment')} added{restored}.")
    for line, problem in imported.problems:
        messages.error(request, f"Line {line}: {problem}")


def export_view(request: HttpRequest) -> HttpResponse:
    """Hand out the intentions that the list shows, with the same filters and search, as a CSV file."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    registered = admin.site.get_model_admin(Intention)
    rows = registered.get_changelist_instance(request).get_queryset(request)
    answer = HttpResponse(write_csv(rows.select_related("customer", "health")), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="default-enrollments.csv"'
    return answer

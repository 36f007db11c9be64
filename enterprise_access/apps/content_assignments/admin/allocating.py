"""Allocating from a list of addresses, with a preview. The addresses stay in the browser until they are allocated."""

import re
from typing import Any, Final, cast
from uuid import UUID

from attrs import frozen
from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from enterprise_access.apps.content_assignments.domain.allocation import Allocation
from enterprise_access.apps.content_assignments.domain.emails import MAX_EMAILS, normalize_emails
from enterprise_access.apps.content_assignments.errors import AllocationInvalid, AllocationRefused
from enterprise_access.apps.content_assignments.services.allocating import allocate_to_people, preview_allocation
from enterprise_access.apps.subsidy_access_policies.domain.money import cents_of_dollars
from enterprise_access.apps.subsidy_access_policies.errors import PolicyUnknown
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy, get_budget
from enterprise_access.lib import clock
from enterprise_access.lib.csv_files import FileMalformed, read_table

MAY_ALLOCATE: Final = "content_assignments.add_learnercontentassignment"
_SEPARATORS: Final = re.compile(r"[\s,;]+")
_MAX_BYTES: Final = 1_000_000


class AllocateForm(forms.Form):
    """What to allocate to whom."""

    budget = forms.UUIDField(label="Budget", help_text="Its UUID.")
    content_key = forms.CharField(label="Course or run", max_length=255)
    price = forms.DecimalField(label="Price in dollars", min_value=0, max_digits=12, decimal_places=2)
    emails = forms.CharField(
        label="Email addresses",
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="One a line, or a column pasted from a spreadsheet; at most 1,000.",
    )
    file = forms.FileField(
        label="CSV file",
        required=False,
        help_text="With a column “email”; other columns are ignored. The preview shows its addresses above.",
    )

    def clean_emails(self) -> list[str]:
        """Refuse what is no address, and say which; a column's title is left out."""
        emails = [part for part in _SEPARATORS.split(self.cleaned_data["emails"]) if part]
        return _checked(emails[1:] if emails and "@" not in emails[0] else emails)

    def clean_file(self) -> list[str]:
        """Return the addresses of the file. Refuse one that is no table, or that has anything else in the column."""
        file = self.cleaned_data["file"]
        if not file:
            return []
        try:
            rows = read_table(file.read(), needed=["email"], max_bytes=_MAX_BYTES, max_rows=MAX_EMAILS)
        except FileMalformed as error:
            raise forms.ValidationError(error.detail) from error
        return _checked([row.cells["email"].strip() for row in rows if row.cells["email"].strip()])

    def clean(self) -> dict[str, Any]:
        """Take both together, and show what was in the file: a browser does not send it again after the preview."""
        cleaned = super().clean() or {}
        if "emails" in cleaned and "file" in cleaned:
            emails = [*cleaned["emails"], *cleaned["file"]]
            if normalize_emails(emails) is None:
                raise forms.ValidationError("Give between 1 and 1,000 addresses, as text or in a file.")
            cleaned["emails"] = emails
            self.data = {**cast(QueryDict, self.data).dict(), "emails": "\n".join(emails)}
        return cleaned

    def clean_budget(self) -> SubsidyAccessPolicy:
        """Refuse a budget that does not exist."""
        budget_uuid: UUID = self.cleaned_data["budget"]
        try:
            return get_budget(policy_uuid=budget_uuid)
        except PolicyUnknown as error:
            raise forms.ValidationError(error.detail) from error

    @property
    def call(self) -> dict[str, Any]:
        """What the services take."""
        return {
            "learner_emails": self.cleaned_data["emails"],
            "content_key": self.cleaned_data["content_key"],
            "content_price_cents": cents_of_dollars(self.cleaned_data["price"]),
            "now": clock.now(),
        }


def _checked(emails: list[str]) -> list[str]:
    wrong = [email for email in emails if normalize_emails([email]) is None]
    if wrong:
        raise forms.ValidationError(f"These are no email addresses: {', '.join(wrong[:5])}.")
    return emails


@frozen(kw_only=True)
class AllocationPreview:
    """What allocating would do, in numbers."""

    created: int
    updated: int
    no_change: int
    dollars: str


def allocate_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Show the form, then what it would do, then do it."""
    if not request.user.has_perm(MAY_ALLOCATE):
        raise PermissionDenied
    form, preview = AllocateForm(request.POST or None, request.FILES or None), None
    if request.method == "POST" and form.is_valid():
        try:
            if "allocate" in request.POST:
                return _allocate(request, form)
            preview = _preview_of(preview_allocation(form.cleaned_data["budget"], **form.call))
        except AllocationRefused as error:
            form.add_error(None, f"Nothing would be allocated: {error.reason.value}.")
        except AllocationInvalid as error:
            form.add_error(None, error.detail)
    context = {**site.each_context(request), "title": "Allocate to people", "form": form, "preview": preview}
    return TemplateResponse(request, "content_assignments/allocate.html", context)


def _preview_of(done: Allocation) -> AllocationPreview:
    return AllocationPreview(
        created=len(done.created),
        updated=len(done.updated),
        no_change=len(done.no_change),
        dollars=f"{done.newly_held_cents / 100:,.2f}",
    )


def _allocate(request: HttpRequest, form: AllocateForm) -> HttpResponse:
    done = allocate_to_people(
        form.cleaned_data["budget"], admin_lms_user_id=getattr(request.user, "lms_user_id", None), **form.call
    )
    rows = [*done.created, *done.updated]
    LogEntry.objects.log_actions(
        user_id=request.user.pk or 0, queryset=rows, action_flag=ADDITION, change_message="Allocated."
    )
    messages.success(request, f"Allocated to {len(rows)} people; {len(done.no_change)} had it already.")
    return HttpResponseRedirect(reverse("admin:content_assignments_learnercontentassignment_changelist"))

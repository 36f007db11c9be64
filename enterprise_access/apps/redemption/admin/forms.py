"""What staff type in to explain, or to redeem for a learner."""

from typing import Any

from django import forms

from enterprise_access.apps.content_metadata.domain import ContentType, content_type_of
from enterprise_access.lib.errors import ServiceError


class LearnerRunForm(forms.Form):
    """A learner and a run."""

    lms_user_id = forms.IntegerField(label="LMS user id", min_value=1, max_value=2**63 - 1)
    content_key = forms.CharField(
        label="Run key",
        max_length=255,
        help_text="For example course-v1:edX+DemoX+2026_T1.",
        widget=forms.TextInput(attrs={"size": 60}),
    )

    def clean_content_key(self) -> str:
        """Take run keys only."""
        value: str = self.cleaned_data["content_key"].strip()
        try:
            kind = content_type_of(value)
        except ServiceError as error:
            raise forms.ValidationError(error.detail) from error
        if kind is not ContentType.COURSE_RUN:
            raise forms.ValidationError("Name a run, not a course.")
        return value


class ExplainForm(LearnerRunForm):
    """Whose credit is explained."""

    customer = forms.CharField(label="Customer", help_text="Slug or UUID.", max_length=255)
    field_order = ("customer", "lms_user_id", "content_key")


class ForceForm(LearnerRunForm):
    """Which budget pays."""

    policy = forms.UUIDField(label="Budget", help_text="Its UUID.")
    field_order = ("policy", "lms_user_id", "content_key")

    def values(self) -> dict[str, Any]:
        """Return what a forced redemption is requested with."""
        given = self.cleaned_data
        return {
            "policy_uuid": given["policy"],
            "lms_user_id": given["lms_user_id"],
            "run_key": given["content_key"],
        }

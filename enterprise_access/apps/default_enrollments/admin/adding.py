"""The form that adds a default enrollment, after it has shown what the key resolves to."""

from typing import Any

from attrs import frozen
from django import forms

from enterprise_access.apps.customers.services import LinkedCount, fetch_linked_count
from enterprise_access.apps.default_enrollments.admin.choosing import CustomerField
from enterprise_access.apps.default_enrollments.domain.reasons import Explanation, explain
from enterprise_access.apps.default_enrollments.selectors.queue import QueuedLearners, count_queued
from enterprise_access.apps.default_enrollments.services.health.verdicts import count_blocked_by_content
from enterprise_access.apps.default_enrollments.services.intentions.describing import Preview, preview_key
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.keys import fold


@frozen(kw_only=True)
class Reach:
    """Learners of the customer: in the queue, blocked by the content of what would be restored, and linked.

    `linked` None: the LMS did not answer.
    """

    queued: QueuedLearners
    blocked: int
    linked: LinkedCount | None


class AddIntentionForm(forms.Form):
    """A customer and a key, sent twice: first to be told what the key stands for, and then to save that.

    `shown` is what the last page showed: a key that was changed since is shown first.
    """

    customer = CustomerField()
    content_key = forms.CharField(
        label="Content key",
        max_length=255,
        widget=forms.TextInput(attrs={"size": 60, "autocomplete": "off", "spellcheck": "false"}),
        help_text="A course key (edX+DemoX) for the run that is advertised, or a run key "
        "(course-v1:edX+DemoX+2026_T1) for that very run.",
    )
    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    accept = forms.BooleanField(required=False, label="Save it anyway")

    preview: Preview | None = None

    def clean(self) -> dict[str, Any]:
        """Look up what the key stands for; what speaks against it is an error at the key."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.preview = preview_key(
                    customer_uuid=cleaned["customer"].pk, content_key=cleaned["content_key"], ask_for_modes=True
                )
            except ServiceError as error:
                self.add_error("content_key", forms.ValidationError(error.detail, code=error.code))
        twin = self.preview.twin if self.preview else None
        if twin is not None and not twin.is_deleted:
            self.add_error("content_key", f"The customer has an intention for {twin.content_key} already.")
        return cleaned

    @property
    def reach(self) -> Reach:
        """Whom saving concerns, and when."""
        customer_uuid = self.cleaned_data["customer"].pk
        twin = self.preview.twin if self.preview else None
        return Reach(
            queued=count_queued(customer_uuid=customer_uuid, now=clock.now()),
            blocked=count_blocked_by_content(twin) if twin else 0,
            linked=fetch_linked_count(customer_uuid=customer_uuid),
        )

    @property
    def address(self) -> str:
        """What is being shown, in one word."""
        return f"{self.cleaned_data['customer'].pk}:{fold(self.cleaned_data['content_key'])}"

    @property
    def warnings(self) -> list[Explanation]:
        """What speaks against saving it, in words."""
        return [explain(reason) for reason in self.preview.description.warnings] if self.preview else []

    @property
    def is_confirmed(self) -> bool:
        """Whether the very thing was shown before, and what is doubtful about it is accepted."""
        if self.preview is None or self.preview.twin is not None or self.cleaned_data["shown"] != self.address:
            return False
        return not self.warnings or self.cleaned_data["accept"]

    @property
    def lacks_acceptance(self) -> bool:
        """Whether somebody wanted to save what needs a second thought, without having had it."""
        is_same = self.cleaned_data["shown"] == self.address
        return is_same and bool(self.warnings) and not self.cleaned_data["accept"]

"""What can be asked of the addresses of this app."""

from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty

from enterprise_access.apps.content_metadata.domain import MAX_KEY_LENGTH, ContentType, content_type_of
from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.apps.default_enrollments.models import Outcome
from enterprise_access.apps.default_enrollments.selectors.intentions import HealthState, WhichIntentions
from enterprise_access.apps.default_enrollments.selectors.queue import EvaluationRequestState
from enterprise_access.apps.default_enrollments.selectors.records import RealizationState
from enterprise_access.lib.api import (
    BAD_UUID,
    MISSING,
    PLUS_HINT,
    CustomerQuery,
    LmsUserIdField,
    PageQuery,
    customer_field,
)


class ContentKeyField(serializers.CharField):
    """A course key or a run key. What can be neither is refused: a list without rows would say that there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_KEY_LENGTH, **kwargs)

    def run_validation(self, data: Any = empty) -> str:
        """Refuse what is no key. Raises MalformedContentKey, with a hint where a plus sign may have become a space."""
        text: str = super().run_validation(data)
        try:
            content_type_of(text)
        except MalformedContentKey as error:
            hint = PLUS_HINT if " " in text else ""
            detail = f"{error.detail}{hint}"
            raise MalformedContentKey(detail, extra={"fields": {self.field_name: [detail]}}) from error
        return text


class LearnerQuery(CustomerQuery):
    """Which learner of which customer."""

    lms_user_id = LmsUserIdField(required=False, help_text="Optional for learners: they mean themselves.")


class IntentionsQuery(CustomerQuery, PageQuery):
    """Which intentions of a customer."""

    content_key = ContentKeyField(required=False, help_text="As configured, in any letter case.")
    content_type = serializers.ChoiceField(required=False, choices=[kind.value for kind in ContentType])
    state = serializers.ChoiceField(
        required=False,
        choices=[state.value for state in WhichIntentions],
        default=WhichIntentions.LIVING.value,
        help_text="Deleted intentions are shown to admins and operators only.",
    )


class PreviewQuery(CustomerQuery):
    """Which key, for whom."""

    content_key = ContentKeyField(
        error_messages={"required": MISSING},
        help_text="A course key (edX+DemoX) or a run key (course-v1:edX+DemoX+2026_T1).",
    )


class HealthQuery(CustomerQuery, PageQuery):
    """Whose intentions, and in which health."""

    state = serializers.ChoiceField(required=False, choices=[state.value for state in HealthState])


class RecordsQuery(PageQuery):
    """Which realizations or attempts; what is left out does not matter."""

    enterprise_customer_uuid = customer_field(required=False)
    lms_user_id = LmsUserIdField(required=False, help_text="The learner.")
    intention = serializers.UUIDField(required=False, error_messages={"invalid": BAD_UUID})
    reason = serializers.RegexField(
        r"^[a-z0-9_]+$",
        required=False,
        max_length=50,
        error_messages={"invalid": "is a code such as enrollment_closed."},
    )
    since = serializers.DateTimeField(required=False, help_text="At or after this time. Without an offset: UTC.")
    until = serializers.DateTimeField(required=False, help_text="At or before this time. Without an offset: UTC.")


class RealizationsQuery(RecordsQuery):
    """Which realizations. `reason` is why the learner left, `since` and `until` when it was realized."""

    state = serializers.ChoiceField(required=False, choices=[state.value for state in RealizationState])


class AttemptsQuery(RecordsQuery):
    """Which attempts. `since` and `until` are when it was last seen."""

    outcome = serializers.ChoiceField(required=False, choices=[(value, value) for value in Outcome.values])


class OverridesQuery(PageQuery):
    """Which overrides; what is left out does not matter."""

    enterprise_customer_uuid = customer_field(required=False, help_text="Required unless you operate every customer.")
    lms_user_id = LmsUserIdField(required=False, help_text="The learner.")
    intention = serializers.UUIDField(required=False, error_messages={"invalid": BAD_UUID})
    state = serializers.ChoiceField(
        required=False,
        choices=["active", "ended"],
        help_text="active: may still be used. ended: used, withdrawn, cancelled or expired.",
    )


class QueueQuery(PageQuery):
    """Which pending evaluations; what is left out does not matter."""

    enterprise_customer_uuid = customer_field(required=False, help_text="Required unless you operate every customer.")
    lms_user_id = LmsUserIdField(required=False, help_text="The learner.")
    state = serializers.ChoiceField(required=False, choices=[state.value for state in EvaluationRequestState])


class CustomersQuery(PageQuery):
    """Which customers."""

    search = serializers.CharField(
        required=False, max_length=255, help_text="A part of the name or slug in any letter case, or the UUID."
    )

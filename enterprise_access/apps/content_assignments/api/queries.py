"""What can be asked of the addresses of assignments, and what can be sent to them."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from enterprise_access.apps.content_assignments.domain.emails import MAX_EMAILS, fold_email, normalize_emails
from enterprise_access.apps.content_assignments.domain.showing import LearnerState
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.selectors import Filters
from enterprise_access.apps.content_metadata.domain import MAX_KEY_LENGTH
from enterprise_access.apps.subsidy_access_policies.domain.money import cents_from_client
from enterprise_access.lib.api import (
    CustomerQuery,
    FlagField,
    LmsUserIdField,
    PageQuery,
    StrictSerializer,
    TextField,
    UuidTextField,
)

MAX_UUIDS: Final = 1000
_STATES: Final = [state.value for state in AssignmentState]
_LEARNER_STATES: Final = [state.value for state in LearnerState]


class CsvField(serializers.CharField):
    """Several values, separated by commas; each has to be one that `one` takes. Empty: no filter."""

    def __init__(self, one: "serializers.Field[Any, Any, Any, Any]", **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, **kwargs)
        self.one = one

    def to_internal_value(self, data: Any) -> list[Any]:  # type: ignore[override]
        """Take the list apart, and refuse it for one wrong value."""
        values = [value.strip() for value in str(data).split(",")]
        return [self.one.run_validation(value) for value in values if value]

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Take an empty text for no values."""
        return [] if data == "" else super().run_validation(data)


def _choice(choices: list[str]) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=choices, required=False, allow_blank=True)


class AssignmentFilterQuery(serializers.Serializer):
    """Which assignments of a configuration. A name that is not here is refused: a typo must not cancel everything."""

    state = _choice(_STATES)
    state__in = CsvField(serializers.ChoiceField(choices=_STATES), help_text="Separate several by commas.")
    learner_state = _choice(_LEARNER_STATES)
    learner_state__in = CsvField(serializers.ChoiceField(choices=_LEARNER_STATES))
    content_key = serializers.CharField(required=False, max_length=MAX_KEY_LENGTH)
    content_key__in = CsvField(serializers.CharField(max_length=MAX_KEY_LENGTH))
    learner_email = serializers.CharField(required=False, max_length=254)
    learner_email__in = CsvField(serializers.CharField(max_length=254))
    lms_user_id = LmsUserIdField(required=False)
    lms_user_id__in = CsvField(LmsUserIdField())
    search = serializers.CharField(
        required=False, allow_blank=True, max_length=255, help_text="Part of a title or of an address."
    )
    ordering = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text=(
            "recent_action_time, learner_state_sort_order or content_quantity; separate several by commas, prefix - "
            "for descending. Other names are ignored."
        ),
    )


class AssignmentsQuery(PageQuery, AssignmentFilterQuery):
    """Which page of which assignments."""


class AssignmentConfigurationsQuery(CustomerQuery, PageQuery):
    """Whose configurations."""

    active = serializers.BooleanField(required=False, allow_null=True, default=None)


def filters_of(query: dict[str, Any]) -> Filters:
    """Return the filters that a query names."""
    return Filters(
        states=_both(query, "state"),
        learner_states=_both(query, "learner_state"),
        content_keys=_both(query, "content_key"),
        emails=_both(query, "learner_email"),
        lms_user_ids=_both(query, "lms_user_id"),
        search=query.get("search", ""),
    )


def ordering_of(query: dict[str, Any]) -> list[str]:
    """Return the names to order by."""
    return [name.strip() for name in query.get("ordering", "").split(",") if name.strip()]


def _both(query: dict[str, Any], name: str) -> Any:
    """Return the values of a filter and of its `__in`; where both are given, those that are in both."""
    one, many = query.get(name), query.get(f"{name}__in") or []
    if one in (None, ""):
        return many
    if not many or one in many:
        return [one]
    # A value that no row has; 0 is no account.
    return [0 if isinstance(one, int) else f"not {one}"]


class EmailField(TextField):
    """An email address."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is no address, by the same rule as the allocation."""
        email = super().to_internal_value(data)
        if normalize_emails([email]) is None:
            raise serializers.ValidationError("Enter a valid email address.")
        return email


@extend_schema_field(OpenApiTypes.NUMBER)
class PriceField(serializers.Field):
    """A price in cents: a number or numeric text, within 0.0001 of a whole number."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse what is no price."""
        cents = cents_from_client(data)
        if cents is None:
            raise serializers.ValidationError("Give a price in whole cents.")
        return cents

    def to_representation(self, value: int) -> int:
        return value


class AllocateBody(StrictSerializer):
    """The learners and the price of an allocation."""

    learner_emails = serializers.ListField(child=EmailField(), allow_empty=False)
    content_key = TextField(max_length=MAX_KEY_LENGTH)
    content_price_cents = PriceField()
    admin_lms_user_id = serializers.JSONField(
        required=False, allow_null=True, help_text="Ignored: the acting admin is the owner of the token."
    )

    def validate_learner_emails(self, emails: list[str]) -> list[str]:
        """Refuse too many people, counted once each."""
        if len({fold_email(email) for email in emails}) > MAX_EMAILS:
            raise serializers.ValidationError(f"There are more than {MAX_EMAILS} people.")
        return emails


class EmptyBody(StrictSerializer):
    """Nothing: what is meant stands in the query, and a body that names rows must not be taken for all of them."""


class UuidsBody(StrictSerializer):
    """Which assignments."""

    assignment_uuids = serializers.ListField(child=UuidTextField(), max_length=MAX_UUIDS)


class NudgeBody(UuidsBody):
    """The assignments, and the days before the start."""

    days_before_course_start_date = serializers.IntegerField(min_value=0, max_value=365)


@extend_schema_serializer(component_name="ConfigurationBody")
class AssignmentConfigurationBody(StrictSerializer):
    """The budget whose configuration is wanted."""

    enterprise_customer_uuid = UuidTextField()
    subsidy_access_policy = UuidTextField()
    active = FlagField(required=False, help_text="If given, as the budget is.")


class DeactivateConfigurationBody(StrictSerializer):
    """Why a budget is deactivated."""

    reason = TextField(required=False, allow_blank=True, max_length=100, help_text="Kept in the budget's history.")
    force = FlagField(required=False, help_text="Although money is spent or promised.")


class ChangeConfigurationBody(DeactivateConfigurationBody):
    """Whether the budget of a configuration is active."""

    active = FlagField()

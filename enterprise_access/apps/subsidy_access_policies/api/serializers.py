"""Budgets over the wire, as the admin portal and the support tools send and read them.

The functions write plain data from prepared values; the serializer classes say the same to the API document, and a
test holds the two together. Wire amounts are USD cents; members that end in `_usd` are dollars.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rest_framework import serializers

from enterprise_access.apps.subsidy_access_policies.domain.money import dollars_of_cents
from enterprise_access.apps.subsidy_access_policies.domain.policies import (
    AccessMethod,
    PolicyType,
    is_late_redemption_allowed,
)
from enterprise_access.apps.subsidy_access_policies.selectors import Budget, PolicyUse
from enterprise_access.lib.api import MAX_ID, FlagField, StrictSerializer, TextField, UuidTextField, customer_field
from enterprise_access.lib.api.pages import ListPageSerializer

# The form of the support tools writes up to 255 characters, and adds some of its own.
MAX_DESCRIPTION: Final = 2_000
MAX_NAME: Final = 512
MAX_PAGE_SIZE: Final = 500


# --- What is taken in ------------------------------------------------------------------------------------------------


class WholeField(serializers.IntegerField):
    """A whole number that is not negative: cents, or enrollments."""

    def __init__(self, **about: Any) -> None:
        super().__init__(min_value=0, max_value=MAX_ID, **about)

    def to_internal_value(self, data: Any) -> int:
        """Refuse truth values, and fractions of a cent."""
        if isinstance(data, bool) or (isinstance(data, float) and not data.is_integer()):
            self.fail("invalid")
        value: int = super().to_internal_value(int(data) if isinstance(data, float) else data)
        return value


def _limit() -> WholeField:
    return WholeField(required=False, allow_null=True)


class ChangePolicySerializer(StrictSerializer):
    """Changes of a budget. Omitted members remain unchanged."""

    display_name = TextField(required=False, allow_null=True, allow_blank=True, max_length=MAX_NAME)
    description = TextField(required=False, allow_blank=True, max_length=MAX_DESCRIPTION)
    active = FlagField(required=False)
    retired = FlagField(required=False)
    catalog_uuid = UuidTextField(required=False)
    access_method = serializers.ChoiceField(required=False, choices=[one.value for one in AccessMethod])
    spend_limit = _limit()
    per_learner_spend_limit = _limit()
    per_learner_enrollment_limit = _limit()
    late_redemption_allowed_until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="At most 7 days from now."
    )
    reason = TextField(required=False, allow_blank=True, max_length=100, help_text="Stored in the history.")
    force = FlagField(required=False, help_text="Deactivate although money is spent or promised.")


class AddPolicySerializer(StrictSerializer):
    """A new budget."""

    policy_type = serializers.ChoiceField(choices=[one.value for one in PolicyType])
    enterprise_customer_uuid = UuidTextField()
    catalog_uuid = UuidTextField()
    subsidy_uuid = UuidTextField()
    access_method = serializers.ChoiceField(choices=[one.value for one in AccessMethod])
    display_name = TextField(required=False, allow_null=True, allow_blank=True, max_length=MAX_NAME)
    description = TextField(required=False, allow_blank=True, max_length=MAX_DESCRIPTION)
    active = FlagField(required=False)
    retired = FlagField(required=False)
    spend_limit = _limit()
    per_learner_spend_limit = _limit()
    per_learner_enrollment_limit = _limit()


class DeactivatePolicySerializer(StrictSerializer):
    """Why a budget is deactivated."""

    reason = TextField(required=False, allow_blank=True, max_length=100, help_text="Stored in the history.")
    force = FlagField(required=False, help_text="Although money is spent or promised.")


class PoliciesQuery(serializers.Serializer):
    """Which budgets."""

    enterprise_customer_uuid = customer_field()
    active = serializers.BooleanField(required=False, allow_null=True, default=None)
    policy_type = serializers.CharField(required=False, help_text="An unknown type has no budgets.")
    page = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, help_text="Counted from 1.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)


# --- For the API document --------------------------------------------------------------------------------------------


class AggregatesSerializer(serializers.Serializer):
    """What a budget has spent, promised and left. Null where the account was never read."""

    amount_redeemed_usd_cents = serializers.IntegerField()
    amount_redeemed_usd = serializers.FloatField()
    amount_allocated_usd_cents = serializers.IntegerField(
        help_text="Money of allocated assignments that are not redeemed yet."
    )
    amount_allocated_usd = serializers.FloatField()
    spend_available_usd_cents = serializers.IntegerField(allow_null=True)
    spend_available_usd = serializers.FloatField(allow_null=True)


class PolicyConfigurationSerializer(serializers.Serializer):
    """The key of the assignments of a budget."""

    uuid = serializers.UUIDField()
    subsidy_access_policy = serializers.UUIDField()
    enterprise_customer_uuid = serializers.UUIDField()
    active = serializers.BooleanField()


class PolicySerializer(serializers.Serializer):
    """A budget. `aggregates` and `total_...` are null for learners."""

    uuid = serializers.UUIDField()
    policy_type = serializers.CharField()
    display_name = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    active = serializers.BooleanField()
    retired = serializers.BooleanField()
    retired_at = serializers.DateTimeField(allow_null=True)
    enterprise_customer_uuid = serializers.UUIDField()
    catalog_uuid = serializers.UUIDField()
    subsidy_uuid = serializers.UUIDField()
    access_method = serializers.CharField()
    per_learner_enrollment_limit = serializers.IntegerField(allow_null=True)
    per_learner_spend_limit = serializers.IntegerField(allow_null=True)
    spend_limit = serializers.IntegerField(allow_null=True)
    subsidy_active_datetime = serializers.DateTimeField(allow_null=True)
    subsidy_expiration_datetime = serializers.DateTimeField(allow_null=True)
    is_subsidy_active = serializers.BooleanField(allow_null=True, help_text="Null: the account was never read.")
    aggregates = AggregatesSerializer(allow_null=True)
    assignment_configuration = PolicyConfigurationSerializer(allow_null=True)
    group_associations = serializers.ListField(child=serializers.UUIDField())
    late_redemption_allowed_until = serializers.DateTimeField(allow_null=True)
    is_late_redemption_allowed = serializers.BooleanField()
    created = serializers.DateTimeField()
    bnr_enabled = serializers.BooleanField(help_text="Learners may browse and request.")
    total_spend_limits_for_subsidy = serializers.IntegerField(allow_null=True)
    total_deposits_for_subsidy = serializers.IntegerField(allow_null=True)
    facts_fetched_at = serializers.DateTimeField(allow_null=True, help_text="When the account was last read.")


class PolicyPageSerializer(ListPageSerializer):
    """A page of budgets, oldest first. The first page holds all of a customer, up to 500."""

    results = PolicySerializer(many=True)


# --- Rendering -------------------------------------------------------------------------------------------------------


def render_budget(budget: Budget, *, with_money: bool, now: datetime) -> dict[str, Any]:
    """Return a budget as clients read it. An amount that is not known is null, never 0."""
    row, use = budget.row, budget.use
    until = row["late_redemption_allowed_until"]
    return {
        "uuid": str(row["uuid"]),
        "policy_type": row["policy_type"],
        "display_name": row["display_name"],
        "description": row["description"],
        "active": row["active"],
        "retired": row["retired"],
        "retired_at": row["retired_at"],
        "enterprise_customer_uuid": str(row["customer_uuid"]),
        "catalog_uuid": str(row["catalog_uuid"]),
        "subsidy_uuid": str(row["subsidy_id"]),
        "access_method": row["access_method"],
        "per_learner_enrollment_limit": row["per_learner_enrollment_limit"],
        "per_learner_spend_limit": row["per_learner_spend_limit"],
        "spend_limit": row["spend_limit"],
        "subsidy_active_datetime": use.starts_at,
        "subsidy_expiration_datetime": use.expires_at,
        "is_subsidy_active": use.is_subsidy_active(now=now),
        "aggregates": _aggregates(use) if with_money else None,
        "assignment_configuration": _configuration(row),
        "group_associations": [str(group) for group in budget.groups],
        "late_redemption_allowed_until": until,
        "is_late_redemption_allowed": is_late_redemption_allowed(until=until, now=now),
        "created": row["created"],
        "bnr_enabled": row["learner_credit_request_config"] is not None,
        "total_spend_limits_for_subsidy": use.total_spend_limits_cents if with_money else None,
        "total_deposits_for_subsidy": use.total_deposits_cents if with_money else None,
        "facts_fetched_at": use.facts_fetched_at,
    }


def _aggregates(use: PolicyUse) -> dict[str, Any]:
    # What is on its way to being redeemed is promised as well: so the three amounts come to the limit.
    promised = use.allocated_cents + use.held_cents
    free = use.available_cents
    return {
        "amount_redeemed_usd_cents": use.spent_cents,
        "amount_redeemed_usd": dollars_of_cents(use.spent_cents),
        "amount_allocated_usd_cents": promised,
        "amount_allocated_usd": dollars_of_cents(promised),
        "spend_available_usd_cents": free,
        "spend_available_usd": None if free is None else dollars_of_cents(free),
    }


def _configuration(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["assignment_configuration"] is None:
        return None
    return {
        "uuid": str(row["assignment_configuration"]),
        "subsidy_access_policy": str(row["uuid"]),
        "enterprise_customer_uuid": str(row["customer_uuid"]),
        "active": row["active"],
    }

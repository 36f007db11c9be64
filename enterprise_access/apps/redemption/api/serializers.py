"""What is asked and answered about learner credit, for parsing and for the API document."""

from typing import Final

from rest_framework import serializers
from rest_framework.request import Request

from enterprise_access.apps.content_metadata.domain import ContentType, content_type_of
from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.lib.api import LmsUserIdField, StrictSerializer, TextField, customer_field, parse_parameters
from enterprise_access.lib.errors import Invalid

MAX_KEYS: Final = 400


def run_key_of(value: str) -> str:
    """Return a run key as it was written. Raises the framework's ValidationError for anything else."""
    try:
        is_run = content_type_of(value) is ContentType.COURSE_RUN
    except MalformedContentKey:
        is_run = False
    if not is_run:
        raise serializers.ValidationError(f"Invalid content_key: {value}")
    return value


class CreditQuery(serializers.Serializer):
    """Whose credit."""

    enterprise_customer_uuid = customer_field()
    lms_user_id = LmsUserIdField()


class CanRequestQuery(serializers.Serializer):
    """Which course."""

    content_key = serializers.CharField(max_length=255)
    lms_user_id = LmsUserIdField(required=False, help_text="Default: the caller. Staff may name a learner.")

    def validate_content_key(self, value: str) -> str:
        """Refuse what is neither a course key nor a run key."""
        content_type_of(value)
        return value


class ExplainQuery(serializers.Serializer):
    """Which learner and run."""

    lms_user_id = LmsUserIdField()
    content_key = serializers.CharField(max_length=255, help_text="A run key.")

    def validate_content_key(self, value: str) -> str:
        """Refuse what is no run key."""
        return run_key_of(value)


class _LearnerQuery(serializers.Serializer):
    """What can-redeem takes besides its keys."""

    content_key = serializers.CharField(required=False)
    lms_user_id = LmsUserIdField(required=False)


def parse_can_redeem(request: Request) -> tuple[list[str], int | None]:
    """Return the runs, each once and as written, and the learner who is named. Raises Invalid."""
    keys = request.query_params.getlist("content_key")
    if not keys:
        raise Invalid("content_key query parameter: This field is required.")
    if len(keys) > MAX_KEYS:
        raise Invalid(f"content_key query parameter: at most {MAX_KEYS} runs can be asked about at once.")
    for key in keys:
        try:
            run_key_of(key)
        except serializers.ValidationError:
            raise Invalid(f"Invalid content_key: {key}") from None
    rest = {name: values for name, values in request.query_params.lists() if name != "content_key"}
    learner: int | None = parse_parameters(_LearnerQuery, rest).get("lms_user_id") if rest else None
    return list(dict.fromkeys(keys)), learner


class RedeemSerializer(StrictSerializer):
    """The run to redeem, and the learner."""

    lms_user_id = LmsUserIdField()
    content_key = TextField(max_length=255, help_text="A run key (course-v1:edX+DemoX+2026_T1).")
    metadata = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="Texts and booleans only. Executive education needs the members that begin with geag_.",
    )

    def validate_content_key(self, value: str) -> str:
        """Refuse what is no run key."""
        return run_key_of(value)


class PriceSerializer(serializers.Serializer):
    """The price of a run."""

    usd = serializers.FloatField()
    usd_cents = serializers.IntegerField()


class CreditPolicySerializer(serializers.Serializer):
    """A budget."""

    uuid = serializers.UUIDField()
    policy_redemption_url = serializers.URLField()
    is_late_redemption_allowed = serializers.BooleanField()
    policy_type = serializers.CharField()
    enterprise_customer_uuid = serializers.UUIDField()
    display_name = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    active = serializers.BooleanField()
    retired = serializers.BooleanField()
    retired_at = serializers.DateTimeField(allow_null=True)
    catalog_uuid = serializers.UUIDField()
    subsidy_uuid = serializers.UUIDField()
    access_method = serializers.CharField()
    spend_limit = serializers.IntegerField(allow_null=True, help_text="In cents.")
    late_redemption_allowed_until = serializers.DateTimeField(allow_null=True)
    per_learner_enrollment_limit = serializers.IntegerField(allow_null=True)
    per_learner_spend_limit = serializers.IntegerField(allow_null=True, help_text="In cents.")
    learner_credit_request_config = serializers.UUIDField(allow_null=True)
    assignment_configuration = serializers.UUIDField(allow_null=True)


class TransactionSerializer(serializers.Serializer):
    """A redemption. At its own address, `state` is pending, committed or failed."""

    uuid = serializers.UUIDField()
    state = serializers.CharField()
    idempotency_key = serializers.CharField(allow_null=True)
    lms_user_id = serializers.IntegerField(allow_null=True)
    lms_user_email = serializers.CharField(allow_null=True, help_text="Always null: this service stores no address.")
    content_key = serializers.CharField()
    parent_content_key = serializers.CharField(allow_null=True)
    content_title = serializers.CharField(allow_null=True)
    course_run_start_date = serializers.DateTimeField(allow_null=True)
    quantity = serializers.IntegerField(help_text="In cents; negative for spending.")
    unit = serializers.CharField()
    fulfillment_identifier = serializers.CharField(allow_null=True)
    subsidy_access_policy_uuid = serializers.UUIDField(allow_null=True)
    metadata = serializers.DictField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    reversal = serializers.DictField(allow_null=True)
    external_reference = serializers.ListField(child=serializers.DictField())
    transaction_status_api_url = serializers.URLField()
    courseware_url = serializers.URLField()


class ListedRedemptionSerializer(TransactionSerializer):
    """A redemption in the list of a run's redemptions."""

    policy_redemption_status_url = serializers.URLField()


class CreditReasonSerializer(serializers.Serializer):
    """Why some budgets do not pay."""

    reason = serializers.CharField()
    user_message = serializers.CharField(help_text="For the learner, in their language. Never empty.")
    policy_uuids = serializers.ListField(child=serializers.UUIDField())
    metadata = serializers.DictField(help_text="enterprise_administrators: whom the learner may contact.")


class CanRedeemSerializer(serializers.Serializer):
    """Whether credit pays for a run."""

    content_key = serializers.CharField(help_text="As sent in the request.")
    list_price = PriceSerializer(allow_null=True)
    redemptions = ListedRedemptionSerializer(many=True)
    has_successful_redemption = serializers.BooleanField()
    redeemable_subsidy_access_policy = CreditPolicySerializer(allow_null=True)
    can_redeem = serializers.BooleanField()
    reasons = CreditReasonSerializer(many=True)
    display_reason = CreditReasonSerializer(allow_null=True)


class CanRequestSerializer(serializers.Serializer):
    """Whether a course can be requested."""

    content_key = serializers.CharField(required=False)
    can_request = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)
    requestable_subsidy_access_policy = CreditPolicySerializer(required=False)


class CreditAvailableSerializer(CreditPolicySerializer):
    """A budget that the learner sees."""

    remaining_balance_per_user = serializers.IntegerField(
        allow_null=True, help_text="Cents or enrollments, by the type of the budget; null without a limit."
    )
    remaining_balance = serializers.IntegerField(help_text="In cents.")
    subsidy_expiration_date = serializers.DateTimeField()
    learner_content_assignments = serializers.ListField(child=serializers.DictField())
    learner_requests = serializers.ListField(child=serializers.DictField())
    group_associations = serializers.ListField(child=serializers.UUIDField())


class CreditExplanationSerializer(serializers.Serializer):
    """Why credit pays for a run or not. Money is in cents."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    content_key = serializers.CharField()
    is_linked = serializers.BooleanField(allow_null=True, help_text="Null: the LMS did not answer.")
    enrollments_read_at = serializers.DateTimeField(allow_null=True, help_text="Null: never.")
    redeemed_by = serializers.UUIDField(allow_null=True, help_text="The transaction that has already paid.")
    pays = serializers.UUIDField(allow_null=True, help_text="The budget that pays.")
    display_reason = serializers.CharField(allow_null=True)
    policies = serializers.ListField(child=serializers.DictField(), help_text="Rule, reason, numbers and their age.")
    transactions = serializers.ListField(child=serializers.DictField())
    attempts = serializers.ListField(child=serializers.DictField(), help_text="The newest first.")

"""Requests and configurations over the wire, as clients of the peer service know them."""

from typing import Any, Final

from rest_framework import serializers

from enterprise_access.apps.subsidy_requests.api.bodies import AUTO_ENROLLMENT_HELP
from enterprise_access.apps.subsidy_requests.domain.digests import NotificationCadence
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType, LearnerRequestState
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestCustomerConfiguration
from enterprise_access.apps.subsidy_requests.selectors.rendering import render_request

# One name in the API document for what several serializers have.
STATES: Final = [(state.value, state.value) for state in RequestState]
CADENCES: Final = [(cadence.value, cadence.value) for cadence in NotificationCadence]
ACTIONS: Final = [(action.value, action.value) for action in ActionType]


class CustomerConfigurationSerializer(serializers.Serializer):
    """How a customer's learners may ask for subsidies."""

    enterprise_customer_uuid = serializers.UUIDField()
    subsidy_requests_enabled = serializers.BooleanField()
    subsidy_type = serializers.ChoiceField(choices=[kind.value for kind in SubsidyType], allow_null=True)
    changed_by_lms_user_id = serializers.IntegerField(allow_null=True)
    notification_cadence = serializers.ChoiceField(
        choices=CADENCES, help_text="How often admins get a digest of requests that need a decision."
    )
    last_remind_date = serializers.DateTimeField(allow_null=True, help_text="When the last digest was requested.")
    attempt_auto_enrollment = serializers.BooleanField(help_text=AUTO_ENROLLMENT_HELP)


class PartnerSerializer(serializers.Serializer):
    """An organization that offers a course."""

    uuid = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class RequestSerializer(serializers.Serializer):
    """What requests of all kinds tell."""

    uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField(help_text="The learner.")
    email = serializers.CharField(help_text="The learner's address when the request was made.")
    course_id = serializers.CharField(allow_null=True, help_text="As sent.")
    course_title = serializers.CharField(allow_null=True, help_text="Null: not known.")
    course_partners = PartnerSerializer(many=True, allow_null=True, help_text="Null: not known.")
    enterprise_customer_uuid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=STATES)
    reviewed_at = serializers.DateTimeField(allow_null=True)
    reviewer_lms_user_id = serializers.IntegerField(allow_null=True)
    decline_reason = serializers.CharField(allow_null=True)
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class LicenseRequestSerializer(RequestSerializer):
    """A request for a license."""

    subscription_plan_uuid = serializers.UUIDField(allow_null=True)
    license_uuid = serializers.UUIDField(allow_null=True, help_text="Null until the license is granted.")
    error_reason = serializers.CharField(allow_null=True, help_text="Why no license was granted, as a stable code.")


class CouponCodeRequestSerializer(RequestSerializer):
    """A request for a coupon code."""

    coupon_id = serializers.IntegerField(allow_null=True)
    coupon_code = serializers.CharField(allow_null=True, help_text="Null until the code is assigned.")
    error_reason = serializers.CharField(allow_null=True, help_text="Why no code was assigned, as a stable code.")


class RequestActionSerializer(serializers.Serializer):
    """The last action on a request."""

    uuid = serializers.UUIDField()
    recent_action = serializers.ChoiceField(choices=ACTIONS)
    status = serializers.ChoiceField(choices=ACTIONS)
    error_reason = serializers.CharField(allow_null=True, help_text="A stable code.")
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class LearnerCreditRequestSerializer(RequestSerializer):
    """A request for learner credit."""

    learner_credit_request_config = serializers.UUIDField(allow_null=True, help_text="Of the budget.")
    assignment = serializers.UUIDField(allow_null=True, help_text="Null until the request is approved.")
    course_price = serializers.IntegerField(allow_null=True, help_text="In cents. Null: not known.")
    latest_action = RequestActionSerializer(allow_null=True)
    learner_request_state = serializers.ChoiceField(choices=[state.value for state in LearnerRequestState])


class RequestStateCountSerializer(serializers.Serializer):
    """How many requests are in one state."""

    state = serializers.ChoiceField(choices=STATES)
    count = serializers.IntegerField()


def render_configuration(row: SubsidyRequestCustomerConfiguration) -> dict[str, Any]:
    """Return a configuration as plain data."""
    return {
        "enterprise_customer_uuid": row.customer_uuid,
        "subsidy_requests_enabled": row.subsidy_requests_enabled,
        "subsidy_type": row.subsidy_type or None,
        "changed_by_lms_user_id": row.changed_by_lms_user_id,
        "notification_cadence": row.notification_cadence,
        "last_remind_date": row.last_remind_date,
        "attempt_auto_enrollment": row.attempt_auto_enrollment,
    }


def render_license_request(row: SubsidyRequest) -> dict[str, Any]:
    """Return a request for a license as plain data."""
    return {
        **render_request(row),
        "subscription_plan_uuid": row.plan_uuid,
        "license_uuid": row.license_uuid,
        "error_reason": row.error_reason or None,
    }


def render_coupon_code_request(row: SubsidyRequest) -> dict[str, Any]:
    """Return a request for a coupon code as plain data."""
    return {
        **render_request(row),
        "coupon_id": row.coupon_id,
        "coupon_code": row.coupon_code or None,
        "error_reason": row.error_reason or None,
    }

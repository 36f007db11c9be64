"""What is sent to the addresses of requests."""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.subsidy_requests.domain.digests import NotificationCadence
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.lib.api import MAX_ID, StrictSerializer, TextField, UuidTextField

MAX_AT_ONCE = 1000
MAX_COURSE_ID = 255
AUTO_ENROLLMENT_HELP = (
    "After an approval, enroll the learner in the course of their oldest request, if exactly one course run is open "
    "and starts soon. False: learners choose the run and enroll."
)


class SubsidyTypeField(serializers.ChoiceField):
    """A type of subsidy; `budget` is how the admin portal spells learner_credit."""

    def __init__(self, **about: Any) -> None:
        super().__init__(choices=[kind.value for kind in SubsidyType], allow_null=True, **about)

    def to_internal_value(self, data: Any) -> Any:
        """Take the other spelling, too."""
        return super().to_internal_value(SubsidyType.LEARNER_CREDIT.value if data == "budget" else data)


class ConfigurationBody(StrictSerializer):
    """How a customer's learners may ask for subsidies."""

    subsidy_requests_enabled = serializers.BooleanField(required=False)
    subsidy_type = SubsidyTypeField(required=False, help_text="license, coupon, learner_credit (or budget), or null.")
    attempt_auto_enrollment = serializers.BooleanField(required=False, help_text=AUTO_ENROLLMENT_HELP)
    notification_cadence = serializers.ChoiceField(
        required=False,
        choices=[(cadence.value, cadence.value) for cadence in NotificationCadence],
        help_text="How often admins get a digest of requests that need a decision.",
    )
    send_notification = serializers.BooleanField(required=False, help_text="Ignored: no email is sent.")


class NewConfigurationBody(ConfigurationBody):
    """The configuration of a customer that has none."""

    enterprise_customer_uuid = UuidTextField()


class CreateLicenseRequestBody(StrictSerializer):
    """A request for a license."""

    enterprise_customer_uuid = UuidTextField()
    course_id = TextField(required=False, allow_null=True, allow_blank=True, max_length=MAX_COURSE_ID)


class CreateCouponCodeRequestBody(StrictSerializer):
    """A request for a coupon code."""

    enterprise_customer_uuid = UuidTextField()
    course_id = TextField(max_length=MAX_COURSE_ID)


class _ReviewBody(StrictSerializer):
    enterprise_customer_uuid = UuidTextField()
    subsidy_request_uuids = serializers.ListField(child=UuidTextField(), min_length=1, max_length=MAX_AT_ONCE)
    send_notification = serializers.BooleanField(required=False, default=False)


class ApproveLicenseRequestsBody(_ReviewBody):
    """Which requests are approved, and the plan of their licenses."""

    subscription_plan_uuid = UuidTextField()


class ApproveCouponCodeRequestsBody(_ReviewBody):
    """Which requests are approved, and the coupon of their codes."""

    coupon_id = serializers.IntegerField(min_value=1, max_value=MAX_ID, help_text="A number, or one written as text.")


class DeclineRequestsBody(_ReviewBody):
    """Which requests are declined, and why."""

    decline_reason = TextField(required=False, allow_null=True, allow_blank=True, max_length=250)
    unlink_users_from_enterprise = serializers.BooleanField(required=False, default=False)


class CreateLearnerCreditRequestBody(StrictSerializer):
    """A request for learner credit."""

    enterprise_customer_uuid = UuidTextField()
    policy_uuid = UuidTextField()
    course_id = TextField(max_length=MAX_COURSE_ID)
    course_price = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=MAX_ID, help_text="Ignored: the price is the catalog's."
    )


class _CustomersBody(StrictSerializer):
    enterprise_customer_uuid = UuidTextField()


class ApproveAllCreditRequestsBody(_CustomersBody):
    """The budget whose requests are approved."""

    policy_uuid = UuidTextField()


class ApproveCreditRequestsBody(ApproveAllCreditRequestsBody):
    """Which requests of a budget are approved."""

    learner_credit_request_uuids = serializers.ListField(child=UuidTextField(), min_length=1, max_length=MAX_AT_ONCE)


class _DeclineCreditBody(_CustomersBody):
    send_notification = serializers.BooleanField(required=False, default=False)
    decline_reason = TextField(required=False, allow_null=True, allow_blank=True, max_length=250)
    disassociate_from_org = serializers.BooleanField(required=False, default=False)


class DeclineCreditRequestBody(_DeclineCreditBody):
    """Which request is declined, and why."""

    subsidy_request_uuid = UuidTextField()


class DeclineAllCreditRequestsBody(_DeclineCreditBody):
    """The budget whose requests are declined, and why."""

    policy_uuid = UuidTextField()


class CancelCreditRequestBody(_CustomersBody):
    """Which request is cancelled."""

    request_uuid = UuidTextField()


class RemindOfCreditRequestBody(_CustomersBody):
    """Which learner is reminded."""

    learner_credit_request_uuid = UuidTextField()

"""Subscriptions and licenses, as the learner portal shows them."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_access.apps.bff.api.serializers.writing import written_by
from enterprise_access.apps.bff.services.page import PortalPage
from enterprise_access.apps.licenses.domain import (
    LicenseStatus,
    OwnLicense,
    OwnLicenses,
    by_status,
    choose_shown_license,
    in_order_of_showing,
)


class PlanSerializer(serializers.Serializer):
    """A subscription plan."""

    uuid = serializers.UUIDField()
    title = serializers.CharField()
    enterprise_catalog_uuid = serializers.UUIDField(source="catalog_uuid", allow_null=True)
    is_active = serializers.BooleanField()
    is_current = serializers.BooleanField()
    start_date = serializers.DateTimeField(source="starts_at")
    expiration_date = serializers.DateTimeField(source="expires_at")
    days_until_expiration = serializers.IntegerField()
    days_until_expiration_including_renewals = serializers.IntegerField()
    should_auto_apply_licenses = serializers.BooleanField()


class LicenseSerializer(serializers.Serializer):
    """One of the learner's licenses."""

    uuid = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[status.value for status in LicenseStatus])
    user_email = serializers.CharField(allow_null=True)
    activation_date = serializers.DateTimeField(source="activated_at", allow_null=True)
    last_remind_date = serializers.DateTimeField(source="last_reminded_at", allow_null=True)
    revoked_date = serializers.DateTimeField(source="revoked_at", allow_null=True)
    activation_key = serializers.UUIDField(allow_null=True)
    subscription_plan = PlanSerializer(source="plan")


class AgreementSerializer(serializers.Serializer):
    """The customer agreement to create."""

    uuid = serializers.UUIDField()
    available_subscription_catalogs = serializers.ListField(
        source="available_catalog_uuids", child=serializers.UUIDField()
    )
    default_enterprise_catalog_uuid = serializers.UUIDField(source="default_catalog_uuid", allow_null=True)
    net_days_until_expiration = serializers.IntegerField(allow_null=True)
    disable_expiration_notifications = serializers.BooleanField()
    enable_auto_applied_subscriptions_with_universal_link = serializers.BooleanField()
    subscription_for_auto_applied_licenses = serializers.UUIDField(source="auto_apply_plan_uuid", allow_null=True)
    has_custom_license_expiration_messaging_v2 = serializers.BooleanField(allow_null=True)
    button_label_in_modal_v2 = serializers.CharField(allow_null=True)
    expired_subscription_modal_messaging_v2 = serializers.CharField(allow_null=True)
    modal_header_text_v2 = serializers.CharField(allow_null=True)
    url_for_button_in_modal_v2 = serializers.CharField(allow_null=True)


class LicensesByStatusSerializer(serializers.Serializer):
    """The learner's licenses, of current plans first."""

    activated = LicenseSerializer(many=True)
    assigned = LicenseSerializer(many=True)
    revoked = LicenseSerializer(many=True)


class SubscriptionsSerializer(serializers.Serializer):
    """The learner's subscriptions of the customer. Empty may also mean "unknown": see `errors`."""

    customer_agreement = AgreementSerializer(allow_null=True)
    subscription_licenses = LicenseSerializer(many=True)
    subscription_licenses_by_status = LicensesByStatusSerializer()
    subscription_license = LicenseSerializer(allow_null=True)
    subscription_plan = PlanSerializer(allow_null=True)
    show_expiration_notifications = serializers.BooleanField()


class SubsidiesSerializer(serializers.Serializer):
    """What may pay for the learner's courses."""

    subscriptions = SubscriptionsSerializer()


class SubsidiesFields(serializers.Serializer):
    """What LicensesPart adds to a page."""

    enterprise_customer_user_subsidies = serializers.SerializerMethodField()

    @extend_schema_field(SubsidiesSerializer)
    def get_enterprise_customer_user_subsidies(self, page: PortalPage) -> Any:
        return written_by(SubsidiesSerializer, {"subscriptions": _subscriptions(page.licenses)})


def _subscriptions(own: OwnLicenses | None) -> dict[str, Any]:
    licenses: Iterable[OwnLicense] = () if own is None else own.licenses
    agreement = None if own is None else own.agreement
    shown = choose_shown_license(licenses)
    return {
        "customer_agreement": agreement,
        "subscription_licenses": in_order_of_showing(licenses),
        "subscription_licenses_by_status": {status.value: rows for status, rows in by_status(licenses).items()},
        "subscription_license": shown,
        "subscription_plan": None if shown is None else shown.plan,
        "show_expiration_notifications": agreement is not None
        and not agreement.disable_expiration_notifications
        and not agreement.has_custom_license_expiration_messaging_v2,
    }

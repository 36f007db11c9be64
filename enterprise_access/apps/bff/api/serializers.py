"""What goes over the wire: the bodies of the learner portal's pages, complete whatever could not be loaded.

The same classes write the answers and the API document, so the two cannot differ. Names are those that the portal
knows; none may be left out.
"""

import functools
from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_access.apps.bff.domain.enrollments import group_by_progress
from enterprise_access.apps.bff.services.page import Page
from enterprise_access.apps.default_enrollments.api.serializers.learners import (
    LearnerStatusSerializer,
    render_learner_status,
)
from enterprise_access.apps.default_enrollments.services.asking import EnrollmentStatus
from enterprise_access.apps.licenses.domain import (
    LicenseStatus,
    OwnLicense,
    OwnLicenses,
    by_status,
    choose_shown_license,
    in_order_of_showing,
)


def written_by(serializer: type[serializers.Serializer], value: object) -> Any:
    """Return a value as a serializer writes it. (Making one copies each of its fields: more work than the writing.)"""
    return _made(serializer).to_representation(value)


@functools.cache
def _made(serializer: type[serializers.Serializer]) -> serializers.Serializer:
    return serializer()


# --- What is asked -----------------------------------------------------------------------------------------------


class PageRequestSerializer(serializers.Serializer):
    """Which customer's page: one of the two, and the uuid counts where both are given."""

    enterprise_customer_slug = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=255,
        help_text="As in the page's address; a slash at its end is fine.",
    )
    enterprise_customer_uuid = serializers.UUIDField(required=False, allow_null=True)


# --- Customers ---------------------------------------------------------------------------------------------------


class SiteSerializer(serializers.Serializer):
    """The site that a customer belongs to."""

    domain = serializers.CharField()
    name = serializers.CharField()


class BrandingSerializer(serializers.Serializer):
    """How a customer's pages look."""

    logo = serializers.CharField(allow_null=True)
    primary_color = serializers.CharField(allow_null=True)
    secondary_color = serializers.CharField(allow_null=True)
    tertiary_color = serializers.CharField(allow_null=True)


class IdentityProviderSerializer(serializers.Serializer):
    """Where a customer's people sign in."""

    provider_id = serializers.CharField()
    default_provider = serializers.BooleanField()


class BannerSerializer(serializers.Serializer):
    """What a customer's learners are to be told; empty texts: nothing."""

    title = serializers.CharField()
    text = serializers.CharField()


class AdminUserSerializer(serializers.Serializer):
    """Somebody at the customer whom a learner may turn to."""

    email = serializers.CharField()
    lms_user_id = serializers.IntegerField()


class IntegrationSerializer(serializers.Serializer):
    """A learning system of the customer's own."""

    channel_code = serializers.CharField()
    created = serializers.CharField(allow_null=True)
    modified = serializers.CharField(allow_null=True)
    display_name = serializers.CharField(allow_null=True)
    active = serializers.BooleanField()


class CustomerSerializer(serializers.Serializer):
    """A customer as the learner portal shows it."""

    uuid = serializers.UUIDField(source="customer.uuid")
    slug = serializers.CharField(source="customer.slug")
    name = serializers.CharField(source="customer.name")
    active = serializers.BooleanField(source="customer.active")
    auth_org_id = serializers.CharField(source="customer.auth_org_id", allow_null=True)
    site = SiteSerializer(source="customer.site")
    branding_configuration = BrandingSerializer(source="customer.branding_configuration")
    identity_provider = serializers.CharField(source="customer.identity_provider", allow_null=True)
    identity_providers = IdentityProviderSerializer(source="customer.identity_providers", many=True)
    enable_data_sharing_consent = serializers.BooleanField(source="customer.enable_data_sharing_consent")
    enforce_data_sharing_consent = serializers.CharField(source="customer.enforce_data_sharing_consent")
    disable_expiry_messaging_for_learner_credit = serializers.BooleanField(
        source="customer.disable_expiry_messaging_for_learner_credit"
    )
    enable_audit_enrollment = serializers.BooleanField(source="customer.enable_audit_enrollment")
    replace_sensitive_sso_username = serializers.BooleanField(source="customer.replace_sensitive_sso_username")
    enable_portal_code_management_screen = serializers.BooleanField(
        source="customer.enable_portal_code_management_screen"
    )
    sync_learner_profile_data = serializers.BooleanField(source="customer.sync_learner_profile_data")
    enable_audit_data_reporting = serializers.BooleanField(source="customer.enable_audit_data_reporting")
    enable_learner_portal = serializers.BooleanField(source="customer.enable_learner_portal")
    enable_learner_portal_offers = serializers.BooleanField(source="customer.enable_learner_portal_offers")
    enable_portal_learner_credit_management_screen = serializers.BooleanField(
        source="customer.enable_portal_learner_credit_management_screen"
    )
    enable_executive_education_2U_fulfillment = serializers.BooleanField(  # noqa: N815 (the portal's name)
        source="customer.enable_executive_education_2u_fulfillment"
    )
    enable_portal_reporting_config_screen = serializers.BooleanField(
        source="customer.enable_portal_reporting_config_screen"
    )
    enable_portal_saml_configuration_screen = serializers.BooleanField(
        source="customer.enable_portal_saml_configuration_screen"
    )
    contact_email = serializers.CharField(source="customer.contact_email", allow_null=True)
    enable_portal_subscription_management_screen = serializers.BooleanField(
        source="customer.enable_portal_subscription_management_screen"
    )
    hide_course_original_price = serializers.BooleanField(source="customer.hide_course_original_price")
    enable_analytics_screen = serializers.BooleanField(source="customer.enable_analytics_screen")
    enable_integrated_customer_learner_portal_search = serializers.BooleanField(
        source="customer.enable_integrated_customer_learner_portal_search"
    )
    enable_generation_of_api_credentials = serializers.BooleanField(
        source="customer.enable_generation_of_api_credentials"
    )
    enable_portal_lms_configurations_screen = serializers.BooleanField(
        source="customer.enable_portal_lms_configurations_screen"
    )
    sender_alias = serializers.CharField(source="customer.sender_alias", allow_null=True)
    enterprise_customer_catalogs = serializers.ListField(
        source="customer.enterprise_customer_catalogs", child=serializers.UUIDField()
    )
    reply_to = serializers.CharField(source="customer.reply_to", allow_null=True)
    enterprise_notification_banner = BannerSerializer(source="customer.enterprise_notification_banner")
    hide_labor_market_data = serializers.BooleanField(source="customer.hide_labor_market_data")
    modified = serializers.DateTimeField(source="customer.modified")
    enable_universal_link = serializers.BooleanField(source="customer.enable_universal_link")
    enable_browse_and_request = serializers.BooleanField(source="customer.enable_browse_and_request")
    admin_users = AdminUserSerializer(source="customer.admin_users", many=True)
    enable_learner_portal_sidebar_message = serializers.BooleanField(
        source="customer.enable_learner_portal_sidebar_message"
    )
    learner_portal_sidebar_content = serializers.CharField(source="customer.learner_portal_sidebar_content")
    enable_pathways = serializers.BooleanField(source="customer.enable_pathways")
    enable_programs = serializers.BooleanField(source="customer.enable_programs")
    enable_demo_data_for_analytics_and_lpr = serializers.BooleanField(
        source="customer.enable_demo_data_for_analytics_and_lpr"
    )
    enable_academies = serializers.BooleanField(source="customer.enable_academies")
    enable_one_academy = serializers.BooleanField(source="customer.enable_one_academy")
    active_integrations = IntegrationSerializer(source="customer.active_integrations", many=True)
    show_videos_in_learner_portal_search_results = serializers.BooleanField(
        source="customer.show_videos_in_learner_portal_search_results"
    )
    default_language = serializers.CharField(source="customer.default_language", allow_null=True)
    country = serializers.CharField(source="customer.country", allow_null=True)
    enable_slug_login = serializers.BooleanField(source="customer.enable_slug_login")
    disable_search = serializers.BooleanField(help_text="Courses are found in the customer's own system, not here.")
    show_integration_warning = serializers.BooleanField()
    enable_learner_credit_message_box = serializers.BooleanField(source="customer.enable_learner_credit_message_box")


class LinkedCustomerSerializer(serializers.Serializer):
    """One of the learner's customers."""

    id = serializers.IntegerField(help_text="The LMS's id of the link.")
    active = serializers.BooleanField(help_text="This customer is the one selected in the portal.")
    enterprise_customer = CustomerSerializer()


# --- Search ------------------------------------------------------------------------------------------------------


class AlgoliaSerializer(serializers.Serializer):
    """The learner's own key for the search engine, valid for more than a minute; nulls when there is none."""

    secured_algolia_api_key = serializers.CharField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)


# --- Subscriptions -----------------------------------------------------------------------------------------------


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
    """What the customer has agreed on."""

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
    """What the learner has of the customer's subscriptions. All empty may also mean "not known": see errors."""

    customer_agreement = AgreementSerializer(allow_null=True)
    subscription_licenses = LicenseSerializer(many=True)
    subscription_licenses_by_status = LicensesByStatusSerializer()
    subscription_license = LicenseSerializer(allow_null=True)
    subscription_plan = PlanSerializer(allow_null=True)
    show_expiration_notifications = serializers.BooleanField()


class SubsidiesSerializer(serializers.Serializer):
    """What may pay for the learner's courses."""

    subscriptions = SubscriptionsSerializer()


# --- Enrollments -------------------------------------------------------------------------------------------------


class DueSerializer(serializers.Serializer):
    """Something that is due in a course."""

    name = serializers.CharField()
    date = serializers.CharField()
    url = serializers.CharField(allow_null=True)


class EnrollmentSerializer(serializers.Serializer):
    """One of the learner's enrollments."""

    can_unenroll = serializers.BooleanField()
    course_run_id = serializers.CharField()
    course_run_status = serializers.CharField()
    course_key = serializers.CharField()
    course_type = serializers.CharField(allow_blank=True)
    created = serializers.DateTimeField()
    end_date = serializers.DateTimeField(allow_null=True)
    enroll_by = serializers.DateTimeField(allow_null=True)
    has_emails_enabled = serializers.BooleanField()
    is_enrollment_active = serializers.BooleanField()
    is_revoked = serializers.BooleanField()
    link_to_course = serializers.CharField(
        allow_blank=True, help_text="Where the learner goes on; empty where that is not known."
    )
    link_to_certificate = serializers.CharField(allow_null=True)
    micromasters_title = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_blank=True)
    notifications = DueSerializer(many=True)
    org_name = serializers.CharField(allow_blank=True)
    pacing = serializers.CharField(allow_blank=True)
    product_source = serializers.CharField(allow_blank=True)
    resume_course_run_url = serializers.CharField(allow_null=True)
    start_date = serializers.DateTimeField(allow_null=True)
    title = serializers.CharField()


class EnrollmentsByStatusSerializer(serializers.Serializer):
    """The learner's enrollments as the dashboard groups them."""

    in_progress = EnrollmentSerializer(many=True)
    upcoming = EnrollmentSerializer(many=True)
    completed = EnrollmentSerializer(many=True)
    saved_for_later = EnrollmentSerializer(many=True)


# --- Default enrollments, and what went wrong --------------------------------------------------------------------


class PortalRealizationSerializer(serializers.Serializer):
    """What came of one default enrollment intention."""

    course_key = serializers.CharField()
    course_run_key = serializers.CharField(allow_null=True)
    enrollment_status = serializers.ChoiceField(choices=[status.value for status in EnrollmentStatus])
    reason = serializers.CharField(allow_blank=True, help_text="The code of the last look; empty before the first.")


class ProblemSerializer(serializers.Serializer):
    """Something that went wrong. Neither text names a person."""

    developer_message = serializers.CharField()
    user_message = serializers.CharField()


# --- Pages -------------------------------------------------------------------------------------------------------


class PageSerializer(serializers.Serializer):
    """What every page of the learner portal starts with. What could not be loaded is empty, and named in `errors`."""

    enterprise_customer = CustomerSerializer(source="customer", allow_null=True)
    all_linked_enterprise_customer_users = LinkedCustomerSerializer(source="linked", many=True)
    active_enterprise_customer = CustomerSerializer(source="active", allow_null=True)
    staff_enterprise_customer = CustomerSerializer(source="staff", allow_null=True)
    should_update_active_enterprise_customer_user = serializers.BooleanField(source="should_switch")
    catalog_uuids_to_catalog_query_uuids = serializers.SerializerMethodField()
    algolia = serializers.SerializerMethodField()
    enterprise_customer_user_subsidies = serializers.SerializerMethodField()
    enterprise_features = serializers.DictField(source="features", child=serializers.BooleanField())
    default_enterprise_enrollment_intentions = serializers.SerializerMethodField(
        help_text="The answer of learner-status; null when it is not known, or not about this customer's learner."
    )
    default_enterprise_enrollment_realizations = PortalRealizationSerializer(source="realizations", many=True)
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]
    warnings = ProblemSerializer(many=True)

    @extend_schema_field(serializers.DictField(child=serializers.UUIDField()))
    def get_catalog_uuids_to_catalog_query_uuids(self, page: Page) -> dict[str, str]:
        return {str(catalog): str(query) for catalog, query in page.query_uuids_by_catalog.items()}

    @extend_schema_field(AlgoliaSerializer)
    def get_algolia(self, page: Page) -> Any:
        key = page.search_key
        known = None if key is None else key.secured_api_key
        found = {"secured_algolia_api_key": known, "valid_until": None if key is None else key.valid_until}
        return written_by(AlgoliaSerializer, found)

    @extend_schema_field(SubsidiesSerializer)
    def get_enterprise_customer_user_subsidies(self, page: Page) -> Any:
        return written_by(SubsidiesSerializer, {"subscriptions": _subscriptions(page.licenses)})

    @extend_schema_field(LearnerStatusSerializer(allow_null=True))
    def get_default_enterprise_enrollment_intentions(self, page: Page) -> Any:
        return None if page.status is None else render_learner_status(page.status, user_email=page.user_email)

    @extend_schema_field(ProblemSerializer(many=True))
    def get_errors(self, page: Page) -> Any:
        """Not a field of its own name: a serializer's `errors` are what is wrong with its input."""
        return [written_by(ProblemSerializer, problem) for problem in page.errors]


class DashboardSerializer(PageSerializer):
    """The dashboard: what every page has, and the learner's courses."""

    enterprise_course_enrollments = EnrollmentSerializer(source="enrollments", many=True)
    all_enrollments_by_status = serializers.SerializerMethodField()
    has_bnr_enabled_policy = serializers.SerializerMethodField(
        help_text="Whether learners may ask for courses of a budget; this installation has no budgets."
    )

    @extend_schema_field(EnrollmentsByStatusSerializer)
    def get_all_enrollments_by_status(self, page: Page) -> Any:
        return written_by(EnrollmentsByStatusSerializer, group_by_progress(page.enrollments))

    @extend_schema_field(serializers.BooleanField())
    def get_has_bnr_enabled_policy(self, page: Page) -> bool:
        return False


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

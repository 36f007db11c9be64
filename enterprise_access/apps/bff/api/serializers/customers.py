"""Customers, as the learner portal shows them."""

from rest_framework import serializers


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
    """An identity provider of a customer."""

    provider_id = serializers.CharField()
    default_provider = serializers.BooleanField()


class BannerSerializer(serializers.Serializer):
    """What the customer's learners are told; empty: nothing."""

    title = serializers.CharField()
    text = serializers.CharField()


class AdminUserSerializer(serializers.Serializer):
    """An admin of the customer whom learners may ask."""

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
    disable_search = serializers.BooleanField(help_text="Learners find courses in the customer's own system.")
    show_integration_warning = serializers.BooleanField()
    enable_learner_credit_message_box = serializers.BooleanField(source="customer.enable_learner_credit_message_box")


class LinkedCustomerSerializer(serializers.Serializer):
    """One of the learner's customers."""

    id = serializers.IntegerField(help_text="The LMS's id of the link.")
    active = serializers.BooleanField(help_text="This customer is the one selected in the portal.")
    enterprise_customer = CustomerSerializer()

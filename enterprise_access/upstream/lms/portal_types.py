"""What the LMS tells the learner portal of customers, as values. Readers beside them turn its JSON into these.

Kept apart from the lean `Customer`, which is all that enrolling needs: a portal flag that changes its shape may cost a
page its looks, and must never stop an enrollment. For the same reason a switch of the portal that is absent or null is
off; what decides who may see what is read as strictly as everything else.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, flag, instant, integer, items, mapping, text, uuid
from enterprise_access.upstream.paging import Page


@attrs.frozen
class Site:
    """The site that a customer belongs to."""

    domain: str
    name: str


@attrs.frozen
class Branding:
    """How a customer's pages look. The logo is an address."""

    logo: str | None
    primary_color: str | None
    secondary_color: str | None
    tertiary_color: str | None


@attrs.frozen
class IdentityProvider:
    """Where a customer's people sign in."""

    provider_id: str
    default_provider: bool


@attrs.frozen
class Banner:
    """What a customer's learners are to be told; empty texts: nothing."""

    title: str | None
    text: str | None


@attrs.frozen
class AdminUser:
    """Somebody at the customer whom a learner may turn to."""

    email: str = attrs.field(repr=False)
    lms_user_id: int


@attrs.frozen
class Integration:
    """A learning system of the customer's own that the LMS works with. (In no recording; the two dates are as sent.)"""

    channel_code: str
    display_name: str | None
    active: bool
    created: str | None
    modified: str | None


@attrs.frozen(kw_only=True)
class PortalCustomer:
    """An enterprise customer as the learner portal shows it. Names are those of the LMS."""

    uuid: UUID
    slug: str
    name: str
    active: bool
    enable_learner_portal: bool
    enable_data_sharing_consent: bool
    enforce_data_sharing_consent: str
    enable_integrated_customer_learner_portal_search: bool
    identity_provider: str | None
    identity_providers: tuple[IdentityProvider, ...]
    active_integrations: tuple[Integration, ...]
    enterprise_customer_catalogs: tuple[UUID, ...]
    modified: datetime
    site: Site | None
    branding_configuration: Branding | None
    enterprise_notification_banner: Banner | None
    admin_users: tuple[AdminUser, ...]
    auth_org_id: str | None
    contact_email: str | None
    reply_to: str | None
    sender_alias: str | None
    learner_portal_sidebar_content: str | None
    default_language: str | None
    country: str | None
    disable_expiry_messaging_for_learner_credit: bool
    enable_academies: bool
    enable_analytics_screen: bool
    enable_audit_data_reporting: bool
    enable_audit_enrollment: bool
    enable_browse_and_request: bool
    enable_demo_data_for_analytics_and_lpr: bool
    enable_executive_education_2u_fulfillment: bool
    enable_generation_of_api_credentials: bool
    enable_learner_credit_message_box: bool
    enable_learner_portal_offers: bool
    enable_learner_portal_sidebar_message: bool
    enable_one_academy: bool
    enable_pathways: bool
    enable_portal_code_management_screen: bool
    enable_portal_learner_credit_management_screen: bool
    enable_portal_lms_configurations_screen: bool
    enable_portal_reporting_config_screen: bool
    enable_portal_saml_configuration_screen: bool
    enable_portal_subscription_management_screen: bool
    enable_programs: bool
    enable_slug_login: bool
    enable_universal_link: bool
    hide_course_original_price: bool
    hide_labor_market_data: bool
    replace_sensitive_sso_username: bool
    show_videos_in_learner_portal_search_results: bool
    sync_learner_profile_data: bool


@attrs.frozen
class PortalLink:
    """A learner is linked to a customer. `is_active_link`: this customer is the one selected in the portal."""

    enterprise_customer_user_id: int
    lms_user_id: int
    is_active_link: bool
    customer: PortalCustomer


@attrs.frozen
class PortalLinks:
    """The customers of one learner, and the LMS's feature switches, which are those of the whole installation."""

    links: tuple[PortalLink, ...]
    features: Mapping[str, bool]


@attrs.frozen
class PortalLinksPage(Page[PortalLink]):
    """A page of links; the feature switches stand beside the rows."""

    features: Mapping[str, bool]


def _read_site(value: object) -> Site:
    row = Fields(value)
    return Site(domain=row.need("domain", text), name=row.need("name", text))


def _read_branding(value: object) -> Branding:
    row = Fields(value)
    return Branding(
        logo=row.optional("logo", text),
        primary_color=row.optional("primary_color", text),
        secondary_color=row.optional("secondary_color", text),
        tertiary_color=row.optional("tertiary_color", text),
    )


def _read_identity_provider(value: object) -> IdentityProvider:
    row = Fields(value)
    return IdentityProvider(
        provider_id=row.need("provider_id", text), default_provider=_switch(row, "default_provider")
    )


def _read_banner(value: object) -> Banner:
    row = Fields(value)
    return Banner(title=row.optional("title", text), text=row.optional("text", text))


def _read_admin_user(value: object) -> AdminUser:
    row = Fields(value)
    return AdminUser(email=row.need("email", text), lms_user_id=row.need("lms_user_id", integer))


def _read_integration(value: object) -> Integration:
    row = Fields(value)
    return Integration(
        channel_code=row.need("channel_code", text),
        display_name=row.optional("display_name", text),
        active=_switch(row, "active"),
        created=row.optional("created", text),
        modified=row.optional("modified", text),
    )


def _switch(row: Fields, name: str) -> bool:
    """Return a switch of the portal: off unless the LMS says that it is on."""
    return row.optional(name, flag) or False


def read_portal_customer(value: object) -> PortalCustomer:
    row = Fields(value)
    return PortalCustomer(
        uuid=row.need("uuid", uuid),
        slug=row.need("slug", text),
        name=row.need("name", text),
        active=row.need("active", flag),
        enable_learner_portal=row.need("enable_learner_portal", flag),
        enable_data_sharing_consent=row.need("enable_data_sharing_consent", flag),
        enforce_data_sharing_consent=row.need("enforce_data_sharing_consent", text),
        enable_integrated_customer_learner_portal_search=row.need(
            "enable_integrated_customer_learner_portal_search", flag
        ),
        identity_provider=row.nullable("identity_provider", text),
        identity_providers=row.optional("identity_providers", items(_read_identity_provider)) or (),
        active_integrations=row.need("active_integrations", items(_read_integration)),
        enterprise_customer_catalogs=row.need("enterprise_customer_catalogs", items(uuid)),
        modified=row.need("modified", instant),
        site=row.optional("site", _read_site),
        branding_configuration=row.optional("branding_configuration", _read_branding),
        enterprise_notification_banner=row.optional("enterprise_notification_banner", _read_banner),
        admin_users=row.optional("admin_users", items(_read_admin_user)) or (),
        auth_org_id=row.optional("auth_org_id", text),
        contact_email=row.optional("contact_email", text),
        reply_to=row.optional("reply_to", text),
        sender_alias=row.optional("sender_alias", text),
        learner_portal_sidebar_content=row.optional("learner_portal_sidebar_content", text),
        default_language=row.optional("default_language", text),
        country=row.optional("country", text),
        disable_expiry_messaging_for_learner_credit=_switch(row, "disable_expiry_messaging_for_learner_credit"),
        enable_academies=_switch(row, "enable_academies"),
        enable_analytics_screen=_switch(row, "enable_analytics_screen"),
        enable_audit_data_reporting=_switch(row, "enable_audit_data_reporting"),
        enable_audit_enrollment=_switch(row, "enable_audit_enrollment"),
        enable_browse_and_request=_switch(row, "enable_browse_and_request"),
        enable_demo_data_for_analytics_and_lpr=_switch(row, "enable_demo_data_for_analytics_and_lpr"),
        enable_executive_education_2u_fulfillment=_switch(row, "enable_executive_education_2U_fulfillment"),
        enable_generation_of_api_credentials=_switch(row, "enable_generation_of_api_credentials"),
        enable_learner_credit_message_box=_switch(row, "enable_learner_credit_message_box"),
        enable_learner_portal_offers=_switch(row, "enable_learner_portal_offers"),
        enable_learner_portal_sidebar_message=_switch(row, "enable_learner_portal_sidebar_message"),
        enable_one_academy=_switch(row, "enable_one_academy"),
        enable_pathways=_switch(row, "enable_pathways"),
        enable_portal_code_management_screen=_switch(row, "enable_portal_code_management_screen"),
        enable_portal_learner_credit_management_screen=_switch(row, "enable_portal_learner_credit_management_screen"),
        enable_portal_lms_configurations_screen=_switch(row, "enable_portal_lms_configurations_screen"),
        enable_portal_reporting_config_screen=_switch(row, "enable_portal_reporting_config_screen"),
        enable_portal_saml_configuration_screen=_switch(row, "enable_portal_saml_configuration_screen"),
        enable_portal_subscription_management_screen=_switch(row, "enable_portal_subscription_management_screen"),
        enable_programs=_switch(row, "enable_programs"),
        enable_slug_login=_switch(row, "enable_slug_login"),
        enable_universal_link=_switch(row, "enable_universal_link"),
        hide_course_original_price=_switch(row, "hide_course_original_price"),
        hide_labor_market_data=_switch(row, "hide_labor_market_data"),
        replace_sensitive_sso_username=_switch(row, "replace_sensitive_sso_username"),
        show_videos_in_learner_portal_search_results=_switch(row, "show_videos_in_learner_portal_search_results"),
        sync_learner_profile_data=_switch(row, "sync_learner_profile_data"),
    )


def _read_portal_link(value: object) -> PortalLink:
    row = Fields(value)
    return PortalLink(
        enterprise_customer_user_id=row.need("id", integer),
        lms_user_id=row.need("user_id", integer),
        is_active_link=row.need("active", flag),
        customer=row.need("enterprise_customer", read_portal_customer),
    )


def read_portal_links_page(value: object) -> PortalLinksPage:
    body = Fields(value)
    return PortalLinksPage(
        rows=body.need("results", items(_read_portal_link)),
        next=body.nullable("next", text),
        features=body.optional("enterprise_features", mapping(text, flag)) or {},
    )

"""What the LMS tells the learner portal of customers, as values.

Kept apart from the lean `Customer`, which is all that enrolling needs: a portal flag that changes its shape may cost a
page its looks, and must never stop an enrollment. For the same reason a switch of the portal that is absent or null is
off; what decides who may see what is read as strictly as everything else.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.rows import Rows, UnreadableRow
from enterprise_access.lib.structure import field
from enterprise_access.upstream.paging import Page


@attrs.frozen
class Site:
    """The site that a customer belongs to."""

    domain: str
    name: str


@attrs.frozen
class Branding:
    """How a customer's pages look. The logo is an address."""

    logo: str | None = None
    primary_color: str | None = None
    secondary_color: str | None = None
    tertiary_color: str | None = None


@attrs.frozen
class IdentityProvider:
    """Where a customer's people sign in."""

    provider_id: str
    default_provider: bool = False


@attrs.frozen
class Banner:
    """What a customer's learners are to be told; empty texts: nothing."""

    title: str | None = None
    text: str | None = None


@attrs.frozen
class AdminUser:
    """An admin of the customer whom learners may ask."""

    email: str = attrs.field(repr=False)
    lms_user_id: int


@attrs.frozen
class Integration:
    """A learning system of the customer's own that the LMS works with. (In no recording; the two dates are as sent.)"""

    channel_code: str
    display_name: str | None = None
    active: bool = False
    created: str | None = None
    modified: str | None = None


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
    identity_providers: tuple[IdentityProvider, ...] = ()
    active_integrations: tuple[Integration, ...]
    enterprise_customer_catalogs: tuple[UUID, ...]
    modified: datetime
    site: Site | None = None
    branding_configuration: Branding | None = None
    enterprise_notification_banner: Banner | None = None
    admin_users: tuple[AdminUser, ...] = ()
    auth_org_id: str | None = None
    contact_email: str | None = None
    reply_to: str | None = None
    sender_alias: str | None = None
    learner_portal_sidebar_content: str | None = None
    default_language: str | None = None
    country: str | None = None
    disable_expiry_messaging_for_learner_credit: bool = False
    enable_academies: bool = False
    enable_analytics_screen: bool = False
    enable_audit_data_reporting: bool = False
    enable_audit_enrollment: bool = False
    enable_browse_and_request: bool = False
    enable_demo_data_for_analytics_and_lpr: bool = False
    enable_executive_education_2u_fulfillment: bool = field("enable_executive_education_2U_fulfillment", default=False)
    enable_generation_of_api_credentials: bool = False
    enable_learner_credit_message_box: bool = False
    enable_learner_portal_offers: bool = False
    enable_learner_portal_sidebar_message: bool = False
    enable_one_academy: bool = False
    enable_pathways: bool = False
    enable_portal_code_management_screen: bool = False
    enable_portal_learner_credit_management_screen: bool = False
    enable_portal_lms_configurations_screen: bool = False
    enable_portal_reporting_config_screen: bool = False
    enable_portal_saml_configuration_screen: bool = False
    enable_portal_subscription_management_screen: bool = False
    enable_programs: bool = False
    enable_slug_login: bool = False
    enable_universal_link: bool = False
    hide_course_original_price: bool = False
    hide_labor_market_data: bool = False
    replace_sensitive_sso_username: bool = False
    show_videos_in_learner_portal_search_results: bool = False
    sync_learner_profile_data: bool = False


@attrs.frozen(kw_only=True)
class PortalLink:
    """A learner is linked to a customer. `is_active_link`: this customer is the one selected in the portal."""

    enterprise_customer_user_id: int = field("id")
    lms_user_id: int = field("user_id")
    is_active_link: bool = field("active")
    customer: PortalCustomer = field("enterprise_customer")


@attrs.frozen
class PortalLinks:
    """The customers of one learner, and the LMS's feature switches, which are those of the whole installation."""

    links: Rows[PortalLink]
    features: Mapping[str, bool]

    @property
    def unreadable(self) -> tuple[UnreadableRow, ...]:
        return self.links.unreadable


@attrs.frozen(kw_only=True)
class PortalLinksPage(Page[PortalLink]):
    """A page of links; the feature switches stand beside the rows."""

    features: Mapping[str, bool] = field("enterprise_features", factory=dict)

"""What license-manager tells us, as values."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import Fields, field, integer, text
from enterprise_access.upstream.paging import Page

ACTIVATED = "activated"
ASSIGNED = "assigned"
REVOKED = "revoked"
UNASSIGNED = "unassigned"


def _allocated(value: object) -> int | None:
    return Fields(value).optional("allocated", integer)


def _unassigned(value: object) -> int | None:
    return Fields(value).optional("unassigned", integer)


@attrs.frozen(kw_only=True)
class PlanRecord:
    """A subscription plan. `is_current` looks at the dates only, `is_active` is the switch: usable is both."""

    uuid: UUID
    title: str
    customer_uuid: UUID = field("enterprise_customer_uuid")
    catalog_uuid: UUID | None = field("enterprise_catalog_uuid")
    is_active: bool
    is_current: bool
    starts_at: datetime = field("start_date")
    expires_at: datetime = field("expiration_date")
    days_until_expiration: int
    days_until_expiration_including_renewals: int
    should_auto_apply_licenses: bool = False
    # Licenses that somebody has, activated or not; None where the plan comes without counts.
    allocated: int | None = field("licenses", read=_allocated, default=None)
    # Licenses that no one has; None where the plan comes without counts.
    unassigned: int | None = field("licenses", read=_unassigned, default=None)


@attrs.frozen(kw_only=True)
class _AnyLicense:
    """A license, in whatever state. `status` is one of the names above, or one that is new to us.

    `activation_key` is None where the list does not tell it.
    """

    uuid: UUID
    status: str
    user_email: str | None = attrs.field(repr=False)
    activated_at: datetime | None = field("activation_date")
    revoked_at: datetime | None = field("revoked_date")
    last_reminded_at: datetime | None = field("last_remind_date")
    activation_key: UUID | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class LicenseRecord(_AnyLicense):
    """A license with its plan."""

    plan: PlanRecord = field("subscription_plan")

    @property
    def plan_uuid(self) -> UUID:
        return self.plan.uuid


@attrs.frozen(kw_only=True)
class PlanLicense(_AnyLicense):
    """A license as the list of one plan's licenses tells it."""

    plan_uuid: UUID = field("subscription_plan_uuid")


@attrs.frozen(kw_only=True)
class AgreementRecord:
    """What a customer has agreed on. `auto_apply_plan_uuid`: the plan whose licenses learners may take themselves."""

    uuid: UUID
    customer_uuid: UUID = field("enterprise_customer_uuid")
    customer_slug: str | None = field("enterprise_customer_slug")
    default_catalog_uuid: UUID | None = field("default_enterprise_catalog_uuid")
    available_catalog_uuids: tuple[UUID, ...] = field("available_subscription_catalogs")
    net_days_until_expiration: int | None
    auto_apply_plan_uuid: UUID | None = field("subscription_for_auto_applied_licenses")
    enable_auto_applied_subscriptions_with_universal_link: bool
    disable_expiration_notifications: bool
    has_custom_license_expiration_messaging_v2: bool | None = None
    modal_header_text_v2: str | None = None
    expired_subscription_modal_messaging_v2: str | None = None
    button_label_in_modal_v2: str | None = None
    url_for_button_in_modal_v2: str | None = None


@attrs.frozen
class OwnLicensesRecord:
    """A learner's own licenses of one customer, with the customer's agreement; None: the customer has none."""

    licenses: Rows[LicenseRecord]
    agreement: AgreementRecord | None


@attrs.frozen(kw_only=True)
class StaffLicense:
    """A license as the look-up by e-mail tells it: across all customers, without any uuid."""

    status: str
    plan_title: str = field("subscription_plan_title")
    plan_expires_at: datetime = field("subscription_plan_expiration_date")
    assigned_at: datetime | None = field("assigned_date")
    activated_at: datetime | None = field("activation_date")
    revoked_at: datetime | None = field("revoked_date")


@attrs.frozen(kw_only=True)
class OwnLicensesPage(Page[LicenseRecord]):
    """A page of a learner's own licenses; the agreement stands beside the rows."""

    agreement: AgreementRecord | None = field("customer_agreement")


@attrs.frozen(kw_only=True)
class AssignedLicense:
    """A license that was given to an email address by this call."""

    user_email: str = attrs.field(repr=False)
    license_uuid: UUID = field("license")


@attrs.frozen(kw_only=True)
class Assignments:
    """What assigning licenses changed. Who held one in the plan already is counted, and not among `licenses`."""

    already_associated: int = field("num_already_associated")
    licenses: tuple[AssignedLicense, ...] = field("license_assignments")


def key_of_license(value: object) -> str:
    """Read whose license it is: the email address in lower case, or empty for a license that no one has."""
    return (Fields(value).nullable("user_email", text) or "").lower()

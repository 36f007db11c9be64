"""What license-manager tells us, as values."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, flag, instant, integer, items, text, uuid
from enterprise_access.upstream.paging import Page

ACTIVATED = "activated"
ASSIGNED = "assigned"
REVOKED = "revoked"
UNASSIGNED = "unassigned"


@attrs.frozen
class Plan:
    """A subscription plan. `is_current` looks at the dates only, `is_active` is the switch: usable is both."""

    uuid: UUID
    title: str
    customer_uuid: UUID
    catalog_uuid: UUID | None
    is_active: bool
    is_current: bool
    starts_at: datetime
    expires_at: datetime
    days_until_expiration: int
    days_until_expiration_including_renewals: int
    should_auto_apply_licenses: bool
    is_locked_for_renewal: bool
    # Licenses that somebody has, activated or not; None where the plan comes without counts.
    allocated: int | None = None


@attrs.frozen
class License:
    """A license, in whatever state. `status` is one of the names above, or one that is new to us.

    `plan` is None in lists of one plan's licenses; `activation_key` is None where the list does not tell it.
    """

    uuid: UUID
    status: str
    plan_uuid: UUID
    plan: Plan | None
    user_email: str | None = attrs.field(repr=False)
    activated_at: datetime | None
    revoked_at: datetime | None
    last_reminded_at: datetime | None
    activation_key: UUID | None = attrs.field(repr=False)


@attrs.frozen
class Agreement:
    """What a customer has agreed on. `auto_apply_plan_uuid`: the plan whose licenses learners may take themselves."""

    uuid: UUID
    customer_uuid: UUID
    customer_slug: str | None
    default_catalog_uuid: UUID | None
    available_catalog_uuids: tuple[UUID, ...]
    net_days_until_expiration: int | None
    auto_apply_plan_uuid: UUID | None
    enable_auto_applied_subscriptions_with_universal_link: bool
    disable_expiration_notifications: bool
    has_custom_license_expiration_messaging_v2: bool | None
    modal_header_text_v2: str | None
    expired_subscription_modal_messaging_v2: str | None
    button_label_in_modal_v2: str | None
    url_for_button_in_modal_v2: str | None


@attrs.frozen
class OwnLicenses:
    """A learner's own licenses of one customer, with the customer's agreement; None: the customer has none."""

    licenses: tuple[License, ...]
    agreement: Agreement | None


@attrs.frozen
class StaffLicense:
    """A license as the look-up by e-mail tells it: across all customers, without any uuid."""

    status: str
    plan_title: str
    plan_expires_at: datetime
    assigned_at: datetime | None
    activated_at: datetime | None
    revoked_at: datetime | None


def read_plan(value: object) -> Plan:
    row = Fields(value)
    return Plan(
        uuid=row.need("uuid", uuid),
        title=row.need("title", text),
        customer_uuid=row.need("enterprise_customer_uuid", uuid),
        catalog_uuid=row.nullable("enterprise_catalog_uuid", uuid),
        is_active=row.need("is_active", flag),
        is_current=row.need("is_current", flag),
        starts_at=row.need("start_date", instant),
        expires_at=row.need("expiration_date", instant),
        days_until_expiration=row.need("days_until_expiration", integer),
        days_until_expiration_including_renewals=row.need("days_until_expiration_including_renewals", integer),
        should_auto_apply_licenses=row.nullable("should_auto_apply_licenses", flag) or False,
        is_locked_for_renewal=row.need("is_locked_for_renewal_processing", flag),
        allocated=_allocated(row),
    )


def _allocated(row: Fields) -> int | None:
    counts = row.optional("licenses", Fields)
    return None if counts is None else counts.optional("allocated", integer)


def read_license_of_plan(value: object) -> License:
    """Read a license that names its plan by uuid only."""
    row = Fields(value)
    return _license(row, plan=None, plan_uuid=row.need("subscription_plan_uuid", uuid))


def read_license(value: object) -> License:
    """Read a license with its plan."""
    row = Fields(value)
    plan = row.need("subscription_plan", read_plan)
    return _license(row, plan=plan, plan_uuid=plan.uuid)


def _license(row: Fields, *, plan: Plan | None, plan_uuid: UUID) -> License:
    return License(
        uuid=row.need("uuid", uuid),
        status=row.need("status", text),
        plan_uuid=plan_uuid,
        plan=plan,
        user_email=row.nullable("user_email", text),
        activated_at=row.nullable("activation_date", instant),
        revoked_at=row.nullable("revoked_date", instant),
        last_reminded_at=row.nullable("last_remind_date", instant),
        activation_key=row.optional("activation_key", uuid),
    )


def read_agreement(value: object) -> Agreement:
    row = Fields(value)
    return Agreement(
        uuid=row.need("uuid", uuid),
        customer_uuid=row.need("enterprise_customer_uuid", uuid),
        customer_slug=row.nullable("enterprise_customer_slug", text),
        default_catalog_uuid=row.nullable("default_enterprise_catalog_uuid", uuid),
        available_catalog_uuids=row.need("available_subscription_catalogs", items(uuid)),
        net_days_until_expiration=row.nullable("net_days_until_expiration", integer),
        auto_apply_plan_uuid=row.nullable("subscription_for_auto_applied_licenses", uuid),
        enable_auto_applied_subscriptions_with_universal_link=row.need(
            "enable_auto_applied_subscriptions_with_universal_link", flag
        ),
        disable_expiration_notifications=row.need("disable_expiration_notifications", flag),
        has_custom_license_expiration_messaging_v2=row.optional("has_custom_license_expiration_messaging_v2", flag),
        modal_header_text_v2=row.optional("modal_header_text_v2", text),
        expired_subscription_modal_messaging_v2=row.optional("expired_subscription_modal_messaging_v2", text),
        button_label_in_modal_v2=row.optional("button_label_in_modal_v2", text),
        url_for_button_in_modal_v2=row.optional("url_for_button_in_modal_v2", text),
    )


@attrs.frozen
class OwnLicensesPage(Page[License]):
    """A page of a learner's own licenses; the agreement stands beside the rows."""

    agreement: Agreement | None


def read_own_licenses_page(value: object) -> OwnLicensesPage:
    body = Fields(value)
    return OwnLicensesPage(
        rows=body.need("results", items(read_license)),
        next=body.nullable("next", text),
        agreement=body.nullable("customer_agreement", read_agreement),
    )


def read_staff_license(value: object) -> StaffLicense:
    row = Fields(value)
    return StaffLicense(
        status=row.need("status", text),
        plan_title=row.need("subscription_plan_title", text),
        plan_expires_at=row.need("subscription_plan_expiration_date", instant),
        assigned_at=row.nullable("assigned_date", instant),
        activated_at=row.nullable("activation_date", instant),
        revoked_at=row.nullable("revoked_date", instant),
    )

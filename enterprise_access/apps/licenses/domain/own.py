"""A learner's own licenses: what the learner portal shows of them, and what is still to be done about them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.licenses.domain.usable import LicenseStatus

# The first of these that a learner has is the one to show.
SHOWN_FIRST: Final = (LicenseStatus.ACTIVATED, LicenseStatus.ASSIGNED, LicenseStatus.REVOKED)


@frozen(kw_only=True)
class OwnPlan:
    """A subscription plan, as its learners see it."""

    uuid: UUID
    title: str
    catalog_uuid: UUID | None
    is_active: bool
    is_current: bool
    starts_at: datetime
    expires_at: datetime
    days_until_expiration: int
    days_until_expiration_including_renewals: int
    should_auto_apply_licenses: bool

    @property
    def is_open(self) -> bool:
        """Whether its licenses can be activated and used: it has started, has not expired, and is switched on."""
        return self.is_current and self.is_active


@frozen(kw_only=True)
class OwnLicense:
    """A license, as the learner who holds it sees it."""

    uuid: UUID
    status: LicenseStatus
    plan: OwnPlan
    user_email: str | None = field(repr=False)
    activated_at: datetime | None
    revoked_at: datetime | None
    last_reminded_at: datetime | None
    activation_key: UUID | None = field(repr=False)

    @property
    def is_activated(self) -> bool:
        return self.status is LicenseStatus.ACTIVATED

    @property
    def is_assigned(self) -> bool:
        """Whether it waits for the learner to accept it."""
        return self.status is LicenseStatus.ASSIGNED


@frozen(kw_only=True)
class Agreement:
    """What a customer has agreed on. `auto_apply_plan_uuid`: the plan whose licenses learners may take themselves."""

    uuid: UUID
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


@frozen(kw_only=True)
class OwnLicenses:
    """A learner's licenses of one customer, in whatever state, with the customer's agreement; None: there is none.

    They are as of `fetched_at`, when license-manager was asked.
    """

    licenses: tuple[OwnLicense, ...]
    agreement: Agreement | None
    fetched_at: datetime


# --- What is shown ---------------------------------------------------------------------------------------------------


def in_order_of_showing(licenses: Iterable[OwnLicense]) -> tuple[OwnLicense, ...]:
    """Return those of current plans first; otherwise in the order in which license-manager tells them."""
    return tuple(sorted(licenses, key=lambda license_: not license_.plan.is_open))


def by_status(licenses: Iterable[OwnLicense]) -> dict[LicenseStatus, tuple[OwnLicense, ...]]:
    """Return them by the three statuses that are shown, each of which is there, in the order of showing."""
    ordered = in_order_of_showing(licenses)
    return {status: tuple(row for row in ordered if row.status is status) for status in SHOWN_FIRST}


def choose_shown_license(licenses: Iterable[OwnLicense]) -> OwnLicense | None:
    """Return the one to show: activated before assigned before revoked, and of those one of a current plan."""
    return next((rows[0] for rows in by_status(licenses).values() if rows), None)


# --- What is to be done ----------------------------------------------------------------------------------------------


@frozen
class Activate:
    """Activate these licenses, each of which is assigned to the learner."""

    licenses: tuple[OwnLicense, ...]


@frozen
class AutoApply:
    """Take a license of the agreement's auto-apply plan."""

    agreement_uuid: UUID


def licenses_to_activate(licenses: Iterable[OwnLicense]) -> tuple[OwnLicense, ...]:
    """Return every assigned license of a current plan, unless one of a current plan is activated already."""
    opened = [row for row in in_order_of_showing(licenses) if row.plan.is_open]
    if any(row.is_activated for row in opened):
        return ()
    return tuple(row for row in opened if row.is_assigned and row.activation_key is not None)


def may_auto_apply(own: OwnLicenses, *, is_linked: bool, has_identity_provider: bool) -> bool:
    """Say whether the learner may take a license: who has none, and never had one, of a customer that wants it so.

    How long the customer's plans last must be known: null is not enough.
    """
    agreement = own.agreement
    if own.licenses or not is_linked or agreement is None or agreement.auto_apply_plan_uuid is None:
        return False
    if (agreement.net_days_until_expiration or 0) <= 0:
        return False
    return has_identity_provider or agreement.enable_auto_applied_subscriptions_with_universal_link


def next_step(own: OwnLicenses, *, is_linked: bool, has_identity_provider: bool) -> Activate | AutoApply | None:
    """Return what is to be done so that the learner has a license to use; None: nothing, or nothing can be."""
    if waiting := licenses_to_activate(own.licenses):
        return Activate(waiting)
    if own.agreement and may_auto_apply(own, is_linked=is_linked, has_identity_provider=has_identity_provider):
        return AutoApply(own.agreement.uuid)
    return None

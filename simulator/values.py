"""What the upstream services know, as frozen values. A change of the world is a new value in the place of the old one.

Instants are aware UTC; keys keep the spelling they were stored with (look-ups fold the case, as the real databases do).
"""

from __future__ import annotations

import functools
import uuid
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen

NAMESPACE = UUID("5130ad00-0000-4000-8000-000000000000")

# The order in which the LMS looks for the "best" mode of a run; it looks at expired modes too.
LMS_MODE_ORDER = ("verified", "professional", "no-id-professional", "audit", "honor", "unpaid-executive-education")
AUDIT_LIKE = frozenset({"audit", "honor"})
EXECUTIVE_EDUCATION = "executive-education-2u"


PRICES = {"verified": 149, "professional": 199, "no-id-professional": 179, "unpaid-executive-education": 2900}


@functools.lru_cache(maxsize=4096, typed=True)
def uuid_for(*parts: object) -> UUID:
    """Return the same uuid for the same parts, in every run of the program."""
    return uuid.uuid5(NAMESPACE, "/".join(str(part) for part in parts))


class LicenseStatus(StrEnum):
    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    ACTIVATED = "activated"
    REVOKED = "revoked"


@frozen(kw_only=True)
class Customer:
    uuid: UUID
    slug: str
    name: str
    modified_at: datetime
    is_active: bool = True
    has_data_sharing_consent: bool = True
    has_audit_reporting: bool = True
    has_learner_portal: bool = True
    identity_provider: str | None = None
    country: str | None = "US"


@frozen(kw_only=True)
class DefaultIntention:
    """What the LMS itself would enroll every learner of a customer in: an installation before it moved to us."""

    uuid: UUID
    customer_uuid: UUID
    content_key: str
    created_at: datetime


@frozen(kw_only=True, eq=False)
class Catalog:
    """Which content a customer may use: courses, single run records, programs, and restricted runs that it allows.

    Compared by identity, so that an index of its content can be kept as long as the value itself.
    """

    uuid: UUID
    customer_uuid: UUID
    title: str
    query_uuid: UUID | None
    course_keys: tuple[str, ...] = ()
    run_keys: tuple[str, ...] = ()
    program_uuids: tuple[UUID, ...] = ()
    restricted_run_keys: tuple[str, ...] = ()
    query_id: int | None = None


@frozen(kw_only=True)
class Program:
    uuid: UUID
    title: str
    subtitle: str


@frozen(kw_only=True)
class Course:
    """A course as the catalog knows it. Until the nightly full sync (`is_synced` false) many keys are missing."""

    key: str
    uuid: UUID
    title: str
    organization: str
    course_type: str = "verified-audit"
    advertised_run_uuid: UUID | None = None
    is_synced: bool = True
    has_reviews: bool = False
    subject: str = "Computer Science"


@frozen(kw_only=True)
class Seat:
    """A seat as the catalog publishes it."""

    type: str
    price_cents: int
    upgrade_deadline: datetime | None = None
    upgrade_deadline_override: datetime | None = None


@frozen(kw_only=True)
class Mode:
    """A mode as the LMS knows it; `expires_at` None never expires."""

    slug: str
    price: int
    expires_at: datetime | None = None


def seat(of: Seat | str, *, upgrade_deadline: datetime | None = None) -> Seat:
    """Return a seat by its type, at the usual price; only paid seats get the deadline. A seat stays what it is."""
    if isinstance(of, Seat):
        return of
    price_cents = 100 * PRICES.get(of, 0)
    return Seat(type=of, price_cents=price_cents, upgrade_deadline=upgrade_deadline if price_cents else None)


def mode(of: Mode | Seat | str) -> Mode:
    """Return the LMS's mode for a slug, or for a seat: it expires when the seat's upgrade deadline passes."""
    if isinstance(of, str):
        return Mode(slug=of, price=PRICES.get(of, 0))
    if isinstance(of, Seat):
        expires_at = of.upgrade_deadline_override or of.upgrade_deadline
        return Mode(slug=of.type, price=of.price_cents // 100, expires_at=expires_at)
    return of


@frozen(kw_only=True)
class Run:
    """One run of a course. Catalog and LMS look at the same dates; `seats` is the catalog's side, `modes` the LMS's.

    `is_enrollable` None lets the catalog compute its snapshot from the window; a value is a stale snapshot.
    `has_record` false: the catalog knows the run only inside its course. `is_in_lms` false: the LMS never heard of it.
    """

    key: str
    uuid: UUID
    course_key: str
    title: str
    seats: tuple[Seat, ...]
    modes: tuple[Mode, ...]
    start: datetime | None
    end: datetime | None
    enrollment_start: datetime | None = None
    enrollment_end: datetime | None = None
    status: str = "published"
    is_marketable: bool = True
    is_invitation_only: bool = False
    is_full: bool = False
    is_enrollable: bool | None = None
    is_restricted: bool = False
    has_record: bool = True
    is_in_lms: bool = True
    fixed_price_cents: int | None = None
    is_self_paced: bool = True


@frozen(kw_only=True)
class User:
    """An account at the LMS. `extra_roles` come on top of the roles that follow from links."""

    id: int
    username: str
    email: str
    first_name: str
    last_name: str = "Learner"
    is_staff: bool = False
    extra_roles: tuple[str, ...] = field(default=(), converter=tuple)
    note: str = ""


@frozen(kw_only=True)
class Client:
    """An OAuth application; its tokens speak for `username`."""

    client_id: str
    client_secret: str
    username: str


@frozen(kw_only=True)
class Link:
    """A learner of a customer (EnterpriseCustomerUser); `id` is not the LMS user id."""

    id: int
    customer_uuid: UUID
    user_id: int
    is_linked: bool
    is_active: bool
    created_at: datetime
    modified_at: datetime


@frozen(kw_only=True)
class Agreement:
    uuid: UUID
    customer_uuid: UUID
    default_catalog_uuid: UUID | None = None
    has_universal_link: bool = False
    disables_expiration_notifications: bool = False


@frozen(kw_only=True)
class Plan:
    uuid: UUID
    agreement_uuid: UUID
    customer_uuid: UUID
    catalog_uuid: UUID | None
    title: str
    starts_at: datetime
    expires_at: datetime
    is_active: bool
    auto_applies: bool
    created_at: datetime
    number: int
    product: int = 3
    # Empty: one is made up of the number. None: the plan has none.
    line_item: str | None = ""

    def is_current(self, now: datetime) -> bool:
        return self.starts_at <= now <= self.expires_at

    def days_left(self, now: datetime) -> int:
        """Whole days until the plan ends, floored: negative once it has ended."""
        return (self.expires_at - now).days


@frozen(kw_only=True)
class Renewal:
    """The renewal of a plan by another one."""

    id: int
    prior_plan_uuid: UUID
    renewed_plan_uuid: UUID | None
    line_item: str | None
    licenses: int
    effective_at: datetime
    expires_at: datetime
    created_at: datetime


@frozen(kw_only=True)
class PendingAdmin:
    """An address that becomes an admin of a customer when a person registers with it."""

    id: int
    customer_uuid: UUID
    email: str


@frozen(kw_only=True)
class Group:
    """A group of a customer's learners."""

    uuid: UUID
    customer_uuid: UUID
    name: str


@frozen(kw_only=True)
class GroupMember:
    """A member of a group; without `user_id` a person who was invited by an address that has no account."""

    uuid: UUID
    group_uuid: UUID
    email: str
    status: str
    changed_at: datetime
    user_id: int | None = None


@frozen(kw_only=True)
class License:
    uuid: UUID
    plan_uuid: UUID
    status: LicenseStatus
    user_email: str | None = None
    user_id: int | None = None
    activation_key: UUID | None = None
    assigned_at: datetime | None = None
    activated_at: datetime | None = None
    reminded_at: datetime | None = None
    revoked_at: datetime | None = None


@frozen(kw_only=True)
class Enrollment:
    """The platform's row: the truth about who is enrolled where, in which mode."""

    user_id: int
    run_key: str
    mode: str
    is_active: bool
    created_at: datetime
    modified_at: datetime


@frozen(kw_only=True)
class EnterpriseEnrollment:
    """What edx-enterprise adds to a platform enrollment, with its subsidy row folded in.

    `unenrolled` None means "never unenrolled"; false, "enrolled again since".
    """

    id: int
    link_id: int
    run_key: str
    created_at: datetime
    modified_at: datetime
    unenrolled: bool | None
    unenrolled_at: datetime | None
    is_saved_for_later: bool
    fulfillment_uuid: UUID | None
    license_uuid: UUID | None
    transaction_id: UUID | None
    is_revoked: bool


@frozen(kw_only=True)
class PendingLearner:
    """An address that is linked to a customer as soon as an account has it."""

    customer_uuid: UUID
    email: str


@frozen(kw_only=True)
class PendingEnrollment:
    """An enrollment promised to an e-mail address that no one has yet."""

    customer_uuid: UUID
    email: str
    run_key: str

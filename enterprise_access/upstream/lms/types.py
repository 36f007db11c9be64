"""What the LMS tells us, as values. How their JSON is read: lib.structure.reader."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

import attrs

from enterprise_access.lib.rows import Rows, UnreadableRow, rows_of
from enterprise_access.lib.structure import Fields, field, integer, mapping, object_reader, reader, remembering, text
from enterprise_access.upstream.paging import Page, joined

_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LANGUAGE: Final = re.compile(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,2}")


def _primary_color(value: object) -> str:
    """Return the color of a customer's branding, empty where there is none that we can use. How a mail looks is
    nothing that an enrollment waits for, so that whatever else stands there is no error.
    """
    color = value.get("primary_color") if isinstance(value, dict) else None
    return color if isinstance(color, str) and _COLOR.fullmatch(color) else ""


def _language(value: object) -> str:
    """Return a language code, empty where there is none; likewise."""
    return value if isinstance(value, str) and _LANGUAGE.fullmatch(value) else ""


@attrs.frozen(kw_only=True)
class Customer:
    """An enterprise customer. `primary_color` (#rrggbb) and `language` are empty where the customer has chosen none."""

    uuid: UUID
    slug: str
    name: str
    active: bool
    enable_learner_portal: bool
    enable_data_sharing_consent: bool
    identity_provider: str | None
    catalog_uuids: tuple[UUID, ...] = field("enterprise_customer_catalogs")
    primary_color: str = field("branding_configuration", read=_primary_color, default="")
    language: str = field("default_language", read=_language, default="")


@attrs.frozen
class LinkedCustomer:
    """The customer of a link. Nothing else of it is used, so nothing else can make the link unreadable."""

    uuid: UUID
    active: bool


@attrs.frozen
class LinkedUser:
    """The account of a learner who is linked. `email` may be empty."""

    username: str = attrs.field(repr=False)
    email: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class LearnerLink:
    """A learner is linked to a customer. `is_active_link`: this customer is the one selected in the portal."""

    enterprise_customer_user_id: int = field("id")
    lms_user_id: int = field("user_id")
    user: LinkedUser
    is_active_link: bool = field("active")
    # Every row repeats the whole customer: one value is made of it, and shared.
    customer: LinkedCustomer = field("enterprise_customer", read=remembering(reader(LinkedCustomer)))

    @property
    def username(self) -> str:
        return self.user.username

    @property
    def email(self) -> str:
        return self.user.email


@attrs.frozen(kw_only=True)
class DefaultIntention:
    """What the LMS itself enrolls a customer's learners in. `course_run_key` None: nothing, as things are.

    `mode` is what it would enroll in, where it knows; `is_enrollable` its own view of the run.
    """

    uuid: UUID
    customer_uuid: UUID = field("enterprise_customer")
    content_key: str
    course_run_key: str | None
    mode: str | None = field("best_mode_for_course_run")
    is_enrollable: bool = field("is_course_run_enrollable")
    created_at: datetime = field("created")


@attrs.frozen
class DefaultIntentions:
    """All of them that came; `count` is how many the LMS says there are. Its list has no order to rely upon."""

    intentions: Rows[DefaultIntention]
    count: int

    @property
    def is_whole(self) -> bool:
        """Whether none was missed where two pages meet."""
        return len(self.intentions) + len(self.intentions.unreadable) == self.count

    @property
    def unreadable(self) -> tuple[UnreadableRow, ...]:
        return self.intentions.unreadable


@attrs.frozen(kw_only=True)
class DefaultIntentionsPage(Page[DefaultIntention]):
    """A page of them, which always says how many there are."""

    count: int


@attrs.frozen
class EnrollItem:
    """One learner into one run, paid by a license or by a transaction: exactly one of the two."""

    lms_user_id: int
    course_run_key: str
    license_uuid: UUID | None = None
    transaction_id: UUID | None = None
    is_default_auto_enrollment: bool = True


@attrs.frozen(kw_only=True)
class EnrollSuccess:
    """The learner is enrolled; maybe was already. `fulfillment_uuid` is the same on every repeat."""

    lms_user_id: int = field("user_id")
    course_run_key: str
    fulfillment_uuid: UUID | None = field("enterprise_fulfillment_source_uuid")


@attrs.frozen(kw_only=True)
class EnrollFailure:
    """The learner is not enrolled as asked; the LMS does not say why."""

    lms_user_id: int | None = field("user_id", default=None)
    course_run_key: str


@attrs.frozen
class EnrollPending:
    """The enrollment waits until the learner has an account."""

    course_run_key: str


@attrs.frozen(kw_only=True)
class EnrollAnswer:
    """What became of each item of a bulk enrollment. Successes did happen, whatever else is in here.

    An item without a readable row may or may not have happened.
    """

    successes: Rows[EnrollSuccess] = field(read=rows_of(reader(EnrollSuccess)))
    pending: Rows[EnrollPending] = field(read=rows_of(reader(EnrollPending)))
    failures: Rows[EnrollFailure] = field(read=rows_of(reader(EnrollFailure)))
    invalid_user_ids: tuple[int, ...] = ()
    invalid_email_addresses: tuple[str, ...] = attrs.field(default=(), repr=False)

    @property
    def unreadable(self) -> tuple[UnreadableRow, ...]:
        return (*self.successes.unreadable, *self.pending.unreadable, *self.failures.unreadable)


@attrs.frozen(kw_only=True)
class PlatformEnrollmentRecord:
    """An enrollment as the platform has it, whoever made it."""

    username: str = field("user", repr=False)
    course_run_key: str = field("course_id")
    mode: str
    is_active: bool
    created_at: datetime | None = field("created")


@attrs.frozen(kw_only=True)
class ModeRecord:
    """A way to be enrolled in a run; `expires_at` None: for as long as the run is open."""

    slug: str
    expires_at: datetime | None = field("expiration_datetime")


@attrs.frozen(kw_only=True)
class RunModesRecord:
    """What the platform says of one run. Expired modes are included."""

    course_run_key: str = field("course_id")
    modes: tuple[ModeRecord, ...] = field("course_modes")
    is_invitation_only: bool = field("invite_only")
    enrollment_start: datetime | None
    enrollment_end: datetime | None


@attrs.frozen(kw_only=True)
class EnterpriseEnrollmentRecord:
    """What edx-enterprise has on an enrollment of one learner of one customer. May lag after a write."""

    enterprise_customer_user_id: int = field("enterprise_customer_user")
    course_run_key: str = field("course_id")
    mode: str | None = field("enrollment_track")
    created_at: datetime = field("created")
    unenrolled_at: datetime | None


@attrs.frozen(kw_only=True)
class EnterpriseEnrollmentDetail:
    """The same as seen by staff: with the enrollment's state, and without lag."""

    enterprise_customer_user_id: int = field("enterprise_customer_user")
    course_run_key: str = field("course_run_id")
    mode: str | None
    is_active: bool = field("is_enrollment_active")
    is_revoked: bool
    is_unenrolled: bool | None = field("unenrolled")
    unenrolled_at: datetime | None
    created_at: datetime = field("created")


@attrs.frozen
class DueDate:
    """Something that is due in a course."""

    name: str
    date: str
    url: str | None = None


@attrs.frozen(kw_only=True)
class PortalEnrollment:
    """An enrollment as the learner portal shows it to the learner. Addresses may be relative or absent."""

    course_run_key: str = field("course_run_id")
    course_key: str | None = None
    title: str = field("display_name")
    org_name: str | None
    mode: str | None
    run_status: str = field("course_run_status")
    course_type: str | None = None
    product_source: str | None = None
    pacing: str | None
    is_active: bool = field("is_enrollment_active")
    is_revoked: bool
    created_at: datetime = field("created")
    start_date: datetime | None
    end_date: datetime | None
    enroll_by: datetime | None = None
    course_url: str | None = field("course_run_url")
    resume_url: str | None = field("resume_course_run_url")
    certificate_url: str | None = field("certificate_download_url")
    micromasters_title: str | None = None
    has_emails_enabled: bool | None = field("emails_enabled", default=None)
    due_dates: tuple[DueDate, ...]


# Rows grouped by progress; the groups are of no interest.
_groups = mapping(text, rows_of(reader(EnterpriseEnrollmentDetail)))
read_enterprise_enrollment_details = object_reader(Page, rows=lambda value: joined(_groups(value).values()))


def key_of_link(value: object) -> int:
    return Fields(value).need("user_id", integer)


def key_of_enrollment(value: object) -> str:
    return Fields(value).need("user", text)

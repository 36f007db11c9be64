"""What the LMS tells us, as values. Readers beside them turn its JSON into these, strictly."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, flag, instant, integer, items, mapping, text, uuid
from enterprise_access.upstream.paging import Page


@attrs.frozen
class Customer:
    """An enterprise customer."""

    uuid: UUID
    slug: str
    name: str
    active: bool
    enable_learner_portal: bool
    enable_data_sharing_consent: bool
    identity_provider: str | None
    catalog_uuids: tuple[UUID, ...]


@attrs.frozen
class LearnerLink:
    """A learner is linked to a customer. `is_active_link`: this customer is the one selected in the portal."""

    enterprise_customer_user_id: int
    lms_user_id: int
    username: str = attrs.field(repr=False)
    email: str = attrs.field(repr=False)
    is_active_link: bool
    customer: Customer


@attrs.frozen
class DefaultIntention:
    """What the LMS itself enrolls a customer's learners in. `course_run_key` None: nothing, as things are.

    `mode` is what it would enroll in, where it knows; `is_enrollable` its own view of the run.
    """

    uuid: UUID
    customer_uuid: UUID
    content_key: str
    course_run_key: str | None
    mode: str | None
    is_enrollable: bool
    created_at: datetime


@attrs.frozen
class DefaultIntentions:
    """All of them that came; `count` is how many the LMS says there are. Its list has no order to rely upon."""

    intentions: tuple[DefaultIntention, ...]
    count: int

    @property
    def is_whole(self) -> bool:
        """Whether none was missed where two pages meet."""
        return len(self.intentions) == self.count


@attrs.frozen
class EnrollItem:
    """One learner into one run, paid by a license or by a transaction: exactly one of the two."""

    lms_user_id: int
    course_run_key: str
    license_uuid: UUID | None = None
    transaction_id: UUID | None = None
    is_default_auto_enrollment: bool = True


@attrs.frozen
class EnrollSuccess:
    """The learner is enrolled; maybe was already. `fulfillment_uuid` is the same on every repeat."""

    lms_user_id: int
    course_run_key: str
    fulfillment_uuid: UUID | None


@attrs.frozen
class EnrollFailure:
    """The learner is not enrolled as asked; the LMS does not say why."""

    lms_user_id: int | None
    course_run_key: str


@attrs.frozen
class EnrollAnswer:
    """What became of each item of a bulk enrollment. Successes did happen, whatever else is in here."""

    successes: tuple[EnrollSuccess, ...]
    pending_course_run_keys: tuple[str, ...]
    failures: tuple[EnrollFailure, ...]
    invalid_user_ids: tuple[int, ...]
    invalid_email_addresses: tuple[str, ...] = attrs.field(repr=False)


@attrs.frozen
class PlatformEnrollment:
    """An enrollment as the platform has it, whoever made it."""

    username: str = attrs.field(repr=False)
    course_run_key: str
    mode: str
    is_active: bool
    created_at: datetime | None


@attrs.frozen
class Mode:
    """A way to be enrolled in a run; `expires_at` None: for as long as the run is open."""

    slug: str
    expires_at: datetime | None


@attrs.frozen
class RunModes:
    """What the platform says of one run. Expired modes are included."""

    course_run_key: str
    modes: tuple[Mode, ...]
    is_invitation_only: bool
    enrollment_start: datetime | None
    enrollment_end: datetime | None
    course_start: datetime | None
    course_end: datetime | None


@attrs.frozen
class EnterpriseEnrollment:
    """What edx-enterprise has on an enrollment of one learner of one customer. May lag after a write."""

    enterprise_customer_user_id: int
    course_run_key: str
    mode: str | None
    created_at: datetime
    unenrolled_at: datetime | None


@attrs.frozen
class EnterpriseEnrollmentDetail:
    """The same as seen by staff: with the enrollment's state, and without lag."""

    enterprise_customer_user_id: int
    course_run_key: str
    mode: str | None
    is_active: bool
    is_revoked: bool
    is_unenrolled: bool | None
    unenrolled_at: datetime | None
    created_at: datetime


@attrs.frozen
class DueDate:
    """Something that is due in a course."""

    name: str
    date: str
    url: str | None


@attrs.frozen
class PortalEnrollment:
    """An enrollment as the learner portal shows it to the learner. Addresses may be relative or absent."""

    course_run_key: str
    course_key: str | None
    title: str
    org_name: str | None
    mode: str | None
    run_status: str
    course_type: str | None
    product_source: str | None
    pacing: str | None
    is_active: bool
    is_revoked: bool
    created_at: datetime
    start_date: datetime | None
    end_date: datetime | None
    enroll_by: datetime | None
    course_url: str | None
    resume_url: str | None
    certificate_url: str | None
    micromasters_title: str | None
    has_emails_enabled: bool | None
    due_dates: tuple[DueDate, ...]


def read_customer(value: object) -> Customer:
    row = Fields(value)
    return Customer(
        uuid=row.need("uuid", uuid),
        slug=row.need("slug", text),
        name=row.need("name", text),
        active=row.need("active", flag),
        enable_learner_portal=row.need("enable_learner_portal", flag),
        enable_data_sharing_consent=row.need("enable_data_sharing_consent", flag),
        identity_provider=row.nullable("identity_provider", text),
        catalog_uuids=row.need("enterprise_customer_catalogs", items(uuid)),
    )


class LinkReader:
    """Reads links. Each row repeats the whole customer; one value per customer is made of it and shared."""

    def __init__(self) -> None:
        self._customers: dict[object, Customer] = {}

    def __call__(self, value: object) -> LearnerLink:
        row = Fields(value)
        user = row.part("user")
        return LearnerLink(
            enterprise_customer_user_id=row.need("id", integer),
            lms_user_id=row.need("user_id", integer),
            username=user.need("username", text),
            email=user.need("email", text),
            is_active_link=row.need("active", flag),
            customer=row.need("enterprise_customer", self._customer),
        )

    def _customer(self, value: object) -> Customer:
        key = Fields(value).need("uuid", uuid)
        if key not in self._customers:
            self._customers[key] = read_customer(value)
        return self._customers[key]


def read_default_intention(value: object) -> DefaultIntention:
    row = Fields(value)
    return DefaultIntention(
        uuid=row.need("uuid", uuid),
        customer_uuid=row.need("enterprise_customer", uuid),
        content_key=row.need("content_key", text),
        course_run_key=row.nullable("course_run_key", text),
        mode=row.nullable("best_mode_for_course_run", text),
        is_enrollable=row.need("is_course_run_enrollable", flag),
        created_at=row.need("created", instant),
    )


def _read_success(value: object) -> EnrollSuccess:
    row = Fields(value)
    return EnrollSuccess(
        lms_user_id=row.need("user_id", integer),
        course_run_key=row.need("course_run_key", text),
        fulfillment_uuid=row.nullable("enterprise_fulfillment_source_uuid", uuid),
    )


def _read_failure(value: object) -> EnrollFailure:
    row = Fields(value)
    return EnrollFailure(lms_user_id=row.optional("user_id", integer), course_run_key=row.need("course_run_key", text))


def _read_pending(value: object) -> str:
    return Fields(value).need("course_run_key", text)


def read_enroll_answer(value: object) -> EnrollAnswer:
    body = Fields(value)
    return EnrollAnswer(
        successes=body.need("successes", items(_read_success)),
        pending_course_run_keys=body.need("pending", items(_read_pending)),
        failures=body.need("failures", items(_read_failure)),
        invalid_user_ids=body.optional("invalid_user_ids", items(integer)) or (),
        invalid_email_addresses=body.optional("invalid_email_addresses", items(text)) or (),
    )


def read_platform_enrollment(value: object) -> PlatformEnrollment:
    row = Fields(value)
    return PlatformEnrollment(
        username=row.need("user", text),
        course_run_key=row.need("course_id", text),
        mode=row.need("mode", text),
        is_active=row.need("is_active", flag),
        created_at=row.nullable("created", instant),
    )


def _read_mode(value: object) -> Mode:
    row = Fields(value)
    return Mode(slug=row.need("slug", text), expires_at=row.nullable("expiration_datetime", instant))


def read_run_modes(value: object) -> RunModes:
    body = Fields(value)
    return RunModes(
        course_run_key=body.need("course_id", text),
        modes=body.need("course_modes", items(_read_mode)),
        is_invitation_only=body.need("invite_only", flag),
        enrollment_start=body.nullable("enrollment_start", instant),
        enrollment_end=body.nullable("enrollment_end", instant),
        course_start=body.nullable("course_start", instant),
        course_end=body.nullable("course_end", instant),
    )


def read_enterprise_enrollment(value: object) -> EnterpriseEnrollment:
    row = Fields(value)
    return EnterpriseEnrollment(
        enterprise_customer_user_id=row.need("enterprise_customer_user", integer),
        course_run_key=row.need("course_id", text),
        mode=row.nullable("enrollment_track", text),
        created_at=row.need("created", instant),
        unenrolled_at=row.nullable("unenrolled_at", instant),
    )


def _read_enterprise_enrollment_detail(value: object) -> EnterpriseEnrollmentDetail:
    row = Fields(value)
    return EnterpriseEnrollmentDetail(
        enterprise_customer_user_id=row.need("enterprise_customer_user", integer),
        course_run_key=row.need("course_run_id", text),
        mode=row.nullable("mode", text),
        is_active=row.need("is_enrollment_active", flag),
        is_revoked=row.need("is_revoked", flag),
        is_unenrolled=row.nullable("unenrolled", flag),
        unenrolled_at=row.nullable("unenrolled_at", instant),
        created_at=row.need("created", instant),
    )


def read_enterprise_enrollment_details(value: object) -> Page[EnterpriseEnrollmentDetail]:
    """Read a page whose results are grouped by progress; the groups are of no interest."""
    body = Fields(value)
    groups = body.need("results", mapping(text, items(_read_enterprise_enrollment_detail)))
    return Page(rows=tuple(row for group in groups.values() for row in group), next=body.nullable("next", text))


def _read_due_date(value: object) -> DueDate:
    row = Fields(value)
    return DueDate(name=row.need("name", text), date=row.need("date", text), url=row.optional("url", text))


def _read_portal_enrollment(value: object) -> PortalEnrollment:
    row = Fields(value)
    return PortalEnrollment(
        course_run_key=row.need("course_run_id", text),
        course_key=row.optional("course_key", text),
        title=row.need("display_name", text),
        org_name=row.nullable("org_name", text),
        mode=row.nullable("mode", text),
        run_status=row.need("course_run_status", text),
        course_type=row.optional("course_type", text),
        product_source=row.optional("product_source", text),
        pacing=row.nullable("pacing", text),
        is_active=row.need("is_enrollment_active", flag),
        is_revoked=row.need("is_revoked", flag),
        created_at=row.need("created", instant),
        start_date=row.nullable("start_date", instant),
        end_date=row.nullable("end_date", instant),
        enroll_by=row.optional("enroll_by", instant),
        course_url=row.nullable("course_run_url", text),
        resume_url=row.nullable("resume_course_run_url", text),
        certificate_url=row.nullable("certificate_download_url", text),
        micromasters_title=row.optional("micromasters_title", text),
        has_emails_enabled=row.optional("emails_enabled", flag),
        due_dates=row.need("due_dates", items(_read_due_date)),
    )


read_portal_enrollments = items(_read_portal_enrollment)

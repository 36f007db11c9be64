"""The LMS: edx-enterprise, on the platform whose enrollment API is in `platform`. Contract: recordings/lms."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar
from uuid import UUID

from enterprise_access.lib.http import Params, Transport
from enterprise_access.lib.rows import Rows, rows_of
from enterprise_access.lib.structure import reader
from enterprise_access.upstream.absence import is_absence
from enterprise_access.upstream.apart import read_apart
from enterprise_access.upstream.lms.platform import PlatformClient
from enterprise_access.upstream.lms.portal_types import PortalCustomer, PortalLink, PortalLinks, PortalLinksPage
from enterprise_access.upstream.lms.types import (
    Customer,
    DefaultIntention,
    DefaultIntentions,
    DefaultIntentionsPage,
    EnrollAnswer,
    EnrollItem,
    EnterpriseEnrollmentDetail,
    EnterpriseEnrollmentRecord,
    LearnerLink,
    PortalEnrollment,
    key_of_link,
    read_enterprise_enrollment_details,
)
from enterprise_access.upstream.paging import Page, all_rows, in_pieces, joined, numbered_pages, page_of, whole_page_of
from enterprise_access.upstream.rights import need_operator, need_staff

T = TypeVar("T")

_ENTERPRISE: Final = "/enterprise/api/v1"
_LEARNERS: Final = f"{_ENTERPRISE}/enterprise-learner/"
_PAGE_SIZE: Final = ("page_size", "100")


class LmsClient(PlatformClient):
    """Asks the LMS as our worker account, or as a learner where it answers only to learners.

    Every method raises UpstreamUnavailable (time-out, 5xx, throttled: later), UpstreamRefused (4xx, or malformed input
    that was not sent: never again) or UpstreamChanged (unknown shape: alert).
    """

    def __init__(self, transport: Transport, *, enroll_read_seconds: float = 30) -> None:
        super().__init__(transport)
        self._enroll_read_seconds = enroll_read_seconds

    # --- customers and their learners ----------------------------------------------------------------------------

    def get_customer(self, *, customer_uuid: UUID) -> Customer | None:
        """Return an active customer; None when it is unknown or inactive (the LMS does not tell them apart)."""
        return self._get_customer(customer_uuid, Customer)

    def find_customer(self, *, slug: str) -> Customer | None:
        """Return the active customer with this slug; None when there is none."""
        found = self._find_customers(slug, Customer)
        return next((customer for customer in found if customer.slug == slug), None)

    def get_portal_customer(self, *, customer_uuid: UUID) -> PortalCustomer | None:
        """Return the same as `get_customer` with all that the learner portal shows."""
        return self._get_customer(customer_uuid, PortalCustomer)

    def find_portal_customer(self, *, slug: str) -> PortalCustomer | None:
        """Return the same as `find_customer` with all that the learner portal shows."""
        found = self._find_customers(slug, PortalCustomer)
        return next((customer for customer in found if customer.slug == slug), None)

    def _get_customer(self, customer_uuid: UUID, kind: type[T]) -> T | None:
        path = f"{_ENTERPRISE}/enterprise-customer/{{}}/"
        answer = self.transport.get(path, self._checked.uuid(customer_uuid, "customer_uuid"), expect=(200, 404))
        if not is_absence(answer, status=404):
            return answer.read(reader(kind))
        # To a caller who is not staff the LMS says the same of every customer.
        need_staff(self.transport)
        return None

    def _find_customers(self, slug: str, kind: type[T]) -> tuple[T, ...]:
        params = [("slug", self._checked.slug(slug)), _PAGE_SIZE]
        ask = self._ask(f"{_ENTERPRISE}/enterprise-customer/", need=need_staff)
        return all_rows(numbered_pages(ask, params, whole_page_of(kind)))  # type: ignore[arg-type]

    def list_learner_links(
        self,
        *,
        customer_uuid: UUID | None = None,
        lms_user_ids: Sequence[int] | None = None,
        username: str | None = None,
        email: str | None = None,
    ) -> Rows[LearnerLink]:
        """Return the links that match all of the filters given, of which there must be one.

        Only learners who are linked now have one. The order does not shift while learners are enrolled. The key of an
        unreadable link is the LMS user id.
        """
        params: list[tuple[str, str]] = [_PAGE_SIZE, ("ordering", "user_id")]
        if lms_user_ids is None and customer_uuid is None and username is None and email is None:
            raise self.transport.refusal("without a filter this would be every learner of every customer")
        if customer_uuid is not None:
            params.append(("enterprise_customer", self._checked.uuid(customer_uuid, "customer_uuid")))
        if username is not None:
            params.append(("username", self._checked.username(username)))
        if email is not None:
            params.append(("email", self._checked.email(email, "email")))
        if lms_user_ids is None:
            return all_rows(self._links(params))
        ids = [str(self._checked.positive(user_id, "lms_user_id")) for user_id in dict.fromkeys(lms_user_ids)]

        def read(user_ids: Sequence[int]) -> Rows[LearnerLink]:
            return all_rows(self._links([*params, ("user_ids", ",".join(map(str, user_ids)))]))

        pieces = ([int(user_id) for user_id in piece] for piece in in_pieces(ids))
        return joined(read_apart(piece, read, call=f"GET {_LEARNERS}") for piece in pieces)

    def iterate_learner_links(self, *, customer_uuid: UUID) -> Iterator[LearnerLink]:
        """Yield the linked learners of a customer by rising LMS user id, a page at a time.

        In this order pages do not shift while learners are enrolled (which changes the default order). A customer that
        the LMS does not know is refused (`bad_request`). Links that cannot be read are left out.
        """
        customer = self._checked.uuid(customer_uuid, "customer_uuid")
        pages = self._links([_PAGE_SIZE, ("ordering", "user_id"), ("enterprise_customer", customer)])
        return (link for page in pages for link in page.rows)

    def list_learner_links_page(self, *, customer_uuid: UUID, page: int, page_size: int = 100) -> Page[LearnerLink]:
        """Return one page of that list, for whoever continues where an earlier reading stopped, or needs the count.

        A page beyond the last one is refused (`not_found`).
        """
        customer = self._checked.uuid(customer_uuid, "customer_uuid")
        size = ("page_size", str(page_size))
        params = [size, ("ordering", "user_id"), ("enterprise_customer", customer), ("page", str(page))]
        return self._ask(_LEARNERS, need=need_staff)(params).read(page_of(LearnerLink, key=key_of_link))

    def _links(self, params: Params) -> Iterator[Page[LearnerLink]]:
        return numbered_pages(self._ask(_LEARNERS, need=need_staff), params, page_of(LearnerLink, key=key_of_link))

    def list_portal_links(self, *, lms_user_id: int) -> PortalLinks:
        """Return all customers of a learner as the learner portal shows them, and the LMS's feature switches."""
        ask = self._ask(_LEARNERS, need=need_staff)
        user_id = str(self._checked.positive(lms_user_id, "lms_user_id"))
        params = [_PAGE_SIZE, ("ordering", "user_id"), ("user_ids", user_id)]
        pages: list[PortalLinksPage] = list(numbered_pages(ask, params, page_of(PortalLink, page=PortalLinksPage)))
        return PortalLinks(links=all_rows(pages), features=pages[-1].features)

    def is_learner_visible(self, *, lms_user_id: int) -> bool:
        """Say whether our worker account gets to see this learner, who is known to be linked somewhere.

        False means that the account is not staff: then the LMS answers with empty lists instead of refusing.
        """
        return bool(self.list_learner_links(lms_user_ids=[lms_user_id]))

    def list_default_intentions(self, *, customer_uuid: UUID) -> DefaultIntentions:
        """Return what the LMS itself enrolls the customer's learners in, oldest first; those it deleted are left out.

        A customer that the LMS does not know has none. See `is_whole`: the list has no order, so pages may overlap.
        """
        params = [("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid"))]
        ask = self._ask(f"{_ENTERPRISE}/default-enterprise-enrollment-intentions/", need=need_staff)
        pages: list[DefaultIntentionsPage] = list(
            numbered_pages(ask, params, page_of(DefaultIntention, page=DefaultIntentionsPage))
        )
        # To an account without the role the list is empty.
        need_operator(self.transport)
        answer = all_rows(pages)
        rows = sorted({row.uuid: row for row in answer}.values(), key=lambda row: (row.created_at, row.uuid))
        return DefaultIntentions(intentions=Rows(rows, answer.unreadable), count=pages[-1].count)

    def create_pending_learners(self, *, customer_uuid: UUID, emails: Sequence[str]) -> None:
        """Link the accounts that have these addresses to a customer, and note the other addresses for later.

        Repeating it changes nothing. An address that the LMS does not take refuses the whole call (`bad_request`).
        """
        customer = self._checked.uuid(customer_uuid, "customer_uuid")
        rows = [{"enterprise_customer": customer, "user_email": self._checked.email(email)} for email in emails]
        self.transport.post(f"{_ENTERPRISE}/pending-enterprise-learner/", json=rows, expect=(200, 201, 204))

    def unlink_learners(self, *, customer_uuid: UUID, emails: Sequence[str]) -> None:
        """Unlink the people who have these addresses from a customer, for good: no event links them again.

        Repeating it changes nothing, and the LMS passes over an address that is not linked. Contract:
        recordings/enterprise-access/license-requests-decline.json. The answer is not read.
        """
        self.transport.post(
            f"{_ENTERPRISE}/enterprise-customer/{{}}/unlink_users/",
            self._checked.uuid(customer_uuid, "customer_uuid"),
            json={"user_emails": [self._checked.email(email) for email in emails], "is_relinkable": False},
            expect=(200,),
        )

    # --- enrolling -----------------------------------------------------------------------------------------------

    def enroll(self, *, customer_uuid: UUID, items: Sequence[EnrollItem]) -> EnrollAnswer:
        """Enroll, all in one call that is not all or nothing: read the answer item by item.

        One run that the LMS does not know fails the whole call (UpstreamUnavailable, `server_error`), and what came
        before it in the list may or may not have happened.
        """
        if not items:
            raise self.transport.refusal("there is nothing to enroll")
        answer = self.transport.post(
            f"{_ENTERPRISE}/enterprise-customer/{{}}/enroll_learners_in_courses/",
            self._checked.uuid(customer_uuid, "customer_uuid"),
            json={"enrollments_info": [self._enrollment_info(item) for item in items], "notify": False},
            expect=(201, 202, 409),
            read_seconds=self._enroll_read_seconds,
        )
        return answer.read(reader(EnrollAnswer))

    def _enrollment_info(self, item: EnrollItem) -> dict[str, object]:
        info: dict[str, object] = {
            "user_id": self._checked.positive(item.lms_user_id, "lms_user_id"),
            "course_run_key": self._checked.run_key(item.course_run_key),
        }
        if (item.license_uuid is None) == (item.transaction_id is None):
            raise self.transport.refusal("an item needs a license or a transaction, and not both")
        if item.license_uuid is not None:
            info["license_uuid"] = self._checked.uuid(item.license_uuid, "license_uuid")
        else:
            info["transaction_id"] = self._checked.uuid(item.transaction_id, "transaction_id")
        if item.is_default_auto_enrollment:
            info["is_default_auto_enrollment"] = True
        return info

    # --- enrollments as edx-enterprise knows them -----------------------------------------------------------------

    def list_enterprise_enrollments(
        self, *, enterprise_customer_user_id: int, course_run_key: str | None = None
    ) -> tuple[EnterpriseEnrollmentRecord, ...]:
        """Return what edx-enterprise has on a learner of a customer. Read from a replica: may lag after a write."""
        learner = self._checked.positive(enterprise_customer_user_id, "enterprise_customer_user_id")
        params = [("enterprise_customer_user", str(learner)), _PAGE_SIZE]
        if course_run_key is not None:
            params.append(("course_id", self._checked.run_key(course_run_key)))
        ask = self._ask(f"{_ENTERPRISE}/enterprise-course-enrollment/", need=need_staff)
        return tuple(all_rows(numbered_pages(ask, params, whole_page_of(EnterpriseEnrollmentRecord))))

    def list_enterprise_enrollments_admin(
        self, *, customer_uuid: UUID, lms_user_id: int
    ) -> Rows[EnterpriseEnrollmentDetail]:
        """Return the same with state and revocation, without lag.

        Empty for customers without data sharing consent, and without audit enrollments where audit reporting is off.
        """
        params = [
            ("lms_user_id", str(self._checked.positive(lms_user_id, "lms_user_id"))),
            ("enterprise_uuid", self._checked.uuid(customer_uuid, "customer_uuid")),
            _PAGE_SIZE,
        ]
        ask = self._ask(f"{_ENTERPRISE}/enterprise-course-enrollment-admin/")
        return all_rows(numbered_pages(ask, params, read_enterprise_enrollment_details))

    # --- as the learner -------------------------------------------------------------------------------------------

    def list_portal_enrollments(
        self, *, learner_token: str, customer_uuid: UUID, is_active: bool | None = None
    ) -> Rows[PortalEnrollment]:
        """Return the enrollments that the token's owner has through a customer; None: active or not.

        UpstreamRefused with `not_found`: the owner is not linked to this customer.
        """
        params = [("enterprise_id", self._checked.uuid(customer_uuid, "customer_uuid"))]
        if is_active is not None:
            params.append(("is_active", "true" if is_active else "false"))
        answer = self.transport.as_learner(learner_token).get(
            "/enterprise_learner_portal/api/v1/enterprise_course_enrollments/", params=params
        )
        return answer.read(rows_of(reader(PortalEnrollment)))

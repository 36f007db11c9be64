"""What the LMS creates for a new customer: the customer, its admins, its catalogs.

Contract: the calls in recordings/enterprise-access/provisioning-*.json. What the LMS answers to the list of pending
admins is from edx-enterprise's public serializers, and was not recorded. The LMS lets only accounts with the role
`enterprise_provisioning_admin:*` create these.
"""

from typing import Final
from uuid import UUID

import attrs
from django.conf import settings

from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import field, reader
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.paging import all_rows, numbered_pages, page_of, whole_page_of
from enterprise_access.upstream.rights import need_staff

_API: Final = "/enterprise/api/v1"
_CUSTOMERS: Final = f"{_API}/enterprise-customer/"
_ADMINS: Final = f"{_API}/enterprise-customer-admin/create_admin_by_email/"
_PENDING: Final = f"{_API}/pending-enterprise-admin/"
_PAGE_SIZE: Final = ("page_size", "100")


@attrs.frozen(kw_only=True)
class NewCustomer:
    """A customer as provisioning sees it. `country` may be empty for one that was made long ago."""

    uuid: UUID
    name: str
    slug: str
    country: str | None = None


@attrs.frozen(kw_only=True)
class NewCatalog:
    """A catalog of a customer."""

    uuid: UUID
    title: str


@attrs.frozen
class _Account:
    email: str = attrs.field(repr=False)


@attrs.frozen
class _AdminLink:
    user: _Account


@attrs.frozen
class _PendingAdmin:
    user_email: str = attrs.field(repr=False)
    customer_uuid: UUID = field("enterprise_customer")


class LmsCreator(ServiceClient):
    """Creates at the LMS as our worker account, and looks for what exists.

    Every method raises UpstreamUnavailable, UpstreamRefused or UpstreamChanged, as those of LmsClient do.
    """

    def find_customer(self, *, slug: str) -> NewCustomer | None:
        """Return the active customer with this slug, whatever its case; None where there is none."""
        params = [("slug", self._checked.slug(slug))]
        found = all_rows(numbered_pages(self._ask(_CUSTOMERS), params, whole_page_of(NewCustomer)))
        need_staff(self.transport)
        return next((row for row in found if row.slug.casefold() == slug.casefold()), None)

    def create_customer(self, *, name: str, slug: str, country: str, site_domain: str) -> NewCustomer:
        """Create a customer. UpstreamRefused where the slug is taken, by an inactive customer too."""
        body = {
            "name": name,
            "slug": self._checked.slug(slug),
            "country": country,
            "enable_analytics_screen": False,
            "enable_portal_subscription_management_screen": True,
            "site": {"domain": site_domain},
        }
        return self.transport.post(_CUSTOMERS, json=body, expect=(200, 201)).read(reader(NewCustomer))

    def list_admin_addresses(self, *, customer_uuid: UUID) -> frozenset[str]:
        """Return the addresses of the customer's admins in lower case, without those who have no account yet."""
        params = [
            ("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("role", "enterprise_admin"),
            _PAGE_SIZE,
        ]
        found = all_rows(numbered_pages(self._ask(f"{_API}/enterprise-learner/"), params, page_of(_AdminLink)))
        need_staff(self.transport)
        return frozenset(row.user.email.casefold() for row in found)

    def is_pending_admin(self, *, customer_uuid: UUID, email: str) -> bool:
        """Say whether this address becomes an admin of the customer when a person registers with it."""
        params = [
            ("enterprise_customer", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("user_email", self._checked.email(email)),
        ]
        found: Rows[_PendingAdmin] = all_rows(numbered_pages(self._ask(_PENDING), params, page_of(_PendingAdmin)))
        return any(
            row.user_email.casefold() == email.casefold() and row.customer_uuid == customer_uuid for row in found
        )

    def make_admin(self, *, customer_uuid: UUID, email: str) -> bool | None:
        """Make the account with this address an admin: True if it was none before. None: there is no such account."""
        body = {
            "enterprise_customer_uuid": self._checked.uuid(customer_uuid, "customer_uuid"),
            "email": self._checked.email(email),
        }
        answer = self.transport.post(_ADMINS, json=body, expect=(200, 201, 404))
        if answer.status == 404:
            # Without a word it says nothing about the account: it may be a router's or a proxy's.
            if not answer.is_json or not answer.json():
                raise answer.failure()
            return None
        answer.json()
        return answer.status == 201

    def add_pending_admin(self, *, customer_uuid: UUID, email: str) -> None:
        """Let the person who registers with this address become an admin. UpstreamRefused where it is pending."""
        body = {
            "enterprise_customer": self._checked.uuid(customer_uuid, "customer_uuid"),
            "user_email": self._checked.email(email),
        }
        self.transport.post(_PENDING, json=body, expect=(200, 201)).read(reader(_PendingAdmin))

    def find_catalog(self, *, customer_uuid: UUID, catalog_query_id: int) -> NewCatalog | None:
        """Return the customer's oldest catalog with this query; None where there is none."""
        params = [
            ("enterprise_customer", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("enterprise_catalog_query", str(self._checked.positive(catalog_query_id, "catalog_query_id"))),
        ]
        pages = numbered_pages(self._ask(f"{_API}/enterprise_catalogs/"), params, whole_page_of(NewCatalog))
        found = all_rows(pages)
        need_staff(self.transport)
        return next(iter(found), None)

    def create_catalog(self, *, customer_uuid: UUID, title: str, catalog_query_id: int) -> NewCatalog:
        """Create a catalog. The LMS creates a second one when it is asked twice."""
        body = {
            "enterprise_customer": self._checked.uuid(customer_uuid, "customer_uuid"),
            "title": title,
            "enterprise_catalog_query": self._checked.positive(catalog_query_id, "catalog_query_id"),
        }
        answer = self.transport.post(f"{_API}/enterprise_customer_catalog/", json=body, expect=(200, 201))
        return answer.read(reader(NewCatalog))


def from_settings() -> LmsCreator:
    """Return a creator at the LMS of this installation."""
    return LmsCreator(transport(service="lms", base_url=settings.LMS_BASE_URL))

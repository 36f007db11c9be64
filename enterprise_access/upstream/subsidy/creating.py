"""What enterprise-subsidy creates for a new budget: the account with its first deposit.

Contract: what the support tools send (contracts of the admin clients); the answer is an account as in
recordings/enterprise-subsidy/subsidies-retrieve.json. Creating was not recorded from a real server.
"""

from datetime import datetime
from uuid import UUID

import attrs
from django.conf import settings

from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.structure import field, reader
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.paging import all_rows, numbered_pages, whole_page_of
from enterprise_access.upstream.rights import need_operator


@attrs.frozen(kw_only=True)
class NewAccount:
    """An account as provisioning sees it. Money is in cents."""

    uuid: UUID
    title: str
    customer_uuid: UUID = field("enterprise_customer_uuid")
    reference_id: str
    starts_at: datetime | None = field("active_datetime")
    expires_at: datetime | None = field("expiration_datetime")
    starting_balance_cents: int = field("starting_balance")


class SubsidyCreator(ServiceClient):
    """Creates at enterprise-subsidy as our worker account, and looks for what exists.

    Every method raises UpstreamUnavailable, UpstreamRefused or UpstreamChanged, as those of SubsidyClient do.
    """

    def find_account(self, *, customer_uuid: UUID, reference_id: str) -> NewAccount | None:
        """Return the customer's account with this reference; None where there is none."""
        params = [
            ("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("page_size", "100"),
        ]
        found = all_rows(numbered_pages(self._ask("/api/v1/subsidies/"), params, whole_page_of(NewAccount)))
        need_operator(self.transport)
        return next((row for row in found if row.reference_id == reference_id), None)

    def create_account(
        self,
        *,
        customer_uuid: UUID,
        title: str,
        reference_id: str,
        starts_at: datetime,
        expires_at: datetime,
        starting_balance_cents: int,
        revenue_category: str,
        is_internal: bool,
    ) -> NewAccount:
        """Create an account with its first deposit. The account of that reference is answered when there is one."""
        body = {
            "reference_id": reference_id,
            "default_title": title,
            "default_enterprise_customer_uuid": self._checked.uuid(customer_uuid, "customer_uuid"),
            "default_active_datetime": starts_at.isoformat(),
            "default_expiration_datetime": expires_at.isoformat(),
            "default_unit": "usd_cents",
            "default_starting_balance": self._checked.positive(starting_balance_cents, "starting_balance_cents"),
            "default_revenue_category": revenue_category,
            "default_internal_only": is_internal,
        }
        answer = self.transport.post("/api/v1/subsidies/", json=body, expect=(200, 201))
        return answer.read(reader(NewAccount))


def from_settings() -> SubsidyCreator:
    """Return a creator at the enterprise-subsidy of this installation. Raises UpstreamRefused where there is none."""
    if settings.SUBSIDY_BASE_URL is None:
        raise UpstreamRefused(
            "enterprise-subsidy is not configured here (SUBSIDY_BASE_URL)",
            service="enterprise-subsidy",
            reason=UpstreamReason.REFUSED_LOCALLY,
        )
    return SubsidyCreator(transport(service="enterprise-subsidy", base_url=settings.SUBSIDY_BASE_URL))

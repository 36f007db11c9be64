"""What license-manager creates for a new customer: agreement, plans, and the renewal from one plan to the next.

Contract: the calls in recordings/enterprise-access/provisioning-*.json and oli-update*.json. The list of renewals is
from license-manager's public tests, and was not recorded. Only accounts with the role
`enterprise_provisioning_admin:*` may create these.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

import attrs
from django.conf import settings

from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import field, reader
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.paging import all_rows, numbered_pages, whole_page_of
from enterprise_access.upstream.rights import need_operator

_ADMIN: Final = "/api/v1/provisioning-admins"


@attrs.frozen(kw_only=True)
class NewAgreement:
    """The agreement of a customer."""

    uuid: UUID
    customer_uuid: UUID = field("enterprise_customer_uuid")
    default_catalog_uuid: UUID | None = field("default_enterprise_catalog_uuid")


@attrs.frozen(kw_only=True)
class NewPlan:
    """A subscription plan with what provisioning tells of it."""

    uuid: UUID
    title: str
    line_item: str | None = field("salesforce_opportunity_line_item")
    created: datetime
    starts_at: datetime = field("start_date")
    expires_at: datetime = field("expiration_date")
    is_active: bool
    is_current: bool
    plan_type: str | None
    catalog_uuid: UUID | None = field("enterprise_catalog_uuid")


@attrs.frozen(kw_only=True)
class NewRenewal:
    """The renewal of a plan by another one."""

    id: int
    prior_plan_uuid: UUID = field("prior_subscription_plan")
    renewed_plan_uuid: UUID | None = field("renewed_subscription_plan")
    number_of_licenses: int
    effective_at: datetime = field("effective_date")
    expires_at: datetime = field("renewed_expiration_date")


class LicenseCreator(ServiceClient):
    """Creates at license-manager as our worker account, and looks for what exists.

    Every method raises UpstreamUnavailable, UpstreamRefused or UpstreamChanged, as those of LicenseManagerClient do.
    """

    def find_agreement(self, *, customer_uuid: UUID) -> NewAgreement | None:
        """Return the agreement of a customer; None where there is none."""
        params = [("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid"))]
        found = all_rows(numbered_pages(self._ask("/api/v1/customer-agreement/"), params, whole_page_of(NewAgreement)))
        need_operator(self.transport)
        return next((row for row in found if row.customer_uuid == customer_uuid), None)

    def create_agreement(
        self, *, customer_uuid: UUID, customer_slug: str, default_catalog_uuid: UUID | None
    ) -> NewAgreement:
        """Create an agreement. UpstreamRefused where the customer has one."""
        body = {
            "enterprise_customer_uuid": self._checked.uuid(customer_uuid, "customer_uuid"),
            "enterprise_customer_slug": self._checked.slug(customer_slug),
            "default_enterprise_catalog_uuid": _text(default_catalog_uuid),
        }
        answer = self.transport.post(f"{_ADMIN}/customer-agreement/", json=body, expect=(200, 201))
        return answer.read(reader(NewAgreement))

    def list_plans(self, *, customer_uuid: UUID) -> Rows[NewPlan]:
        """Return the customer's plans that are switched on. An unreadable one fails the whole list."""
        params = [
            ("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid")),
            ("page_size", "500"),
        ]
        found = all_rows(numbered_pages(self._ask("/api/v1/subscriptions/"), params, whole_page_of(NewPlan)))
        need_operator(self.transport)
        return found

    def create_plan(
        self,
        *,
        agreement_uuid: UUID,
        catalog_uuid: UUID,
        title: str,
        line_item: str | None,
        starts_at: datetime,
        expires_at: datetime,
        licenses: int,
        product_id: int,
        is_internal: bool,
    ) -> NewPlan:
        """Create a plan with its licenses. UpstreamRefused where the agreement has a plan of that title."""
        body = {
            "customer_agreement": self._checked.uuid(agreement_uuid, "agreement_uuid"),
            "salesforce_opportunity_line_item": line_item,
            "title": title,
            "start_date": starts_at.isoformat(),
            "expiration_date": expires_at.isoformat(),
            "desired_num_licenses": self._checked.positive(licenses, "licenses"),
            "change_reason": "new",
            "for_internal_use_only": is_internal,
            "product": self._checked.positive(product_id, "product_id"),
            "is_active": True,
            "enterprise_catalog_uuid": self._checked.uuid(catalog_uuid, "catalog_uuid"),
        }
        return self.transport.post(f"{_ADMIN}/subscriptions/", json=body, expect=(200, 201)).read(reader(NewPlan))

    def set_line_item(self, *, plan_uuid: UUID, line_item: str) -> None:
        """Set the Salesforce opportunity line item of a plan. Setting it again changes nothing."""
        body = {"change_reason": "other", "salesforce_opportunity_line_item": line_item}
        path = f"{_ADMIN}/subscriptions/{{}}/"
        self.transport.patch(path, self._checked.uuid(plan_uuid, "plan_uuid"), json=body).read(reader(NewPlan))

    def find_renewal(self, *, prior_plan_uuid: UUID) -> NewRenewal | None:
        """Return the renewal of a plan, which has one at most; None where there is none."""
        params = [("prior_subscription_plan", self._checked.uuid(prior_plan_uuid, "prior_plan_uuid"))]
        path = f"{_ADMIN}/subscription-plan-renewals/"
        found = all_rows(numbered_pages(self._ask(path), params, whole_page_of(NewRenewal)))
        return next((row for row in found if row.prior_plan_uuid == prior_plan_uuid), None)

    def create_renewal(
        self,
        *,
        prior_plan_uuid: UUID,
        renewed_plan_uuid: UUID,
        line_item: str | None,
        effective_at: datetime,
        expires_at: datetime,
        licenses: int,
    ) -> NewRenewal:
        """Create a renewal; the same one is returned when it exists. UpstreamRefused where a plan has another one."""
        body = {
            "prior_subscription_plan": self._checked.uuid(prior_plan_uuid, "prior_plan_uuid"),
            "renewed_subscription_plan": self._checked.uuid(renewed_plan_uuid, "renewed_plan_uuid"),
            # The name is license-manager's; it takes a line item.
            "salesforce_opportunity_id": line_item,
            "effective_date": effective_at.isoformat(),
            "renewed_expiration_date": expires_at.isoformat(),
            "number_of_licenses": self._checked.positive(licenses, "licenses"),
            "exempt_from_batch_processing": True,
        }
        path = f"{_ADMIN}/subscription-plan-renewals/"
        return self.transport.post(path, json=body, expect=(200, 201)).read(reader(NewRenewal))


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def from_settings() -> LicenseCreator:
    """Return a creator at the license-manager of this installation."""
    return LicenseCreator(transport(service="license-manager", base_url=settings.LICENSE_MANAGER_BASE_URL))

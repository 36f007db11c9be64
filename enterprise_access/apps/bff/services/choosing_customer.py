"""Which customers the learner has, and which of them the page shows."""

from typing import Any
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.bff.domain.choosing import CustomerChoice, choose
from enterprise_access.apps.bff.domain.problems import CUSTOMERS, portal_is_off
from enterprise_access.apps.bff.errors import MayNotSeePage
from enterprise_access.apps.bff.selectors.portal import fetch_customer, fetch_links
from enterprise_access.apps.bff.selectors.remembered import RememberedLinks, note_switch, remember_links
from enterprise_access.apps.bff.selectors.stored import stored_links
from enterprise_access.apps.bff.services.load import LINKS, PageLoad
from enterprise_access.apps.bff.services.page import ShownCustomer, ShownLink
from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Role
from enterprise_access.apps.customers.services import SeenLink, forget_active_link, note_link
from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason
from enterprise_access.lib.parallel import Deferred
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.lms.portal_types import PortalCustomer, PortalLinks


@frozen
class Customers:
    """The learner's customers, as far as one page is concerned."""

    load: PageLoad

    def will_do(self, remembered: RememberedLinks | None) -> bool:
        """Say whether what is remembered answers the question: a customer that is not in it may have come since."""
        return remembered is not None and remembered.is_fresh and self._is_linked_in(remembered.links)

    def _is_linked_in(self, links: PortalLinks) -> bool:
        return any(self.load.wanted.is_met_by(link.customer) for link in links.links)

    def start_links(self) -> Deferred[RememberedLinks]:
        lms_user_id = self.load.visitor.lms_user_id
        return self.load.start(lambda: fetch_links(lms_user_id=lms_user_id))

    def start_staff(self) -> Deferred[PortalCustomer | None] | None:
        """Ask for the customer itself, for callers who may look at customers that they are not linked to."""
        wanted, customers = self.load.wanted, self.load.visitor.caller.administered_customers()
        if customers is not None and (not customers or (wanted.uuid is not None and wanted.uuid not in customers)):
            return None
        return self.load.start(lambda: fetch_customer(uuid=wanted.uuid, slug=wanted.slug))

    def guess(self, remembered: RememberedLinks | None) -> UUID | None:
        """Return the customer that will most likely be shown; None when there is no telling."""
        if remembered is not None and self._is_linked_in(remembered.links):
            links = remembered.links.links
            return next(link.customer.uuid for link in links if self.load.wanted.is_met_by(link.customer))
        caller = self.load.visitor.caller
        if self.load.wanted.uuid is not None:
            return self.load.wanted.uuid if caller.has(Role.LEARNER, customer_uuid=self.load.wanted.uuid) else None
        own = caller.readable_customers()
        return next(iter(own)) if own is not None and len(own) == 1 else None

    def links(
        self,
        remembered: RememberedLinks | None,
        asked: Deferred[RememberedLinks] | None,
        staff: Deferred[PortalCustomer | None] | None,
    ) -> PortalLinks | None:
        """Return the learner's customers, remembered ones if the LMS does not answer; None: not known.

        Remembered ones that lack the wanted customer prove nothing: the learner may have been linked since.
        """
        if asked is None:
            return None if remembered is None else remembered.links
        fresh = self.load.part(CUSTOMERS, lambda: self._readable(asked.result(ends_at=self.load.at(LINKS))), None)
        if fresh is not None:
            self._keep(fresh)
            return fresh.links
        old = remembered or stored_links(lms_user_id=self.load.visitor.lms_user_id)
        if old is not None and self._is_linked_in(old.links):
            return old.links
        return None if staff is None else PortalLinks(links=Rows(), features={})

    def _readable(self, fresh: RememberedLinks) -> RememberedLinks:
        """Return the links, unless the wanted customer may be in a row that cannot be read: that is never "no"."""
        if fresh.links.unreadable and not self._is_linked_in(fresh.links):
            raise UpstreamChanged(
                "a link of the learner cannot be read", service="lms", reason=UpstreamReason.UNKNOWN_SHAPE
            )
        return fresh

    def _keep(self, fresh: RememberedLinks) -> None:
        """Remember what the LMS told; of the wanted customer also where default enrollments look for it."""
        visitor = self.load.visitor
        remember_links(fresh, lms_user_id=visitor.lms_user_id)
        for link in fresh.links.links:
            if self.load.wanted.is_met_by(link.customer) or link.is_active_link:
                note_link(
                    SeenLink(
                        customer_uuid=link.customer.uuid,
                        slug=link.customer.slug,
                        name=link.customer.name,
                        is_customer_active=link.customer.active,
                        lms_user_id=visitor.lms_user_id,
                        username=visitor.username,
                        enterprise_customer_user_id=link.enterprise_customer_user_id,
                        is_active_link=link.is_active_link,
                        fetched_at=fresh.fetched_at,
                    )
                )

    def forget_selected(self, customer_uuid: UUID) -> None:
        """Believe no copy of which customer is the selected one: the portal is told to change that now."""
        lms_user_id = self.load.visitor.lms_user_id
        note_switch(lms_user_id=lms_user_id, customer_uuid=customer_uuid)
        forget_active_link(lms_user_id=lms_user_id)

    def choose(
        self, links: PortalLinks, staff: Deferred[PortalCustomer | None] | None
    ) -> CustomerChoice[PortalCustomer]:
        """Choose the customer to show. Raises MayNotSeePage where a slug means no customer of the caller's."""
        seen: PortalCustomer | None = None
        if staff is not None and not self._is_linked_in(links):
            seen = self.load.part(CUSTOMERS, lambda: staff.result(ends_at=self.load.at(LINKS)), None)
        customers = [link.customer for link in links.links]
        choice = choose(
            wanted=self.load.wanted,
            linked=[customer for customer in customers if customer.enable_learner_portal],
            off=[customer for customer in customers if not customer.enable_learner_portal],
            active=next((link.customer for link in links.links if link.is_active_link), None),
            staff=seen,
        )
        if self.load.wanted.uuid is None and not self._may_see(choice.shown):
            raise MayNotSeePage("You have no role for a customer of this name.")
        return choice

    def _may_see(self, customer: PortalCustomer | None) -> bool:
        """Say whether the caller has a role for it, wherever it comes from. That none was found while something did not
        answer is no refusal."""
        if customer is None:
            return bool(self.load.errors)
        return self.load.visitor.caller.has(*CUSTOMER_ROLES, customer_uuid=customer.uuid)

    def frame(self, links: PortalLinks, choice: CustomerChoice[PortalCustomer]) -> dict[str, Any]:
        """Return what the page says of customers. Those that do not use the portal are left out, with a warning."""
        seen = [link.customer for link in links.links] + [it for it in (choice.shown,) if it is not None]
        off = sorted({customer.slug for customer in seen if not customer.enable_learner_portal})
        self.load.warnings += [portal_is_off(slug) for slug in off]
        return {
            "customer": _shown(choice.shown),
            "active": _shown(choice.active),
            "staff": _shown(choice.staff),
            "should_switch": choice.should_switch,
            "features": links.features,
            "linked": tuple(
                ShownLink(
                    id=link.enterprise_customer_user_id,
                    active=link.is_active_link,
                    enterprise_customer=ShownCustomer(link.customer),
                )
                for link in links.links
                if link.customer.enable_learner_portal
            ),
        }


def _shown(customer: PortalCustomer | None) -> ShownCustomer | None:
    return None if customer is None or not customer.enable_learner_portal else ShownCustomer(customer)

"""Loading a page: independent calls side by side, within one budget, and each part failing by itself.

What a page has to ask of each customer depends on which customer is shown, and that the LMS tells. Asking in this order
would make every page two round trips slower than it has to be, so the customer is guessed (from what is remembered, or
from the caller's token) and asked about immediately; a wrong guess costs calls, never a wrong page.

Which customer is shown: `choosing_customer.py`. What the page says of it: `parts/`, one module for each family.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from enterprise_access.apps.bff.domain.choosing import WantedCustomer
from enterprise_access.apps.bff.domain.problems import NO_CUSTOMER
from enterprise_access.apps.bff.errors import MayNotSeePage
from enterprise_access.apps.bff.selectors.remembered import remembered_links
from enterprise_access.apps.bff.services.choosing_customer import Customers
from enterprise_access.apps.bff.services.load import CALLS, FACTS, MAX_CALLS, PageLoad, PageTarget, Visitor
from enterprise_access.apps.bff.services.page import PageOutcome, PortalPage
from enterprise_access.apps.bff.services.parts import PARTS
from enterprise_access.apps.bff.services.parts.base import Parts
from enterprise_access.apps.core.domain import CUSTOMER_ROLES
from enterprise_access.lib.http.deadline import deadline
from enterprise_access.lib.parallel import BackgroundCalls


def load_page(*, visitor: Visitor, wanted: WantedCustomer, with_enrollments: bool) -> PortalPage:
    """Return the page of the customer that is wanted, or of another one of the learner's if that is not theirs.

    Raises MayNotSeePage. Whatever an upstream service does, there is a page in time: what it lacks is named in it.
    """
    if wanted.uuid is not None and not visitor.caller.has(*CUSTOMER_ROLES, customer_uuid=wanted.uuid):
        raise MayNotSeePage("You have no role for this customer.")
    started_at = time.monotonic()
    with BackgroundCalls(limit=MAX_CALLS, name="portal") as background:
        return _load(
            PageLoad(
                visitor=visitor,
                wanted=wanted,
                with_enrollments=with_enrollments,
                background=background,
                started_at=started_at,
            )
        )


def _load(load: PageLoad) -> PortalPage:
    customers = Customers(load)
    with deadline(load.at(CALLS)):
        remembered = remembered_links(lms_user_id=load.visitor.lms_user_id)
        asked = None if customers.will_do(remembered) else customers.start_links()
        staff = None if asked is None else customers.start_staff()
        guess = customers.guess(remembered)
        parts = None if guess is None else _start(load, guess)
        if parts is not None and asked is not None:
            for part in parts.values():
                part.meanwhile()
        links = customers.links(remembered, asked, staff)
        if links is None:
            return _page(load, PageOutcome.UNAVAILABLE)
        choice = customers.choose(links, staff)
        if choice.should_switch and choice.shown is not None:
            customers.forget_selected(choice.shown.uuid)
        frame = customers.frame(links, choice)
        if choice.shown is None or not choice.shown.enable_learner_portal:
            return _empty_page(load, frame)
        if parts is None or guess != choice.shown.uuid:
            parts = _start(load, choice.shown.uuid)
        shown = PageTarget(
            customer_uuid=choice.shown.uuid,
            has_identity_provider=bool(choice.shown.identity_provider),
            is_linked=choice.is_linked,
        )
        with deadline(load.at(FACTS)):
            for part in parts.values():
                part.prepare(shown, parts)
    return _page(load, PageOutcome.SHOWN, {**frame, **_finish(parts, shown)})


def _start(load: PageLoad, customer_uuid: UUID) -> Parts:
    """Start what is independent of each other."""
    return {kind: kind(load, customer_uuid) for kind in PARTS}


def _finish(parts: Parts, shown: PageTarget) -> dict[str, Any]:
    found: dict[str, Any] = {}
    # Stable: otherwise the order is that of PARTS.
    for part in sorted(parts.values(), key=lambda part: part.waits_for_others):
        found |= part.finish(shown, found)
    return found


def _empty_page(load: PageLoad, frame: Mapping[str, Any]) -> PortalPage:
    if load.errors:
        return _page(load, PageOutcome.UNAVAILABLE, frame)
    load.errors.append(NO_CUSTOMER)
    return _page(load, PageOutcome.NOTHING_TO_SHOW, frame)


def _page(load: PageLoad, outcome: PageOutcome, parts: Mapping[str, Any] = MappingProxyType({})) -> PortalPage:
    about = {"errors": tuple(load.errors), "warnings": tuple(load.warnings), **parts}
    return PortalPage(outcome=outcome, user_email=load.visitor.caller.email, **about)

"""What is paused now: since when, by whom and why."""

import re
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from waffle.models import Switch

from enterprise_access.apps.customers.selectors import get_customer, list_customers_with_pause
from enterprise_access.apps.default_enrollments.selectors.state import PAUSE_SWITCH

# As `pause_everything` writes it. A note that was written in another way names no one.
_NOTE: Final = re.compile(r"Paused by (?P<by>[^:]+): (?P<reason>.*)", re.DOTALL)


@frozen(kw_only=True)
class Pause:
    """A pause of one customer, or (`customer_uuid` None) of all. `since` tells one pause from another.

    `by` and `reason` are empty, and `since` may be None, when the pause was not made in the admin pages.
    """

    scope: str
    customer_uuid: UUID | None
    since: datetime | None
    by: str = ""
    reason: str = ""


def get_pause(*, customer_uuid: UUID | None) -> Pause | None:
    """Return the pause of a customer, or (None) that of all customers. None while there is none."""
    if customer_uuid is None:
        return _get_pause_of_everything()
    customer = get_customer(customer_uuid=customer_uuid)
    return _pause_of(customer) if customer is not None and customer.realization_paused else None


def get_pause_switch() -> Switch:
    """Return the row of the switch that pauses everything, which is made when it is first used."""
    return Switch.objects.get(name=PAUSE_SWITCH)


def list_pauses(*, limit: int) -> list[Pause]:
    """Return what is paused now: everything first, then at most `limit` customers."""
    everything = _get_pause_of_everything()
    return [*filter(None, [everything]), *map(_pause_of, list_customers_with_pause(limit=limit))]


def _get_pause_of_everything() -> Pause | None:
    switch = Switch.objects.filter(name=PAUSE_SWITCH, active=True).first()
    if switch is None:
        return None
    said = _NOTE.fullmatch(switch.note or "")
    return Pause(
        scope="all customers",
        customer_uuid=None,
        since=switch.modified,
        by=said["by"] if said else "",
        reason=said["reason"] if said else "",
    )


def _pause_of(customer: Any) -> Pause:
    return Pause(
        scope=customer.name,
        customer_uuid=customer.pk,
        since=customer.paused_at,
        by=customer.paused_by,
        reason=customer.pause_reason,
    )

"""What is paused, since when and by whom: shown at the top of every admin page while anything is."""

from datetime import datetime
from typing import Any

from attrs import frozen
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from waffle.models import Switch

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.services.requests import PAUSE_SWITCH

# More paused customers than that are summed up.
MOST_NAMED = 5
# How Django's own log names the switch on a customer's page.
_FIELD = "ealization paused"


@frozen(kw_only=True)
class Pause:
    """Something that is paused. `by` empty: nobody is known, as when it was done outside the admin."""

    what: str
    by: str = ""
    since: datetime | None = None
    note: str = ""
    url: str = ""
    link: str = ""


def pauses(_: HttpRequest) -> dict[str, Any]:
    """Offer `pauses` to templates. Nothing is read unless a page shows them."""
    return {"pauses": SimpleLazyObject(list_pauses)}


def list_pauses() -> list[Pause]:
    """Return what is paused now."""
    return [*_everything(), *_customers()]


def _everything() -> list[Pause]:
    switch = Switch.objects.filter(name=PAUSE_SWITCH, active=True).first()
    if switch is None:
        return []
    last = _last_entry(Switch, [str(switch.pk)])
    return [
        Pause(
            what="Enrolling is paused for all customers.",
            by=last.user.get_username() if last else "",
            since=last.action_time if last else switch.modified,
            note=_because(switch.note),
            url=reverse("admin:pause_everything"),
            link="Resume",
        )
    ]


def _because(note: str) -> str:
    _, colon, reason = note.partition(": ")
    return f"Reason: {reason.rstrip('.')}." if colon and reason else ""


def _customers() -> list[Pause]:
    paused = list(EnterpriseCustomer.objects.filter(realization_paused=True)[: MOST_NAMED + 1])
    entries = {entry.object_id: entry for entry in _entries(paused)}
    shown = [_customer(customer, entries.get(str(customer.pk))) for customer in paused[:MOST_NAMED]]
    if len(paused) > MOST_NAMED:
        url = f"{reverse('admin:customers_enterprisecustomer_changelist')}?realization_paused__exact=1"
        shown.append(Pause(what="Enrolling is paused for more customers.", url=url, link="Show all"))
    return shown


def _customer(customer: EnterpriseCustomer, entry: LogEntry | None) -> Pause:
    return Pause(
        what=f"Enrolling is paused for {customer}.",
        by=entry.user.get_username() if entry else "",
        since=entry.action_time if entry else None,
        url=reverse("admin:customers_enterprisecustomer_change", args=[customer.pk]),
        link="Show the customer",
    )


def _entries(customers: list[EnterpriseCustomer]) -> Any:
    """Return the log's entries about pausing these customers, oldest first."""
    if not customers:
        return ()
    return (
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(EnterpriseCustomer),
            object_id__in=[str(customer.pk) for customer in customers],
            change_message__contains=_FIELD,
        )
        .select_related("user")
        .order_by("action_time", "pk")
    )


def _last_entry(model: type[Switch], ids: list[str]) -> LogEntry | None:
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model), object_id__in=ids)
    return entries.select_related("user").order_by("-action_time", "-pk").first()

"""What is paused, since when, by whom and why: shown at the top of every admin page while anything is."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from enterprise_access.apps.default_enrollments.selectors.pauses import Pause, list_pauses

# More paused customers than that are summed up.
MOST_NAMED = 5


def pauses(_: HttpRequest) -> dict[str, Any]:
    """Offer `pauses` to templates. Nothing is read unless a page shows them."""
    return {"pauses": SimpleLazyObject(_describe_pauses)}


def _describe_pauses() -> list[dict[str, Any]]:
    found = list_pauses(limit=MOST_NAMED + 1)
    customers = [pause for pause in found if pause.customer_uuid]
    shown = [{"pause": pause, "url": resume_url(pause)} for pause in found if pause not in customers[MOST_NAMED:]]
    if len(customers) > MOST_NAMED:
        url = f"{reverse('admin:customers_enterprisecustomer_changelist')}?realization_paused__exact=1"
        shown.append({"url": url})
    return shown


def resume_url(pause: Pause) -> str:
    """Return the page that asks whether to resume."""
    if pause.customer_uuid is None:
        return reverse("admin:resume_everything")
    return reverse("admin:resume_customer", args=[pause.customer_uuid])

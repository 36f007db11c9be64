"""How default enrollments go, at a glance: for all customers, and for one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import frozen
from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy

from enterprise_access.apps.core.services import list_neighbours
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.services import LinkedCount, fetch_linked_count
from enterprise_access.apps.default_enrollments.admin.choosing import CustomerForm
from enterprise_access.apps.default_enrollments.selectors.overview import Day, DecisionCounts, Overview, get_overview
from enterprise_access.apps.default_enrollments.services.requests.work_items import is_paused
from enterprise_access.events.services import is_publishing
from enterprise_access.events.state import Waiting, read_outbox

LEARNERS = reverse_lazy("admin:customers_enterpriselearner_changelist")
REQUESTS = reverse_lazy("admin:default_enrollments_realizationrequest_changelist")
REALIZATIONS = reverse_lazy("admin:default_enrollments_defaultenterpriseenrollmentrealization_changelist")
ATTEMPTS = reverse_lazy("admin:default_enrollments_realizationattempt_changelist")
MAY_SEE = "default_enrollments.view_defaultenterpriseenrollmentintention"


@frozen(kw_only=True)
class FunnelStep:
    """A bar of the funnel. `width` is of the longest bar, in percent."""

    label: str
    count: int
    width: str
    meaning: str
    kind: str = ""
    url: str = ""


@frozen(kw_only=True)
class Bar:
    """A bar of the chart: of which day, and its place in a picture of 100 by 100, from the upper left."""

    day: Day
    x: str
    y: str
    width: str
    height: str


def overview_view(request: HttpRequest, customer_uuid: UUID | None = None) -> TemplateResponse | HttpResponseRedirect:
    """Show how it goes. With `customer` in the query, lead to that customer's page."""
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    customer = get_object_or_404(EnterpriseCustomer, pk=customer_uuid) if customer_uuid else None
    form = CustomerForm(request.GET if "customer" in request.GET else None)
    if form.is_bound and form.is_valid():
        return HttpResponseRedirect(reverse("customer_overview", args=[form.cleaned_data["customer"].pk]))
    overview = get_overview(customer_uuid=customer_uuid)
    linked = fetch_linked_count(customer_uuid=customer_uuid) if customer_uuid else None
    context = {
        **admin.site.each_context(request),
        "title": f"Overview: {customer}" if customer else "Overview",
        "customer": customer,
        "is_customer_paused": customer is not None and is_paused(customer_uuid=customer.pk),
        "form": form,
        "overview": overview,
        "learner_steps": learner_steps(overview, customer_uuid, linked),
        "decision_steps": decision_steps(overview.decisions, customer_uuid),
        "bars": bars(overview.days),
        "most": max(day.realized for day in overview.days),
        "realized_lately": sum(day.realized for day in overview.days),
        "neighbours": list_neighbours(),
        "outbox": outbox(),
    }
    return TemplateResponse(request, "default_enrollments/overview.html", context)


def outbox() -> Waiting | None:
    """Return what waits to be sent on the event bus; None when there is no bus, and nothing that was to go there."""
    waiting = read_outbox()
    return waiting if waiting.count or is_publishing() else None


def learner_steps(
    overview: Overview, customer_uuid: UUID | None, linked: LinkedCount | None = None
) -> list[FunnelStep]:
    """Return how many learners got how far. `linked`: the LMS's own count, for one customer."""
    learners, mine = overview.learners, _of(customer_uuid)
    known = "Linked, among the learners whose links this service has read."
    if customer_uuid and linked is None:
        known += f" The LMS did not answer when asked for its own count. Known here: {learners.linked:,}."
    seen = "Signed in, opened the portal, or were queued by staff."
    return _steps(
        *([("Linked", linked.count, _counted(linked), "", "")] if linked else []),
        ("Linked and known here", learners.linked, known, "", f"{LEARNERS}?is_linked__exact=1&{mine}"),
        ("Seen", learners.asked_for, seen, "", f"{REQUESTS}?{mine}"),
        ("Served", learners.served, "Enrolled by this service at least once.", "good", f"{REALIZATIONS}?{mine}"),
    )


def _counted(linked: LinkedCount) -> str:
    at = f"{linked.counted_at:%Y-%m-%d %H:%M} UTC"
    return f"Linked to the customer, as counted by the LMS at {at}, {naturaltime(linked.counted_at)}."


def decision_steps(decisions: DecisionCounts, customer_uuid: UUID | None) -> list[FunnelStep]:
    """Return what became of every learner and intention that was looked at."""
    url = f"{ATTEMPTS}?which=newest&{_of(customer_uuid)}"
    decided = "One learner and one default enrollment each, as of the last evaluation."
    return _steps(
        ("Decided", decisions.decided, decided, "", url),
        (
            "Enrolled by this service",
            decisions.realized,
            "The learner got the course.",
            "good",
            f"{url}&outcome__exact=realized",
        ),
        (
            "Already enrolled",
            decisions.not_needed,
            "The learner was already in the course.",
            "good",
            f"{url}&outcome__exact=not_needed",
        ),
        (
            "Blocked",
            decisions.blocked,
            "Not enrolled; see the blocking reasons below.",
            "bad",
            f"{url}&outcome__exact=blocked",
        ),
        ("Waiting", decisions.waiting, "An upstream service did not answer; retried automatically.", "warn", ""),
    )


def _of(customer_uuid: UUID | None) -> str:
    return f"customer={customer_uuid}" if customer_uuid else ""


def _steps(*counts: tuple[str, int, str, str, str]) -> list[FunnelStep]:
    longest = max(count for _, count, *_ in counts) or 1
    return [
        FunnelStep(
            label=label,
            count=count,
            width=f"{100 * count / longest:.1f}",
            meaning=meaning,
            kind=kind,
            url=url.replace("?&", "?").rstrip("?&"),
        )
        for label, count, meaning, kind, url in counts
    ]


def bars(days: Sequence[Day]) -> list[Bar]:
    """Return the bars of the chart. The highest is as high as the picture, which is stretched to its place."""
    most = max(day.realized for day in days) or 1
    room = 100 / len(days)
    heights = [100 * day.realized / most for day in days]
    return [
        Bar(
            day=day,
            x=f"{number * room + room / 8:.2f}",
            y=f"{100 - height:.2f}",
            width=f"{room * 3 / 4:.2f}",
            height=f"{height:.2f}",
        )
        for number, (day, height) in enumerate(zip(days, heights, strict=True))
    ]


def customer_section(_: HttpRequest, customer: Any) -> str:
    """Return the links of a customer's page to what can be found out about it."""
    return render_to_string("default_enrollments/glance_of_customer.html", {"customer": customer})


admin.site.get_model_admin(EnterpriseCustomer).sections.append(customer_section)  # type: ignore[attr-defined]

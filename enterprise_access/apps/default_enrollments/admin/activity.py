"""What people did for one customer: a page of its own, and its newest lines on the customer's page."""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.lib.activity import MAX_SKIP, Position, get_activity, names_of_sources

MAY_SEE_CUSTOMERS: Final = "customers.view_enterprisecustomer"
# So many of the newest events stand on the customer's page.
ON_THE_PAGE: Final = 5


def activity_view(request: HttpRequest, customer_uuid: UUID) -> TemplateResponse:
    """Show a page of events, newest first. An address that makes no sense begins at the newest."""
    if not request.user.has_perm(MAY_SEE_CUSTOMERS):
        raise PermissionDenied
    customer = get_object_or_404(EnterpriseCustomer, pk=customer_uuid)
    start = _position(request)
    activity = get_activity(customer_uuid=customer_uuid, may=request.user.has_perm, start=start)
    older = activity.next
    context = {
        **admin.site.each_context(request),
        "title": f"Activity: {customer}",
        "customer": customer,
        "activity": activity,
        "sources": names_of_sources(request.user.has_perm),
        "is_first": start is None,
        "older": urlencode({"before": older.at.isoformat(), "skip": older.skip}) if older else "",
        "newest": reverse("activity", args=[customer_uuid]),
    }
    return TemplateResponse(request, "default_enrollments/activity.html", context)


def activity_section(request: HttpRequest, customer: EnterpriseCustomer) -> str:
    """Return the newest events, for the customer's page."""
    activity = get_activity(customer_uuid=customer.pk, may=request.user.has_perm, limit=ON_THE_PAGE)
    context = {"customer": customer, "activity": activity}
    return render_to_string("default_enrollments/activity_of_customer.html", context, request=request)


def _position(request: HttpRequest) -> Position | None:
    try:
        at = datetime.fromisoformat(request.GET.get("before", ""))
        skip = int(request.GET.get("skip", "0"))
    except ValueError:
        return None
    if at.tzinfo is None or not 1970 <= at.year < 9999 or not 0 <= skip <= MAX_SKIP:
        return None
    return Position(at=at.astimezone(UTC), skip=skip)

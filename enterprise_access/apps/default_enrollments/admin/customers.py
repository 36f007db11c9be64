"""What a customer's page shows of its intentions."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.activity import activity_section
from enterprise_access.apps.default_enrollments.admin.pausing import may_pause
from enterprise_access.apps.default_enrollments.selectors.pauses import get_pause
from enterprise_access.apps.default_enrollments.selectors.standing import list_standings
from enterprise_access.apps.default_enrollments.services.requests.sweeping import MAY_BACKFILL
from enterprise_access.lib import clock


def intentions_section(request: HttpRequest, customer: EnterpriseCustomer) -> str:
    """Return the customer's intentions with their state, for the customer's page. Nobody is asked for it."""
    context = {
        "customer": customer,
        "standings": list_standings(customer_uuid=customer.pk, now=clock.now()),
        "may_see": request.user.has_perm("default_enrollments.view_defaultenterpriseenrollmentintention"),
        "may_add": request.user.has_perm("default_enrollments.add_defaultenterpriseenrollmentintention"),
        "may_check": request.user.has_perm("default_enrollments.change_defaultenterpriseenrollmentintention"),
    }
    return render_to_string("default_enrollments/intentions_of_customer.html", context, request=request)


def pause_section(request: HttpRequest, customer: EnterpriseCustomer) -> str:
    """Return whether enrolling is paused for the customer, and the way to change that."""
    context = {
        "customer": customer,
        "pause": get_pause(customer_uuid=customer.pk),
        "may_pause": may_pause(request, customer.pk),
        "may_backfill": request.user.has_perm(MAY_BACKFILL),
    }
    return render_to_string("default_enrollments/pause_of_customer.html", context, request=request)


admin.site.get_model_admin(EnterpriseCustomer).sections += [  # type: ignore[attr-defined]
    intentions_section,
    pause_section,
    activity_section,
]

"""What the list of customers, and a customer's page, show of intentions."""

from django.contrib import admin
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.loader import render_to_string

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.activity import activity_section
from enterprise_access.apps.default_enrollments.admin.pausing import may_pause
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.selectors.pauses import get_pause
from enterprise_access.apps.default_enrollments.selectors.standing import list_standings
from enterprise_access.apps.default_enrollments.services.requests.sweeping import MAY_BACKFILL
from enterprise_access.lib import clock
from enterprise_access.lib.admin_columns import Column

MAY_SEE = "default_enrollments.view_defaultenterpriseenrollmentintention"


def intentions_section(request: HttpRequest, customer: EnterpriseCustomer) -> str:
    """Return the customer's intentions with their state, for the customer's page. No one is asked for it."""
    context = {
        "customer": customer,
        "standings": list_standings(customer_uuid=customer.pk, now=clock.now()),
        "may_see": request.user.has_perm(MAY_SEE),
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


def count_of_intentions() -> Column:
    """Return the column that says how many active default enrollments a customer has."""
    mine = Intention.objects.living().filter(customer=OuterRef("pk")).order_by().values("customer")
    return Column(
        name="intentions_count",
        title="default enrollments",
        value=Coalesce(Subquery(mine.annotate(count=Count("pk")).values("count")), 0),
        permission=MAY_SEE,
    )


admin.site.get_model_admin(EnterpriseCustomer).columns.append(count_of_intentions())  # type: ignore[attr-defined]
admin.site.get_model_admin(EnterpriseCustomer).sections += [  # type: ignore[attr-defined]
    intentions_section,
    pause_section,
    activity_section,
]

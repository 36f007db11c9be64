"""Reading again, by a button, what intentions resolve to."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions, refresh_and_check
from enterprise_access.lib.admin import ReadOnlyHistoryAdmin
from enterprise_access.lib.errors import ServiceError

CHANGE = "admin:default_enrollments_defaultenterpriseenrollmentintention_change"
CUSTOMER = "admin:customers_enterprisecustomer_change"


class CheckingAdmin(ReadOnlyHistoryAdmin):
    """Intentions, each of which, or all of a customer, can be checked now."""

    @method_decorator(require_POST)
    def check_one_view(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """Read again what one intention resolves to."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        intention = get_object_or_404(Intention.objects.living(), pk=uuid)
        try:
            changed = check_intentions(customer_uuid=intention.customer_id, only={intention.pk})
        except ServiceError as error:
            messages.error(request, f"It could not be checked. This page shows older facts. {error.detail}")
        else:
            self.log_change(request, intention, "Checked.")
            messages.success(
                request, "Checked. Something is different from before." if changed else "Checked. Nothing changed."
            )
        return HttpResponseRedirect(reverse(CHANGE, args=[intention.pk]))

    @method_decorator(require_POST)
    def check_view(self, request: HttpRequest, customer_uuid: UUID) -> HttpResponse:
        """Read the customer, and what its intentions resolve to, again."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        customer = get_object_or_404(EnterpriseCustomer, pk=customer_uuid)
        try:
            changed = refresh_and_check(customer_uuid=customer_uuid)
        except ServiceError as error:
            messages.error(request, f"Not everything could be read again. This page shows older facts. {error.detail}")
        else:
            self.log_change(request, customer, "Checked the default enrollments.")
            what = ", ".join(map(str, changed))
            messages.success(
                request, f"Checked. Different from before: {what}." if what else "Checked. Nothing changed."
            )
        return HttpResponseRedirect(reverse(CUSTOMER, args=[customer_uuid]))

"""A learner, or somebody for a learner, asks for default enrollments."""

from uuid import UUID

from django.utils import timezone

from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.services.requests import request_realization


def ask_for_realization(*, customer_uuid: UUID, lms_user_id: int, trigger: Trigger = Trigger.PORTAL) -> None:
    """Owe the learner a look, at once; a customer that is met for the first time is asked for at the LMS.

    Raises CustomerUnknown, and UpstreamUnavailable when the LMS cannot be asked about a new customer.
    """
    customer = get_customer(customer_uuid=customer_uuid) or fetch_customer(customer_uuid=customer_uuid)
    request_realization(customer_uuid=customer.pk, lms_user_ids=[lms_user_id], trigger=trigger, now=timezone.now())

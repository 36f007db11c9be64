"""A learner got a license, or may have: what waits for that is looked at now."""

from uuid import UUID

from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import check_again
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks


def licenses_changed(*, customer_uuid: UUID, lms_user_id: int) -> None:
    """Owe the learner a look, at once, and let what the LMS refused before be tried with the license of now.

    To be called after an activation or an auto-apply that we did. A customer whom we never met intends nothing.
    """
    check_again(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    if get_customer(customer_uuid=customer_uuid) is None:
        return
    # First: the worker who is told by the request must see it.
    _lift_refusals(customer_uuid, lms_user_id)
    request_realization(
        customer_uuid=customer_uuid, lms_user_ids=[lms_user_id], trigger=Trigger.LICENSE, now=clock.now()
    )


@retry_deadlocks
def _lift_refusals(customer_uuid: UUID, lms_user_id: int) -> None:
    """Say that what pays for the learner has changed. (Without a request nothing was ever sent, nor refused.)"""
    RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).update(
        payment_changed_at=clock.now()
    )

"""Who may do what with requests.

Everyone who has signed in may list: they see their own requests, and those of customers they are an admin of. A request
that the caller may not see does not exist (404). Deciding is for admins of the customer that the body names, and
operators (403 for others).
"""

from uuid import UUID

from rest_framework.request import Request

from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.subsidy_requests.errors import ConfigurationUnknown, MayNotUse
from enterprise_access.apps.subsidy_requests.services.creating import Asker


def admin_of(request: Request, customer_uuid: UUID) -> Caller:
    """Return the caller. Raises MayNotUse for anyone but admins of this customer and operators."""
    caller = get_caller(request)
    if not caller.has(Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid):
        raise MayNotUse("Only admins of the customer and operators may do this.")
    return caller


def admin_of_configuration(request: Request, customer_uuid: UUID) -> Caller:
    """Return the caller. Raises ConfigurationUnknown for those of other customers, and MayNotUse for learners."""
    if not get_caller(request).has(*CUSTOMER_ROLES, customer_uuid=customer_uuid):
        raise ConfigurationUnknown(f"Customer {customer_uuid} has no configuration of requests.")
    return admin_of(request, customer_uuid)


def asker_of(request: Request, customer_uuid: UUID) -> Asker:
    """Return the learner who calls. Raises MayNotUse for those who are not linked to the customer.

    The LMS gives the role of a learner to those who are linked. The address is the token's.
    """
    caller = get_caller(request)
    if not caller.has(Role.LEARNER, customer_uuid=customer_uuid) or caller.lms_user_id is None:
        raise MayNotUse("Only learners of the customer may ask for its subsidies.")
    if caller.email is None:
        raise MayNotUse("The token names no email address. Sign in again.")
    return Asker(lms_user_id=caller.lms_user_id, email=caller.email)

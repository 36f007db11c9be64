"""Who may do what with budgets.

A budget of a customer that the caller has no role for does not exist for the caller (404); what a role does not suffice
for is refused (403). What a budget has spent and has left is for admins of the customer and operators.
"""

from uuid import UUID

from rest_framework.request import Request

from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.subsidy_access_policies.errors import MayNotUseBudgets
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy


def caller_with_a_role(request: Request) -> Caller:
    """Return the caller. Raises MayNotUseBudgets for a caller without any role."""
    caller = get_caller(request)
    if not caller.has_any_role():
        raise MayNotUseBudgets("You have no role that allows reading budgets.")
    return caller


def reader_of(request: Request, customer_uuid: UUID) -> Caller:
    """Return the caller. Raises CustomerUnknown for a caller without any role for this customer."""
    caller = caller_with_a_role(request)
    if not caller.has(*CUSTOMER_ROLES, customer_uuid=customer_uuid):
        raise CustomerUnknown(f"There is no customer {customer_uuid}.")
    return caller


def sees_money(caller: Caller, customer_uuid: UUID) -> bool:
    """Say whether the caller sees what the customer has spent and has left."""
    return caller.has(Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid)


def refuse_unless_writer(caller: Caller, customer_uuid: UUID) -> None:
    """Raise MayNotUseBudgets for anybody but operators."""
    if not caller.has(Role.OPERATOR, customer_uuid=customer_uuid):
        raise MayNotUseBudgets("Only operators change budgets.")


def load_policy(caller: Caller, policy_uuid: UUID) -> SubsidyAccessPolicy:
    """Return a budget of a customer that the caller has a role for. Raises PolicyUnknown."""
    return get_policy(policy_uuid, customer_uuids=caller.readable_customers())

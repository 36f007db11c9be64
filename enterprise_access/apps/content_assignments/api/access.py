"""Who may do what at the addresses of assignments.

A budget or a configuration of a customer for which the caller holds no role does not exist for the caller (404). What a
role does not suffice for is refused (403). Who holds no role at all is refused before anything is looked up.
"""

from uuid import UUID

from rest_framework.request import Request

from enterprise_access.apps.content_assignments.errors import AssignmentConfigurationUnknown, MayNotAdminister
from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.subsidy_access_policies.errors import PolicyUnknown
from enterprise_access.apps.subsidy_access_policies.services.allocations import (
    SubsidyAccessPolicy,
    get_budget,
    get_budget_of_configuration,
)

DENIED = "Only admins of the customer and operators may do this."


def caller_with_a_role(request: Request) -> Caller:
    """Return the caller. Raises MayNotAdminister for a caller without any role."""
    caller = get_caller(request)
    if not caller.has_any_role():
        raise MayNotAdminister(DENIED)
    return caller


def administers(caller: Caller, customer_uuid: UUID) -> bool:
    """Say whether the caller manages the assignments of a customer."""
    return caller.has(Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid)


def refuse_unless_administrator(caller: Caller, customer_uuid: UUID) -> None:
    """Raise MayNotAdminister for anyone but admins of the customer and operators."""
    if not administers(caller, customer_uuid):
        raise MayNotAdminister(DENIED)


def configuration_for(caller: Caller, configuration_uuid: UUID) -> SubsidyAccessPolicy:
    """Return the budget of a configuration that the caller may know of. Raises AssignmentConfigurationUnknown."""
    try:
        policy = get_budget_of_configuration(configuration_uuid)
    except PolicyUnknown as error:
        raise AssignmentConfigurationUnknown(error.detail) from error
    if not caller.has(*CUSTOMER_ROLES, customer_uuid=policy.customer_uuid):
        raise AssignmentConfigurationUnknown(f"There is no assignment configuration {configuration_uuid}.")
    return policy


def refuse_unless_operator(caller: Caller, customer_uuid: UUID) -> None:
    """Raise MayNotAdminister for anyone but operators."""
    if not caller.has(Role.OPERATOR, customer_uuid=customer_uuid):
        raise MayNotAdminister("Only operators change assignment configurations.")


def budget_for(caller: Caller, policy_uuid: UUID, *, customer_uuid: UUID | None = None) -> SubsidyAccessPolicy:
    """Return a budget that the caller may know of; `customer_uuid`: whose it has to be. Raises PolicyUnknown."""
    policy = get_budget(policy_uuid=policy_uuid)
    is_foreign = customer_uuid not in (None, policy.customer_uuid)
    if is_foreign or not caller.has(*CUSTOMER_ROLES, customer_uuid=policy.customer_uuid):
        raise PolicyUnknown(f"There is no budget {policy_uuid}.")
    return policy


def administered_configuration(request: Request, configuration_uuid: UUID) -> tuple[Caller, SubsidyAccessPolicy]:
    """Return the caller and the budget of a configuration that the caller manages.

    Raises AssignmentConfigurationUnknown and MayNotAdminister.
    """
    caller = caller_with_a_role(request)
    policy = configuration_for(caller, configuration_uuid)
    refuse_unless_administrator(caller, policy.customer_uuid)
    return caller, policy


def administered_budget(request: Request, policy_uuid: UUID) -> tuple[Caller, SubsidyAccessPolicy]:
    """Return the caller and a budget that the caller manages. Raises PolicyUnknown and MayNotAdminister."""
    caller = caller_with_a_role(request)
    policy = budget_for(caller, policy_uuid)
    refuse_unless_administrator(caller, policy.customer_uuid)
    return caller, policy

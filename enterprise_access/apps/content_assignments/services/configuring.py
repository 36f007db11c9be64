"""Configurations of assignments. Each is a part of its budget, and active as the budget is (docs/decisions/0042)."""

from datetime import datetime

from enterprise_access.apps.content_assignments.errors import ConfigurationDiffers, ConfigurationShared, NotAssignable
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType
from enterprise_access.apps.subsidy_access_policies.services import By, change_policy
from enterprise_access.apps.subsidy_access_policies.services.allocations import (
    SubsidyAccessPolicy,
    ensure_configuration,
)


def get_or_add_configuration(
    policy: SubsidyAccessPolicy, *, is_active: bool | None, by: By, now: datetime
) -> tuple[SubsidyAccessPolicy, bool]:
    """Return a budget that has its configuration, and whether the configuration is new.

    `is_active`: what the caller takes the budget for; None: does not matter. Raises NotAssignable and
    ConfigurationDiffers.
    """
    if policy.assignment_configuration is None and not _is_assignable(policy):
        raise NotAssignable(
            f"Courses cannot be assigned from budget {policy.pk}. Name a budget of the type {PolicyType.ASSIGNED}."
        )
    if is_active not in (None, policy.active):
        raise ConfigurationDiffers(
            f"Budget {policy.pk} is {'active' if policy.active else 'not active'}, and so is its configuration. Leave"
            " `active` out, or change the configuration with PATCH.",
            extra={"active": policy.active},
        )
    return ensure_configuration(policy_uuid=policy.pk, by=by, now=now)


def set_active(
    policy: SubsidyAccessPolicy, *, is_active: bool, is_forced: bool, by: By, now: datetime
) -> SubsidyAccessPolicy:
    """Activate or deactivate the budget of a configuration, by the rules of budgets.

    Raises ConfigurationShared, and what `change_policy` raises.
    """
    if policy.active != is_active and not _is_assignable(policy):
        raise ConfigurationShared(
            f"Learners also use budget {policy.pk} without an assignment. Change the budget itself, or switch its"
            " requests off."
        )
    return change_policy(policy.pk, changes={"active": is_active}, by=by, now=now, is_forced=is_forced)


def _is_assignable(policy: SubsidyAccessPolicy) -> bool:
    return TYPE_RULES[PolicyType(policy.policy_type)].is_assignable

"""Adding a budget. Adding the same one twice, or twice at the same moment, is adding it once."""

from datetime import datetime
from uuid import UUID, uuid4

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.errors import PolicyExists
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.announcing import Change
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import ensure, lock_account
from enterprise_access.apps.subsidy_access_policies.services.policies.checking import (
    LIMITS,
    check_catalog,
    fetch_account_of,
    refuse,
    spend_limit_problems,
    type_problems,
)
from enterprise_access.apps.subsidy_access_policies.services.policies.saving import By, save_policy
from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class NewPolicy:
    """A budget as it is asked for. Limits are in cents, or a number of enrollments; None: no limit."""

    customer_uuid: UUID
    subsidy_uuid: UUID
    catalog_uuid: UUID
    policy_type: PolicyType
    access_method: AccessMethod
    display_name: str = ""
    description: str = ""
    active: bool = True
    retired: bool = False
    spend_limit: int | None = None
    per_learner_spend_limit: int | None = None
    per_learner_enrollment_limit: int | None = None


def add_policy(new: NewPolicy, *, by: By, now: datetime) -> tuple[SubsidyAccessPolicy, bool]:
    """Add a budget; return it, and whether it is new. An active one that is the same is returned as it is.

    Raises PolicyInvalid, PolicyExists when a limit of the one that is there differs, and CannotBeChecked when account
    or catalog could not be asked.
    """
    refuse(type_problems(_policy_of(new, Subsidy(uuid=new.subsidy_uuid))))
    account = fetch_account_of(subsidy_uuid=new.subsidy_uuid, customer_uuid=new.customer_uuid)
    check_catalog(catalog_uuid=new.catalog_uuid, customer_uuid=new.customer_uuid)
    return _add(new, account, by=by, now=now)


@retry_deadlocks
def _add(new: NewPolicy, account: Subsidy, *, by: By, now: datetime) -> tuple[SubsidyAccessPolicy, bool]:
    lock_account(account.pk)
    account = Subsidy.objects.get(pk=account.pk)
    policy = _policy_of(new, account)
    if policy.active:
        same = SubsidyAccessPolicy.objects.filter(active_key=policy.key_when_active).first()
        if same is not None:
            _refuse_other_limits(same, policy)
            return same, False
    refuse(spend_limit_problems(policy, account))
    if policy.retired:
        policy.retired_at = now
    save_policy(policy, change=Change.CREATED, by=by, now=now)
    ensure(PolicyTotals, policy_id=policy.pk)
    return policy, True


def _policy_of(new: NewPolicy, account: Subsidy) -> SubsidyAccessPolicy:
    is_assignable = TYPE_RULES[new.policy_type].is_assignable
    # Clients leave the access method of assigned budgets to us.
    method = AccessMethod.ASSIGNED if is_assignable else new.access_method
    return SubsidyAccessPolicy(
        customer_uuid=new.customer_uuid,
        subsidy=account,
        catalog_uuid=new.catalog_uuid,
        policy_type=new.policy_type.value,
        access_method=method.value,
        display_name=new.display_name,
        description=new.description,
        active=new.active,
        retired=new.retired,
        spend_limit=new.spend_limit,
        per_learner_spend_limit=new.per_learner_spend_limit,
        per_learner_enrollment_limit=new.per_learner_enrollment_limit,
        assignment_configuration=uuid4() if is_assignable else None,
    )


def _refuse_other_limits(same: SubsidyAccessPolicy, policy: SubsidyAccessPolicy) -> None:
    differing = [name for name in LIMITS if getattr(same, name) != getattr(policy, name)]
    if differing:
        raise PolicyExists(policy_uuid=same.pk, limits=differing)

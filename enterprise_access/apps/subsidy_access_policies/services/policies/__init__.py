"""Adding and changing budgets."""

from enterprise_access.apps.subsidy_access_policies.services.policies.adding import NewPolicy, add_policy
from enterprise_access.apps.subsidy_access_policies.services.policies.changing import change_policy
from enterprise_access.apps.subsidy_access_policies.services.policies.saving import By

__all__ = ["By", "NewPolicy", "add_policy", "change_policy"]

"""Reads of budgets."""

from enterprise_access.apps.subsidy_access_policies.selectors.budgets import Budget, list_budgets, read_budget
from enterprise_access.apps.subsidy_access_policies.selectors.policies import (
    get_policy,
    has_request_policy,
    list_all_policies,
    list_policies,
    list_request_configurations,
)
from enterprise_access.apps.subsidy_access_policies.selectors.sums import (
    TotalDifference,
    balance_of,
    computed_sums,
    list_differences,
    stored_sums,
    sums_of,
)
from enterprise_access.apps.subsidy_access_policies.selectors.usage import (
    PolicyUse,
    count_allocated,
    learner_uses_of,
    totals_of,
)

__all__ = [
    "Budget",
    "PolicyUse",
    "TotalDifference",
    "balance_of",
    "computed_sums",
    "count_allocated",
    "get_policy",
    "has_request_policy",
    "learner_uses_of",
    "list_all_policies",
    "list_budgets",
    "list_differences",
    "list_policies",
    "list_request_configurations",
    "read_budget",
    "stored_sums",
    "sums_of",
    "totals_of",
]

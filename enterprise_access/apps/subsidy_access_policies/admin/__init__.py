"""Budgets, their accounts and their money in the admin. Every change calls the service that the API calls."""

from enterprise_access.apps.subsidy_access_policies.admin import deposits, groups, money, policies

__all__ = ["deposits", "groups", "money", "policies"]

"""Budgets, the promises they made, our copies of the ledger's transactions, and running totals of both.

Money is in cents. Only `services.budget` writes promises, copies and totals.
"""

from enterprise_access.apps.subsidy_access_policies.models.money import (
    Deposit,
    DepositState,
    Reservation,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.models.policies import (
    PolicyGroupAssociation,
    Subsidy,
    SubsidyAccessPolicy,
)
from enterprise_access.apps.subsidy_access_policies.models.totals import LearnerTotals, PolicyTotals, SubsidyTotals

__all__ = [
    "Deposit",
    "DepositState",
    "LearnerTotals",
    "PolicyGroupAssociation",
    "PolicyTotals",
    "Reservation",
    "Subsidy",
    "SubsidyAccessPolicy",
    "SubsidyTotals",
    "SubsidyTransaction",
]

"""Use cases of budgets."""

from enterprise_access.apps.subsidy_access_policies.services.budget import (
    LedgerNews,
    record_balance,
    record_transaction,
    release,
    reserve,
    reverse,
    spend,
)
from enterprise_access.apps.subsidy_access_policies.services.people import forget_learner

__all__ = [
    "LedgerNews",
    "forget_learner",
    "record_balance",
    "record_transaction",
    "release",
    "reserve",
    "reverse",
    "spend",
]

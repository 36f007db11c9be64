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

__all__ = ["LedgerNews", "record_balance", "record_transaction", "release", "reserve", "reverse", "spend"]

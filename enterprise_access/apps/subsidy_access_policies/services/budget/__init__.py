"""Every change of promised and spent money: one short transaction each, without network.

The row of totals of the account is locked first, and every row of its money is read and written under that lock:
promises, copies of transactions, then the totals of policies and learners. Totals change by the difference of what the
changed rows come to by the rules, so that they are what all rows come to.
"""

from enterprise_access.apps.subsidy_access_policies.services.budget.balances import (
    list_differences_now,
    record_balance,
    repair_totals,
)
from enterprise_access.apps.subsidy_access_policies.services.budget.news import LedgerNews
from enterprise_access.apps.subsidy_access_policies.services.budget.promises import release, reserve
from enterprise_access.apps.subsidy_access_policies.services.budget.recording import (
    record_all_news,
    record_transaction,
    spend,
)

__all__ = [
    "LedgerNews",
    "list_differences_now",
    "record_all_news",
    "record_balance",
    "record_transaction",
    "release",
    "repair_totals",
    "reserve",
    "spend",
]

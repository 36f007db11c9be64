"""Use cases of budgets."""

from enterprise_access.apps.subsidy_access_policies.services.accounts import begin_to_refresh_accounts, refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.budget import (
    LedgerNews,
    list_differences_now,
    record_transaction,
    release,
    reserve,
    spend,
)
from enterprise_access.apps.subsidy_access_policies.services.deposits import QUEUE as DEPOSITS
from enterprise_access.apps.subsidy_access_policies.services.deposits import add_deposit
from enterprise_access.apps.subsidy_access_policies.services.offers import Offer, fetch_offers, fetch_offers_of_catalogs
from enterprise_access.apps.subsidy_access_policies.services.people import forget_learner
from enterprise_access.apps.subsidy_access_policies.services.policies import By, NewPolicy, add_policy, change_policy
from enterprise_access.apps.subsidy_access_policies.services.transactions import (
    ToldTransaction,
    begin_to_refresh_transactions,
    record_told,
)

__all__ = [
    "DEPOSITS",
    "By",
    "LedgerNews",
    "NewPolicy",
    "Offer",
    "ToldTransaction",
    "add_deposit",
    "add_policy",
    "begin_to_refresh_accounts",
    "begin_to_refresh_transactions",
    "change_policy",
    "fetch_offers",
    "fetch_offers_of_catalogs",
    "forget_learner",
    "list_differences_now",
    "record_told",
    "record_transaction",
    "refresh_accounts",
    "release",
    "reserve",
    "spend",
]

"""What the rows say about learner credit, for Prometheus: a few reads, however many rows there are."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Exists, Min, OuterRef, Q, Sum

from enterprise_access.apps.subsidy_access_policies.models import (
    Deposit,
    DepositState,
    PolicyTotals,
    Subsidy,
    SubsidyAccessPolicy,
)
from enterprise_access.lib.state import State, age, by_label, number


def read_budgets(now: datetime) -> Iterable[State]:
    """Tell what budgets use, how old the copies of their accounts are, and what does not add up."""
    sums = PolicyTotals.objects.aggregate(held=Sum("held"), allocated=Sum("allocated"), spent=Sum("spent"))
    budgets = SubsidyAccessPolicy.objects.filter(subsidy=OuterRef("pk"))
    accounts = Subsidy.objects.filter(Exists(budgets)).annotate(is_in_use=Exists(budgets.filter(active=True)))
    found = accounts.aggregate(
        # An account that was deleted is not read any more; staff deactivate its budgets.
        fetched=Min("fetched_at", filter=Q(is_in_use=True)),
        reconciled=Min("reconciled_at", filter=Q(is_in_use=True)),
        different=Count("pk", filter=~Q(ledger_difference=0) & Q(ledger_difference__isnull=False)),
    )
    deposits = Deposit.objects.aggregate(
        open=Count("pk", filter=Q(state__in=[DepositState.PENDING, DepositState.SENT])),
        failed=Count("pk", filter=Q(failed_at__isnull=False)),
    )
    return [
        by_label(
            "budget_cents", "Money of budgets, in cents, by use.", "use", {name: sums[name] or 0 for name in sums}
        ),
        age(
            "oldest_account_read_seconds",
            "Age of the oldest reading of the balance of an account with an active budget.",
            found["fetched"],
            now=now,
        ),
        age(
            "oldest_account_reconciled_seconds",
            "Age of the oldest reading of the new transactions of an account with an active budget.",
            found["reconciled"],
            now=now,
        ),
        number(
            "accounts_different",
            "Accounts whose balance differs from the sum of the stored copies of their transactions.",
            found["different"],
        ),
        by_label("deposits", "Deposits that are not settled, and those that need attention.", "state", deposits),
    ]

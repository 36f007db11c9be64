"""What the page of one budget shows: amounts, spending by month, the latest transactions, and who is at a limit."""

from datetime import UTC, date, datetime
from typing import Any, Final

from attrs import frozen
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.models import (
    LearnerTotals,
    Reservation,
    SubsidyAccessPolicy,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.selectors.usage import PolicyUse, totals_of

MONTHS_SHOWN: Final = 12
ROWS_SHOWN: Final = 20


@frozen(kw_only=True)
class Month:
    """What had been spent in all by the end of a month (UTC), and what was promised then: held or allocated.

    Transactions that were reversed since are left out.
    """

    start: date
    spent_cents: int
    promised_cents: int


@frozen(kw_only=True)
class BudgetPage:
    """What the page shows. `is_subsidy_active` None: the account was never read."""

    use: PolicyUse
    is_subsidy_active: bool | None
    months: tuple[Month, ...]
    transactions: tuple[SubsidyTransaction, ...]
    limited_learners: tuple[LearnerTotals, ...]


def get_budget_page(policy: SubsidyAccessPolicy, *, now: datetime) -> BudgetPage:
    """Return what the page of a budget shows, in a constant number of statements."""
    use = totals_of([policy])[policy.pk]
    transactions = SubsidyTransaction.objects.filter(policy_uuid=policy.pk).order_by("-created", "uuid")
    return BudgetPage(
        use=use,
        is_subsidy_active=use.is_subsidy_active(now=now),
        months=_months(policy, now),
        transactions=tuple(transactions[:ROWS_SHOWN]),
        limited_learners=tuple(_limited(policy)),
    )


def _months(policy: SubsidyAccessPolicy, now: datetime) -> tuple[Month, ...]:
    this_month = now.date().replace(day=1)
    starts = [_month_before(this_month, number) for number in range(MONTHS_SHOWN - 1, -1, -1)]
    spending = SubsidyTransaction.objects.filter(
        policy_uuid=policy.pk, state=TransactionState.COMMITTED.value, is_reversed=False, quantity__lt=0
    )
    promises = Reservation.objects.filter(policy=policy)
    # A promise is not written again after its end.
    ended = promises.exclude(state=ReservationState.HELD.value)
    spent = _sums_by(starts, spending, at="created", cents="quantity")
    promised = _sums_by(starts, promises, at="created", cents="amount")
    over = _sums_by(starts, ended, at="modified", cents="amount")
    rows = zip(starts, spent, promised, over, strict=True)
    return tuple(Month(start=start, spent_cents=-used, promised_cents=made - gone) for start, used, made, gone in rows)


def _sums_by(starts: list[date], rows: QuerySet[Any], *, at: str, cents: str) -> list[int]:
    """Return what rows come to by the end of each month, those of earlier months included."""
    by_month = rows.order_by().annotate(month=TruncMonth(at, tzinfo=UTC)).values("month").annotate(sum=Sum(cents))
    sums = {row["month"].date(): row["sum"] for row in by_month}
    return [sum(cents for month, cents in sums.items() if month <= start) for start in starts]


def _month_before(start: date, count: int) -> date:
    month = start.year * 12 + start.month - 1 - count
    return date(month // 12, month % 12 + 1, 1)


def _limited(policy: SubsidyAccessPolicy) -> list[LearnerTotals]:
    """Return the learners who have used up what one learner may use."""
    reached = Q(pk=None)
    if policy.per_learner_spend_limit is not None:
        reached |= Q(used__gte=policy.per_learner_spend_limit)
    if policy.per_learner_enrollment_limit is not None:
        reached |= Q(redemptions__gte=policy.per_learner_enrollment_limit)
    rows = policy.learner_totals.annotate(used=F("spent") + F("held")).filter(reached)
    return list(rows.order_by("-used", "lms_user_id")[:ROWS_SHOWN])

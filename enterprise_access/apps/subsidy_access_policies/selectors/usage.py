"""What budgets have spent, hold and have allocated, and what is free: from the running totals, in one snapshot."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db import models
from django.db.models import OuterRef, Subquery, Sum

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind, ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.policies import SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals, Reservation, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors.policies import TOTALS_COLUMNS, list_totals
from enterprise_access.lib.prepared import Prepared, Read


@frozen(kw_only=True)
class PolicyUse:
    """What a budget uses, in cents. None: the account's balance was never read, or there is no such limit.

    `subsidy_cents` and `policy_cents` are what is free in the account and below the spend limit; either may be
    negative. `facts_fetched_at` is the start of the read of the balance.
    """

    held_cents: int
    allocated_cents: int
    spent_cents: int
    redemptions: int
    policy_cents: int | None
    subsidy_cents: int | None
    total_deposits_cents: int | None
    total_spend_limits_cents: int
    facts_fetched_at: datetime | None
    starts_at: datetime | None
    expires_at: datetime | None

    def is_subsidy_active(self, *, now: datetime) -> bool | None:
        """Say whether the account can be spent at `now`. None: it was never read."""
        if self.facts_fetched_at is None:
            return None
        return SubsidyPeriod(start=self.starts_at, expiration=self.expires_at).is_active(now=now)

    def is_older(self, oldest: datetime) -> bool:
        """Say whether the account was read before this instant, or never."""
        return self.facts_fetched_at is None or self.facts_fetched_at < oldest

    @property
    def available_cents(self) -> int | None:
        """What can be promised: the smaller of both, and never negative. None: the balance was never read."""
        if self.subsidy_cents is None:
            return None
        free = self.subsidy_cents if self.policy_cents is None else min(self.subsidy_cents, self.policy_cents)
        return max(0, free)


@frozen(kw_only=True)
class LearnerUse:
    """What one learner uses of a budget, in cents; allocations are left out."""

    held_cents: int = 0
    spent_cents: int = 0
    redemptions: int = 0


NO_USE: Final = LearnerUse()

_ACCOUNT: Final = ("balance", "total_deposits", "fetched_at", "starts_at", "expires_at")
# What `use_of` needs of a budget's row. Values, because objects of five tables would take longer than the statement.
USE_COLUMNS: Final = ("spend_limit", *TOTALS_COLUMNS, *(f"subsidy__{name}" for name in _ACCOUNT))


def totals_of(policies: Collection[SubsidyAccessPolicy]) -> dict[UUID, PolicyUse]:
    """Return what budgets use, by uuid, in one statement and thus one snapshot."""
    rows = SubsidyAccessPolicy.objects.filter(pk__in={policy.pk for policy in policies}).order_by()
    found = rows.annotate(limits=limits_of_account()).values("pk", "limits", *USE_COLUMNS)
    return {row["pk"]: use_of(row, limits_cents=row["limits"] or 0) for row in found}


def totals_of_customer(customer_uuid: UUID) -> dict[UUID, PolicyUse]:
    """Return what all budgets of a customer use, in the statement of `list_all_policies`."""
    rows = list_totals(customer_uuid)
    limits = limits_by_account((policy.subsidy_id, policy.active, policy.spend_limit) for policy, _ in rows)
    return {
        policy.pk: use_of(
            {
                "spend_limit": policy.spend_limit,
                **totals,
                **{f"subsidy__{name}": getattr(policy.subsidy, name) for name in _ACCOUNT},
            },
            limits_cents=limits[policy.subsidy_id],
        )
        for policy, totals in rows
    }


def limits_by_account(budgets: Iterable[tuple[UUID, bool, int | None]]) -> dict[UUID, int]:
    """Return the sum of the spend limits of each account's active budgets, given all budgets of a customer.

    An account is one customer's, so that all of its budgets are there. Each is an account, whether it is active, and
    its spend limit in cents.
    """
    limits: dict[UUID, int] = defaultdict(int)
    for account, is_active, limit in budgets:
        limits[account] += (limit or 0) if is_active else 0
    return limits


def limits_of_account() -> Subquery:
    """Return the sum of the spend limits of a budget's account, for a statement that reads budgets."""
    rows = SubsidyAccessPolicy.objects.filter(subsidy=OuterRef("subsidy"), active=True).order_by()
    return Subquery(rows.values("subsidy").annotate(sum=Sum("spend_limit")).values("sum"))


def use_of(row: Mapping[str, Any], *, limits_cents: int) -> PolicyUse:
    """Return what a budget uses. `limits_cents`: the sum of the spend limits of its account's active budgets."""
    held, allocated, spent, redemptions = (row[name] or 0 for name in TOTALS_COLUMNS[:4])
    balance, limit = row["subsidy__balance"], row["spend_limit"]
    return PolicyUse(
        held_cents=held,
        allocated_cents=allocated,
        spent_cents=spent,
        redemptions=redemptions,
        policy_cents=None if limit is None else limit - held - allocated - spent,
        subsidy_cents=None if balance is None else balance - (row["subsidy__totals__promised"] or 0),
        total_deposits_cents=row["subsidy__total_deposits"],
        total_spend_limits_cents=limits_cents,
        facts_fetched_at=row["subsidy__fetched_at"],
        starts_at=row["subsidy__starts_at"],
        expires_at=row["subsidy__expires_at"],
    )


def learner_uses_of(
    policies: Collection[SubsidyAccessPolicy], *, lms_user_ids: Collection[int]
) -> dict[int, dict[UUID, LearnerUse]]:
    """Return, by learner, what each uses of each budget, by uuid, in one statement. An absent one is NO_USE."""
    ids, wanted = list(lms_user_ids), {policy.pk for policy in policies}
    rows: Iterable[Sequence[Any]]
    if len(ids) == 1:
        rows = _OF_LEARNER.rows(lms_user_id=ids[0])
    else:
        rows = LearnerTotals.objects.filter(policy__in=wanted, lms_user_id__in=ids).values_list(*_LEARNER)
    found: dict[int, dict[UUID, LearnerUse]] = {lms_user_id: {} for lms_user_id in ids}
    for lms_user_id, policy_uuid, held, spent, redemptions in rows:
        if policy_uuid in wanted:
            use = LearnerUse(held_cents=held, spent_cents=spent, redemptions=redemptions)
            found[lms_user_id][policy_uuid] = use
    return found


def read_of_learner_uses(lms_user_id: int) -> Read:
    """Return the statement of `learner_uses_of` for one learner, for `read_together`."""
    return _OF_LEARNER.read_of(lms_user_id=lms_user_id)


def count_allocated(policy_uuid: UUID) -> int:
    """Return how many assignments a budget has promised money to that are not redeemed, nor being redeemed."""
    rows = Reservation.objects.filter(policy=policy_uuid, state=ReservationState.HELD.value)
    return rows.filter(kind=ReservationKind.ALLOCATION.value).count()


_LEARNER: Final = ("lms_user_id", "policy_id", "held", "spent", "redemptions")
_OF_LEARNER: Final = Prepared(
    lambda lms_user_id: LearnerTotals.objects.filter(lms_user_id=lms_user_id).order_by().values_list(*_LEARNER),
    lms_user_id=models.BigIntegerField(),
)

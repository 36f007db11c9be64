"""Promises of many assignments in a few statements. The rules and the order of locks are those of `services.budget`.

To be called inside the transaction that changes the assignments: their rows are locked before the account.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from attrs import frozen
from django.db.models import QuerySet, Sum
from django.db.models.functions import Now

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind, ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused, PolicyUnknown, ReservationEnded
from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals, PolicyTotals, Reservation, Subsidy
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy as SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.announcing import Change
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import (
    ensure,
    lock_account,
    move_totals,
    sums_for,
)
from enterprise_access.apps.subsidy_access_policies.services.policies.saving import By, save_policy
from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class Promise:
    """Money that an assignment is about to hold."""

    assignment_uuid: UUID
    lms_user_id: int | None
    content_key: str
    amount_cents: int


@frozen(kw_only=True)
class LockedBudget:
    """A budget whose totals are locked until the end of the transaction. `used_cents`: spent, held and allocated."""

    policy: SubsidyAccessPolicy
    subsidy: Subsidy
    promised_cents: int
    used_cents: int


def get_budget(*, policy_uuid: UUID) -> SubsidyAccessPolicy:
    """Return a budget with its account. Raises PolicyUnknown."""
    policy = SubsidyAccessPolicy.objects.select_related("subsidy").filter(pk=policy_uuid).first()
    if policy is None:
        raise PolicyUnknown(f"There is no budget {policy_uuid}.")
    return policy


def list_budgets(policy_uuids: Collection[UUID]) -> dict[UUID, SubsidyAccessPolicy]:
    """Return budgets with their accounts; one that does not exist is missing."""
    return SubsidyAccessPolicy.objects.select_related("subsidy").in_bulk(set(policy_uuids))


def get_budget_of_configuration(configuration_uuid: UUID) -> SubsidyAccessPolicy:
    """Return the budget that an assignment configuration belongs to. Raises PolicyUnknown."""
    policy = SubsidyAccessPolicy.objects.select_related("subsidy").filter(assignment_configuration=configuration_uuid)
    found = policy.first()
    if found is None:
        raise PolicyUnknown(f"There is no assignment configuration {configuration_uuid}.")
    return found


def find_configured(*, customer_uuid: UUID, is_active: bool | None = None) -> QuerySet[SubsidyAccessPolicy]:
    """Return a customer's budgets that have an assignment configuration, oldest first."""
    rows = SubsidyAccessPolicy.objects.filter(customer_uuid=customer_uuid, assignment_configuration__isnull=False)
    if is_active is not None:
        rows = rows.filter(active=is_active)
    return rows.order_by("created", "uuid")


@retry_deadlocks
def ensure_configuration(*, policy_uuid: UUID, by: By, now: datetime) -> tuple[SubsidyAccessPolicy, bool]:
    """Return a budget with its assignment configuration, and whether it was added. Raises PolicyUnknown."""
    lock_account(get_budget(policy_uuid=policy_uuid).subsidy_id)
    policy = get_budget(policy_uuid=policy_uuid)
    if policy.assignment_configuration is not None:
        return policy, False
    policy.assignment_configuration = policy.configuration_of_assignments
    save_policy(policy, change=Change.UPDATED, by=by, now=now)
    return policy, True


def find_being_redeemed(assignment_uuids: Collection[UUID]) -> frozenset[UUID]:
    """Return the assignments of which a redemption is not settled yet, without a lock."""
    rows = Reservation.objects.filter(
        open_assignment_uuid__in=list(assignment_uuids), kind=ReservationKind.REDEMPTION.value
    )
    return frozenset(uuid for uuid in rows.values_list("open_assignment_uuid", flat=True) if uuid is not None)


def held_for_assignments() -> int:
    """Return what is held for all assignments, those that are being redeemed included, in cents."""
    rows = Reservation.objects.filter(open_assignment_uuid__isnull=False)
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def lock_budget(*, policy_uuid: UUID) -> LockedBudget:
    """Lock the totals of a budget, account first, and return what is used. Raises PolicyUnknown."""
    account = lock_account(get_budget(policy_uuid=policy_uuid).subsidy_id)
    ensure(PolicyTotals, policy_id=policy_uuid)
    totals = PolicyTotals.objects.select_for_update().get(pk=policy_uuid)
    fresh = get_budget(policy_uuid=policy_uuid)
    return LockedBudget(
        policy=fresh,
        subsidy=fresh.subsidy,
        promised_cents=account.promised,
        used_cents=totals.spent + totals.held + totals.allocated,
    )


def hold_allocations(budget: LockedBudget, promises: Collection[Promise]) -> None:
    """Promise money to assignments. The caller has checked, under the same locks, that all of it fits."""
    rows = [
        Reservation(
            policy=budget.policy,
            lms_user_id=promise.lms_user_id,
            content_key=promise.content_key,
            amount=promise.amount_cents,
            kind=ReservationKind.ALLOCATION.value,
            state=ReservationState.HELD.value,
            assignment_uuid=promise.assignment_uuid,
            open_assignment_uuid=promise.assignment_uuid,
        )
        for promise in promises
    ]
    Reservation.objects.bulk_create(rows)
    after = sums_for(budget.subsidy, reservations=[row.as_money for row in rows], entries=[])
    move_totals(budget.subsidy, before={}, after=after)


def check_learner_limits(*, policy_uuid: UUID, lms_user_id: int, amount_cents: int) -> None:
    """Check [C11] and [C12] for a learner, after the totals of the budget were locked.

    Raises BudgetRefused where the learner's own limit in this budget does not allow the amount.
    """
    policy = get_budget(policy_uuid=policy_uuid)
    row = LearnerTotals.objects.select_for_update().filter(policy=policy, lms_user_id=lms_user_id).first()
    used, redemptions = (row.spent + row.held, row.redemptions) if row else (0, 0)
    spend_limit, most = policy.per_learner_spend_limit, policy.per_learner_enrollment_limit
    if spend_limit is not None and used + amount_cents > spend_limit:
        raise BudgetRefused(CreditReason.LEARNER_SPEND_LIMIT)
    if most is not None and redemptions >= most:
        raise BudgetRefused(CreditReason.LEARNER_ENROLLMENT_LIMIT)


def lock_promises(assignment_uuids: Collection[UUID], *, policy_uuids: Collection[UUID]) -> dict[UUID, Reservation]:
    """Return the promises of assignments that stand, by assignment. Their accounts are locked, and so are they.

    `policy_uuids`: the budgets of these assignments.
    """
    policies = SubsidyAccessPolicy.objects.filter(pk__in=set(policy_uuids)).order_by()
    for subsidy_uuid in sorted(set(policies.values_list("subsidy_id", flat=True))):
        lock_account(subsidy_uuid)
    rows = Reservation.objects.filter(open_assignment_uuid__in=list(assignment_uuids))
    return {row.open_assignment_uuid: row for row in rows if row.open_assignment_uuid is not None}


def is_being_redeemed(promise: Reservation | None) -> bool:
    """Say whether a promise is that of a redemption which is not settled yet."""
    return promise is not None and promise.kind == ReservationKind.REDEMPTION.value


def release_allocations(promises: Iterable[Reservation]) -> None:
    """Give the money of locked promises back. Raises ReservationEnded where one is being redeemed."""
    rows = list(promises)
    if any(is_being_redeemed(row) for row in rows):
        raise ReservationEnded("A redemption of this promise is not settled yet.")
    accounts = dict(
        SubsidyAccessPolicy.objects.filter(pk__in={row.policy_id for row in rows}).values_list("pk", "subsidy_id")
    )
    for subsidy in Subsidy.objects.filter(pk__in=set(accounts.values())).order_by("pk"):
        own = [row.as_money for row in rows if accounts[row.policy_id] == subsidy.pk]
        # No transaction stands for the promise of an allocation.
        move_totals(subsidy, before=sums_for(subsidy, reservations=own, entries=[]), after={})
    Reservation.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=ReservationState.RELEASED.value, open_assignment_uuid=None, modified=Now()
    )


@retry_deadlocks
def name_learner(*, assignment_uuids: Collection[UUID], lms_user_id: int) -> None:
    """Write down whose promises these are, now that it is known. Totals of learners leave allocations out."""
    Reservation.objects.filter(
        open_assignment_uuid__in=list(assignment_uuids), kind=ReservationKind.ALLOCATION.value, lms_user_id=None
    ).update(lms_user_id=lms_user_id)

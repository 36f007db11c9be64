"""Allocating content to people by email: all of it or nothing."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.emails import fold_email, normalize_emails
from enterprise_access.apps.content_assignments.domain.states import ENDED, AssignmentState
from enterprise_access.apps.subsidy_access_policies.domain.money import PriceBounds, cents_from_client
from enterprise_access.apps.subsidy_access_policies.domain.policies import (
    TYPE_RULES,
    PolicyType,
    SubsidyPeriod,
    is_beyond_enroll_by,
)
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.lib.keys import same_key

DEFAULT_BOUNDS: Final = PriceBounds()


@frozen(kw_only=True)
class BudgetUse:
    """The policy, and what is used of it."""

    policy_type: PolicyType
    is_active: bool
    is_retired: bool
    late_redemption_allowed_until: datetime | None
    spend_limit_cents: int | None
    used_cents: int
    """Spent, held and allocated."""


@frozen(kw_only=True)
class Account:
    """The subsidy. `promised_cents`: what any policy holds, allocated or spent and the balance does not show."""

    period: SubsidyPeriod
    balance_cents: int
    promised_cents: int


@frozen(kw_only=True)
class RequestedContent:
    """The requested content in the policy's catalog. `is_in_catalog` None: could not be asked."""

    is_in_catalog: bool | None
    price_cents: int | None
    enroll_by: datetime | None


@frozen(kw_only=True)
class AllocationRequest:
    """What the client sent, not validated yet."""

    learner_emails: object
    content_key: object
    content_price_cents: object


@frozen(kw_only=True)
class AssignmentRow:
    """An assignment that exists. `learner_email` None: cleared; then its user tells whose it is."""

    learner_email: str | None
    lms_user_id: int | None
    content_key: str
    state: AssignmentState


@frozen(kw_only=True)
class AllocationCase:
    """Everything that allocating asks. `subsidy` and `content` None: could not be asked.

    `users`: the accounts that are known for the requested addresses.
    """

    budget: BudgetUse
    subsidy: Account | None
    content: RequestedContent | None
    request: AllocationRequest
    users: Mapping[str, int]
    rows: Collection[AssignmentRow]
    bounds: PriceBounds = DEFAULT_BOUNDS


class AllocationOutcome(StrEnum):
    """How an allocation ends: done, 400, 422."""

    DONE = "done"
    INVALID = "invalid"
    REFUSED = "refused"


@frozen(kw_only=True)
class Allocation:
    """What is done, as folded addresses; nothing at all unless the outcome is DONE."""

    outcome: AllocationOutcome
    reason: CreditReason | None = None
    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    no_change: tuple[str, ...] = ()
    newly_held_cents: int = 0

    @property
    def changes_rows(self) -> bool:
        return bool(self.created or self.updated)


_INVALID: Final = Allocation(outcome=AllocationOutcome.INVALID)


def allocate(case: AllocationCase, *, now: datetime) -> Allocation:
    """Return what an allocation does at `now`: all of it, or nothing and why."""
    request = case.request
    emails, price = normalize_emails(request.learner_emails), cents_from_client(request.content_price_cents)
    key = request.content_key
    if emails is None or price is None or not isinstance(key, str) or not key.strip():
        return _INVALID
    reason = _refusal(case, price, now)
    if reason is not None:
        return _refused(reason)
    plan = _plan(case, emails, key, price)
    short = _shortage(case, plan)
    return plan if short is None else _refused(short)


def _refused(reason: CreditReason) -> Allocation:
    return Allocation(outcome=AllocationOutcome.REFUSED, reason=reason)


def _refusal(case: AllocationCase, price: int, now: datetime) -> CreditReason | None:
    """Return what stands against the call as a whole; the first that matches."""
    return _budget_refusal(case, now) or _content_refusal(case, price, now)


def _budget_refusal(case: AllocationCase, now: datetime) -> CreditReason | None:
    budget = case.budget
    if budget.is_retired or not budget.is_active:
        return CreditReason.POLICY_EXPIRED
    if not TYPE_RULES[budget.policy_type].is_assignable:
        return CreditReason.POLICY_NOT_ASSIGNABLE
    if case.subsidy is None:
        return CreditReason.SUBSIDY_UNAVAILABLE
    return None if case.subsidy.period.is_active(now=now) else CreditReason.SUBSIDY_EXPIRED


def _content_refusal(case: AllocationCase, price: int, now: datetime) -> CreditReason | None:
    content = case.content
    if content is None or content.is_in_catalog is None:
        return CreditReason.CATALOG_UNAVAILABLE
    if not content.is_in_catalog:
        return CreditReason.CONTENT_NOT_IN_CATALOG
    if content.price_cents is None:
        return CreditReason.CONTENT_PRICE_UNKNOWN
    late_until = case.budget.late_redemption_allowed_until
    if is_beyond_enroll_by(enroll_by=content.enroll_by, late_until=late_until, now=now):
        return CreditReason.BEYOND_ENROLLMENT_DEADLINE
    if not case.bounds.contain(catalog_cents=content.price_cents, price_cents=price):
        return CreditReason.PRICE_OUT_OF_BOUNDS
    return None


def _plan(case: AllocationCase, emails: tuple[str, ...], key: str, price: int) -> Allocation:
    """Return what each address comes to: a new row, an ended one allocated again, or one that stays as it is."""
    rows = [row for row in case.rows if same_key(row.content_key, key)]
    users = {fold_email(email): lms_user_id for email, lms_user_id in case.users.items()}
    found = dict(_rows_of(emails, rows, users))
    created = tuple(email for email, row in found.items() if row is None)
    updated = tuple(email for email, row in found.items() if row is not None and row.state in ENDED)
    return Allocation(
        outcome=AllocationOutcome.DONE,
        created=created,
        updated=updated,
        no_change=tuple(email for email in found if email not in {*created, *updated}),
        newly_held_cents=price * (len(created) + len(updated)),
    )


def _rows_of(
    emails: tuple[str, ...], rows: list[AssignmentRow], users: Mapping[str, int]
) -> Iterator[tuple[str, AssignmentRow | None]]:
    """Yield each address with its row: by the address, or by the account where the address was cleared."""
    by_email = {fold_email(row.learner_email): row for row in rows if row.learner_email is not None}
    cleared: dict[int | None, AssignmentRow] = {
        row.lms_user_id: row for row in rows if row.learner_email is None and row.lms_user_id is not None
    }
    for email in (fold_email(email) for email in emails):
        # A cleared row is one person's: a second address of the same account does not get it, too.
        yield email, by_email.get(email) or cleared.pop(users.get(email), None)


def _shortage(case: AllocationCase, plan: Allocation) -> CreditReason | None:
    """Return what the rows that will newly hold money do not fit into. Rows that hold it already need nothing."""
    if not plan.changes_rows or case.subsidy is None:
        return None
    if plan.newly_held_cents > case.subsidy.balance_cents - case.subsidy.promised_cents:
        return CreditReason.NOT_ENOUGH_VALUE
    limit = case.budget.spend_limit_cents
    if limit is not None and plan.newly_held_cents + case.budget.used_cents > limit:
        return CreditReason.POLICY_SPEND_LIMIT
    return None

"""May this learner redeem this run with this policy? The rules [C1] to [C13]; the first that matches answers."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

from enterprise_access.apps.groups.domain import Membership
from enterprise_access.apps.redemption.domain.assignments import (
    NO_ASSIGNMENT_NEEDED,
    Assignment,
    PayingAssignment,
    paying_assignment,
)
from enterprise_access.apps.redemption.domain.case import RedeemCase, SubsidyFacts, Unknown
from enterprise_access.apps.subsidy_access_policies.domain.ledger import RUNNING
from enterprise_access.apps.subsidy_access_policies.domain.money import price_cents
from enterprise_access.apps.subsidy_access_policies.domain.policies import is_beyond_enroll_by
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason


class CreditRule(StrEnum):
    """The rules, in their order."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"
    C6 = "C6"
    C7 = "C7"
    C8 = "C8"
    C9 = "C9"
    C10 = "C10"
    C11 = "C11"
    C12 = "C12"
    C13 = "C13"


@frozen(kw_only=True)
class RedeemVerdict:
    """The rule that answered. `reason` is None and `price_cents` is set when the run can be redeemed.

    `assignment`: the one that pays, or would where a rule refuses.
    """

    rule: CreditRule
    reason: CreditReason | None = None
    price_cents: int | None = None
    assignment: Assignment | None = None

    @property
    def is_redeemable(self) -> bool:
        return self.reason is None


def can_redeem(case: RedeemCase, *, now: datetime) -> RedeemVerdict:
    """Say whether the policy pays for the run at `now`, and at which price. The first rule that matches answers."""
    view = _View.of(case, now=now)
    for rule, check in _CHECKS:
        reason = check(view)
        if reason is not None:
            return RedeemVerdict(rule=rule, reason=reason, assignment=view.paying.assignment)
    return RedeemVerdict(rule=CreditRule.C13, price_cents=view.price, assignment=view.paying.assignment)


@frozen(kw_only=True)
class _View:
    """The case with what follows from it."""

    case: RedeemCase
    now: datetime
    paying: PayingAssignment
    catalog_or_assigned_price: int | None

    @classmethod
    def of(cls, case: RedeemCase, *, now: datetime) -> "_View":
        paying = NO_ASSIGNMENT_NEEDED
        if case.policy.pays_by_assignment:
            paying = paying_assignment(
                run_key=case.run.run_key, course_key=case.run.course_key, assignments=case.assignments
            )
        price = price_cents(
            assignment_cents=paying.assignment.amount_cents if paying.assignment else None,
            run_dollars=case.run.run_dollars,
            course_dollars=case.run.course_dollars,
        )
        return cls(case=case, now=now, paying=paying, catalog_or_assigned_price=price)

    @property
    def price(self) -> int:
        """The price; only for rules after [C4]."""
        if self.catalog_or_assigned_price is None:
            raise ValueError("A run without a price does not get this far.")
        return self.catalog_or_assigned_price

    @property
    def subsidy(self) -> SubsidyFacts:
        """The account; only for rules after [C6]."""
        if self.case.subsidy is None:
            raise ValueError("An account that could not be asked does not get this far.")
        return self.case.subsidy

    @property
    def own_allocation(self) -> int:
        """What the paying assignment holds, and gives back when it is redeemed."""
        return self.paying.assignment.amount_cents if self.paying.assignment else 0


def _c1_policy(view: _View) -> CreditReason | None:
    policy = view.case.policy
    return CreditReason.POLICY_EXPIRED if policy.is_retired or not policy.is_active else None


def _c2_link(view: _View) -> CreditReason | None:
    linked = view.case.learner.is_linked
    if linked is None:
        return CreditReason.LEARNER_STATE_UNKNOWN
    return None if linked else CreditReason.LEARNER_NOT_IN_ENTERPRISE


def _c3_groups(view: _View) -> CreditReason | None:
    groups, memberships = view.case.policy.groups, view.case.learner.memberships
    if not groups:
        return None
    states = {memberships.get(group) for group in groups}
    if Membership.ACCEPTED in states:
        return None
    return CreditReason.LEARNER_STATE_UNKNOWN if Membership.UNKNOWN in states else CreditReason.LEARNER_NOT_IN_GROUP


def _c4_content(view: _View) -> CreditReason | None:
    run = view.case.run
    if run.is_in_catalog is False or run.has_metadata is False:
        return CreditReason.CONTENT_NOT_IN_CATALOG
    if run.is_in_catalog is None or run.has_metadata is None:
        return CreditReason.CATALOG_UNAVAILABLE
    return CreditReason.CONTENT_PRICE_UNKNOWN if view.catalog_or_assigned_price is None else None


def _c5_deadline(view: _View) -> CreditReason | None:
    late_until = view.case.policy.late_redemption_allowed_until
    too_late = is_beyond_enroll_by(enroll_by=view.case.run.enroll_by, late_until=late_until, now=view.now)
    return CreditReason.BEYOND_ENROLLMENT_DEADLINE if too_late else None


def _c6_subsidy(view: _View) -> CreditReason | None:
    if view.case.subsidy is None:
        return CreditReason.SUBSIDY_UNAVAILABLE
    return None if view.case.subsidy.period.is_active(now=view.now) else CreditReason.SUBSIDY_EXPIRED


def _c7_enrollment(view: _View) -> CreditReason | None:
    enrollment, transactions = view.case.enrollment, view.case.transactions
    if isinstance(enrollment, Unknown) or transactions is None:
        return CreditReason.LEARNER_STATE_UNKNOWN
    is_explained = any(not one.is_reversed for one in transactions)
    if enrollment is not None and enrollment.is_active_and_paid and not is_explained:
        return CreditReason.ALREADY_ENROLLED
    if any(one.state in RUNNING and not one.is_ours for one in transactions):
        return CreditReason.REDEMPTION_IN_PROGRESS
    return None


def _c8_assignment(view: _View) -> CreditReason | None:
    return None if view.case.allocates else view.paying.reason


def _c9_balance(view: _View) -> CreditReason | None:
    available = view.subsidy.balance_cents - view.subsidy.promised_cents + view.own_allocation
    return CreditReason.NOT_ENOUGH_VALUE if view.price > available else None


def _c10_spend_limit(view: _View) -> CreditReason | None:
    policy = view.case.policy
    if policy.spend_limit_cents is None:
        return None
    used = policy.spent_cents + policy.held_cents + policy.allocated_cents - view.own_allocation
    return CreditReason.POLICY_SPEND_LIMIT if used + view.price > policy.spend_limit_cents else None


def _c11_learner_spend(view: _View) -> CreditReason | None:
    limit, learner = view.case.policy.learner_spend_limit_cents, view.case.learner
    if view.paying.assignment or limit is None:
        return None
    spent = learner.spent_cents + learner.held_cents + view.price
    return CreditReason.LEARNER_SPEND_LIMIT if spent > limit else None


def _c12_learner_enrollments(view: _View) -> CreditReason | None:
    limit, learner = view.case.policy.learner_enrollment_limit, view.case.learner
    if view.paying.assignment or limit is None:
        return None
    count = learner.redemptions + learner.redemptions_held
    return CreditReason.LEARNER_ENROLLMENT_LIMIT if count >= limit else None


_CHECKS: Final[tuple[tuple[CreditRule, Callable[[_View], CreditReason | None]], ...]] = (
    (CreditRule.C1, _c1_policy),
    (CreditRule.C2, _c2_link),
    (CreditRule.C3, _c3_groups),
    (CreditRule.C4, _c4_content),
    (CreditRule.C5, _c5_deadline),
    (CreditRule.C6, _c6_subsidy),
    (CreditRule.C7, _c7_enrollment),
    (CreditRule.C8, _c8_assignment),
    (CreditRule.C9, _c9_balance),
    (CreditRule.C10, _c10_spend_limit),
    (CreditRule.C11, _c11_learner_spend),
    (CreditRule.C12, _c12_learner_enrollments),
)

"""What a budget is: its types and their limits, when its account is active, and when two budgets are the same."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen


class PolicyType(StrEnum):
    """How a budget is spent. The values are the names that clients send and read."""

    PER_LEARNER_ENROLLMENT = "PerLearnerEnrollmentCreditAccessPolicy"
    PER_LEARNER_SPEND = "PerLearnerSpendCreditAccessPolicy"
    ASSIGNED = "AssignedLearnerCreditAccessPolicy"


class AccessMethod(StrEnum):
    """How learners get at the money."""

    DIRECT = "direct"
    REQUEST = "request"
    ASSIGNED = "assigned"


class Limit(StrEnum):
    """The limits that a budget may have; the values are the members' names on the wire."""

    SPEND = "spend_limit"
    LEARNER_SPEND = "per_learner_spend_limit"
    LEARNER_ENROLLMENTS = "per_learner_enrollment_limit"


@frozen(kw_only=True)
class TypeRules:
    """What one type allows and demands. The only place that says so."""

    limits: frozenset[Limit]
    required: frozenset[Limit] = frozenset()
    access_methods: frozenset[AccessMethod]
    may_browse_and_request: bool = False
    is_assignable: bool = False


_NOT_ASSIGNED: Final = frozenset({AccessMethod.DIRECT, AccessMethod.REQUEST})

TYPE_RULES: Final[Mapping[PolicyType, TypeRules]] = {
    PolicyType.PER_LEARNER_ENROLLMENT: TypeRules(
        limits=frozenset({Limit.SPEND, Limit.LEARNER_ENROLLMENTS}), access_methods=_NOT_ASSIGNED
    ),
    PolicyType.PER_LEARNER_SPEND: TypeRules(
        limits=frozenset({Limit.SPEND, Limit.LEARNER_SPEND}), access_methods=_NOT_ASSIGNED, may_browse_and_request=True
    ),
    PolicyType.ASSIGNED: TypeRules(
        limits=frozenset({Limit.SPEND}),
        required=frozenset({Limit.SPEND}),
        access_methods=frozenset({AccessMethod.ASSIGNED}),
        is_assignable=True,
    ),
}

MAX_LATE_REDEMPTION: Final = timedelta(days=7)


class LimitProblem(StrEnum):
    """What is wrong with one limit of a budget."""

    NOT_ALLOWED = "limit_not_allowed"
    REQUIRED = "limit_required"
    NEGATIVE = "limit_negative"


def limit_problems(*, policy_type: PolicyType, limits: Mapping[Limit, int | None]) -> Mapping[Limit, LimitProblem]:
    """Return the problem of each limit that has one; an absent limit is none."""
    rules = TYPE_RULES[policy_type]
    problems: dict[Limit, LimitProblem] = {}
    for limit in Limit:
        value = limits.get(limit)
        if value is None and limit in rules.required:
            problems[limit] = LimitProblem.REQUIRED
        elif value is not None and limit not in rules.limits:
            problems[limit] = LimitProblem.NOT_ALLOWED
        elif value is not None and value < 0:
            problems[limit] = LimitProblem.NEGATIVE
    return problems


@frozen(kw_only=True)
class SubsidyPeriod:
    """When the account can be spent: start <= now < expiration. None = no such limit."""

    start: datetime | None
    expiration: datetime | None

    def is_active(self, *, now: datetime) -> bool:
        """Say whether the account is active. The same rule everywhere: can-redeem, allocation, answers."""
        if self.start is not None and now < self.start:
            return False
        return self.expiration is None or now < self.expiration


def is_late_redemption_allowed(*, until: datetime | None, now: datetime) -> bool:
    """Say whether runs can be paid for although their enroll-by date has passed."""
    return until is not None and now < until


def is_beyond_enroll_by(*, enroll_by: datetime | None, late_until: datetime | None, now: datetime) -> bool:
    """Say whether it is too late to enroll. The enroll-by instant itself is in time."""
    if enroll_by is None or now <= enroll_by:
        return False
    return not is_late_redemption_allowed(until=late_until, now=now)


def active_key(
    *,
    is_active: bool,
    customer_uuid: UUID,
    subsidy_uuid: UUID,
    catalog_uuid: UUID,
    access_method: AccessMethod,
    policy_type: PolicyType,
    display_name: str | None,
) -> str | None:
    """Return what is the same for two active budgets that are the same; None for an inactive one, which is unlike all.

    Two budgets on one catalog with two names are two budgets. Names are compared without case and outer spaces.
    """
    if not is_active:
        return None
    name = " ".join((display_name or "").casefold().split())
    ids = (customer_uuid, subsidy_uuid, catalog_uuid)
    return "|".join([*(one.hex for one in ids), access_method.value, policy_type.value, name])


@frozen(kw_only=True)
class SpendLimits:
    """What bounds a budget's new spend limit.

    `others_cents`: the sum of the spend limits of the other active budgets of the account; no limit counts as 0.
    `used_cents`: what the budget has spent, holds, and has allocated.
    """

    deposits_cents: int
    others_cents: int
    used_cents: int


class SpendLimitProblem(StrEnum):
    """Why a spend limit is refused."""

    ABOVE_DEPOSITS = "spend_limit_above_deposits"
    BELOW_USED = "spend_limit_below_used"


def spend_limit_problem(
    *, spend_limit_cents: int | None, is_active: bool, bounds: SpendLimits
) -> SpendLimitProblem | None:
    """Return what is wrong with a spend limit: the active ones of an account never exceed its deposits together."""
    if spend_limit_cents is None:
        return None
    if spend_limit_cents < bounds.used_cents:
        return SpendLimitProblem.BELOW_USED
    if is_active and spend_limit_cents + bounds.others_cents > bounds.deposits_cents:
        return SpendLimitProblem.ABOVE_DEPOSITS
    return None

"""All that the rules of redemption ask: the budget, the learner, the run, the account, and what there is already."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.groups.domain import Membership
from enterprise_access.apps.redemption.domain.assignments import Assignment
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType, SubsidyPeriod


@frozen(kw_only=True)
class PolicyFacts:
    """The policy and what is used of it. `allocated_cents` includes the learner's own allocation."""

    policy_type: PolicyType
    is_active: bool
    is_retired: bool
    is_browse_and_request_on: bool
    groups: frozenset[UUID]
    late_redemption_allowed_until: datetime | None
    spend_limit_cents: int | None
    learner_spend_limit_cents: int | None
    learner_enrollment_limit: int | None
    spent_cents: int
    held_cents: int
    allocated_cents: int

    @property
    def pays_by_assignment(self) -> bool:
        """Whether only an assignment gets at the money."""
        return TYPE_RULES[self.policy_type].is_assignable or self.is_browse_and_request_on


@frozen(kw_only=True)
class LearnerFacts:
    """The learner, as far as this policy is concerned. `is_linked` None: could not be asked.

    A group that is missing in `memberships`: not a member.
    """

    is_linked: bool | None
    memberships: Mapping[UUID, Membership]
    spent_cents: int
    held_cents: int
    redemptions: int
    redemptions_held: int


@frozen(kw_only=True)
class RunFacts:
    """The run in the policy's catalog. None in the first two: could not be asked. Prices are in dollars, as read."""

    run_key: str
    course_key: str
    is_in_catalog: bool | None
    has_metadata: bool | None
    run_dollars: object
    course_dollars: object
    enroll_by: datetime | None


@frozen(kw_only=True)
class SubsidyFacts:
    """The account. `promised_cents`: what any policy holds, allocated or spent and `balance_cents` does not show."""

    period: SubsidyPeriod
    balance_cents: int
    promised_cents: int


@frozen(kw_only=True)
class PlatformEnrollment:
    """The learner's enrollment in the run, as the LMS has it."""

    is_active: bool
    mode: str

    @property
    def is_active_and_paid(self) -> bool:
        return self.is_active and is_paid(self.mode)


@frozen(kw_only=True)
class RunTransaction:
    """A transaction of this learner and run. `is_ours`: this service started it."""

    state: TransactionState
    is_reversed: bool
    is_ours: bool


class Unknown:
    """Could not be asked; unlike None, which says that there is nothing."""


UNKNOWN: Final = Unknown()


@frozen(kw_only=True)
class RedeemCase:
    """Everything that the rules ask. None in `subsidy` and `transactions`: could not be asked.

    `allocates`: staff redeem, and an assignment that is missing is allocated with the redemption.
    """

    policy: PolicyFacts
    learner: LearnerFacts
    run: RunFacts
    subsidy: SubsidyFacts | None
    enrollment: PlatformEnrollment | Unknown | None
    transactions: Collection[RunTransaction] | None
    assignments: Collection[Assignment]
    allocates: bool = False

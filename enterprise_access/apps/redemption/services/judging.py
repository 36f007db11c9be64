"""What the rules say of one run: for each policy, and which of them pays."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.redemption.domain.assignments import Assignment, paying_assignment
from enterprise_access.apps.redemption.domain.case import RedeemCase
from enterprise_access.apps.redemption.domain.choosing import Choice, Rank, RefusedBy, choose_first
from enterprise_access.apps.redemption.domain.eligibility import RedeemVerdict, can_redeem
from enterprise_access.apps.redemption.domain.transactions import ExistingRedemption, Transaction, existing_redemption
from enterprise_access.apps.redemption.services.cases import (
    PolicyStanding,
    RunState,
    as_transaction,
    assignments_for,
    case_of,
    run_state_of,
    standing_of,
)
from enterprise_access.apps.redemption.services.facts import CreditFacts
from enterprise_access.apps.subsidy_access_policies.domain.money import price_cents
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.selectors.learners import LearnerTransaction, Policy
from enterprise_access.apps.subsidy_access_policies.services import Offer

# All budgets have ended. The learner portal needs a reason wherever nothing pays.
_NO_BUDGET: Final = Choice(
    display_reason=CreditReason.POLICY_EXPIRED,
    reasons=(RefusedBy(reason=CreditReason.POLICY_EXPIRED, policy_uuids=()),),
)


@frozen(kw_only=True)
class Judged:
    """One policy's verdict on one run, with what it was decided by."""

    policy: Policy
    case: RedeemCase
    verdict: RedeemVerdict
    offer: Offer

    @property
    def assignment(self) -> Assignment | None:
        """The assignment that pays, or would where the policy refuses."""
        return self.verdict.assignment

    @property
    def needs_assignment(self) -> bool:
        """Whether the assignment that pays is allocated with the redemption."""
        return self.case.allocates and self.assignment is None


@frozen(kw_only=True)
class RunJudgement:
    """What is said of one run. `existing`: what the learner has redeemed already; then no policy is looked at.

    `judged`: the policies that were looked at, which are those before the one that pays in the order of choosing, and
    all of them where none pays.
    """

    run_key: str
    existing: ExistingRedemption
    judged: Mapping[UUID, Judged]
    choice: Choice
    list_price_cents: int | None

    @property
    def chosen(self) -> Judged | None:
        uuid = self.choice.policy_uuid
        return None if uuid is None else self.judged[uuid]


def judge_run(facts: CreditFacts, run_key: str, *, now: datetime, is_complete: bool = False) -> RunJudgement:
    """Say which policy pays for a run, or why none does. `is_complete`: look at every policy, also after that one."""
    return _judge_runs(facts, [run_key], now=now, is_complete=is_complete)[0]


def judge_runs(facts: CreditFacts, run_keys: Iterable[str], *, now: datetime) -> tuple[RunJudgement, ...]:
    """Do the same for several runs. What does not depend on the run is found out once."""
    return _judge_runs(facts, run_keys, now=now, is_complete=False)


def _judge_runs(
    facts: CreditFacts, run_keys: Iterable[str], *, now: datetime, is_complete: bool
) -> tuple[RunJudgement, ...]:
    standings = sorted((standing_of(facts, policy) for policy in facts.policies), key=lambda one: one.rank)
    transactions = [as_transaction(row) for row in facts.transactions]
    return tuple(
        _judge_run(facts, standings, transactions, run_key, now=now, is_complete=is_complete) for run_key in run_keys
    )


def _judge_run(
    facts: CreditFacts,
    standings: Sequence[PolicyStanding],
    transactions: Iterable[Transaction],
    run_key: str,
    *,
    now: datetime,
    is_complete: bool,
) -> RunJudgement:
    existing = existing_redemption(lms_user_id=facts.lms_user_id, run_key=run_key, transactions=transactions)
    run = run_state_of(facts, run_key)
    judged: dict[UUID, Judged] = {}
    if existing.transaction is None:
        # In the order of choosing, because what comes after the policy that pays makes no difference.
        for standing in _in_order(standings, run):
            one = judged[standing.policy.pk] = _judge(standing, run, now=now)
            if one.verdict.is_redeemable and not is_complete:
                break
    is_without_budget = existing.transaction is None and not judged
    answers = [(uuid, one.verdict.reason) for uuid, one in judged.items()]
    prices = (
        price_cents(assignment_cents=None, run_dollars=one.run_dollars, course_dollars=one.course_dollars)
        for one in run.offered.values()
    )
    return RunJudgement(
        run_key=run_key,
        existing=existing,
        judged=judged,
        choice=_NO_BUDGET if is_without_budget else choose_first(answers),
        list_price_cents=next((price for price in prices if price is not None), None),
    )


def judge(facts: CreditFacts, policy: Policy, run_key: str, *, now: datetime, is_forced: bool = False) -> Judged:
    """Say whether one policy pays for a run. `is_forced`: staff redeem."""
    run = run_state_of(facts, run_key)
    return _judge(standing_of(facts, policy), run, now=now, is_forced=is_forced)


def _judge(standing: PolicyStanding, run: RunState, *, now: datetime, is_forced: bool = False) -> Judged:
    case = case_of(standing, run)
    if is_forced:
        case = _as_forced(case)
    return Judged(
        policy=standing.policy,
        case=case,
        verdict=can_redeem(case, now=now),
        offer=run.offers[standing.policy.catalog_uuid],
    )


def _in_order(standings: Sequence[PolicyStanding], run: RunState) -> Sequence[PolicyStanding]:
    """Return standings in the order of choosing. They are in it but for assignments, which depend on the run."""
    if not any(standing.may_be_assigned for standing in standings):
        return standings
    return sorted(standings, key=lambda one: _rank_of(one, run))


def _rank_of(standing: PolicyStanding, run: RunState) -> Rank:
    """Return the policy's place in the order of choosing, which does not depend on what it answers."""
    if not standing.may_be_assigned:
        return standing.rank
    of = run.offered[standing.policy.catalog_uuid]
    assignments = assignments_for(standing, run)
    paying = paying_assignment(run_key=of.run_key, course_key=of.course_key, assignments=assignments)
    return paying.assignment is None, *standing.rank[1:]


def _as_forced(case: RedeemCase) -> RedeemCase:
    """Waive the enrollment deadline; an assigned budget's assignment, if there is none, is allocated on the way."""
    is_assignable = TYPE_RULES[case.policy.policy_type].is_assignable
    return evolve(case, run=evolve(case.run, enroll_by=None), allocates=is_assignable)


def transactions_for(facts: CreditFacts, judgement: RunJudgement) -> Iterable[LearnerTransaction]:
    """Return the copies behind what is shown of a run."""
    shown = {one.uuid for one in judgement.existing.redemptions}
    return [row for row in facts.transactions if row.uuid in shown]

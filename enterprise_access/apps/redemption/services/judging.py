"""What the rules say of one run: for each policy, and which of them pays."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.content_metadata.domain import course_key_of_run
from enterprise_access.apps.redemption.domain.assignments import Assignment, paying_assignment
from enterprise_access.apps.redemption.domain.choosing import Choice, PolicyAnswer, Rank, RefusedBy, choose_policy
from enterprise_access.apps.redemption.domain.eligibility import (
    UNKNOWN,
    LearnerFacts,
    PlatformEnrollment,
    PolicyFacts,
    RedeemCase,
    RedeemVerdict,
    RunFacts,
    RunTransaction,
    SubsidyFacts,
    Unknown,
    can_redeem,
)
from enterprise_access.apps.redemption.domain.transactions import ExistingRedemption, Transaction, existing_redemption
from enterprise_access.apps.redemption.services.facts import CreditFacts, OpenAttempt, groups_of
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.money import price_cents
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.selectors.learners import LearnerTransaction, Policy
from enterprise_access.apps.subsidy_access_policies.selectors.usage import NO_USE
from enterprise_access.apps.subsidy_access_policies.services import Offer
from enterprise_access.lib.keys import fold, same_key

_UNKNOWN_OFFER: Final = Offer()
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
    assignment: Assignment | None
    offer: Offer

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
    standings = sorted((_standing_of(facts, policy) for policy in facts.policies), key=lambda one: one.rank)
    transactions = [as_transaction(row) for row in facts.transactions]
    return tuple(
        _judge_run(facts, standings, transactions, run_key, now=now, is_complete=is_complete) for run_key in run_keys
    )


def _judge_run(
    facts: CreditFacts,
    standings: Sequence["_Standing"],
    transactions: Iterable[Transaction],
    run_key: str,
    *,
    now: datetime,
    is_complete: bool,
) -> RunJudgement:
    existing = existing_redemption(lms_user_id=facts.lms_user_id, run_key=run_key, transactions=transactions)
    run = _run_state_of(facts, run_key)
    judged: dict[UUID, Judged] = {}
    if existing.transaction is None:
        # In the order of choosing, because what comes after the policy that pays makes no difference.
        for standing in _in_order(facts, standings, run):
            one = judged[standing.policy.pk] = _judge(facts, standing, run, now=now)
            if one.verdict.is_redeemable and not is_complete:
                break
    is_without_budget = existing.transaction is None and not judged
    prices = (
        price_cents(assignment_cents=None, run_dollars=offer.run_dollars, course_dollars=offer.course_dollars)
        for offer in (_offer_of(facts, policy, run) for policy in facts.policies)
    )
    return RunJudgement(
        run_key=run_key,
        existing=existing,
        judged=judged,
        choice=_NO_BUDGET if is_without_budget else choose_policy(_answer_of(facts, one) for one in judged.values()),
        list_price_cents=next((price for price in prices if price is not None), None),
    )


def judge(facts: CreditFacts, policy: Policy, run_key: str, *, now: datetime, is_forced: bool = False) -> Judged:
    """Say whether one policy pays for a run. `is_forced`: staff redeem."""
    run = _run_state_of(facts, run_key)
    return _judge(facts, _standing_of(facts, policy), run, now=now, is_forced=is_forced)


def _judge(
    facts: CreditFacts, standing: "_Standing", run: "_RunState", *, now: datetime, is_forced: bool = False
) -> Judged:
    offer = _offer_of(facts, standing.policy, run)
    case = _case_of(facts, standing, run, offer)
    if is_forced:
        case = _as_forced(case)
    return Judged(
        policy=standing.policy,
        case=case,
        verdict=can_redeem(case, now=now),
        assignment=_paying_of(standing, case.run),
        offer=offer,
    )


def _paying_of(standing: "_Standing", run: RunFacts) -> Assignment | None:
    if not standing.case.pays_by_assignment:
        return None
    return paying_assignment(
        run_key=run.run_key, course_key=run.course_key, assignments=standing.assignments
    ).assignment


def _in_order(facts: CreditFacts, standings: Sequence["_Standing"], run: "_RunState") -> Sequence["_Standing"]:
    """Return standings in the order of choosing. They are in it but for assignments, which depend on the run."""
    if not any(standing.may_be_assigned for standing in standings):
        return standings
    return sorted(standings, key=lambda one: _rank_of(facts, one, run))


def _rank_of(facts: CreditFacts, standing: "_Standing", run: "_RunState") -> Rank:
    """Return the policy's place in the order of choosing, which does not depend on what it answers."""
    if not standing.may_be_assigned:
        return standing.rank
    paying = _paying_of(standing, _run_of(_offer_of(facts, standing.policy, run), run.run_key))
    return _place_of(facts, standing.policy, assignment_pays=paying is not None).rank


@frozen(kw_only=True)
class _Standing:
    """What the rules ask of a policy, its account and the learner in it, whatever the run."""

    policy: Policy
    case: PolicyFacts
    learner: LearnerFacts
    subsidy: SubsidyFacts | None
    assignments: tuple[Assignment, ...]
    # Where no assignment pays.
    rank: Rank

    @property
    def may_be_assigned(self) -> bool:
        return bool(self.assignments) and self.case.pays_by_assignment


@frozen(kw_only=True)
class _RunState:
    """What is known of the learner in a run, whatever the policy."""

    run_key: str
    folded: str
    enrollment: PlatformEnrollment | Unknown | None
    transactions: tuple[RunTransaction, ...]
    # An account that could not be asked may explain the enrollment.
    is_unexplained: bool


def _standing_of(facts: CreditFacts, policy: Policy) -> _Standing:
    groups = groups_of(policy)
    return _Standing(
        policy=policy,
        case=_policy_of(facts, policy, groups),
        learner=_learner_of(facts, policy, groups),
        subsidy=_subsidy_of(facts, policy),
        assignments=facts.assignments.get(policy.pk, ()),
        rank=_place_of(facts, policy, assignment_pays=False).rank,
    )


def _run_state_of(facts: CreditFacts, run_key: str) -> _RunState:
    own = tuple(
        RunTransaction(state=row.state, is_reversed=row.is_reversed, is_ours=_is_ours(facts, row))
        for row in facts.transactions
        if same_key(row.content_key, run_key)
    )
    enrollment = _enrollment_of(facts, run_key)
    is_paid = isinstance(enrollment, PlatformEnrollment) and enrollment.is_active_and_paid
    return _RunState(
        run_key=run_key,
        folded=fold(run_key),
        enrollment=enrollment,
        transactions=own,
        is_unexplained=is_paid and all(one.is_reversed for one in own) and bool(facts.ledgers - facts.known_ledgers),
    )


def _offer_of(facts: CreditFacts, policy: Policy, run: _RunState) -> Offer:
    return facts.offers.get((policy.pk, run.folded), _UNKNOWN_OFFER)


def _as_forced(case: RedeemCase) -> RedeemCase:
    """Waive the enrollment deadline; an assigned budget's assignment, if there is none, is allocated on the way."""
    is_assignable = TYPE_RULES[case.policy.policy_type].is_assignable
    return evolve(case, run=evolve(case.run, enroll_by=None), allocates=is_assignable)


def _answer_of(facts: CreditFacts, judged: Judged) -> PolicyAnswer:
    is_assigned = judged.assignment is not None
    return _place_of(facts, judged.policy, assignment_pays=is_assigned, reason=judged.verdict.reason)


def _place_of(
    facts: CreditFacts, policy: Policy, *, assignment_pays: bool, reason: CreditReason | None = None
) -> PolicyAnswer:
    account, use = facts.accounts.get(policy.subsidy_id), facts.uses[policy.pk]
    return PolicyAnswer(
        uuid=policy.pk,
        assignment_pays=assignment_pays,
        reason=reason,
        expiration=None if account is None else account.expires_at,
        policy_available_cents=use.policy_cents,
        subsidy_available_cents=None if account is None else use.subsidy_cents,
    )


def _case_of(facts: CreditFacts, standing: _Standing, run: _RunState, offer: Offer) -> RedeemCase:
    # A transaction that matters may not be known.
    is_known = standing.policy.subsidy_id in facts.known_ledgers and not run.is_unexplained
    case = RedeemCase(
        policy=standing.case,
        learner=standing.learner,
        run=_run_of(offer, run.run_key),
        subsidy=standing.subsidy,
        enrollment=run.enrollment,
        transactions=run.transactions if is_known else None,
        assignments=standing.assignments,
    )
    attempt = facts.open_runs.get(run.folded)
    return case if attempt is None else _without_own_hold(case, standing.policy, attempt)


def _without_own_hold(case: RedeemCase, policy: Policy, attempt: OpenAttempt) -> RedeemCase:
    """Leave out what the learner's own open attempt for the run holds: redeeming joins it, and holds nothing more."""
    if case.subsidy is not None and attempt.subsidy_uuid == policy.subsidy_id:
        promised = case.subsidy.promised_cents - attempt.amount_cents
        case = evolve(case, subsidy=evolve(case.subsidy, promised_cents=promised))
    if attempt.policy_uuid != policy.pk:
        return case
    learner = case.learner
    return evolve(
        case,
        policy=evolve(case.policy, held_cents=case.policy.held_cents - attempt.amount_cents),
        learner=evolve(
            learner,
            held_cents=learner.held_cents - attempt.amount_cents,
            redemptions=learner.redemptions - 1,
        ),
    )


def takes_requests(policy: Policy) -> bool:
    """Say whether learners may browse this policy's catalog and request courses; then only approved ones are paid."""
    rules = TYPE_RULES[PolicyType(policy.policy_type)]
    return rules.may_browse_and_request and policy.learner_credit_request_config is not None


def _policy_of(facts: CreditFacts, policy: Policy, groups: frozenset[UUID]) -> PolicyFacts:
    use = facts.uses[policy.pk]
    return PolicyFacts(
        policy_type=PolicyType(policy.policy_type),
        is_active=policy.active,
        is_retired=policy.retired,
        is_browse_and_request_on=takes_requests(policy),
        groups=groups,
        late_redemption_allowed_until=policy.late_redemption_allowed_until,
        spend_limit_cents=policy.spend_limit,
        learner_spend_limit_cents=policy.per_learner_spend_limit,
        learner_enrollment_limit=policy.per_learner_enrollment_limit,
        spent_cents=use.spent_cents,
        held_cents=use.held_cents,
        allocated_cents=use.allocated_cents,
    )


def _learner_of(facts: CreditFacts, policy: Policy, groups: frozenset[UUID]) -> LearnerFacts:
    use = facts.learner_uses.get(policy.pk, NO_USE)
    return LearnerFacts(
        is_linked=facts.is_linked,
        memberships={group: facts.memberships[group] for group in groups if group in facts.memberships},
        spent_cents=use.spent_cents,
        held_cents=use.held_cents,
        # The totals count held ones, too.
        redemptions=use.redemptions,
        redemptions_held=0,
    )


def _run_of(offer: Offer, run_key: str) -> RunFacts:
    return RunFacts(
        run_key=run_key,
        course_key=offer.course_key or course_key_of_run(run_key) or run_key,
        is_in_catalog=offer.is_in_catalog,
        has_metadata=offer.has_metadata,
        run_dollars=offer.run_dollars,
        course_dollars=offer.course_dollars,
        enroll_by=offer.enroll_by,
    )


def _subsidy_of(facts: CreditFacts, policy: Policy) -> SubsidyFacts | None:
    account, use = facts.accounts.get(policy.subsidy_id), facts.uses[policy.pk]
    if account is None or account.balance is None or use.subsidy_cents is None:
        return None
    return SubsidyFacts(
        period=SubsidyPeriod(start=account.starts_at, expiration=account.expires_at),
        balance_cents=account.balance,
        # From one snapshot with what the policy uses.
        promised_cents=account.balance - use.subsidy_cents,
    )


def _enrollment_of(facts: CreditFacts, run_key: str) -> PlatformEnrollment | Unknown | None:
    if facts.enrollments is None:
        return UNKNOWN
    for row in facts.enrollments:
        if same_key(row.course_run_key, run_key):
            return PlatformEnrollment(is_active=row.is_active, mode=row.mode)
    return None


def _is_ours(facts: CreditFacts, row: LearnerTransaction) -> bool:
    """Say whether an attempt started it. While one is open, its transaction may be known before its answer."""
    return row.uuid in facts.started_here or fold(row.content_key) in facts.open_runs


def as_transaction(row: LearnerTransaction) -> Transaction:
    """Return our copy as the rules know a transaction."""
    return Transaction(
        uuid=row.uuid,
        lms_user_id=row.lms_user_id,
        content_key=row.content_key,
        state=row.state,
        reversal_state=TransactionState.COMMITTED.value if row.is_reversed else None,
    )


def transactions_for(facts: CreditFacts, judgement: RunJudgement) -> Iterable[LearnerTransaction]:
    """Return the copies behind what is shown of a run."""
    shown = {one.uuid for one in judgement.existing.redemptions}
    return [row for row in facts.transactions if row.uuid in shown]

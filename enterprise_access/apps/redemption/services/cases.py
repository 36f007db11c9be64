"""Cases for the rules of redemption, made of what was read about one learner."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.content_metadata.domain import course_key_of_run
from enterprise_access.apps.redemption.domain.assignments import Assignment
from enterprise_access.apps.redemption.domain.case import (
    UNKNOWN,
    LearnerFacts,
    PlatformEnrollment,
    PolicyFacts,
    RedeemCase,
    RunFacts,
    RunTransaction,
    SubsidyFacts,
    Unknown,
)
from enterprise_access.apps.redemption.domain.choosing import PolicyAnswer, Rank
from enterprise_access.apps.redemption.domain.transactions import Transaction
from enterprise_access.apps.redemption.services.facts import CreditFacts, OpenAttempt
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.selectors.learners import LearnerTransaction, Policy
from enterprise_access.apps.subsidy_access_policies.selectors.usage import NO_USE
from enterprise_access.apps.subsidy_access_policies.services import Offer
from enterprise_access.lib.keys import fold, same_key

_UNKNOWN_OFFER: Final = Offer()


@frozen(kw_only=True)
class PolicyStanding:
    """What the rules ask of a policy, its account and the learner in it, whatever the run."""

    policy: Policy
    case: PolicyFacts
    learner: LearnerFacts
    subsidy: SubsidyFacts | None
    assignments: tuple[Assignment, ...]
    # Where no assignment pays.
    rank: Rank
    # Whether the learner's transactions in its account are known.
    is_ledger_known: bool

    @property
    def may_be_assigned(self) -> bool:
        return bool(self.assignments) and self.case.pays_by_assignment


@frozen(kw_only=True)
class RunState:
    """What is known of a run, and of the learner in it, whatever the policy. `offers` and `offered` are by catalog."""

    run_key: str
    offers: Mapping[UUID, Offer]
    offered: Mapping[UUID, RunFacts]
    attempt: OpenAttempt | None
    # The assignments whose money open attempts for other runs have.
    redeemed_elsewhere: frozenset[UUID]
    enrollment: PlatformEnrollment | Unknown | None
    transactions: tuple[RunTransaction, ...]
    # An account that could not be asked may explain the enrollment.
    is_unexplained: bool


def standing_of(facts: CreditFacts, policy: Policy) -> PolicyStanding:
    """Return what does not depend on the run."""
    groups = facts.groups[policy.pk]
    return PolicyStanding(
        policy=policy,
        case=_policy_of(facts, policy, groups),
        learner=_learner_of(facts, policy, groups),
        subsidy=_subsidy_of(facts, policy),
        assignments=facts.assignments.get(policy.pk, ()),
        rank=_rank_of(facts, policy),
        is_ledger_known=policy.subsidy_id in facts.known_ledgers,
    )


def run_state_of(facts: CreditFacts, run_key: str) -> RunState:
    """Return what does not depend on the policy."""
    own = tuple(
        RunTransaction(state=row.state, is_reversed=row.is_reversed, is_ours=_is_ours(facts, row))
        for row in facts.transactions
        if same_key(row.content_key, run_key)
    )
    folded = fold(run_key)
    offers = {catalog: facts.offers.get((catalog, folded), _UNKNOWN_OFFER) for catalog in facts.catalogs}
    enrollment = _enrollment_of(facts, run_key)
    is_paid = isinstance(enrollment, PlatformEnrollment) and enrollment.is_active_and_paid
    return RunState(
        run_key=run_key,
        offers=offers,
        offered={catalog: _run_of(offer, run_key) for catalog, offer in offers.items()},
        attempt=facts.open_runs.get(folded),
        redeemed_elsewhere=frozenset(
            attempt.assignment_uuid
            for key, attempt in facts.open_runs.items()
            if key != folded and attempt.assignment_uuid is not None
        ),
        enrollment=enrollment,
        transactions=own,
        is_unexplained=is_paid and all(one.is_reversed for one in own) and bool(facts.ledgers - facts.known_ledgers),
    )


def _rank_of(facts: CreditFacts, policy: Policy) -> Rank:
    """Return the place of a policy in the order of choosing where no assignment pays."""
    account, use = facts.accounts.get(policy.subsidy_id), facts.uses[policy.pk]
    answer = PolicyAnswer(
        uuid=policy.pk,
        assignment_pays=False,
        reason=None,
        expiration=None if account is None else account.expires_at,
        policy_available_cents=use.policy_cents,
        subsidy_available_cents=None if account is None else use.subsidy_cents,
    )
    return answer.rank


def assignments_for(standing: PolicyStanding, run: RunState) -> tuple[Assignment, ...]:
    """Return the learner's assignments in a policy, as far as they can pay for a run."""
    if not run.redeemed_elsewhere:
        return standing.assignments
    return tuple(evolve(one, is_being_redeemed=one.uuid in run.redeemed_elsewhere) for one in standing.assignments)


def case_of(standing: PolicyStanding, run: RunState) -> RedeemCase:
    """Return the case of one policy and one run."""
    # A transaction that matters may not be known.
    is_known = standing.is_ledger_known and not run.is_unexplained
    case = RedeemCase(
        policy=standing.case,
        learner=standing.learner,
        run=run.offered[standing.policy.catalog_uuid],
        subsidy=standing.subsidy,
        enrollment=run.enrollment,
        transactions=run.transactions if is_known else None,
        assignments=assignments_for(standing, run),
    )
    return case if run.attempt is None else _without_own_hold(case, standing.policy, run.attempt)


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
    """Return a run as it is offered."""
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

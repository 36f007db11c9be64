"""What a learner could redeem or request, and which budgets they see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.customers.selectors import read_of_learner, reads_of_enrollments
from enterprise_access.apps.groups.domain import Membership
from enterprise_access.apps.redemption.errors import NothingToRedeem
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.administrators import fetch_administrators
from enterprise_access.apps.redemption.services.assignments import (
    NOTHING_SHOWN,
    Shown,
    list_shown,
    note_learner,
    reads_of_note,
)
from enterprise_access.apps.redemption.services.cases import takes_requests
from enterprise_access.apps.redemption.services.facts import (
    READING_AGE,
    CreditFacts,
    fetch_credit_facts,
    reads_of_facts,
)
from enterprise_access.apps.redemption.services.judging import RunJudgement, judge_runs, transactions_for
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.selectors import PolicyUse, list_all_policies
from enterprise_access.apps.subsidy_access_policies.selectors.learners import Account, LearnerTransaction, Policy
from enterprise_access.apps.subsidy_access_policies.selectors.usage import NO_USE
from enterprise_access.apps.subsidy_access_policies.services import Offer, fetch_offers
from enterprise_access.apps.subsidy_requests.selectors.requests import (
    find_open_credit_request,
    read_of_credit_requests,
)
from enterprise_access.lib.prepared import Read, read_together

# The reasons of can-request, as clients know them.
NO_POLICIES: Final = "No active policies for this customer"
NO_REQUESTS: Final = "No policies with BnR enabled found"
REQUESTED: Final = "already_requested"


@frozen(kw_only=True)
class Redemptions:
    """What is shown of a learner's runs, in the order in which they were requested."""

    judgements: tuple[RunJudgement, ...]
    transactions: Mapping[str, tuple[LearnerTransaction, ...]]
    attempts: Mapping[UUID, RedemptionAttempt]
    administrators: Sequence[Mapping[str, Any]]


def list_redemptions(
    *, customer_uuid: UUID, lms_user_id: int, run_keys: Sequence[str], now: datetime, email: str | None = None
) -> Redemptions:
    """Say for each run which budget pays, or why none does. `email`: of the learner who asks, as in `note_learner`.

    Raises NothingToRedeem when the customer has no active budget and the learner no redemption.
    """
    with read_together(
        *_first_reads(customer_uuid, lms_user_id, email),
        *reads_of_enrollments([lms_user_id]),
    ):
        note_learner(lms_user_id=lms_user_id, email=email, now=now)
        every, active = _policies_of(customer_uuid)
        facts = _facts(customer_uuid, lms_user_id, every, active, run_keys, now)
    judgements = judge_runs(facts, run_keys, now=now)
    if not active and not any(one.existing.redemptions for one in judgements):
        raise NothingToRedeem(NO_POLICIES)
    shown = {one.run_key: tuple(transactions_for(facts, one)) for one in judgements}
    uuids = {row.uuid for rows in shown.values() for row in rows}
    attempts = RedemptionAttempt.objects.filter(transaction_uuid__in=uuids) if uuids else ()
    is_refused = any(one.choice.display_reason for one in judgements)
    return Redemptions(
        judgements=judgements,
        transactions=shown,
        attempts={row.transaction_uuid: row for row in attempts if row.transaction_uuid},
        administrators=fetch_administrators(customer_uuid=customer_uuid) if is_refused else (),
    )


def _first_reads(customer_uuid: UUID, lms_user_id: int, email: str | None) -> tuple[Read, ...]:
    """Return the statements of every question of a learner: all of them, where copies are young enough."""
    learner = read_of_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    return (*reads_of_note(email), learner, *reads_of_facts(customer_uuid, [lms_user_id]))


def _policies_of(customer_uuid: UUID) -> tuple[Sequence[Policy], list[Policy]]:
    """Return all policies of a customer, and those that are active and not retired."""
    every = list_all_policies(customer_uuid)
    return every, [policy for policy in every if policy.active and not policy.retired]


def _facts(
    customer_uuid: UUID,
    lms_user_id: int,
    every: Sequence[Policy],
    active: Sequence[Policy],
    run_keys: Sequence[str],
    now: datetime,
) -> CreditFacts:
    return fetch_credit_facts(
        customer_uuid=customer_uuid,
        lms_user_id=lms_user_id,
        policies=active,
        ledgers={policy.subsidy_id for policy in every},
        run_keys=run_keys,
        max_age=READING_AGE,
        now=now,
    )


@frozen(kw_only=True)
class Credit:
    """A budget that a learner sees, with what is left of it in cents, or in enrollments for each learner."""

    policy: Policy
    account: Account
    remaining_cents: int
    remaining_for_learner: int | None
    shown: Shown = NOTHING_SHOWN


def list_credit(*, customer_uuid: UUID, lms_user_id: int, now: datetime, email: str | None = None) -> list[Credit]:
    """Return the budgets that could pay something for this learner now, or have something to show, the newest first.

    `email`: of the learner who asks, as in `note_learner`.
    An account that cannot be asked is shown with what was last read of it; one that was never read is left out.
    """
    with read_together(
        *_first_reads(customer_uuid, lms_user_id, email),
        read_of_credit_requests(customer_uuid=customer_uuid, lms_user_id=lms_user_id),
    ):
        note_learner(lms_user_id=lms_user_id, email=email, now=now)
        every, active = _policies_of(customer_uuid)
        if not active:
            return []
        facts = _facts(customer_uuid, lms_user_id, every, active, (), now)
        if facts.is_linked is False:
            return []
        shown = list_shown(
            facts.assignment_rows,
            customer_uuid=customer_uuid,
            lms_user_id=lms_user_id,
            policy_uuids=[policy.pk for policy in active],
        )
    found = [_shown_credit(facts, policy, shown.get(policy.pk), now=now) for policy in reversed(active)]
    return [credit for credit in found if credit is not None]


def _shown_credit(facts: CreditFacts, policy: Policy, shown: Shown | None, *, now: datetime) -> Credit | None:
    payable = _credit_of(facts, policy, now=now)
    if shown is None or payable is not None:
        return payable if shown is None or payable is None else evolve(payable, shown=shown)
    # It pays nothing more, but the learner still has to see what became of assignments and requests.
    use = facts.uses[policy.pk]
    return Credit(
        policy=policy,
        account=facts.accounts.get(policy.subsidy_id, policy.subsidy),
        remaining_cents=max(0, use.available_cents or 0),
        remaining_for_learner=None,
        shown=shown,
    )


def _credit_of(facts: CreditFacts, policy: Policy, *, now: datetime) -> Credit | None:
    account, use = facts.accounts.get(policy.subsidy_id, policy.subsidy), facts.uses[policy.pk]
    if account.balance is None or use.subsidy_cents is None or TYPE_RULES[PolicyType(policy.policy_type)].is_assignable:
        # Assigned budgets are shown with their assignments only.
        return None
    is_active = SubsidyPeriod(start=account.starts_at, expiration=account.expires_at).is_active(now=now)
    if not is_active or not _may_use(facts, policy):
        return None
    own = facts.learner_uses.get(policy.pk, NO_USE)
    remaining_for_learner: int | None = None
    if policy.per_learner_spend_limit is not None:
        remaining_for_learner = policy.per_learner_spend_limit - own.spent_cents - own.held_cents
    elif policy.per_learner_enrollment_limit is not None:
        remaining_for_learner = policy.per_learner_enrollment_limit - own.redemptions
    remaining = use.subsidy_cents if use.policy_cents is None else min(use.subsidy_cents, use.policy_cents)
    if remaining <= 0 or (remaining_for_learner is not None and remaining_for_learner <= 0):
        return None
    return Credit(
        policy=policy, account=account, remaining_cents=remaining, remaining_for_learner=remaining_for_learner
    )


def _may_use(facts: CreditFacts, policy: Policy) -> bool:
    """Say whether the learner may be a member of one of the policy's groups: unknown is not "no"."""
    groups = facts.groups[policy.pk]
    if not groups:
        return True
    states = {facts.memberships.get(group) for group in groups}
    return bool(states & {Membership.ACCEPTED, Membership.UNKNOWN})


@frozen(kw_only=True)
class Requestable:
    """The budget from which a course can be requested; or the reason why none can."""

    policy: Policy | None = None
    reason: str | None = None


def find_requestable(*, customer_uuid: UUID, lms_user_id: int, content_key: str, now: datetime) -> Requestable:
    """Say from which budget a learner can request a course."""
    _, active = _policies_of(customer_uuid)
    if not active:
        return Requestable(reason=NO_POLICIES)
    candidates = [policy for policy in active if takes_requests(policy)]
    if not candidates:
        return Requestable(reason=NO_REQUESTS)
    offers = fetch_offers(candidates, [content_key], now=now)
    # Requests are for courses, also where a run was requested.
    courses = {content_key} | {offer.course_key for offer in offers.values() if offer.course_key}
    if find_open_credit_request(customer_uuid=customer_uuid, lms_user_id=lms_user_id, course_keys=courses):
        return Requestable(reason=REQUESTED)
    facts = _facts(customer_uuid, lms_user_id, active, candidates, (), now)
    if facts.is_linked is not True:
        is_unknown = facts.is_linked is None
        why_not = CreditReason.LEARNER_STATE_UNKNOWN if is_unknown else CreditReason.LEARNER_NOT_IN_ENTERPRISE
        return Requestable(reason=why_not.value)
    reasons: list[CreditReason] = []
    for policy in sorted(candidates, key=lambda one: _rank(facts, one)):
        reason = _why_not_requestable(facts, policy, offers[policy.pk, content_key], now=now)
        if reason is None:
            return Requestable(policy=policy)
        reasons.append(reason)
    reasons.sort(key=lambda reason: not reason.is_unknown)
    return Requestable(reason=reasons[0].value)


def _why_not_requestable(facts: CreditFacts, policy: Policy, offer: Offer, *, now: datetime) -> CreditReason | None:
    """Return why a course cannot be requested from a budget; None: it can. What could not be asked is no refusal."""
    if not offer.is_in_catalog:
        is_unknown = offer.is_in_catalog is None
        return CreditReason.CATALOG_UNAVAILABLE if is_unknown else CreditReason.CONTENT_NOT_IN_CATALOG
    if not _may_use(facts, policy):
        return CreditReason.LEARNER_NOT_IN_GROUP
    if _credit_of(facts, policy, now=now) is not None:
        return None
    return _why_nothing_is_left(facts.uses[policy.pk], now=now)


def _why_nothing_is_left(use: PolicyUse, *, now: datetime) -> CreditReason:
    """Return what is used up of a budget that takes requests, in the order of the rules of redeeming."""
    if use.subsidy_cents is None:
        return CreditReason.SUBSIDY_UNAVAILABLE
    if not use.is_subsidy_active(now=now):
        return CreditReason.SUBSIDY_EXPIRED
    if use.subsidy_cents <= 0:
        return CreditReason.NOT_ENOUGH_VALUE
    is_budget_used_up = use.policy_cents is not None and use.policy_cents <= 0
    return CreditReason.POLICY_SPEND_LIMIT if is_budget_used_up else CreditReason.LEARNER_SPEND_LIMIT


def _rank(facts: CreditFacts, policy: Policy) -> tuple[float, int, str]:
    account, use = facts.accounts.get(policy.subsidy_id, policy.subsidy), facts.uses[policy.pk]
    expires = float("inf") if account.expires_at is None else account.expires_at.timestamp()
    return expires, use.available_cents or 0, str(policy.pk)

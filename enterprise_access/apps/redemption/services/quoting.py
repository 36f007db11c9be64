"""What credit would pay for default enrollments, and carrying such a payment out (ADR 0020)."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.redemption.domain.quotes import CreditQuote
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionTrigger
from enterprise_access.apps.redemption.services.facts import READING_AGE, fetch_facts_of_learners
from enterprise_access.apps.redemption.services.judging import RunJudgement, judge_run
from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy, list_policies
from enterprise_access.lib.keys import fold

DEFAULT_ENROLLMENT: Final = RedemptionTrigger.DEFAULT_ENROLLMENT.value


def quote_default_enrollments(
    *, customer_uuid: UUID, wanted: Collection[tuple[int, str]], now: datetime
) -> dict[tuple[int, str], CreditQuote]:
    """Return a quote for each learner and run, by folded run key; nothing where no budget pays for such enrollments."""
    policies = [
        policy
        for policy in list_policies(
            customer_uuid=customer_uuid, is_active=True, is_retired=False, pays_for_default_enrollments=True
        )
        if wanted
    ]
    if not policies:
        return {}
    facts = fetch_facts_of_learners(
        customer_uuid=customer_uuid,
        lms_user_ids=sorted({learner for learner, _ in wanted}),
        policies=policies,
        ledgers=(),
        run_keys=sorted({run_key for _, run_key in wanted}),
        max_age=READING_AGE,
        now=now,
    )
    return {
        (learner, fold(run_key)): _quote_of(judge_run(facts[learner], run_key, now=now)) for learner, run_key in wanted
    }


def _quote_of(judgement: RunJudgement) -> CreditQuote:
    chosen = judgement.chosen
    if chosen is None:
        return CreditQuote(reason=judgement.choice.display_reason or CreditReason.ALREADY_ENROLLED)
    case = chosen.case
    free = [case.subsidy.balance_cents - case.subsidy.promised_cents] if case.subsidy else [0]
    if case.policy.spend_limit_cents is not None:
        used = case.policy.spent_cents + case.policy.held_cents + case.policy.allocated_cents
        free.append(case.policy.spend_limit_cents - used)
    return CreditQuote(policy_uuid=chosen.policy.pk, cents=chosen.verdict.price_cents or 0, available_cents=min(free))


@frozen(kw_only=True)
class Carried:
    """How far a payment got. `is_settled` False: a worker is on it. `reason`: why nothing was paid."""

    is_settled: bool
    is_paid: bool = False
    reason: CreditReason | None = None


def pay_default_enrollment(*, policy_uuid: UUID, lms_user_id: int, run_key: str) -> Carried:
    """Have a worker redeem a run for a learner, who is enrolled by it. Asking twice is asking once."""
    asked = RedemptionOrder(
        policy=get_policy(policy_uuid),
        lms_user_id=lms_user_id,
        run_key=run_key,
        trigger=RedemptionTrigger.DEFAULT_ENROLLMENT,
    )
    redeemed = redeem(asked)
    if redeemed.attempt is None:
        # Paid before, and not by this; whether the learner is still enrolled, the platform tells.
        return Carried(is_settled=True)
    if redeemed.refused_reason is not None:
        return Carried(is_settled=True, reason=redeemed.refused_reason)
    is_paid = redeemed.attempt.state == AttemptState.COMMITTED.value
    return Carried(is_settled=is_paid, is_paid=is_paid)

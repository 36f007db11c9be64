"""explain, for learner credit: which rule answered for each budget, with which numbers, and how old they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.redemption.domain.case import PlatformEnrollment, RedeemCase, Unknown
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.cases import takes_requests
from enterprise_access.apps.redemption.services.facts import READING_AGE, CreditFacts, fetch_credit_facts
from enterprise_access.apps.redemption.services.judging import Judged, judge_run
from enterprise_access.apps.redemption.services.messages import message_of
from enterprise_access.apps.subsidy_access_policies.selectors import list_policies

# So many of the newest attempts are shown.
ATTEMPTS_SHOWN: Final = 10


def explain_credit(*, customer_uuid: UUID, lms_user_id: int, run_key: str, now: datetime) -> dict[str, Any]:
    """Return, as plain data, what every budget of a customer answers for a learner and run, and the attempts.

    Money is in cents. A member that is null could not be asked, or is no limit, as its name says.
    """
    policies = list(list_policies(customer_uuid=customer_uuid))
    facts = fetch_credit_facts(
        customer_uuid=customer_uuid,
        lms_user_id=lms_user_id,
        policies=policies,
        ledgers={policy.subsidy_id for policy in policies},
        run_keys=[run_key],
        max_age=READING_AGE,
        now=now,
    )
    judgement = judge_run(facts, run_key, now=now, is_complete=True)
    existing = judgement.existing.transaction
    names: dict[UUID | None, str] = {policy.pk: policy.display_name for policy in policies}
    learner = list_learners(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).get(lms_user_id)
    return {
        "enterprise_customer_uuid": customer_uuid,
        "lms_user_id": lms_user_id,
        "content_key": run_key,
        "is_linked": facts.is_linked,
        "enrollments_read_at": None if learner is None else learner.enrollments_fetched_at,
        "redeemed_by": None if existing is None else existing.uuid,
        "pays": judgement.choice.policy_uuid,
        "display_reason": judgement.choice.display_reason,
        "policies": [_policy(facts, judgement.judged[one.pk]) for one in facts.policies if one.pk in judgement.judged],
        "transactions": [
            {
                "uuid": row.uuid,
                "state": row.state,
                "is_reversed": row.is_reversed,
                "quantity_cents": row.quantity_cents,
                "subsidy_access_policy_uuid": row.policy_uuid,
                "display_name": names.get(row.policy_uuid),
                "created": row.created,
                "started_here": row.uuid in facts.started_here,
            }
            for row in facts.transactions
            if any(one.uuid == row.uuid for one in judgement.existing.redemptions)
        ],
        "attempts": [_attempt(row) for row in _attempts(customer_uuid, lms_user_id, run_key)],
    }


def describe_transactions(plain: Mapping[str, Any]) -> list[str]:
    """Return a line for each transaction of an explanation: what was paid, by which budget, and if it was refunded."""
    return [_describe(row) for row in plain["transactions"]]


def _describe(row: Mapping[str, Any]) -> str:
    budget = row["display_name"] or row["subsidy_access_policy_uuid"] or "no budget"
    state = f"{row['state']}, refunded" if row["is_reversed"] else str(row["state"])
    cents = abs(row["quantity_cents"])
    return f"{row['created']:%Y-%m-%d %H:%M} UTC: ${cents // 100:,}.{cents % 100:02} from {budget} ({state})"


def _attempts(customer_uuid: UUID, lms_user_id: int, run_key: str) -> list[RedemptionAttempt]:
    """Return the newest attempts at this customer: what a learner does at another one is not for its admins."""
    rows = RedemptionAttempt.objects.of_run(lms_user_id=lms_user_id, run_key=run_key)
    rows = rows.filter(customer_uuid=customer_uuid)
    return list(rows.order_by("-created")[:ATTEMPTS_SHOWN])


def _policy(facts: CreditFacts, judged: Judged) -> dict[str, Any]:
    policy, verdict = judged.policy, judged.verdict
    account = facts.accounts.get(policy.subsidy_id)
    return {
        "uuid": policy.pk,
        "display_name": policy.display_name,
        "policy_type": policy.policy_type,
        "is_redeemable": verdict.is_redeemable,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "text": None if verdict.reason is None else message_of(verdict.reason, by_request=takes_requests(policy)),
        "compared": _compared(judged.case, verdict.price_cents),
        "assignment_uuid": None if judged.assignment is None else judged.assignment.uuid,
        "subsidy_uuid": policy.subsidy_id,
        "subsidy_starts_at": None if account is None else account.starts_at,
        "subsidy_expires_at": None if account is None else account.expires_at,
        "balance_read_at": None if account is None else account.fetched_at,
        "catalog_read_at": judged.offer.fetched_at,
    }


def _compared(case: RedeemCase, price_cents: int | None) -> Mapping[str, Any]:
    policy, learner, subsidy = case.policy, case.learner, case.subsidy
    return {
        "price_cents": price_cents,
        "run_dollars": case.run.run_dollars,
        "course_dollars": case.run.course_dollars,
        "is_in_catalog": case.run.is_in_catalog,
        "enroll_by": case.run.enroll_by,
        "enrollment": _enrollment(case.enrollment),
        "spend_limit_cents": policy.spend_limit_cents,
        "spent_cents": policy.spent_cents,
        "held_cents": policy.held_cents,
        "allocated_cents": policy.allocated_cents,
        "learner_spend_limit_cents": policy.learner_spend_limit_cents,
        "learner_enrollment_limit": policy.learner_enrollment_limit,
        "learner_spent_cents": learner.spent_cents,
        "learner_held_cents": learner.held_cents,
        "learner_redemptions": learner.redemptions,
        "balance_cents": None if subsidy is None else subsidy.balance_cents,
        "promised_cents": None if subsidy is None else subsidy.promised_cents,
    }


def _enrollment(enrollment: PlatformEnrollment | Unknown | None) -> str:
    if isinstance(enrollment, PlatformEnrollment):
        return f"{'active' if enrollment.is_active else 'inactive'}, {enrollment.mode}"
    return "none" if enrollment is None else "unknown"


def _attempt(row: RedemptionAttempt) -> dict[str, Any]:
    return {
        "uuid": row.uuid,
        "state": row.state,
        "rule": row.rule,
        "reason": row.reason,
        "amount_cents": row.amount,
        "trigger": row.trigger,
        "transaction_uuid": row.transaction_uuid,
        "calls": row.calls,
        "created": row.created,
        "ended_at": row.ended_at,
    }

"""The answers about learner credit, member for member as clients know them. Money is in cents."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, reverse
from rest_framework.request import Request

from enterprise_access.apps.redemption.domain.choosing import RefusedBy
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.cases import takes_requests
from enterprise_access.apps.redemption.services.judging import RunJudgement
from enterprise_access.apps.redemption.services.messages import message_of
from enterprise_access.apps.redemption.services.offering import Credit, Redemptions
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.money import dollars_of_cents
from enterprise_access.apps.subsidy_access_policies.domain.policies import is_late_redemption_allowed
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.selectors.learners import LearnerTransaction, Policy
from enterprise_access.lib import clock

UNIT: Final = "usd_cents"
_STAND_IN: Final = "00000000-0000-4000-8000-5eed00000000"
WITHOUT_END: Final = "9999-12-31T00:00:00Z"
# What the learner portal understands. Everything else would leave it waiting.
_SHOWN: Final[Mapping[str, str]] = {
    AttemptState.SENDING.value: "pending",
    AttemptState.IN_DOUBT.value: "pending",
    AttemptState.COMMITTED.value: "committed",
    AttemptState.REFUSED.value: "failed",
    # Staff decide; the learner has nothing to wait for.
    AttemptState.DEAD.value: "failed",
}


def render_policy(policy: Policy, request: Request) -> dict[str, Any]:
    """Return a budget as can-redeem embeds it: every column flat."""
    return {
        "uuid": str(policy.uuid),
        "policy_redemption_url": request.build_absolute_uri(_path_to("policy-redeem", "policy_uuid", policy.uuid)),
        "is_late_redemption_allowed": is_late_redemption_allowed(
            until=policy.late_redemption_allowed_until, now=clock.now()
        ),
        "policy_type": policy.policy_type,
        "enterprise_customer_uuid": str(policy.customer_uuid),
        "display_name": policy.display_name,
        "description": policy.description,
        "active": policy.active,
        "retired": policy.retired,
        "retired_at": policy.retired_at,
        "catalog_uuid": str(policy.catalog_uuid),
        "subsidy_uuid": str(policy.subsidy_id),
        "access_method": policy.access_method,
        "spend_limit": policy.spend_limit,
        "late_redemption_allowed_until": policy.late_redemption_allowed_until,
        "per_learner_enrollment_limit": policy.per_learner_enrollment_limit,
        "per_learner_spend_limit": policy.per_learner_spend_limit,
        "learner_credit_request_config": _text(policy.learner_credit_request_config),
        "assignment_configuration": _text(policy.assignment_configuration),
    }


def render_redemptions(found: Redemptions, request: Request) -> list[dict[str, Any]]:
    """Return can-redeem's list, in the order of the question and with the keys as they were sent."""
    # Most often one budget pays for all of them.
    payers = {one.chosen.policy.pk: one.chosen.policy for one in found.judgements if one.chosen is not None}
    rendered = {uuid: render_policy(policy, request) for uuid, policy in payers.items()}
    return [_render_run(judgement, found, rendered, request) for judgement in found.judgements]


def _render_run(
    judgement: RunJudgement, found: Redemptions, policies: Mapping[UUID, Mapping[str, Any]], request: Request
) -> dict[str, Any]:
    chosen = judgement.chosen
    price = judgement.list_price_cents
    if chosen is not None and price is None:
        # An assignment has a price of its own.
        price = chosen.verdict.price_cents
    reasons = [
        _render_reason(
            refused,
            found.administrators,
            by_request=all(takes_requests(judgement.judged[uuid].policy) for uuid in refused.policy_uuids),
        )
        for refused in judgement.choice.reasons
    ]
    shown = next((one for one in reasons if one["reason"] == judgement.choice.display_reason), None)
    return {
        "content_key": judgement.run_key,
        "list_price": None if price is None else {"usd": dollars_of_cents(price), "usd_cents": price},
        "redemptions": [
            {
                **render_transaction(row, found.attempts.get(row.uuid), request),
                "policy_redemption_status_url": _status_url(row.uuid, found.attempts.get(row.uuid), request),
            }
            for row in found.transactions[judgement.run_key]
        ],
        "has_successful_redemption": judgement.existing.transaction is not None,
        "redeemable_subsidy_access_policy": None if chosen is None else policies[chosen.policy.pk],
        "can_redeem": chosen is not None,
        "reasons": reasons,
        "display_reason": shown,
    }


def _render_reason(
    refused: RefusedBy, administrators: Sequence[Mapping[str, Any]], *, by_request: bool
) -> dict[str, Any]:
    return {
        "reason": refused.reason.value,
        "user_message": message_of(refused.reason, by_request=by_request),
        "policy_uuids": [str(uuid) for uuid in refused.policy_uuids],
        "metadata": {"enterprise_administrators": list(administrators)},
    }


def render_refusal(reason: CreditReason, *, policy: Policy) -> list[dict[str, Any]]:
    """Return the 422 of redeem. Bodies of errors are sent to monitoring by the portal, so it names no person."""
    refused = RefusedBy(reason=reason, policy_uuids=(policy.pk,))
    return [_render_reason(refused, (), by_request=takes_requests(policy))]


def render_transaction(row: LearnerTransaction, attempt: RedemptionAttempt | None, request: Request) -> dict[str, Any]:
    """Return a transaction of the ledger in the shape that the ledger gives it. Addresses are not kept here."""
    return {
        "uuid": str(row.uuid),
        "state": row.state.value,
        "idempotency_key": None if attempt is None else str(attempt.uuid),
        "lms_user_id": row.lms_user_id,
        "lms_user_email": None,
        "content_key": row.content_key,
        "parent_content_key": attempt.course_key or None if attempt else None,
        "content_title": attempt.content_title or None if attempt else None,
        "course_run_start_date": attempt.run_starts_at if attempt else None,
        "quantity": row.quantity_cents,
        "unit": UNIT,
        "fulfillment_identifier": None,
        "subsidy_access_policy_uuid": _text(row.policy_uuid),
        "metadata": {},
        "created": row.created,
        "modified": row.modified,
        "reversal": _render_reversal(row),
        "external_reference": [],
        "transaction_status_api_url": _status_url(row.uuid, attempt, request),
        "courseware_url": courseware_url(row.content_key),
    }


def _render_reversal(row: LearnerTransaction) -> dict[str, Any] | None:
    if not row.is_reversed:
        return None
    return {
        "uuid": None,
        "state": TransactionState.COMMITTED.value,
        "idempotency_key": None,
        "quantity": -row.quantity_cents,
        "metadata": {},
        "created": row.reversed_at,
        "modified": row.reversed_at,
    }


def render_attempt(attempt: RedemptionAttempt, request: Request) -> dict[str, Any]:
    """Return an attempt in the shape of a transaction; its states are pending, committed and failed only."""
    return {
        "uuid": str(attempt.transaction_uuid or attempt.uuid),
        "state": _SHOWN[attempt.state],
        "idempotency_key": str(attempt.uuid),
        "lms_user_id": attempt.lms_user_id,
        "lms_user_email": None,
        "content_key": attempt.content_key,
        "parent_content_key": attempt.course_key or None,
        "content_title": attempt.content_title or None,
        "course_run_start_date": attempt.run_starts_at,
        "quantity": -(attempt.amount or 0),
        "unit": UNIT,
        "fulfillment_identifier": None,
        "subsidy_access_policy_uuid": str(attempt.policy_id),
        "metadata": {},
        "created": attempt.created,
        "modified": attempt.modified,
        "reversal": None,
        "external_reference": [],
        "transaction_status_api_url": _status_url(attempt.uuid, attempt, request),
        "courseware_url": courseware_url(attempt.content_key),
    }


def render_credit(credit: Credit, request: Request) -> dict[str, Any]:
    """Return a budget as credits_available shows it to a learner."""
    policy = credit.policy
    return {
        **render_policy(policy, request),
        "remaining_balance_per_user": credit.remaining_for_learner,
        "remaining_balance": credit.remaining_cents,
        # Without a date the portal takes the credit for expired.
        "subsidy_expiration_date": credit.account.expires_at or WITHOUT_END,
        "learner_content_assignments": list(credit.shown.assignments),
        "learner_requests": list(credit.shown.requests),
        "group_associations": [str(one.group_uuid) for one in policy.group_associations.all()],
    }


def courseware_url(content_key: str) -> str:
    """Return where the learner finds the course."""
    address: str = settings.COURSEWARE_URL
    return address.replace("{content_key}", content_key)


def _status_url(uuid: UUID, attempt: RedemptionAttempt | None, request: Request) -> str:
    """Return the address at which the outcome is requested: one for each attempt."""
    named = uuid if attempt is None else attempt.uuid
    return request.build_absolute_uri(_path_to("redemption-attempt", "attempt_uuid", named))


def _path_to(route: str, parameter: str, uuid: UUID) -> str:
    """Return the path to one row of a route. Django takes longer to look it up than the rest of the row takes."""
    return _path_with_stand_in(get_script_prefix(), route, parameter).replace(_STAND_IN, str(uuid))


@lru_cache(maxsize=16)
def _path_with_stand_in(script_prefix: str, route: str, parameter: str) -> str:  # noqa: ARG001 (part of the path)
    return reverse(route, kwargs={parameter: _STAND_IN})


def _text(uuid: UUID | None) -> str | None:
    return None if uuid is None else str(uuid)

"""Redeeming for a learner whose request for learner credit was approved, where their customer wants that (ADR 0044)."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy

APPROVED_REQUEST: Final = RedemptionTrigger.APPROVED_REQUEST.value
# The row of an attempt is dated by this process, and what is compared with it by the database.
_SLACK: Final = timedelta(minutes=1)


@frozen(kw_only=True)
class RequestedOutcome:
    """How far a redemption is. `is_own` False: it was paid before, and not by this. `reason`: why nothing was paid."""

    is_open: bool = False
    is_paid: bool = False
    is_own: bool = True
    is_unknown: bool = False
    reason: str = ""


def redeem_requested(*, policy_uuid: UUID, lms_user_id: int, run_key: str) -> RequestedOutcome:
    """Have a worker redeem a run for a learner, who is enrolled by it. Asking twice is asking once."""
    asked = RedemptionOrder(
        policy=get_policy(policy_uuid),
        lms_user_id=lms_user_id,
        run_key=run_key,
        trigger=RedemptionTrigger.APPROVED_REQUEST,
    )
    redeemed = redeem(asked)
    if redeemed.attempt is None:
        return RequestedOutcome(is_paid=True, is_own=False)
    return _outcome(redeemed.attempt)


def find_requested(*, lms_user_id: int, run_key: str, since: datetime) -> RequestedOutcome | None:
    """Return what became of a redemption that may have been begun; None: it was not."""
    attempts = RedemptionAttempt.objects.of_run(lms_user_id=lms_user_id, run_key=run_key)
    attempt = attempts.filter(created__gte=since - _SLACK).order_by("created", "pk").last()
    return None if attempt is None else _outcome(attempt)


def _outcome(attempt: RedemptionAttempt) -> RequestedOutcome:
    if AttemptState(attempt.state).is_open:
        return RequestedOutcome(is_open=True)
    if attempt.state == AttemptState.COMMITTED.value:
        return RequestedOutcome(is_paid=True)
    return RequestedOutcome(reason=attempt.reason, is_unknown=CreditReason(attempt.reason).is_unknown)

"""Beginning an attempt: money is reserved and the attempt written down in one transaction, without network."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from attrs import field, frozen
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet

from enterprise_access.apps.redemption.domain.eligibility import CreditRule
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.redemption.services.assignments import (
    NewAssignment,
    allocate_for_redemption,
    lock_for_redemption,
)
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.services import reserve
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Prepared, Read
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.models import BACKGROUND, URGENT
from enterprise_access.lib.work.waking import wake


@frozen(kw_only=True)
class Order:
    """A redemption that the rules allow, with what the ledger has to be told. Money is in cents.

    `allocation`: the assignment that pays is allocated in the same transaction.
    """

    policy_uuid: UUID
    subsidy_uuid: UUID
    customer_uuid: UUID
    lms_user_id: int
    run_key: str
    course_key: str = ""
    content_title: str = ""
    run_starts_at: datetime | None = None
    amount_cents: int | None = None
    trigger: RedemptionTrigger = RedemptionTrigger.LEARNER
    was_enrolled: bool = False
    allow_late: bool = False
    metadata: Mapping[str, Any] = field(factory=dict, repr=False)
    assignment_uuid: UUID | None = None
    allocation: NewAssignment | None = None


def intend(order: Order, *, now: datetime) -> RedemptionAttempt:
    """Hold the money, and leave the call to a worker; or return the attempt that is open for this learner and run.

    Raises BudgetRefused when a limit or the balance does not allow it by now.
    """
    try:
        return _intend(order, now=now)
    except (IntegrityError, BudgetRefused):
        # Another request may have been quicker; then its outcome is this one's, too.
        attempt = find_open(lms_user_id=order.lms_user_id, run_key=order.run_key)
        if attempt is None:
            raise
        return attempt


@retry_deadlocks
def _intend(order: Order, *, now: datetime) -> RedemptionAttempt:
    attempt = _attempt_of(order, AttemptState.SENDING)
    with transaction.atomic():
        if order.allocation is not None:
            attempt.assignment_uuid = allocate_for_redemption(
                order.allocation,
                policy_uuid=order.policy_uuid,
                lms_user_id=order.lms_user_id,
                run_key=order.run_key,
                amount_cents=order.amount_cents or 0,
                now=now,
            )
        lock_for_redemption(assignment_uuid=attempt.assignment_uuid)
        promise = reserve(
            policy_uuid=order.policy_uuid,
            lms_user_id=order.lms_user_id,
            content_key=order.run_key,
            amount_cents=order.amount_cents or 0,
            kind=ReservationKind.REDEMPTION,
            now=now,
            assignment_uuid=attempt.assignment_uuid,
            attempt_uuid=attempt.uuid,
        )
        attempt.reservation_uuid, attempt.amount, attempt.due_at = promise.pk, promise.amount, now
        attempt.priority = URGENT if order.trigger is RedemptionTrigger.LEARNER else BACKGROUND
        attempt.save(force_insert=True)
    wake(QUEUE)
    return attempt


@retry_deadlocks
def note_refusal(order: Order, *, reason: CreditReason, rule: CreditRule | None, now: datetime) -> RedemptionAttempt:
    """Write down a redemption that the rules, or the budget, refused before anything was held."""
    attempt = _attempt_of(order, AttemptState.REFUSED)
    attempt.reason, attempt.rule, attempt.ended_at = reason.value, rule.value if rule else "", now
    attempt.amount, attempt.metadata = order.amount_cents, {}
    attempt.save(force_insert=True)
    return attempt


def find_open(*, lms_user_id: int, run_key: str) -> RedemptionAttempt | None:
    """Return the attempt that is open for a learner and run, whatever its policy."""
    # Most often there is none, and its columns are many.
    found = read_of_open(lms_user_id=lms_user_id, run_key=run_key).rows()
    return RedemptionAttempt.objects.open().filter(pk__in=[pk for (pk,) in found]).first() if found else None


def read_of_open(*, lms_user_id: int, run_key: str) -> Read:
    """Return the statement of `find_open`, for `read_together`."""
    return _OPEN.read_of(lms_user_id=lms_user_id, folded=fold(run_key))


def _open(lms_user_id: int, folded: str) -> QuerySet[RedemptionAttempt, Any]:
    rows = RedemptionAttempt.objects.open().filter(lms_user_id=lms_user_id, content_key_folded=folded)
    return rows.order_by().values_list("pk")


_OPEN: Final = Prepared(_open, lms_user_id=models.BigIntegerField(), folded=models.CharField())


def _attempt_of(order: Order, state: AttemptState) -> RedemptionAttempt:
    return RedemptionAttempt(
        uuid=uuid4(),
        policy_id=order.policy_uuid,
        subsidy_uuid=order.subsidy_uuid,
        customer_uuid=order.customer_uuid,
        lms_user_id=order.lms_user_id,
        content_key=order.run_key,
        course_key=order.course_key,
        content_title=order.content_title[:255],
        run_starts_at=order.run_starts_at,
        trigger=order.trigger,
        state=state.value,
        allow_late=order.allow_late,
        metadata=dict(order.metadata),
        assignment_uuid=order.assignment_uuid,
        was_enrolled=order.was_enrolled,
    )

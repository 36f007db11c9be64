"""Writing down how an attempt ended: each one short transaction, without network.

Rows are locked in one order: assignment, attempt, then what the budget locks.
"""

import logging
from typing import Any
from uuid import UUID

from enterprise_access.apps.customers.services import want_enrollments
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.assignments import note_accepted, note_failed
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.redemption.services.signals import attempt_ended
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.services import LedgerNews, record_transaction, release, spend
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)


@retry_deadlocks
def commit(*, attempt_uuid: UUID, news: LedgerNews, reservation: ReservationState) -> bool:
    """Record that a transaction pays for an attempt; say whether the attempt was open until now.

    `reservation` SPENT: the transaction is the attempt's own. RELEASED: another one pays, or the money went back.
    Recorded with or without the lease, because it has happened.
    """
    now = clock.now()
    is_own = reservation is ReservationState.SPENT
    seen = RedemptionAttempt.objects.get(pk=attempt_uuid)
    if is_own and AttemptState(seen.state).is_open:
        note_accepted(
            assignment_uuid=seen.assignment_uuid,
            transaction_uuid=news.uuid,
            lms_user_id=seen.lms_user_id,
            now=now,
        )
    attempt = _lock_open(attempt_uuid)
    if attempt is None:
        # Decided otherwise meanwhile; the money has moved all the same, and counts.
        record_transaction(news=news, now=now)
        return False
    if is_own:
        spend(reservation_uuid=_promise_of(attempt), news=news, now=now)
        if attempt.amount != -news.quantity_cents:
            log.error("The ledger charged another amount than was held. attempt=%s", attempt.uuid)
    else:
        release(reservation_uuid=_promise_of(attempt), as_allocation=attempt.assignment_uuid is not None)
        record_transaction(news=news, now=now)
    _end(attempt, AttemptState.COMMITTED, transaction_uuid=news.uuid, reason="")
    want_enrollments(lms_user_ids=[attempt.lms_user_id] if attempt.lms_user_id else [])
    return True


@retry_deadlocks
def refuse(*, attempt_uuid: UUID, reason: CreditReason, lease_token: UUID | None) -> bool:
    """End an attempt that did not pay, and give its money back; an assignment stays allocated.

    `lease_token`: of the worker that found it out; without the lease nothing is written. None: staff decided.
    """
    seen = RedemptionAttempt.objects.get(pk=attempt_uuid)
    if not _may_end(seen, lease_token):
        return False
    note_failed(assignment_uuid=seen.assignment_uuid, reason=reason.value, now=clock.now())
    attempt = _lock_open(attempt_uuid)
    if attempt is None or not _may_end(attempt, lease_token):
        return False
    release(reservation_uuid=_promise_of(attempt), as_allocation=attempt.assignment_uuid is not None)
    _end(attempt, AttemptState.REFUSED, reason=reason.value)
    return True


@retry_deadlocks
def mark_dead(*, attempt_uuid: UUID, lease_token: UUID) -> bool:
    """Leave an attempt to staff. Its money stays held, and nothing else begins for its learner and run."""
    attempt = _lock_open(attempt_uuid)
    if attempt is None or attempt.lease_token != lease_token:
        return False
    log.error("A redemption needs attention. attempt=%s", attempt.uuid)
    _write(attempt, state=AttemptState.DEAD.value, due_at=None, **QUEUE.freed)
    return True


def _may_end(attempt: RedemptionAttempt, lease_token: UUID | None) -> bool:
    return AttemptState(attempt.state).is_open and lease_token in (None, attempt.lease_token)


def _lock_open(attempt_uuid: UUID) -> RedemptionAttempt | None:
    attempt = RedemptionAttempt.objects.select_for_update().get(pk=attempt_uuid)
    return attempt if AttemptState(attempt.state).is_open else None


def _promise_of(attempt: RedemptionAttempt) -> UUID:
    if attempt.reservation_uuid is None:
        raise ValueError("An open attempt holds money.")
    return attempt.reservation_uuid


def _end(attempt: RedemptionAttempt, state: AttemptState, **about: Any) -> None:
    _write(
        attempt,
        state=state.value,
        due_at=None,
        failed_at=None,
        waiting_for="",
        # What executive education asked of the learner is not needed any more.
        metadata={},
        ended_at=clock.now(),
        **QUEUE.freed,
        **about,
    )
    attempt_ended.send(sender=RedemptionAttempt, attempt=attempt)


def _write(attempt: RedemptionAttempt, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(attempt, name, value)
    attempt.save()

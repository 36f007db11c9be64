"""Intend, call, record: one batch of items on its way to the LMS and back."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.customers.services import forget_enrollments, read_enrollments
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    Outcome,
    RealizationAttempt,
)
from enterprise_access.apps.default_enrollments.services.realizing import redeeming
from enterprise_access.apps.default_enrollments.services.realizing.doubts import shows_mode
from enterprise_access.apps.default_enrollments.services.realizing.enrolling import Item, Sent, enroll
from enterprise_access.apps.default_enrollments.services.realizing.override_use import lock_active_overrides
from enterprise_access.apps.default_enrollments.services.realizing.recording import (
    record_realized,
    settle_attempt,
    write_attempts,
)
from enterprise_access.apps.default_enrollments.services.requests.work_items import RealizationLease, may_enroll
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.keys import fold
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class SendResult:
    """How one item ended. `reason` is empty when it was realized."""

    item: Item
    outcome: Outcome
    reason: str = ""


def send(
    lease: RealizationLease, items: Sequence[Item], *, triggers: Mapping[int, str], facts_read_at: datetime
) -> list[SendResult]:
    """Enroll one batch. What may not be sent any more (paused, lease lost, facts too old) is left out and stays due."""

    def still_allowed() -> Collection[int]:
        return _allowed_learners(lease, facts_read_at)

    attempts = _intend(items, still_allowed(), triggers)
    by_lms, by_redemption = redeeming.split(attempts)
    sent = enroll(customer_uuid=lease.customer_uuid, items=by_lms, still_allowed=still_allowed)
    carried = redeeming.redeem_items(by_redemption, still_allowed()) if by_redemption else {}
    sent |= redeeming.sent_of(carried)
    forget_enrollments(lms_user_ids={item.lms_user_id for item in attempts})
    refused = {item: outcome.reason for item, outcome in carried.items() if outcome is not None and outcome.reason}
    results = [_record_refused(attempts[item], item, reason) for item, reason in refused.items()]
    attempts = {item: attempt for item, attempt in attempts.items() if item in sent}
    results += _record_certain(attempts, sent)
    in_question = {item: attempt for item, attempt in attempts.items() if sent[item] is Sent.FAILURE}
    kept_back = [
        SendResult(item=item, outcome=Outcome.BLOCKED, reason=Reason.KEPT_BACK)
        for item in items
        if item not in attempts and item not in refused
    ]
    return [*results, *_record_failures(lease, in_question), *kept_back]


@retry_deadlocks
def _intend(
    items: Sequence[Item], allowed: Collection[int], triggers: Mapping[int, str]
) -> dict[Item, RealizationAttempt]:
    """Write down what is about to be sent, of whom and what may still be enrolled.

    (The lease was renewed before: in here it would lock rows of another table in between.)
    """
    # Locked, so that staff cannot change a key between this look at it and the attempt that makes it final.
    living = set(
        DefaultEnterpriseEnrollmentIntention.objects.living()
        .filter(pk__in={item.intention.pk for item in items})
        .select_for_update()
        .order_by("pk")
        .values_list("pk", "content_key_folded")
    )
    by_override = {(item.lms_user_id, item.intention.pk) for item in items if item.is_by_override}
    ended = by_override - lock_active_overrides(by_override, now=clock.now())
    sending = [
        item
        for item in items
        if item.lms_user_id in allowed
        and (item.intention.pk, item.intention.content_key_folded) in living
        and (item.lms_user_id, item.intention.pk) not in ended
    ]
    return dict(zip(sending, write_attempts(sending, triggers=triggers, now=clock.now()), strict=True))


def _allowed_learners(lease: RealizationLease, facts_read_at: datetime) -> Collection[int]:
    """Return whom we may still enroll: the customer is active and not paused, the facts are young, the lease holds.

    No one, once this worker was told to stop. The lease is renewed by asking.
    """
    oldest = clock.now() - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS)
    if is_stopping() or facts_read_at < oldest or not may_enroll(customer_uuid=lease.customer_uuid):
        return ()
    return lease.renew()


_MEANING: Mapping[Sent, tuple[Outcome, Reason]] = {
    Sent.UNKNOWN: (Outcome.IN_DOUBT, Reason.OUTCOME_UNKNOWN),
    Sent.NOT_SENT: (Outcome.BLOCKED, Reason.LMS_UNAVAILABLE),
    Sent.KEPT_BACK: (Outcome.BLOCKED, Reason.KEPT_BACK),
}


def _record_certain(attempts: Mapping[Item, RealizationAttempt], sent: Mapping[Item, Sent]) -> list[SendResult]:
    """Write down what needs no further question. Successes first: they are facts, whatever happens to us next."""
    results = []
    for item in sorted(attempts, key=lambda item: sent[item] is not Sent.SUCCESS):
        if sent[item] is Sent.SUCCESS:
            record_realized(attempts[item], now=clock.now())
            results.append(SendResult(item=item, outcome=Outcome.REALIZED))
        elif sent[item] in _MEANING:
            outcome, reason = _MEANING[sent[item]]
            settle_attempt(attempts[item], outcome=outcome, reason=reason, now=clock.now())
            results.append(SendResult(item=item, outcome=outcome, reason=reason))
    return results


def _record_refused(attempt: RealizationAttempt, item: Item, reason: str) -> SendResult:
    """Write down that the payer took its offer back: its money went elsewhere meanwhile."""
    settle_attempt(attempt, outcome=Outcome.BLOCKED, reason=reason, now=clock.now())
    return SendResult(item=item, outcome=Outcome.BLOCKED, reason=reason)


def _record_failures(lease: RealizationLease, attempts: Mapping[Item, RealizationAttempt]) -> list[SendResult]:
    """Ask the platform what became of items that the LMS calls failed: it may have enrolled all the same."""
    if not attempts:
        return []
    ids = {item.lms_user_id for item in attempts}
    try:
        learners = list_learners(customer_uuid=lease.customer_uuid, lms_user_ids=ids)
        enrollments = read_enrollments(learners=learners.values()).enrollments
    except UpstreamError as error:
        log.warning("Failed items could not be checked; their outcome is unknown. reason=%s", error.reason)
        enrollments = None
    results = []
    for item, attempt in attempts.items():
        rows = () if enrollments is None else enrollments.get(item.lms_user_id, ())
        row = next((row for row in rows if fold(row.course_run_key) == fold(item.course_run_key)), None)
        if row is not None and shows_mode(row, item.mode):
            record_realized(attempt, now=clock.now(), seen_mode=row.mode)
            results.append(SendResult(item=item, outcome=Outcome.REALIZED))
            continue
        known = enrollments is not None and item.lms_user_id in enrollments
        outcome = Outcome.BLOCKED if known else Outcome.IN_DOUBT
        reason = Reason.REFUSED_BY_LMS if known else Reason.OUTCOME_UNKNOWN
        settle_attempt(attempt, outcome=outcome, reason=reason, now=clock.now())
        results.append(SendResult(item=item, outcome=outcome, reason=reason))
    return results

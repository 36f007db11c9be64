"""Redeeming a run for a learner: answer what exists, join what is open, else ask the rules, and hold the money."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import evolve, field, frozen
from django.conf import settings

from enterprise_access.apps.customers.selectors import read_of_learner, reads_of_enrollments
from enterprise_access.apps.redemption.domain.case import PlatformEnrollment
from enterprise_access.apps.redemption.domain.eligibility import CreditRule
from enterprise_access.apps.redemption.domain.transactions import AttemptState, existing_redemption
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.redemption.services.assignments import NewAssignment
from enterprise_access.apps.redemption.services.cases import as_transaction
from enterprise_access.apps.redemption.services.facts import (
    REDEEMING_AGE,
    CreditFacts,
    fetch_credit_facts,
    reads_of_facts,
)
from enterprise_access.apps.redemption.services.intending import Order, find_open, intend, note_refusal, read_of_open
from enterprise_access.apps.redemption.services.judging import Judged, judge
from enterprise_access.apps.redemption.services.metadata import check_metadata, need_executive_education
from enterprise_access.apps.subsidy_access_policies.domain.policies import is_beyond_enroll_by
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.selectors.learners import (
    LearnerTransaction,
    Policy,
    list_accounts_of,
    list_learner_transactions,
    read_of_accounts,
)
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Read, read_together
from enterprise_access.lib.waiting import WaitingPlaces

FIRST_PAUSE_SECONDS: Final = 0.05
LAST_PAUSE_SECONDS: Final = 0.4

# Who waits in this process.
_places: Final = WaitingPlaces()


@frozen(kw_only=True)
class Redeemed:
    """What a call to redeem brought: a transaction that existed, or an attempt (open, committed or refused)."""

    transaction: LearnerTransaction | None = None
    attempt: RedemptionAttempt | None = None

    @property
    def refused_reason(self) -> CreditReason | None:
        """Why nothing was paid; None unless the attempt was refused."""
        if self.attempt is None or self.attempt.state != AttemptState.REFUSED.value:
            return None
        return CreditReason(self.attempt.reason)


@frozen(kw_only=True)
class RedemptionOrder:
    """What is to be redeemed, by whom, with which budget. `email`: for the assignment that staff's redemption needs."""

    policy: Policy
    lms_user_id: int
    run_key: str
    trigger: RedemptionTrigger = RedemptionTrigger.LEARNER
    metadata: Mapping[str, Any] = field(factory=dict, repr=False)
    email: str | None = field(default=None, repr=False)

    @property
    def is_forced(self) -> bool:
        """Whether staff redeem: the enrollment deadline is waived, and an assignment allocated where one is needed."""
        return self.trigger is RedemptionTrigger.FORCED


def redeem(asked: RedemptionOrder) -> Redeemed:
    """Begin a redemption, or return what exists. The call to the ledger is a worker's.

    Raises MetadataRefused before any money is touched.
    """
    check_metadata(asked.metadata)
    with read_together(*_first_reads(asked)):
        ledgers = list_accounts_of(asked.policy.customer_uuid)
        found = _existing(asked, ledgers)
        if found is not None:
            return found
        now = clock.now()
        facts = fetch_credit_facts(
            customer_uuid=asked.policy.customer_uuid,
            lms_user_id=asked.lms_user_id,
            policies=[asked.policy],
            ledgers=ledgers,
            run_keys=[asked.run_key],
            max_age=REDEEMING_AGE,
            now=now,
        )
    # What the ledger told just now counts, and so does a request that was quicker.
    return _existing_in(asked, facts.transactions, is_open=fold(asked.run_key) in facts.open_runs) or _begin(
        asked, facts
    )


def await_outcome(attempt: RedemptionAttempt, *, seconds: float | None = None) -> RedemptionAttempt:
    """Wait for a worker, with no transaction open, and return the attempt as it is then.

    Who finds no place to wait gets it as it is: a request that waits holds a thread of the web process.
    """
    ends_at = time.monotonic() + (settings.REDEEM_WAIT_SECONDS if seconds is None else seconds)
    pause = FIRST_PAUSE_SECONDS
    with _places.place(of=attempt.pk, limit=settings.REALIZE_WAITERS) as has_place:
        while has_place and _is_on_its_way(attempt) and (left := ends_at - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, LAST_PAUSE_SECONDS)
            attempt.refresh_from_db()
    return attempt


def _is_on_its_way(attempt: RedemptionAttempt) -> bool:
    return attempt.state in (AttemptState.SENDING.value, AttemptState.IN_DOUBT.value)


def _first_reads(asked: RedemptionOrder) -> tuple[Read, ...]:
    """Return the statements that say what exists, and whether the budget pays where copies are young enough."""
    customer_uuid, lms_user_id = asked.policy.customer_uuid, asked.lms_user_id
    return (
        read_of_accounts(customer_uuid),
        read_of_open(lms_user_id=lms_user_id, run_key=asked.run_key),
        read_of_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id),
        *reads_of_enrollments([lms_user_id]),
        *reads_of_facts(customer_uuid, [lms_user_id]),
    )


def _existing(asked: RedemptionOrder, ledgers: frozenset[UUID]) -> Redeemed | None:
    """Return the transaction that pays already, as far as we know, or the attempt that is open."""
    copies = list_learner_transactions(lms_user_id=asked.lms_user_id, subsidy_uuids=ledgers)
    return _existing_in(asked, copies, is_open=True)


def _existing_in(asked: RedemptionOrder, rows: Iterable[LearnerTransaction], *, is_open: bool) -> Redeemed | None:
    """Return what is among these transactions, or the attempt. `is_open` False: no attempt is."""
    copies = {row.uuid: row for row in rows}
    paid = existing_redemption(
        lms_user_id=asked.lms_user_id,
        run_key=asked.run_key,
        transactions=map(as_transaction, copies.values()),
    ).transaction
    if paid is not None:
        return Redeemed(transaction=copies[paid.uuid])
    attempt = find_open(lms_user_id=asked.lms_user_id, run_key=asked.run_key) if is_open else None
    return None if attempt is None else Redeemed(attempt=attempt)


def _begin(asked: RedemptionOrder, facts: CreditFacts) -> Redeemed:
    now = clock.now()
    judged = judge(facts, asked.policy, asked.run_key, now=now, is_forced=asked.is_forced)
    order = _order_of(asked, judged, now=now)
    if judged.verdict.reason is not None:
        attempt = note_refusal(order, reason=judged.verdict.reason, rule=judged.verdict.rule, now=now)
        return Redeemed(attempt=attempt)
    if judged.offer.is_executive_education:
        need_executive_education(asked.metadata)
    if judged.needs_assignment:
        if asked.email is None:
            # To whom it is assigned could not be asked.
            reason = CreditReason.LEARNER_STATE_UNKNOWN
            return Redeemed(attempt=note_refusal(order, reason=reason, rule=CreditRule.C2, now=now))
        order = evolve(order, allocation=NewAssignment(email=asked.email, offer=judged.offer))
    try:
        return Redeemed(attempt=intend(order, now=now))
    except BudgetRefused as error:
        # Another redemption took the money between the reading and the lock.
        reason = CreditReason(error.reason.value)
        return Redeemed(attempt=note_refusal(order, reason=reason, rule=_rule_of(reason), now=now))


def _order_of(asked: RedemptionOrder, judged: Judged, *, now: datetime) -> Order:
    enrollment, offer = judged.case.enrollment, judged.offer
    late_until = (now + timedelta(days=1)) if asked.is_forced else asked.policy.late_redemption_allowed_until
    is_late = is_beyond_enroll_by(enroll_by=offer.enroll_by, late_until=None, now=now)
    return Order(
        policy_uuid=asked.policy.pk,
        subsidy_uuid=asked.policy.subsidy_id,
        customer_uuid=asked.policy.customer_uuid,
        lms_user_id=asked.lms_user_id,
        run_key=asked.run_key,
        course_key=offer.course_key or "",
        content_title=offer.title,
        run_starts_at=offer.start_date,
        amount_cents=judged.verdict.price_cents,
        trigger=asked.trigger,
        was_enrolled=isinstance(enrollment, PlatformEnrollment) and enrollment.is_active_and_paid,
        allow_late=is_late and late_until is not None and now < late_until,
        metadata=asked.metadata,
        assignment_uuid=None if judged.assignment is None else judged.assignment.uuid,
    )


_RULES: Final[Mapping[CreditReason, CreditRule]] = {
    CreditReason.POLICY_EXPIRED: CreditRule.C1,
    CreditReason.SUBSIDY_EXPIRED: CreditRule.C6,
    CreditReason.SUBSIDY_UNAVAILABLE: CreditRule.C6,
    CreditReason.REDEMPTION_IN_PROGRESS: CreditRule.C8,
    CreditReason.NOT_ENOUGH_VALUE: CreditRule.C9,
    CreditReason.POLICY_SPEND_LIMIT: CreditRule.C10,
    CreditReason.LEARNER_SPEND_LIMIT: CreditRule.C11,
    CreditReason.LEARNER_ENROLLMENT_LIMIT: CreditRule.C12,
}


def _rule_of(reason: CreditReason) -> CreditRule | None:
    return _RULES.get(reason)

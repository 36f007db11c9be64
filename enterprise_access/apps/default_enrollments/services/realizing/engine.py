"""Realizing what is owed: claim, facts, decide, intend, call, record.

No lock and no transaction is held while an upstream service is asked. Every call that enrolls is preceded by a
committed `sending` attempt and followed by its outcome, so that a worker may die at any moment.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import waffle
from attrs import asdict, evolve, frozen
from django.conf import settings

from enterprise_access.apps.customers.selectors import list_paused_customers
from enterprise_access.apps.customers.services import note_visits
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.selectors.facts import Facts
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions
from enterprise_access.apps.default_enrollments.services.realizing.confirming import confirm
from enterprise_access.apps.default_enrollments.services.realizing.doubts import are_in_doubt, settle_doubts
from enterprise_access.apps.default_enrollments.services.realizing.enrolling import Item
from enterprise_access.apps.default_enrollments.services.realizing.facts import fetch_facts, with_records
from enterprise_access.apps.default_enrollments.services.realizing.planning import UnsentOutcome, make_plan
from enterprise_access.apps.default_enrollments.services.realizing.recording import write_findings
from enterprise_access.apps.default_enrollments.services.realizing.sending import SendResult, send
from enterprise_access.apps.default_enrollments.services.requests.settling import VISITS, Open, settle_all
from enterprise_access.apps.default_enrollments.services.requests.work_items import (
    PAUSE_SWITCH,
    QUEUE,
    RealizationLease,
    ask_for_work,
    claim,
    is_anything_due,
)
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.work import waking
from enterprise_access.lib.work.isolating import BatchFailed, isolate
from enterprise_access.lib.work.leases import postpone

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Summary:
    """What came of one round: how many learners were looked at, and how many items ended how."""

    learners: int = 0
    realized: int = 0
    blocked: int = 0
    in_doubt: int = 0

    def plus(self, other: "Summary") -> "Summary":
        return Summary(**{name: getattr(self, name) + getattr(other, name) for name in asdict(self)})


def work_on_requests(*, limit: int) -> int:
    """Realize what is due for a while, customers in turn; return how many learners were evaluated."""
    if waffle.switch_is_active(PAUSE_SWITCH):
        return 0

    def one_round(customer_uuid: UUID, batch: int) -> int:
        return realize_due(customer_uuid=customer_uuid, limit=batch, now=clock.now()).learners

    return waking.work(QUEUE, one_round, limit=limit, excluding=list_paused_customers)


def realize_due(*, customer_uuid: UUID, limit: int, now: datetime) -> Summary:
    """Realize what is owed to at most `limit` learners of one customer. Safe to run twice, or twice at once.

    Never raises for what an upstream service does: what could not be settled comes due again.
    """
    summary = Summary()
    with claim(customer_uuid=customer_uuid, limit=limit, now=now) as lease:
        if not lease.requests:
            return summary
        if is_anything_due(now=now):
            # There is more: another worker can begin with it while this one is busy.
            ask_for_work()

        def one_batch(requests: Sequence[RealizationRequest]) -> None:
            nonlocal summary
            ids = [request.lms_user_id for request in requests]
            part, still_open = _realize(lease, ids)
            settle_all(lease, still_open, lms_user_ids=ids)
            summary = summary.plus(part)

        isolate(lease, one_batch)
    log.info(
        "Looked at learners of a customer. customer=%s learners=%d realized=%d blocked=%d in_doubt=%d",
        customer_uuid,
        summary.learners,
        summary.realized,
        summary.blocked,
        summary.in_doubt,
    )
    return evolve(summary, learners=len(lease.requests))


def _realize(lease: RealizationLease, ids: Sequence[int]) -> tuple[Summary, list[Open]]:
    """Raises BatchFailed when the LMS fails, and one of the learners may be the cause."""
    if not list_intentions(customer_uuid=lease.customer_uuid) and not are_in_doubt(lease.customer_uuid, ids):
        return Summary(learners=len(ids)), []
    try:
        facts = fetch_facts(customer_uuid=lease.customer_uuid, lms_user_ids=ids, renew=lease.renew)
    except UpstreamError as error:
        if error.may_be_one_row:
            raise BatchFailed(Reason.LMS_UNAVAILABLE) from error
        log.warning("The LMS could not be asked; %d learners wait. reason=%s", len(ids), error.reason)
        return Summary(learners=len(ids)), [_waits_for_lms(lms_user_id) for lms_user_id in ids]
    lease.renew()
    # Unreadable rows of the LMS: blamed like rows that make it fail, so that they are marked in the end.
    unknown = [request for request in lease.requests if request.lms_user_id in facts.unknown]
    postpone(lease, unknown, waiting_for=Reason.LMS_UNAVAILABLE, is_blamed=True)
    ids = [lms_user_id for lms_user_id in ids if lms_user_id not in facts.unknown]
    visitors = [
        request.lms_user_id for request in lease.requests if request.trigger in VISITS and request.lms_user_id in ids
    ]
    note_visits(customer_uuid=lease.customer_uuid, lms_user_ids=visitors, at=facts.read_at)
    facts, doubts = _settle_doubts(facts)
    return _carry_out(lease, facts, doubts, ids)


def _waits_for_lms(lms_user_id: int) -> Open:
    return Open(lms_user_id=lms_user_id, reason=Reason.LMS_UNAVAILABLE)


def _settle_doubts(facts: Facts) -> tuple[Facts, list[RealizationAttempt]]:
    """Settle earlier calls without an answer; return the facts as they are afterwards, and what is still in doubt.

    To settle is to change our own records (realizations, what was left, overrides): all of them are read again.
    """
    looked_at = settle_doubts(
        enrollments=facts.enrollments, enterprise_enrollments=facts.enterprise_enrollments, now=clock.now()
    )
    if looked_at:
        facts = with_records(facts, now=clock.now())
    return facts, [attempt for attempt in looked_at if attempt.outcome == Outcome.IN_DOUBT]


def _carry_out(
    lease: RealizationLease, facts: Facts, doubts: Sequence[RealizationAttempt], ids: Sequence[int]
) -> tuple[Summary, list[Open]]:
    triggers = {request.lms_user_id: request.trigger for request in lease.requests}
    plan = make_plan(facts, lms_user_ids=ids, doubts=doubts, now=clock.now(), renew=lease.renew)
    write_findings(plan.findings, triggers=triggers, now=clock.now())
    still_open = [_still_open(facts, finding) for finding in plan.findings if not finding.is_served]
    outcomes: Counter[Outcome] = Counter()
    for batch in _batches(plan.items):
        for result in _send(lease, facts, batch, triggers):
            outcomes[result.outcome] += 1
            if result.outcome != Outcome.REALIZED:
                still_open.append(
                    Open(
                        lms_user_id=result.item.lms_user_id,
                        reason=result.reason,
                        intention_uuid=result.item.intention.pk,
                    )
                )
    summary = Summary(
        learners=len(ids),
        realized=outcomes[Outcome.REALIZED],
        blocked=outcomes[Outcome.BLOCKED] + sum(not finding.is_served for finding in plan.findings),
        in_doubt=outcomes[Outcome.IN_DOUBT],
    )
    return summary, still_open


def _send(
    lease: RealizationLease, facts: Facts, batch: Sequence[Item], triggers: Mapping[int, str]
) -> list[SendResult]:
    items, read_at = confirm(facts, batch, renew=lease.renew)
    confirmed = {(item.lms_user_id, item.intention) for item in items}
    kept_back = [
        SendResult(item=item, outcome=Outcome.BLOCKED, reason=Reason.KEPT_BACK)
        for item in batch
        if (item.lms_user_id, item.intention) not in confirmed
    ]
    return [*send(lease, items, triggers=triggers, facts_read_at=read_at), *kept_back]


def _still_open(facts: Facts, finding: UnsentOutcome) -> Open:
    learner = facts.learners.get(finding.lms_user_id)
    return Open(
        lms_user_id=finding.lms_user_id,
        reason=finding.reason,
        intention_uuid=finding.intention.pk,
        enrollment_starts_at=finding.enrollment_starts_at,
        last_login_at=learner.last_login_at if learner else None,
        look_at=finding.look_at,
    )


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), settings.ENROLL_BATCH):
        yield items[start : start + settings.ENROLL_BATCH]

"""Enrolling after an approval, where a customer wants that: one course for each learner and approval (ADR 0044).

The row is written with the approval, is due when the subsidy is granted, and says `sending` before the call (lib/work).
What an app above knows about runs, licenses and redemptions, it does as the `Enroller` that registers here.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.conf import settings

from enterprise_access.apps.subsidy_requests.domain.enrolling import (
    MAX_SENDS,
    WAITS_FOR_PEOPLE,
    Enroller,
    EnrollerAnswer,
    EnrollmentState,
    NextMove,
    WantedEnrollment,
    WhyNot,
    choose_one_each,
)
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import (
    AutoEnrollment,
    SubsidyRequest,
    SubsidyRequestCustomerConfiguration,
)
from enterprise_access.apps.subsidy_requests.services.mails import RequestMailKind, ask_for_mails
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import asking, leases, waking
from enterprise_access.lib.work.leases import Lease, Settlement
from enterprise_access.lib.work.models import BACKGROUND
from enterprise_access.lib.work.queues import BackOff, Queue, lock_in_order

log = logging.getLogger(__name__)

ENROLL_JOB: Final = "subsidy_requests.enroll_due"
# A license is usually accepted in the learner portal, which tells of it; this is for those accepted elsewhere.
_PEOPLE_PAUSE: Final = timedelta(hours=6)
_LONGER_FOR_OUTCOME: Final = timedelta(days=1)
_GRANTED: Final = (RequestState.APPROVED.value, RequestState.FULFILLED.value)

QUEUE: Final = Queue(
    name="subsidy_requests.enrollments",
    model=AutoEnrollment,
    job=ENROLL_JOB,
    group="customer_uuid",
    lease_seconds=settings.LEASE_SECONDS,
    back_off=BackOff(first=timedelta(minutes=1), last=timedelta(hours=1)),
)

_enrollers: Final[list[Enroller]] = []


def register(enroller: Enroller) -> None:
    """Have this enroller look and enroll: an app above registers in its `ready`."""
    _enrollers[:] = [enroller]


def plan_enrollments(rows: Sequence[SubsidyRequest], *, now: datetime) -> None:
    """Write down, in the approving transaction, whose enrollment is wanted. `rows`: of one customer, oldest first.

    Nothing is written for a customer who does not want it, and a call that is on its way is left alone.
    """
    if not rows or not _is_wanted(rows[0].customer_uuid):
        return
    earlier = lock_in_order(AutoEnrollment.objects.filter(pk__in=[row.pk for row in rows]))
    busy = {one.pk for one in earlier if one.state == EnrollmentState.SENDING.value}
    planned = [row for row in rows if row.pk not in busy]
    if len(earlier) > len(busy):
        # An earlier approval of the same request has been decided upon.
        AutoEnrollment.objects.filter(pk__in=[one.pk for one in earlier if one.pk not in busy]).delete()
    batch = uuid4()
    chosen, others = choose_one_each(planned)
    AutoEnrollment.objects.bulk_create(
        [
            *(_row(row, batch, now, _why_not_at_all(row)) for row in chosen),
            *(_row(row, batch, now, WhyNot.ONE_COURSE_PER_APPROVAL) for row in others),
        ]
    )


def _is_wanted(customer_uuid: UUID) -> bool:
    rows = SubsidyRequestCustomerConfiguration.objects.filter(pk=customer_uuid, attempt_auto_enrollment=True)
    return rows.exists()


def _why_not_at_all(row: SubsidyRequest) -> WhyNot | None:
    if row.kind is SubsidyType.COUPON:
        # The LMS enrolls with licenses and transactions; a code is redeemed by the learner.
        return WhyNot.COUPON_CODE
    return None if row.course_id else WhyNot.NO_COURSE


def _row(row: SubsidyRequest, batch: UUID, now: datetime, why_not: WhyNot | None) -> AutoEnrollment:
    return AutoEnrollment(
        request=row,
        customer_uuid=row.customer_uuid,
        lms_user_id=row.lms_user_id,
        batch=batch,
        state=(EnrollmentState.NOT_ENROLLED if why_not else EnrollmentState.WAITING).value,
        reason=why_not or "",
        created=now,
        ended_at=now if why_not else None,
        priority=BACKGROUND,
    )


def start_enrollments(rows: Iterable[SubsidyRequest], *, now: datetime) -> None:
    """Let a worker enroll whose subsidy is granted now, in the granting transaction."""
    waiting = AutoEnrollment.objects.filter(
        pk__in=[row.pk for row in rows], state=EnrollmentState.WAITING.value, granted_at=None
    )
    if waiting.update(granted_at=now, due_at=now):
        waking.wake(QUEUE)


def check_again(*, customer_uuid: UUID, lms_user_id: int) -> None:
    """Look now at what waits for a learner: a license was accepted, or a redemption has ended."""
    waiting = AutoEnrollment.objects.filter(
        due_at__isnull=False, customer_uuid=customer_uuid, lms_user_id=lms_user_id, failed_at=None
    )
    if waiting.exists():
        asking.make_due(QUEUE, waiting, priority=BACKGROUND)


def enroll_due() -> int:
    """Enroll what is due, customers in turn; return how many requests were worked on."""
    return waking.work(QUEUE, _enroll_one, limit=1)


def _enroll_one(customer_uuid: UUID, limit: int) -> int:
    rows = QUEUE.rows().filter(customer_uuid=customer_uuid)
    with leases.claim(QUEUE, limit=limit, rows=rows) as lease:
        for row in lease.items:
            if EnrollmentState(row.state).is_over:
                # Asked for in the moment in which it ended.
                leases.settle(lease, [Settlement(item=row)])
            else:
                _record(lease, row, _try(lease, row))
        return len(lease.items)


def _try(lease: Lease[AutoEnrollment], row: AutoEnrollment) -> EnrollerAnswer:
    """Look, and call if that is still right. A call is written down before it is made."""
    if row.sent_at is None and (why_not := _why_not(row)):
        return EnrollerAnswer(next=NextMove.NOT_ENROLLED, reason=why_not)
    (enroller,) = _enrollers
    wanted = _wanted(row)
    answer = enroller.look(wanted)
    if answer.next is not NextMove.SEND:
        return answer
    if row.sends >= MAX_SENDS:
        return EnrollerAnswer(next=NextMove.NOT_ENROLLED, reason=WhyNot.OUTCOME_UNKNOWN)
    # Asked again after the calls of the look: what was switched off or decided meanwhile counts.
    if why_not := _why_not(row):
        return EnrollerAnswer(next=NextMove.NOT_ENROLLED, reason=why_not)
    if not _note_sending(lease, row, answer):
        return EnrollerAnswer(next=NextMove.LATER)
    return enroller.enroll(_wanted(row))


def _why_not(row: AutoEnrollment) -> WhyNot | None:
    """Return why this is not to be sent, as our own tables say."""
    if not _is_wanted(row.customer_uuid):
        return WhyNot.SWITCHED_OFF
    state = SubsidyRequest.objects.filter(pk=row.pk).values_list("state", flat=True).first()
    if state == RequestState.ACCEPTED.value:
        return WhyNot.REDEEMED_BEFORE
    return None if state in _GRANTED else WhyNot.NOT_GRANTED


def _note_sending(lease: Lease[AutoEnrollment], row: AutoEnrollment, answer: EnrollerAnswer) -> bool:
    """Write down the call that is about to be made; False: another worker has the row."""
    columns: dict[str, Any] = {
        "state": EnrollmentState.SENDING.value,
        "course_run_key": answer.course_run_key,
        "run_starts_at": answer.run_starts_at,
        "sent_at": clock.now(),
        "sends": row.sends + 1,
    }
    if not leases.keep(lease, row, **columns):
        return False
    for name, value in columns.items():
        setattr(row, name, value)
    return True


def _wanted(row: AutoEnrollment) -> WantedEnrollment:
    request = row.request
    return WantedEnrollment(
        subsidy_type=request.kind,
        customer_uuid=row.customer_uuid,
        lms_user_id=row.lms_user_id,
        course_id=request.course_id,
        license_uuid=request.license_uuid,
        policy_uuid=request.policy_uuid,
        course_run_key=row.course_run_key,
        sent_at=row.sent_at,
    )


@retry_deadlocks
def _record(lease: Lease[AutoEnrollment], row: AutoEnrollment, answer: EnrollerAnswer) -> None:
    """Write down what came of it. An end is written whether or not the lease still stands."""
    if answer.next is NextMove.LATER and not _is_given_up(row):
        _postpone(lease, row, answer)
        return
    is_enrolled = answer.next is NextMove.ENROLLED
    found = lock_in_order(QUEUE.rows().filter(pk=row.pk, batch=row.batch))
    if found and not EnrollmentState(found[0].state).is_over:
        state = EnrollmentState.ENROLLED if is_enrolled else EnrollmentState.NOT_ENROLLED
        QUEUE.rows().filter(pk=row.pk).update(
            state=state.value, reason="" if is_enrolled else answer.reason, ended_at=clock.now()
        )
        if is_enrolled:
            ask_for_mails(RequestMailKind.ENROLLED, [row.request], now=clock.now())
        log.info("An enrollment after an approval has ended. state=%s reason=%s", state, answer.reason)
    leases.settle(lease, [Settlement(item=row)])


def _is_given_up(row: AutoEnrollment) -> bool:
    """Say whether it has waited for too long since the grant. What was sent is looked for a day longer."""
    patience = timedelta(days=settings.AUTO_ENROLLMENT_WAIT_DAYS)
    if row.sent_at is not None:
        patience += _LONGER_FOR_OUTCOME
    return row.granted_at is not None and row.granted_at < clock.now() - patience


def _postpone(lease: Lease[AutoEnrollment], row: AutoEnrollment, answer: EnrollerAnswer) -> None:
    failures = row.failures + 1 if row.waiting_for == answer.reason else 1
    pause = _PEOPLE_PAUSE if answer.reason in WAITS_FOR_PEOPLE else QUEUE.back_off.pause(failures)
    columns: dict[str, Any] = {}
    if not answer.was_sent and row.sent_at is not None:
        # It certainly did not happen.
        columns = {"state": EnrollmentState.WAITING.value, "sent_at": None, "sends": row.sends - 1}
    due_at = max(clock.now() + pause, answer.at) if answer.at else clock.now() + pause
    leases.settle(
        lease,
        [Settlement(item=row, due_at=due_at, waiting_for=answer.reason, failures=failures, columns=columns)],
    )

"""Granting what was approved: claim, call, record (lib/work). Safe to run twice, or twice simultaneously.

A request says `sent_at` before license-manager is called for it, and what license-manager gave is written down whether
or not the lease still stands. Assigning may be repeated: who holds a license of the plan gets no second one.
"""

import logging
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.subsidy_requests.domain.granting import GrantProblem, after_refusal, is_license_group
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import start_enrollments
from enterprise_access.apps.subsidy_requests.services.mails import RequestMailKind, ask_for_mails
from enterprise_access.apps.subsidy_requests.services.transitions import can_move, move
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import leases, waking
from enterprise_access.lib.work.leases import Lease, Settlement
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR, BackOff, Queue, lock_in_order
from enterprise_access.upstream import license_manager
from enterprise_access.upstream.license_manager.types import ACTIVATED, ASSIGNED

log = logging.getLogger(__name__)

GRANT_JOB: Final = "subsidy_requests.grant_due"
# license-manager is asked for so many licenses in one call.
AT_ONCE: Final = 100
# After so long without an answer the request fails, so that an admin can decide again.
GIVE_UP_AFTER: Final = timedelta(days=1)
# What license-manager refuses because of one of the rows, or because there are too many.
_ABOUT_THE_BATCH: Final = frozenset({UpstreamReason.BAD_REQUEST, UpstreamReason.REFUSED_LOCALLY})

QUEUE = Queue(
    name="subsidy_requests.grants",
    model=SubsidyRequest,
    job=GRANT_JOB,
    group="work_group",
    lease_seconds=settings.LEASE_SECONDS,
    back_off=BackOff(first=timedelta(seconds=30), last=timedelta(hours=1)),
    # A request is never left pending without a due time: GIVE_UP_AFTER ends the retries.
    max_failures=2**31,
)


def grant_due() -> int:
    """Grant what is due, plans in turn; return how many requests were worked on."""
    return waking.work(QUEUE, grant_some, limit=AT_ONCE)


def grant_some(group: str, limit: int) -> int:
    """Grant some requests of one group, and return how many were worked on."""
    with leases.claim(QUEUE, limit=limit, rows=QUEUE.rows().filter(work_group=group)) as lease:
        if is_license_group(group):
            _grant_licenses(lease)
        else:
            # Codes are assigned elsewhere, and told by an event. None has come in time.
            _record_failure(lease, lease.items, GrantProblem.CODE_NOT_ASSIGNED, is_definite=True)
        return len(lease.items)


def _grant_licenses(lease: Lease[SubsidyRequest]) -> None:
    given_up = _give_up(lease)
    waiting = [row for row in _note_sent(lease) if row.pk not in given_up]
    batches: deque[Sequence[SubsidyRequest]] = deque([waiting])
    while batches:
        batch = batches.popleft()
        if not batch:
            continue
        lease.renew()
        try:
            batches += _assign(lease, batch)
        except UpstreamError as error:
            log.warning("Licenses could not be assigned. requests=%d reason=%s", len(batch), error.reason)
            _postpone(lease, batch, GrantProblem.UNAVAILABLE)


def _give_up(lease: Lease[SubsidyRequest]) -> frozenset[UUID]:
    """Let those fail that only an unexpected error has kept waiting for too long; return which."""
    late = [row for row in lease.items if row.waiting_for == UNEXPECTED_ERROR and _is_late(row)]
    if late:
        _record_failure(lease, late, GrantProblem.UNEXPECTED, is_definite=False)
    return frozenset(row.pk for row in late)


@retry_deadlocks
def _note_sent(lease: Lease[SubsidyRequest]) -> list[SubsidyRequest]:
    """Write down that licenses are requested, and return for whom; what was decided meanwhile is settled."""
    held = lock_in_order(QUEUE.rows().filter(pk__in=[row.pk for row in lease.items], lease_token=lease.token))
    waiting = [row for row in held if row.state == RequestState.PENDING.value]
    QUEUE.rows().filter(pk__in=[row.pk for row in waiting], sent_at=None).update(sent_at=clock.now())
    decided = {row.pk for row in held} - {row.pk for row in waiting}
    leases.settle(lease, [Settlement(item=row) for row in lease.items if row.pk in decided])
    return sorted(waiting, key=lambda row: (row.created, row.pk))


def _assign(lease: Lease[SubsidyRequest], batch: Sequence[SubsidyRequest]) -> Sequence[Sequence[SubsidyRequest]]:
    """Ask for licenses for a batch, and record what came back. Return the smaller batches to try after a refusal."""
    plan_uuid = batch[0].plan_uuid
    assert plan_uuid is not None  # noqa: S101 (a request in a group of licenses has a plan)
    try:
        emails = list(dict.fromkeys(row.email_folded for row in batch))
        answer = license_manager.from_settings().assign_licenses(plan_uuid=plan_uuid, user_emails=emails)
    except UpstreamRefused as error:
        if error.reason not in _ABOUT_THE_BATCH:
            raise
        unassigned = None if error.reason is UpstreamReason.REFUSED_LOCALLY else _count_unassigned(batch[0])
        split = after_refusal(batch, unassigned=unassigned)
        is_short = unassigned is not None and unassigned < len(batch)
        problem = GrantProblem.NO_LICENSE_LEFT if is_short else GrantProblem.REFUSED
        _record_failure(lease, split.left_out, problem, is_definite=True)
        return split.batches
    licenses = {fold(one.user_email): one.license_uuid for one in answer.licenses}
    _record_success(lease, batch, licenses)
    _read_back(lease, [row for row in batch if row.email_folded not in licenses])
    return ()


def _count_unassigned(row: SubsidyRequest) -> int | None:
    plans = license_manager.from_settings().list_plans(customer_uuid=row.customer_uuid)
    return next((plan.unassigned for plan in plans if plan.uuid == row.plan_uuid), None)


def _read_back(lease: Lease[SubsidyRequest], rows: Sequence[SubsidyRequest]) -> None:
    """Read the licenses of learners whom the answer left out: they held one already, maybe by a call that was lost."""
    client = license_manager.from_settings()
    for row in rows:
        lease.renew()
        try:
            found = client.list_licenses_of(customer_uuid=row.customer_uuid, user_email=row.email_folded)
        except UpstreamError as error:
            log.warning("A license could not be read back. request=%s reason=%s", row.pk, error.reason)
            _postpone(lease, [row], GrantProblem.UNAVAILABLE)
            continue
        own = [one.uuid for one in found if one.plan_uuid == row.plan_uuid and one.status in (ASSIGNED, ACTIVATED)]
        if own:
            _record_success(lease, [row], {row.email_folded: own[0]})
        else:
            _postpone(lease, [row], GrantProblem.NOT_FOUND)


@retry_deadlocks
def _record_success(lease: Lease[SubsidyRequest], batch: Sequence[SubsidyRequest], licenses: dict[str, UUID]) -> None:
    """Write down what was given. A request that was decided otherwise meanwhile keeps its state."""
    given = [row for row in batch if row.email_folded in licenses]
    rows = lock_in_order(SubsidyRequest.objects.filter(pk__in=[row.pk for row in given]))
    rows = [row for row in rows if can_move(row, RequestAction.GRANTED)]
    if rows:
        for row in rows:
            row.license_uuid = licenses[row.email_folded]
        SubsidyRequest.objects.bulk_update(rows, ["license_uuid"])
        granted = move(rows, RequestAction.GRANTED, now=clock.now())
        start_enrollments(granted, now=clock.now())
        ask_for_mails(RequestMailKind.GRANTED, [row for row in granted if row.is_mail_wanted], now=clock.now())
    leases.settle(lease, [Settlement(item=row) for row in given])


@retry_deadlocks
def _record_failure(
    lease: Lease[SubsidyRequest], batch: Sequence[SubsidyRequest], problem: GrantProblem, *, is_definite: bool
) -> None:
    """Let requests fail, so that an admin can approve them again or decline them.

    `is_definite`: nothing was granted, for certain.
    """
    rows = lock_in_order(SubsidyRequest.objects.filter(pk__in=[row.pk for row in batch]))
    rows = [row for row in rows if can_move(row, RequestAction.GRANT_FAILED)]
    if rows:
        columns = {"sent_at": None} if is_definite else {}
        move(rows, RequestAction.GRANT_FAILED, now=clock.now(), error_reason=problem.value, **columns)
        log.warning("Requests were not granted. requests=%d reason=%s", len(rows), problem)
    leases.settle(lease, [Settlement(item=row) for row in batch])


def _postpone(lease: Lease[SubsidyRequest], rows: Sequence[SubsidyRequest], problem: GrantProblem) -> None:
    """Try again after a growing pause; let those fail that have waited for too long."""
    late = [row for row in rows if _is_late(row)]
    if late:
        _record_failure(lease, late, problem, is_definite=False)
    waiting = [row for row in rows if row not in late]
    if waiting:
        leases.postpone(lease, waiting, waiting_for=problem.value, is_blamed=True)


def _is_late(row: SubsidyRequest) -> bool:
    return row.reviewed_at is not None and row.reviewed_at < clock.now() - GIVE_UP_AFTER

"""Linking the people of assignments to their customer in the LMS, who may not have an account there yet."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from enterprise_access.apps.content_assignments.domain.showing import LINKED
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.models import Assignment, LinkRequest
from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.services.writing import add_actions
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError, UpstreamRefused
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.isolating import BatchFailed, isolate
from enterprise_access.lib.work.leases import Lease, Settlement, claim, settle
from enterprise_access.lib.work.models import BACKGROUND
from enterprise_access.lib.work.queues import Queue, lock_in_order
from enterprise_access.lib.work.waking import wake, work
from enterprise_access.upstream import lms

log = logging.getLogger(__name__)

LINK_JOB: Final = "content_assignments.link_due"
BATCH: Final = 100
# The code that clients know for an account that cannot be linked.
LINK_ERROR: Final = "internal_api_error"

QUEUE: Final = Queue(name="content_assignments.links", model=LinkRequest, job=LINK_JOB, group="customer_uuid")


def ask_for_links(rows: Iterable[Assignment], *, now: datetime) -> None:
    """Ask for the link of each assignment's person, in the caller's transaction. A former life's is requested again."""
    requests = [
        LinkRequest(assignment=row, customer_uuid=row.customer_uuid, created=now, due_at=now, priority=BACKGROUND)
        for row in rows
    ]
    if requests:
        LinkRequest.objects.filter(pk__in=[request.pk for request in requests]).delete()
        LinkRequest.objects.bulk_create(requests)
        wake(QUEUE)


def link_due() -> int:
    """Link people whose turn it is, customers in turn; return how many rows were worked on."""
    return work(QUEUE, _link_some, limit=BATCH)


def _link_some(customer_uuid: UUID, limit: int) -> int:
    with claim(QUEUE, limit=limit, rows=QUEUE.rows().filter(customer_uuid=customer_uuid)) as lease:
        isolate(lease, lambda part: _link(lease, part, customer_uuid))
    return len(lease.items)


def _link(lease: Lease[LinkRequest], requests: Sequence[LinkRequest], customer_uuid: UUID) -> None:
    rows = Assignment.objects.in_bulk([request.pk for request in requests])
    wanted = {pk: row.learner_email for pk, row in rows.items() if _is_wanted(row)}
    if wanted:
        try:
            lms.from_settings(optional="links").create_pending_learners(
                customer_uuid=customer_uuid, emails=sorted(set(wanted.values()))
            )
        except UpstreamRefused as error:
            if len(requests) > 1 or not error.may_be_one_row:
                raise BatchFailed(f"lms_{error.reason.value}") from error
            _give_notice(lease, requests[0])
            return
        except UpstreamError as error:
            raise BatchFailed(f"lms_{error.reason.value}") from error
    _note_links(lease, requests, frozenset(wanted))


def _is_wanted(row: Assignment) -> bool:
    return row.state == AssignmentState.ALLOCATED.value and row.email_cleared_at is None


@retry_deadlocks
def _note_links(lease: Lease[LinkRequest], requests: Sequence[LinkRequest], linked: frozenset[UUID]) -> None:
    now = clock.now()
    rows = lock_in_order(Assignment.objects.filter(pk__in=linked))
    add_actions(rows, LINKED, now=now)
    settle(lease, [Settlement(item=request) for request in requests])


@retry_deadlocks
def _give_notice(lease: Lease[LinkRequest], request: LinkRequest) -> None:
    """Write down that the LMS will never link this address: the assignment is of no use to anyone."""
    now = clock.now()
    row = transitions.lock([request.pk])[0]
    if _is_wanted(row):
        try:
            transitions.error(row.pk, reason=LINK_ERROR, now=now)
        except AssignmentTransitionRefused:
            # It is being redeemed: then the learner is there, whatever the LMS says of the address.
            log.info("A person who is redeeming could not be linked. assignment=%s", request.pk)
    settle(lease, [Settlement(item=request)])
    log.error("The LMS refuses to link a person to a customer. assignment=%s", request.pk)

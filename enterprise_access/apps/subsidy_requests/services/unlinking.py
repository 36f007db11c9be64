"""Unlinking learners from their customer in the LMS, when an admin declines a request and wants that."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, UnlinkRequest
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.isolating import BatchFailed, isolate
from enterprise_access.lib.work.leases import Lease, Settlement, claim, settle
from enterprise_access.lib.work.models import BACKGROUND
from enterprise_access.lib.work.queues import Queue
from enterprise_access.lib.work.waking import wake, work
from enterprise_access.upstream import lms

UNLINK_JOB: Final = "subsidy_requests.unlink_due"
BATCH: Final = 100

QUEUE: Final = Queue(name="subsidy_requests.unlinks", model=UnlinkRequest, job=UNLINK_JOB, group="customer_uuid")


def ask_for_unlinks(rows: Iterable[SubsidyRequest], *, now: datetime) -> None:
    """Ask for the unlinking of each request's learner, in the caller's transaction."""
    wanted = [
        UnlinkRequest(request=row, customer_uuid=row.customer_uuid, created=now, due_at=now, priority=BACKGROUND)
        for row in rows
    ]
    if wanted:
        # (A request that failed, was declined and was asked about before has an earlier row.)
        UnlinkRequest.objects.filter(pk__in=[request.pk for request in wanted]).delete()
        UnlinkRequest.objects.bulk_create(wanted)
        wake(QUEUE)


def unlink_due() -> int:
    """Unlink learners whose turn it is, customers in turn; return how many rows were worked on."""
    return work(QUEUE, _unlink_some, limit=BATCH)


def _unlink_some(customer_uuid: UUID, limit: int) -> int:
    with claim(QUEUE, limit=limit, rows=QUEUE.rows().filter(customer_uuid=customer_uuid)) as lease:
        isolate(lease, lambda part: _unlink(lease, part, customer_uuid))
    return len(lease.items)


def _unlink(lease: Lease[UnlinkRequest], items: Sequence[UnlinkRequest], customer_uuid: UUID) -> None:
    emails = SubsidyRequest.objects.filter(pk__in=[item.pk for item in items]).values_list("email", flat=True)
    wanted = sorted(set(emails))
    if "" in wanted:
        # The LMS knows people by address here. Support sees the row, and unlinks the learner in the LMS.
        raise BatchFailed("no_email")
    if wanted:
        try:
            lms.from_settings(optional="links").unlink_learners(customer_uuid=customer_uuid, emails=wanted)
        except UpstreamError as error:
            raise BatchFailed(f"lms_{error.reason.value}") from error
    _note_unlinked(lease, items)


@retry_deadlocks
def _note_unlinked(lease: Lease[UnlinkRequest], items: Sequence[UnlinkRequest]) -> None:
    settle(lease, [Settlement(item=item) for item in items])

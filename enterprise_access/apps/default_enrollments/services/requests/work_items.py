"""Requests, the pending work of this app: asking for a learner, claiming who is due, settling (lib/work)."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import waffle
from attrs import frozen
from django.conf import settings
from django.db.models import QuerySet

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.selectors import get_customer, is_customer_paused
from enterprise_access.apps.customers.services import want_enrollments
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger, priority_of
from enterprise_access.apps.default_enrollments.selectors.state import PAUSE_SWITCH as PAUSE_SWITCH
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import asking, leases, waking
from enterprise_access.lib.work.leases import Settlement
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR as UNEXPECTED_ERROR
from enterprise_access.lib.work.queues import Exclusive, Queue

log = logging.getLogger(__name__)

REALIZE_JOB = "default_enrollments.realize_due"

# One learner is worked on by one worker at a time, whatever the customers.
QUEUE = Queue(
    name="default_enrollments.requests",
    model=RealizationRequest,
    job=REALIZE_JOB,
    group="customer_id",
    lease_seconds=settings.LEASE_SECONDS,
    exclusive=Exclusive(column="leased_lms_user_id", key="lms_user_id"),
)


def request_realization(*, customer_uuid: UUID, lms_user_ids: Collection[int], trigger: Trigger, now: datetime) -> None:
    """Have these learners of a known customer evaluated, now. Asking twice is asking once.

    A request that a worker is busy with comes due again afterwards. A failed one stays failed until staff retry it.
    Raises CustomerUnknown.
    """
    ids = sorted(set(lms_user_ids))
    if not ids:
        return
    # First: whoever is told by the request must not use what was read before.
    want_enrollments(lms_user_ids=ids)
    # A caller whose clock is ahead must not make anybody wait.
    now = min(now, clock.now())
    _add_missing(customer_uuid, ids, trigger, now)
    asking.make_due(
        QUEUE,
        RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id__in=ids),
        priority=priority_of(trigger),
        now=now,
        trigger=trigger,
        settled_at=None,
    )


@retry_deadlocks
def _add_missing(customer_uuid: UUID, lms_user_ids: Sequence[int], trigger: Trigger, now: datetime) -> None:
    """Add the requests that are missing. Apart from making them due: together, two callers could block each other.

    Only the missing ones: on MariaDB an INSERT IGNORE of rows that exist deadlocks with those who update them.
    """
    rows = RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id__in=lms_user_ids)
    known = set(rows.values_list("lms_user_id", flat=True))
    missing = [lms_user_id for lms_user_id in lms_user_ids if lms_user_id not in known]
    if not missing:
        return
    if get_customer(customer_uuid=customer_uuid) is None:
        raise CustomerUnknown(f"There is no customer {customer_uuid}.")
    RealizationRequest.objects.bulk_create(
        [
            RealizationRequest(
                customer_id=customer_uuid,
                lms_user_id=lms_user_id,
                due_at=now,
                trigger=trigger,
                priority=priority_of(trigger),
                generation=0,
            )
            for lms_user_id in missing
        ],
        ignore_conflicts=True,
    )


def ask_for_work() -> None:
    """Tell a worker, once the transaction is committed, that something may be due."""
    waking.wake(QUEUE)


@frozen(kw_only=True)
class RealizationLease(leases.Lease[RealizationRequest]):
    """The right of one worker to work on some learners of one customer, until it runs out or is handed back."""

    customer_uuid: UUID

    @property
    def requests(self) -> tuple[RealizationRequest, ...]:
        return self.items

    def renew(self) -> frozenset[int]:
        """Prolong what is still held, and return its learners. Others have been taken over by another worker."""
        held = super().renew()
        return frozenset(request.lms_user_id for request in self.items if request.pk in held)


def is_paused(*, customer_uuid: UUID) -> bool:
    """Say whether staff have stopped enrolling: everywhere, or for this customer."""
    return waffle.switch_is_active(PAUSE_SWITCH) or is_customer_paused(customer_uuid=customer_uuid)


def exclude_paused(rows: QuerySet[RealizationRequest]) -> QuerySet[RealizationRequest]:
    """Leave out the requests that are not worked on because staff have stopped enrolling."""
    return rows.none() if waffle.switch_is_active(PAUSE_SWITCH) else rows.exclude(customer__realization_paused=True)


def may_enroll(*, customer_uuid: UUID) -> bool:
    """Say whether learners of this customer may be enrolled at this moment: it is active, and no one paused it.

    (An inactive one is not paused: its requests are claimed, so that the reason is written down and nothing stays due.)
    """
    customer = get_customer(customer_uuid=customer_uuid)
    return customer is not None and customer.is_active and not is_paused(customer_uuid=customer_uuid)


@contextmanager
def claim(*, customer_uuid: UUID, limit: int, now: datetime) -> Iterator[RealizationLease]:
    """Hold the due requests of some learners of one customer. What is not settled inside is due again afterwards."""
    rows = RealizationRequest.objects.filter(customer_id=customer_uuid)
    limit = 0 if is_paused(customer_uuid=customer_uuid) else limit
    with leases.claim(QUEUE, limit=limit, rows=rows, now=now) as taken:
        yield RealizationLease(queue=QUEUE, token=taken.token, items=taken.items, customer_uuid=customer_uuid)


def settlement(
    request: RealizationRequest,
    *,
    due_at: datetime | None,
    waiting_for: str,
    failures: int,
    trigger: str | None = None,
) -> Settlement[RealizationRequest]:
    """Say when the learner is checked again (None: when somebody asks), and why.

    `trigger` is what will cause that check; None: what caused the present one.
    """
    next_trigger = trigger or request.trigger
    return Settlement(
        item=request,
        due_at=due_at,
        waiting_for=waiting_for,
        failures=failures,
        columns={
            "trigger": next_trigger,
            "priority": priority_of(next_trigger),
            "settled_at": clock.now() if due_at is None else None,
        },
    )


@retry_deadlocks
def give_up(*, customer_uuid: UUID, lms_user_id: int, because: str) -> None:
    """Mark a request as failed: nothing happens for this learner until staff have looked."""
    RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).update(
        failed_at=clock.now(), due_at=None, waiting_for=because
    )
    log.error("A learner's default enrollments need attention. customer=%s reason=%s", customer_uuid, because)


def is_anything_due(*, now: datetime) -> bool:
    """Say whether a worker could do something now."""
    return waking.is_anything_due(QUEUE, now=now)

"""What is owed: asking for a realization, claiming what is due, and settling it."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import waffle
from attrs import field, frozen
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, F, Min, Q, QuerySet, Value, When
from django.utils import timezone

from enterprise_access.apps.customers.selectors import get_customer, is_customer_paused
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.selectors.state import PAUSE_SWITCH as PAUSE_SWITCH
from enterprise_access.lib.jobs import enqueue_on_commit
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)

REALIZE_JOB = "default_enrollments.realize_due"

# How long a request waits after an error of our own.
AFTER_ERROR_SECONDS = 60
# What such a request is shown as waiting for, and after how many errors in a row it is given up.
UNEXPECTED_ERROR = "unexpected_error"
DEAD_AFTER_ERRORS = 10


def request_realization(*, customer_uuid: UUID, lms_user_ids: Collection[int], trigger: Trigger, now: datetime) -> None:
    """Owe these learners of a known customer a look, at once. Asking twice is asking once.

    A request that a worker is busy with comes due again afterwards. A dead one stays dead until staff revive it.
    """
    ids = sorted(set(lms_user_ids))
    _make_rows(customer_uuid, ids, trigger, now)
    _make_due(customer_uuid, ids, trigger, now)


@retry_deadlocks
def _make_rows(customer_uuid: UUID, lms_user_ids: Sequence[int], trigger: Trigger, now: datetime) -> None:
    """Make the requests that are missing. Apart from making them due: together, two callers could block each other."""
    RealizationRequest.objects.bulk_create(
        [
            RealizationRequest(
                customer_id=customer_uuid, lms_user_id=lms_user_id, due_at=now, trigger=trigger, generation=0
            )
            for lms_user_id in lms_user_ids
        ],
        ignore_conflicts=True,
    )


@retry_deadlocks
def _make_due(customer_uuid: UUID, lms_user_ids: Sequence[int], trigger: Trigger, now: datetime) -> None:
    with transaction.atomic():
        due = RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id__in=lms_user_ids).update(
            # Who waits already keeps the place in the line, however often they ask.
            due_at=Case(When(due_at__lte=now, then=F("due_at")), default=Value(now)),
            trigger=trigger,
            generation=F("generation") + 1,
            settled_at=None,
            modified=now,
        )
        if due < len(lms_user_ids):
            # MariaDB and MySQL leave out a row whose customer does not exist, without a word.
            raise IntegrityError(f"There is no customer {customer_uuid} to owe anything for.")
        ask_for_work(customer_uuid=customer_uuid)


def ask_for_work(*, customer_uuid: UUID) -> None:
    """Tell a worker, once the transaction is committed, that something may be due for this customer."""
    enqueue_on_commit(REALIZE_JOB, customer_uuid=str(customer_uuid))


@frozen(kw_only=True)
class Claimed:
    """A request as it was claimed."""

    pk: int
    lms_user_id: int
    trigger: str
    generation: int
    failures: int


@frozen(kw_only=True)
class Lease:
    """The right of one worker to work on some learners of one customer, until it runs out or is given back."""

    customer_uuid: UUID
    token: UUID
    requests: tuple[Claimed, ...] = field(factory=tuple)

    @retry_deadlocks
    def renew(self) -> frozenset[int]:
        """Prolong what is still held, and return its learners. Others have been taken over by another worker."""
        until = timezone.now() + timedelta(seconds=settings.LEASE_SECONDS)
        with transaction.atomic():
            held = RealizationRequest.objects.held_by(self.token)
            held.update(leased_until=until)
            return frozenset(held.values_list("lms_user_id", flat=True))


def is_paused(*, customer_uuid: UUID) -> bool:
    """Say whether staff have stopped enrolling: everywhere, or for this customer."""
    return waffle.switch_is_active(PAUSE_SWITCH) or is_customer_paused(customer_uuid=customer_uuid)


def may_enroll(*, customer_uuid: UUID) -> bool:
    """Say whether learners of this customer may be enrolled at this moment: it is active, and nobody paused it.

    (An inactive one is not paused: its requests are claimed, so that the reason is written down and nothing stays due.)
    """
    customer = get_customer(customer_uuid=customer_uuid)
    return customer is not None and customer.is_active and not is_paused(customer_uuid=customer_uuid)


@contextmanager
def claim(*, customer_uuid: UUID, limit: int, now: datetime) -> Iterator[Lease]:
    """Hold the due requests of some learners of one customer. What is not settled inside is due again afterwards."""
    token = uuid4()
    lease = Lease(customer_uuid=customer_uuid, token=token, requests=_take(customer_uuid, token, limit, now))
    try:
        yield lease
    except BaseException:
        # Ours to mend. The rows come back a little later, so that one of them does not keep a worker busy for ever.
        _postpone(RealizationRequest.objects.held_by(token))
        raise
    finally:
        _give_back(RealizationRequest.objects.held_by(token))


@retry_deadlocks
def _take(customer_uuid: UUID, token: UUID, limit: int, now: datetime) -> tuple[Claimed, ...]:
    """Lease up to `limit` due requests whose learners nobody else is busy with."""
    if is_paused(customer_uuid=customer_uuid):
        return ()
    _release_expired(now)
    with transaction.atomic():
        ids = _without_suspects(_due(customer_uuid, now), limit)
        try:
            with transaction.atomic():
                _lease(ids, token, now)
        except IntegrityError:
            # Another customer's worker got hold of one of these learners in this very moment.
            _lease_one_by_one(ids, token, now)
        rows = list(RealizationRequest.objects.held_by(token).order_by("due_at", "pk"))
    return tuple(
        Claimed(
            pk=row.pk,
            lms_user_id=row.lms_user_id,
            trigger=row.trigger,
            generation=row.generation,
            failures=row.failures,
        )
        for row in rows
    )


def _without_suspects(due: QuerySet[RealizationRequest], limit: int) -> list[int]:
    """Return the longest waiting requests; one that was part of an unexpected error is taken alone, when its turn is.

    So the learner on whom we stumble is found out, holds up nobody else, and is not passed over either.
    """
    rows = list(due.order_by("due_at", "pk").values_list("pk", "waiting_for")[:limit])
    if rows and rows[0][1] == UNEXPECTED_ERROR:
        return [rows[0][0]]
    return [pk for pk, waiting_for in rows if waiting_for != UNEXPECTED_ERROR]


def _due(customer_uuid: UUID, now: datetime) -> QuerySet[RealizationRequest]:
    busy = RealizationRequest.objects.exclude(leased_lms_user_id=None).values("leased_lms_user_id")
    due = RealizationRequest.objects.due(now).filter(customer_id=customer_uuid).exclude(lms_user_id__in=busy)
    if connection.features.has_select_for_update_skip_locked:
        return due.select_for_update(
            skip_locked=True, of=("self",) if connection.features.has_select_for_update_of else ()
        )
    return due


def _lease(ids: list[int], token: UUID, now: datetime) -> None:
    """Lease these rows if they are still free; the condition makes it safe where rows cannot be locked."""
    RealizationRequest.objects.filter(pk__in=ids, lease_token=None).update(
        lease_token=token,
        leased_until=now + timedelta(seconds=settings.LEASE_SECONDS),
        leased_lms_user_id=F("lms_user_id"),
    )


def _lease_one_by_one(ids: list[int], token: UUID, now: datetime) -> None:
    for pk in ids:
        try:
            with transaction.atomic():
                _lease([pk], token, now)
        except IntegrityError:
            continue


def _release_expired(now: datetime) -> None:
    """Take the lease from workers that did not come back in time."""
    _give_back(RealizationRequest.objects.filter(leased_until__lt=now))


def _postpone(rows: QuerySet[RealizationRequest]) -> None:
    now = timezone.now()
    rows.exclude(waiting_for=UNEXPECTED_ERROR).update(failures=0)
    rows.update(
        due_at=now + timedelta(seconds=AFTER_ERROR_SECONDS), failures=F("failures") + 1, waiting_for=UNEXPECTED_ERROR
    )
    if rows.filter(failures__gte=DEAD_AFTER_ERRORS).update(dead_at=now, due_at=None):
        log.error("Learners are given up after errors of our own; see the dead requests in the admin.")


@retry_deadlocks
def _give_back(rows: QuerySet[RealizationRequest]) -> int:
    return rows.update(lease_token=None, leased_until=None, leased_lms_user_id=None)


@retry_deadlocks
def settle(
    *,
    lease: Lease,
    request: Claimed,
    next_look_at: datetime | None,
    waiting_for: str,
    failures: int,
    trigger: str | None = None,
) -> None:
    """Write down when the learner is looked at again (None: not until somebody asks), and end the lease.

    `trigger` is what will have made us look then; None: what made us look now. Only while the lease holds. When
    somebody asked meanwhile, the request stays due at once.
    """
    now = timezone.now()
    mine = RealizationRequest.objects.held_by(lease.token).filter(pk=request.pk)
    asked_again = ~Q(generation=request.generation)
    freed = {"lease_token": None, "leased_until": None, "leased_lms_user_id": None, "modified": now}
    with transaction.atomic():
        mine.filter(dead_at__isnull=False).update(**freed)
        mine.filter(asked_again).update(due_at=now, failures=0, **freed)
        mine.filter(generation=request.generation).update(
            due_at=next_look_at,
            waiting_for=waiting_for,
            failures=failures,
            trigger=trigger or request.trigger,
            settled_at=now if next_look_at is None else None,
            **freed,
        )


def give_up(*, customer_uuid: UUID, lms_user_id: int, because: str) -> None:
    """Mark a request as dead: nothing happens for this learner until staff have looked."""
    RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).update(
        dead_at=timezone.now(), due_at=None, waiting_for=because
    )
    log.error("A learner's default enrollments need somebody's eyes. customer=%s reason=%s", customer_uuid, because)


def is_anything_due(*, customer_uuid: UUID, now: datetime) -> bool:
    """Say whether somebody of the customer waits for a worker."""
    return RealizationRequest.objects.due(now).filter(customer_id=customer_uuid).exists()


def list_due_customers(*, now: datetime) -> list[UUID]:
    """Return the customers for whom something is due, the longest waiting first."""
    due = RealizationRequest.objects.due(now).values("customer_id").annotate(since=Min("due_at")).order_by("since")
    return list(due.values_list("customer_id", flat=True))

"""Login records: learners who were just seen by an event that does not name their customer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from enterprise_access.apps.customers.domain import Told
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerSighting
from enterprise_access.apps.customers.services.canary import check_canary
from enterprise_access.apps.customers.services.links import update_learner_row
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks, upsert
from enterprise_access.lib.work.leases import Lease, Settlement, settle
from enterprise_access.lib.work.queues import Queue, lock_in_order
from enterprise_access.lib.work.waking import wake
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import LearnerLink

RESOLVE_LOGINS_JOB = "customers.resolve_logins"

# Logins of so many seconds are looked up together.
GATHER_SECONDS = 1
# The link may come after the login or the registration: after these pauses the LMS is asked again, and then no more.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


QUEUE = Queue(
    name="customers.logins",
    model=LearnerSighting,
    job=RESOLVE_LOGINS_JOB,
    # Who logs in now does not wait for a backlog of logins.
    newest_share=0.5,
)


@retry_deadlocks
def note_sightings(*, seen: Mapping[int, datetime]) -> None:
    """Write down when learners were seen, in one write per learner; what is older than what is known changes nothing.

    To be called once for many learners, inside a transaction of the caller or on its own.
    """
    now = clock.now()
    # A clock that is ahead must not make later sightings look old.
    times = {lms_user_id: min(at, now) for lms_user_id, at in sorted(seen.items())}
    # Locked before anything is written: writing first and locking then is what deadlocks are made of.
    known = _lock(times)
    if missing := times.keys() - {row.pk for row in known}:
        LearnerSighting.objects.bulk_create(
            [LearnerSighting(lms_user_id=key, seen_at=times[key], due_at=now) for key in sorted(missing)],
            ignore_conflicts=True,
        )
        # Another consumer may have been quicker.
        known += _lock(missing)
    older = [row for row in known if row.seen_at < times[row.pk]]
    for row in older:
        row.seen_at, row.due_at, row.checks, row.generation = times[row.pk], now, 0, row.generation + 1
        row.failures, row.waiting_for, row.failed_at = 0, "", None
    _overwrite(older)
    wake(QUEUE, countdown=GATHER_SECONDS)


def _lock(lms_user_ids: Iterable[int]) -> list[LearnerSighting]:
    return lock_in_order(LearnerSighting.objects.filter(pk__in=list(lms_user_ids)))


def _overwrite(rows: Sequence[LearnerSighting]) -> None:
    """Save rows that exist and are locked. (An update with a case for each row and column takes six times as long.)"""
    fields = ["seen_at", "due_at", "checks", "generation", "failures", "waiting_for", "failed_at"]
    upsert(LearnerSighting, rows, fields=fields)


def settle_sightings(
    lease: Lease[LearnerSighting],
    rows: Iterable[LearnerSighting],
    *,
    found: Collection[int],
) -> None:
    """End the search for the learners that were `found`; let the others be looked up again later, some times.

    A learner who was seen again meanwhile stays due.
    """
    now = clock.now()
    settle(lease, [_settlement(row, now, is_found=row.pk in found) for row in rows])


def _settlement(row: LearnerSighting, now: datetime, *, is_found: bool) -> Settlement[LearnerSighting]:
    if is_found:
        return Settlement(item=row)
    due_at = now + PAUSES[row.checks] if row.checks < len(PAUSES) else None
    return Settlement(item=row, due_at=due_at, columns={"checks": row.checks + 1})


def fetch_active_customers(*, lms_user_ids: Collection[int]) -> Told[UUID]:
    """Ask the LMS, once for all, which customer is the active one of each learner, and keep copies of the links.

    A learner without an active link is absent, and so is one whom the LMS does not know. Customers that we do not know
    are named, but no copies are kept of their learners. `unknown` are learners whose links cannot be read: one link may
    be the active one. Raises UpstreamError.
    """
    check_canary()
    started_at = clock.now()
    links = lms.from_settings().list_learner_links(lms_user_ids=tuple(lms_user_ids))
    unknown = links.unknown_among(lms_user_ids, told={link.lms_user_id for link in links})
    readable = [link for link in links if link.lms_user_id not in unknown]
    if readable:
        # An account that may not see learners gets empty lists: no one is unlinked because of one.
        _store_links(readable, set(lms_user_ids) - unknown, started_at)
    return Told({link.lms_user_id: link.customer.uuid for link in readable if link.is_active_link}, unknown)


@retry_deadlocks
def _store_links(links: Collection[LearnerLink], lms_user_ids: Collection[int], started_at: datetime) -> None:
    read = {(link.customer.uuid, link.lms_user_id): link for link in links}
    customers = EnterpriseCustomer.objects.in_bulk({customer_uuid for customer_uuid, _ in read})
    reactivated = [key for key, customer in customers.items() if not customer.is_active and _is_active(key, read)]
    if reactivated:
        older = EnterpriseCustomer.objects.filter(pk__in=reactivated, fetched_at__lte=started_at)
        older.update(is_active=True, fetched_at=started_at)
    stored = lock_in_order(EnterpriseLearner.objects.filter(lms_user_id__in=lms_user_ids))
    rows = {(row.customer_id, row.lms_user_id): row for row in stored}
    new = [
        EnterpriseLearner(customer_id=customer_uuid, lms_user_id=lms_user_id)
        for customer_uuid, lms_user_id in read
        if customer_uuid in customers and (customer_uuid, lms_user_id) not in rows
    ]
    # What another reader asked for after us is newer.
    old = [row for row in rows.values() if row.fetched_at <= started_at]
    for row in [*new, *old]:
        update_learner_row(row, read.get((row.customer_id, row.lms_user_id)), started_at)
    EnterpriseLearner.objects.bulk_create(new, ignore_conflicts=True)
    EnterpriseLearner.objects.bulk_update(
        old, ["enterprise_customer_user_id", "username", "is_linked", "is_active_link", "fetched_at"]
    )


def _is_active(customer_uuid: UUID, read: Mapping[tuple[UUID, int], LearnerLink]) -> bool:
    return any(link.customer.active for (owner, _), link in read.items() if owner == customer_uuid)


@retry_deadlocks
def prune_sightings(*, before: datetime) -> int:
    """Forget sightings that were settled, of learners who were last seen before; return how many.

    They are kept for a while, so that an event that comes twice is recognized.
    """
    return LearnerSighting.objects.filter(due_at=None, seen_at__lt=before).delete()[0]

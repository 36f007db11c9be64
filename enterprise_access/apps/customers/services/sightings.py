"""Learners who were just seen by an event that does not say of which customer they are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from attrs import frozen
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerSighting
from enterprise_access.apps.customers.services.copies import check_canary, update_learner_row
from enterprise_access.lib.jobs import enqueue_soon_on_commit
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import LearnerLink

RESOLVE_SIGHTINGS_JOB = "default_enrollments.resolve_sightings"

# Logins of so many seconds are looked up together.
GATHER_SECONDS = 1
# The link may come after the login or the registration: after these pauses the LMS is asked again, and then no more.
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
# A worker that has not come back by then is taken for dead.
CLAIM_SECONDS = 120
AFTER_FAILURE = timedelta(minutes=1)


@frozen(kw_only=True)
class Sighted:
    """A learner to be looked up, for the (`checks` + 1)-th time."""

    lms_user_id: int
    seen_at: datetime
    checks: int


@frozen(kw_only=True)
class SightingClaim:
    """Sightings that one worker looks up, until it settles them or its time is over."""

    token: UUID
    sightings: tuple[Sighted, ...]

    @property
    def lms_user_ids(self) -> list[int]:
        return [sighting.lms_user_id for sighting in self.sightings]


def note_sightings(*, seen: Mapping[int, datetime]) -> None:
    """Write down when learners were seen, in one write per learner; what is older than what is known changes nothing.

    To be called once for many learners, inside a transaction of the caller or on its own.
    """
    now = timezone.now()
    # A clock that is ahead must not make later sightings look old.
    times = {lms_user_id: min(at, now) for lms_user_id, at in sorted(seen.items())}
    with transaction.atomic():
        # Locked before anything is written: writing first and locking then is what deadlocks are made of.
        known = _lock(times)
        if missing := times.keys() - {row.pk for row in known}:
            LearnerSighting.objects.bulk_create(
                [LearnerSighting(lms_user_id=key, seen_at=times[key], next_check_at=now) for key in sorted(missing)],
                ignore_conflicts=True,
            )
            # Another consumer may have been quicker.
            known += _lock(missing)
        older = [row for row in known if row.seen_at < times[row.pk]]
        for row in older:
            row.seen_at, row.next_check_at, row.checks, row.claim_token = times[row.pk], now, 0, None
        _overwrite(older)
        enqueue_soon_on_commit(RESOLVE_SIGHTINGS_JOB, seconds=GATHER_SECONDS)


def _lock(lms_user_ids: Iterable[int]) -> list[LearnerSighting]:
    return list(LearnerSighting.objects.filter(pk__in=list(lms_user_ids)).order_by("pk").select_for_update())


def _overwrite(rows: Sequence[LearnerSighting]) -> None:
    """Save rows that exist and are locked. (An update with a case for each row and column takes six times as long.)"""
    LearnerSighting.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=["seen_at", "next_check_at", "checks", "claim_token"],
        unique_fields=["lms_user_id"] if connection.features.supports_update_conflicts_with_target else None,
    )


def claim_sightings(*, limit: int, now: datetime) -> SightingClaim:
    """Take sightings that are due, the longest waiting first. What is not settled is due again after a while."""
    token = uuid4()
    due = LearnerSighting.objects.filter(next_check_at__lte=now)
    rows = due.order_by("next_check_at", "pk")
    can_lock = connection.features.has_select_for_update_skip_locked
    if can_lock:
        rows = rows.select_for_update(skip_locked=True)
    with transaction.atomic():
        ids = list(rows.values_list("pk", flat=True)[:limit])
        # Where rows cannot be locked, the condition keeps two workers apart.
        mine = LearnerSighting.objects.all() if can_lock else due
        mine.filter(pk__in=ids).update(claim_token=token, next_check_at=now + timedelta(seconds=CLAIM_SECONDS))
    claimed = LearnerSighting.objects.filter(claim_token=token).order_by("pk") if ids else ()
    return SightingClaim(
        token=token,
        sightings=tuple(Sighted(lms_user_id=row.pk, seen_at=row.seen_at, checks=row.checks) for row in claimed),
    )


def settle_sightings(claim: SightingClaim, *, found: Collection[int], looked_up: Collection[int]) -> None:
    """End the search for the learners that were `found`; let the others of `looked_up` be looked up again later.

    A learner who was seen again meanwhile stays due.
    """
    now = timezone.now()
    with transaction.atomic():
        held = _hold(claim)
        _rows(held & set(found)).update(next_check_at=None, claim_token=None)
        missing = (held & set(looked_up)) - set(found)
        for checks in range(len(PAUSES) + 1):
            again = {row.lms_user_id for row in claim.sightings if row.checks == checks} & missing
            if again:
                next_check_at = now + PAUSES[checks] if checks < len(PAUSES) else None
                _rows(again).update(next_check_at=next_check_at, checks=checks + 1, claim_token=None)


def give_back_sightings(claim: SightingClaim, *, lms_user_ids: Collection[int]) -> None:
    """Let these learners be looked up a little later; it counts as if it had not been tried."""
    with transaction.atomic():
        held = _hold(claim) & set(lms_user_ids)
        _rows(held).update(next_check_at=timezone.now() + AFTER_FAILURE, claim_token=None)


def _hold(claim: SightingClaim) -> set[int]:
    """Lock what the claim names, in the order in which everybody locks, and return what it still holds."""
    return {row.pk for row in _lock(claim.lms_user_ids) if row.claim_token == claim.token}


def _rows(lms_user_ids: Iterable[int]) -> QuerySet[LearnerSighting]:
    return LearnerSighting.objects.filter(pk__in=list(lms_user_ids))


def fetch_active_customers(*, lms_user_ids: Collection[int]) -> dict[int, UUID]:
    """Ask the LMS, once for all, which customer is the active one of each learner, and keep copies of the links.

    A learner without an active link is absent, and so is one whom the LMS does not know. Customers that we do not know
    are named, but no copies are kept of their learners. Raises UpstreamError.
    """
    check_canary()
    started_at = timezone.now()
    links = lms.from_settings().list_learner_links(lms_user_ids=tuple(lms_user_ids))
    if links:
        # An account that may not see learners gets empty lists: nobody is unlinked because of one.
        _store_links(links, lms_user_ids, started_at)
    return {link.lms_user_id: link.customer.uuid for link in links if link.is_active_link}


def _store_links(links: Iterable[LearnerLink], lms_user_ids: Collection[int], started_at: datetime) -> None:
    read = {(link.customer.uuid, link.lms_user_id): link for link in links}
    customers = EnterpriseCustomer.objects.in_bulk({customer_uuid for customer_uuid, _ in read})
    reactivated = [key for key, customer in customers.items() if not customer.is_active and _is_active(key, read)]
    with transaction.atomic():
        if reactivated:
            EnterpriseCustomer.objects.filter(pk__in=reactivated).update(is_active=True, fetched_at=started_at)
        stored = EnterpriseLearner.objects.filter(lms_user_id__in=lms_user_ids).order_by("pk")
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


def prune_sightings(*, before: datetime) -> int:
    """Forget sightings that were settled, of learners who were last seen before; return how many.

    They are kept for a while, so that an event that comes twice is recognized.
    """
    return LearnerSighting.objects.filter(next_check_at=None, seen_at__lt=before).delete()[0]

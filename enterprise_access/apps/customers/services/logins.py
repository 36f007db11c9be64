"""Learners who logged in or registered: of which customer are they? Apps above are told through `learner_seen`."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.customers.domain import SeenBy, Told
from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.apps.customers.selectors import get_customer, list_active_customers
from enterprise_access.apps.customers.services.links import note_visits
from enterprise_access.apps.customers.services.sightings import QUEUE, fetch_active_customers, settle_sightings
from enterprise_access.apps.customers.services.signals import learner_seen
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.work.isolating import BatchFailed, isolate
from enterprise_access.lib.work.leases import Lease, claim, postpone

log = logging.getLogger(__name__)

LMS_UNAVAILABLE: Final = "lms_unavailable"


def resolve_logins(*, limit: int, now: datetime) -> int:
    """Find the active customer of learners who were just seen, and tell the apps above.

    Returns how many were claimed. Only the customer whose link is active counts: enrolling for another one would make
    that one the active one. Where the LMS does not answer, the learners are looked up again later.
    """
    with claim(QUEUE, limit=limit, now=now) as lease:
        isolate(lease, lambda rows: _resolve(lease, rows, now))
    return len(lease.items)


def _resolve(lease: Lease[LearnerSighting], rows: Sequence[LearnerSighting], now: datetime) -> None:
    """Raises BatchFailed when the LMS fails, and one of the learners may be the cause."""
    fetched_since = now - timedelta(seconds=settings.LINKS_FRESH_SECONDS)
    told = list_active_customers(lms_user_ids=[row.pk for row in rows], fetched_since=fetched_since)
    to_ask = [row for row in rows if row.pk not in told]
    try:
        answered = fetch_active_customers(lms_user_ids=[row.pk for row in to_ask]) if to_ask else Told({}, ())
    except UpstreamError as error:
        if error.may_be_one_row:
            raise BatchFailed(LMS_UNAVAILABLE) from error
        log.warning("Logins wait: the LMS could not be asked. learners=%d reason=%s", len(to_ask), error.reason)
        postpone(lease, to_ask, waiting_for=LMS_UNAVAILABLE, is_blamed=False)
        answered, to_ask = Told({}, ()), []
    unreadable = [row for row in to_ask if row.pk in answered.unknown]
    postpone(lease, unreadable, waiting_for=LMS_UNAVAILABLE, is_blamed=True)
    to_ask = [row for row in to_ask if row.pk not in answered.unknown]
    found = told | answered
    _tell(found, now)
    settle_sightings(lease, [row for row in rows if row.pk in told or row in to_ask], found=found.keys())


def _tell(active_customers: Mapping[int, UUID], now: datetime) -> None:
    by_customer: dict[UUID, list[int]] = {}
    for lms_user_id, customer_uuid in active_customers.items():
        by_customer.setdefault(customer_uuid, []).append(lms_user_id)
    for customer_uuid, lms_user_ids in by_customer.items():
        customer = get_customer(customer_uuid=customer_uuid)
        if customer is None or not customer.is_active:
            continue
        note_visits(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, at=now)
        learner_seen.send(
            LearnerSighting, customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, seen_by=SeenBy.LOGIN, at=now
        )

"""Learners who logged in or registered: which customer's default enrollments are they owed?"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.customers.selectors import get_customer, list_active_customers
from enterprise_access.apps.customers.services import (
    claim_sightings,
    fetch_active_customers,
    give_back_sightings,
    note_visits,
    settle_sightings,
)
from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.selectors.owed import list_learners_to_look_at
from enterprise_access.apps.default_enrollments.services.requests import request_realization
from enterprise_access.lib.errors import UpstreamError

log = logging.getLogger(__name__)


def resolve_sightings(*, limit: int, now: datetime) -> int:
    """Find the active customer of learners who were just seen, and owe them a look where one may change something.

    Returns how many were taken on. Only the customer whose link is active counts: enrolling for another one would make
    that one the active one. Where the LMS does not answer, the learners are looked up again later.
    """
    claim = claim_sightings(limit=limit, now=now)
    if not claim.sightings:
        return 0
    fetched_since = now - timedelta(seconds=settings.LINKS_FRESH_SECONDS)
    told = list_active_customers(lms_user_ids=claim.lms_user_ids, fetched_since=fetched_since)
    to_ask = [lms_user_id for lms_user_id in claim.lms_user_ids if lms_user_id not in told]
    try:
        answered = fetch_active_customers(lms_user_ids=to_ask) if to_ask else {}
    except UpstreamError as error:
        log.warning("Logins wait: the LMS could not be asked. learners=%d reason=%s", len(to_ask), error.reason)
        give_back_sightings(claim, lms_user_ids=to_ask)
        answered, to_ask = {}, []
    found = told | answered
    _request(found, now)
    settle_sightings(claim, found=found.keys(), looked_up=to_ask)
    return len(claim.sightings)


def _request(active_customers: Mapping[int, UUID], now: datetime) -> None:
    by_customer: dict[UUID, list[int]] = {}
    for lms_user_id, customer_uuid in active_customers.items():
        by_customer.setdefault(customer_uuid, []).append(lms_user_id)
    for customer_uuid, lms_user_ids in by_customer.items():
        customer = get_customer(customer_uuid=customer_uuid)
        if customer is None or not customer.is_active:
            continue
        note_visits(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, at=now)
        owed = list_learners_to_look_at(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, now=now)
        if owed:
            request_realization(customer_uuid=customer_uuid, lms_user_ids=owed, trigger=Trigger.LOGIN, now=now)

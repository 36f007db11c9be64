"""How many learners are linked to a customer, counted by the LMS, and kept for some minutes in the cache."""

import logging
import time
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.lib import clock, shared_cache
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http import deadline
from enterprise_access.upstream import lms

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 300
# A page waits for it, and can do without.
WAIT_SECONDS: Final = 2.0


@frozen(kw_only=True)
class LinkedCount:
    """How many learners the LMS said are linked to a customer, and when."""

    count: int
    counted_at: datetime


def fetch_linked_count(*, customer_uuid: UUID) -> LinkedCount | None:
    """Return the LMS's own count, at most some minutes old; None when the LMS does not give one soon.

    The failures open a breaker of their own, so that this never keeps learners from being enrolled.
    """
    address = shared_cache.address_of(kind="linked learners", version=1, customer=str(customer_uuid))
    known = shared_cache.get_many([address]).get(address)
    if known is not None:
        return LinkedCount(count=known[0], counted_at=known[1])
    if lms.is_known_to_be_away():
        return None
    counted_at = clock.now()
    try:
        with deadline(time.monotonic() + WAIT_SECONDS):
            client = lms.from_settings(optional="counts")
            count = client.list_learner_links_page(customer_uuid=customer_uuid, page=1, page_size=1).count
    except UpstreamError as error:
        log.info("The LMS did not count the linked learners of a customer. reason=%s", error.reason)
        return None
    if count is None:
        return None
    shared_cache.set_many({address: (count, counted_at)}, seconds=KEPT_SECONDS)
    return LinkedCount(count=count, counted_at=counted_at)

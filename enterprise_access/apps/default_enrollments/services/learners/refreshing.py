"""Reading what is known of one learner again, whatever its age, because staff ask for it."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.content_metadata.services import refresh_modes_of
from enterprise_access.apps.customers.domain import Learner
from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.services import fetch_customer, read_enrollments, refresh_learners
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http import deadline

log = logging.getLogger(__name__)


def refresh_learner(*, customer_uuid: UUID, lms_user_id: int) -> tuple[str, ...]:
    """Read customer, link, enrollments, content and modes again, and keep what is read.

    Returns the upstream services that did not answer, for whose part the earlier copies stay. Takes at most twice
    REQUEST_BUDGET_SECONDS: once for the learner, once for the content.
    """
    silent: set[str] = set()

    def asks(service: str, read: Callable[[], object]) -> None:
        try:
            read()
        except UpstreamError as error:
            log.info("Facts could not be read again. service=%s reason=%s", error.service, error.reason)
            silent.add(service)

    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
        asks("the LMS", lambda: _read_learner(customer_uuid, lms_user_id))
    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
        asks("enterprise-catalog", lambda: _read_content(customer_uuid))
    return tuple(sorted(silent))


def _read_learner(customer_uuid: UUID, lms_user_id: int) -> None:
    began_at = clock.now()
    # What the LMS says of a customer that it no longer knows is kept with the copy.
    with suppress(CustomerUnknown):
        fetch_customer(customer_uuid=customer_uuid)
    found = refresh_learners(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id])
    learner: Learner | None = found.get(lms_user_id)
    if learner is not None and learner.is_linked:
        read_enrollments(learners=[learner], names_since=began_at, is_patient=True)


def _read_content(customer_uuid: UUID) -> None:
    intentions = list_intentions(customer_uuid=customer_uuid)
    if intentions:
        keys = [intention.content_key for intention in intentions]
        contents = refresh_content(customer_uuid=customer_uuid, content_keys=keys)
        refresh_modes_of(contents=contents.values(), can_wait=True)

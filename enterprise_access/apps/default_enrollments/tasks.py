"""Background work: ids in, one call."""

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.customers.services import RESOLVE_SIGHTINGS_JOB
from enterprise_access.apps.default_enrollments.services import (
    health,
    logins,
    pruning,
    realizing,
    reconciling,
    requests,
    validating,
)
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.stopping import is_stopping

log = logging.getLogger(__name__)


@shared_task(name=requests.REALIZE_JOB)
def realize_due(*, customer_uuid: str, **_sent_by_newer_code: object) -> None:
    """Realize what is owed to some learners of one customer. A worker that is about to stop leaves it to others."""
    if is_stopping():
        return
    realizing.realize_due(customer_uuid=UUID(customer_uuid), limit=settings.REALIZE_BATCH, now=timezone.now())


@shared_task(name="default_enrollments.sweep")
def sweep(**_sent_by_newer_code: object) -> None:
    """Ask for work wherever something is due: what a lost message left behind, and what came due again."""
    for customer_uuid in requests.list_due_customers(now=timezone.now()):
        requests.ask_for_work(customer_uuid=customer_uuid)


@shared_task(name="default_enrollments.check_all_intentions")
def check_all_intentions(**_sent_by_newer_code: object) -> None:
    """Have the intentions of every customer checked, each in a task of its own."""
    for customer_uuid in health.list_customers_with_intentions():
        check_intentions.delay(customer_uuid=str(customer_uuid))


@shared_task(name="default_enrollments.check_intentions")
def check_intentions(*, customer_uuid: str, **_sent_by_newer_code: object) -> None:
    """Validate one customer's intentions."""
    found = validating.validate_intentions(customer_uuid=UUID(customer_uuid), delay=timedelta(0), now=timezone.now())
    if found.problem:
        # Nothing is known to have changed; the next round asks again.
        log.warning("Intentions could not be checked. customer=%s problem=%s", customer_uuid, found.problem)


@shared_task(name="default_enrollments.mail_digest")
def mail_digest(**_sent_by_newer_code: object) -> None:
    """Tell staff by mail which intentions need somebody."""
    validating.mail_digest(now=timezone.now())


@shared_task(name="default_enrollments.reconcile")
def reconcile(**_sent_by_newer_code: object) -> None:
    """Compare some realizations with the platform, the longest uncompared first."""
    try:
        reconciling.reconcile(limit=settings.RECONCILE_LEARNERS)
    except UpstreamError as error:
        # What was not compared stays first in line.
        log.warning("Realizations could not be compared. service=%s reason=%s", error.service, error.reason)


@shared_task(name="default_enrollments.prune_attempts")
def prune_attempts(**_sent_by_newer_code: object) -> None:
    """Keep the table of attempts small."""
    pruning.prune_attempts(older_than=timezone.now() - timedelta(days=settings.ATTEMPTS_KEPT_DAYS))


# The LMS is asked about so many learners at once; and one task asks so often at most, before others have their turn.
SIGHTINGS_AT_ONCE = 100
SIGHTING_ROUNDS = 20


@shared_task(name=RESOLVE_SIGHTINGS_JOB)
def resolve_sightings(**_sent_by_newer_code: object) -> None:
    """Find the customers of learners who were just seen, until nobody is left."""
    for _ in range(SIGHTING_ROUNDS):
        if is_stopping():
            return
        if logins.resolve_sightings(limit=SIGHTINGS_AT_ONCE, now=timezone.now()) < SIGHTINGS_AT_ONCE:
            return

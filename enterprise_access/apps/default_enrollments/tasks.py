"""Background work: ids in, one call."""

import logging
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings

from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.services import reconciling, validating
from enterprise_access.apps.default_enrollments.services.health import verdicts
from enterprise_access.apps.default_enrollments.services.operations import pruning
from enterprise_access.apps.default_enrollments.services.realizing import engine
from enterprise_access.apps.default_enrollments.services.requests import work_items
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.work import asking
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR

log = logging.getLogger(__name__)


@shared_task(name=work_items.REALIZE_JOB)
def realize_due(*, customer_uuid: str = "", **_sent_by_newer_code: object) -> None:
    """Realize what is due, customers in turn. A message of the earlier release names one: then that one, once."""
    if is_stopping():
        return
    if customer_uuid:
        engine.realize_due(customer_uuid=UUID(customer_uuid), limit=settings.REALIZE_BATCH, now=clock.now())
    engine.work_on_requests(limit=settings.REALIZE_BATCH)


@shared_task(name="default_enrollments.sweep")
def sweep(**_sent_by_newer_code: object) -> None:
    """Find what a lost message left behind and what came due again, and retry what failed unexpectedly."""
    for reason in (UNEXPECTED_ERROR, Reason.LMS_UNAVAILABLE):
        asking.retry_failed(work_items.QUEUE, waiting_for=reason)
    if work_items.is_anything_due(now=clock.now()):
        work_items.ask_for_work()


@shared_task(name="default_enrollments.check_all_intentions")
def check_all_intentions(**_sent_by_newer_code: object) -> None:
    """Have the intentions of every customer checked, each in a task of its own."""
    for customer_uuid in verdicts.list_customers_with_intentions():
        check_intentions.delay(customer_uuid=str(customer_uuid))


@shared_task(name="default_enrollments.check_intentions")
def check_intentions(*, customer_uuid: str, **_sent_by_newer_code: object) -> None:
    """Validate one customer's intentions."""
    found = validating.validate_intentions(customer_uuid=UUID(customer_uuid), delay=timedelta(0), now=clock.now())
    if found.problem:
        # Nothing is known to have changed; the next round asks again.
        log.warning("Intentions could not be checked. customer=%s problem=%s", customer_uuid, found.problem)


@shared_task(name="default_enrollments.mail_digest")
def mail_digest(**_sent_by_newer_code: object) -> None:
    """Tell staff by mail which intentions need somebody."""
    validating.mail_digest(now=clock.now())


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
    pruning.prune_attempts(older_than=clock.now() - timedelta(days=settings.ATTEMPTS_KEPT_DAYS))

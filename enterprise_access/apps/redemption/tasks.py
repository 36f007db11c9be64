"""Background work of redeeming: one call each."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from enterprise_access.apps.redemption.services import advancing, people, queue
from enterprise_access.lib import clock
from enterprise_access.lib.work import asking, waking
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR


@shared_task(name=queue.REDEEM_JOB)
def redeem_due(**_sent_by_newer_code: object) -> None:
    """Take the redemptions that are due on, accounts in turn."""
    advancing.work_on_attempts()


@shared_task(name="redemption.sweep")
def sweep(**_sent_by_newer_code: object) -> None:
    """Find what a lost message left behind and what came due again, and retry what failed unexpectedly."""
    asking.retry_failed(queue.QUEUE, waiting_for=UNEXPECTED_ERROR)
    if waking.is_anything_due(queue.QUEUE, now=clock.now()):
        waking.wake(queue.QUEUE)


@shared_task(name="redemption.prune_refusals")
def prune_refusals(**_sent_by_newer_code: object) -> None:
    """Forget what the rules refused long ago."""
    people.prune_refusals(before=clock.now() - timedelta(days=settings.ATTEMPTS_KEPT_DAYS))

"""Background work: one call each."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from enterprise_access.apps.provisioning.services import pruning
from enterprise_access.apps.provisioning.services.workflows import engine
from enterprise_access.lib import clock


@shared_task(name=engine.RUN_JOB)
def run_due(**_sent_by_newer_code: object) -> None:
    """Run the workflows that are due, for a while."""
    engine.run_due()


@shared_task(name="provisioning.sweep")
def sweep(**_sent_by_newer_code: object) -> None:
    """Find workflows that a lost message or an ended worker left behind."""
    engine.sweep()


@shared_task(name="provisioning.prune")
def prune(**_sent_by_newer_code: object) -> None:
    """Delete the email addresses of workflows that did not end in time."""
    pruning.forget_people(before=clock.now() - timedelta(days=settings.PROVISIONING_PEOPLE_KEPT_DAYS))

"""Background work: ids in, one call."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from enterprise_access.jobs import services
from enterprise_access.lib import clock


@shared_task(name=services.RUN_JOB)
def run(**_sent_by_other_code: object) -> None:
    """Run what is due for a while. (Messages of the older release name a job.)"""
    services.run_jobs()


@shared_task(name="jobs.sweep")
def sweep(**_sent_by_newer_code: object) -> None:
    """Find jobs whose message was lost, or whose worker has ended."""
    services.ask_for_jobs()


@shared_task(name="jobs.prune")
def prune(**_sent_by_newer_code: object) -> None:
    """Delete jobs that ended long ago."""
    services.prune_jobs(before=clock.now() - timedelta(days=settings.JOBS_KEPT_DAYS))

"""Background work of notifications."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from enterprise_access.apps.notifications import services
from enterprise_access.lib import clock


@shared_task(name=services.SEND_JOB)
def send_due(**_sent_by_newer_code: object) -> None:
    """Send mails that are due."""
    services.send_due()


@shared_task(name="notifications.prune")
def prune(**_sent_by_newer_code: object) -> None:
    """Delete notifications that were settled long ago."""
    services.prune(before=clock.now() - timedelta(days=settings.NOTIFICATIONS_KEPT_DAYS))

"""Background work of assignments."""

from celery import shared_task

from enterprise_access.apps.content_assignments.services import clearing, expiring, linking
from enterprise_access.lib import clock


@shared_task(name=linking.LINK_JOB)
def link_due(**_sent_by_newer_code: object) -> None:
    """Link the people of assignments to their customers."""
    linking.link_due()


@shared_task(name="content_assignments.expire_due")
def expire_due(**_sent_by_newer_code: object) -> None:
    """Expire assignments whose date has passed."""
    expiring.expire_due(now=clock.now())


@shared_task(name="content_assignments.clear_due_emails")
def clear_due_emails(**_sent_by_newer_code: object) -> None:
    """Clear addresses that are of no use any more."""
    clearing.clear_due_emails(now=clock.now())

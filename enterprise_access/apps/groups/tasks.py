"""Background work: one call each."""

from celery import shared_task

from enterprise_access.apps.groups import services
from enterprise_access.lib import clock


@shared_task(name="groups.prune_memberships")
def prune_memberships(**_sent_by_newer_code: object) -> None:
    """Delete copies of memberships that were not used lately."""
    services.prune_memberships(now=clock.now())

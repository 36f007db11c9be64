"""Background work of the event bus."""

from datetime import timedelta

from celery import shared_task

from enterprise_access.events import services
from enterprise_access.lib import clock

# Longer than any stream keeps its messages.
SET_ASIDE_KEPT = timedelta(days=90)


@shared_task(name=services.RELAY_JOB)
def relay(**_sent_by_newer_code: object) -> None:
    """Send what is in the outbox."""
    services.relay(now=clock.now())


@shared_task(name="events.prune_set_aside")
def prune_set_aside(**_sent_by_newer_code: object) -> None:
    """Forget messages that were set aside long ago."""
    services.prune_set_aside(before=clock.now() - SET_ASIDE_KEPT)

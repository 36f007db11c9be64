"""Pausing one customer, and resuming it: two operations, each safe to repeat."""

from datetime import datetime
from uuid import UUID

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def pause_customer(*, customer_uuid: UUID, by: str, because: str, now: datetime) -> bool:
    """Stop enrolling for one customer; say whether that changed anything.

    A customer that is paused already stays paused, and keeps its first reason.
    """
    running = EnterpriseCustomer.objects.filter(pk=customer_uuid, realization_paused=False)
    return bool(running.update(realization_paused=True, paused_at=now, paused_by=by, pause_reason=because))


@retry_deadlocks
def resume_customer(*, customer_uuid: UUID, shown: datetime | None) -> bool:
    """End the pause that began at `shown` (None: no one knows when); say whether that changed anything.

    A newer pause stays: whoever resumes has not seen its reason.
    """
    paused = EnterpriseCustomer.objects.filter(pk=customer_uuid, realization_paused=True, paused_at=shown)
    return bool(paused.update(realization_paused=False, paused_at=None, paused_by="", pause_reason=""))

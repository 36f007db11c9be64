"""The queue of mails."""

from datetime import timedelta
from typing import Final

from enterprise_access.apps.notifications.models import Notification
from enterprise_access.lib.work.queues import BackOff, Queue

SEND_JOB: Final = "notifications.send_due"

QUEUE: Final = Queue(
    name="notifications.mails",
    model=Notification,
    job=SEND_JOB,
    group="customer_uuid",
    # Longer than a batch may take with a provider that is slow.
    lease_seconds=300,
    back_off=BackOff(first=timedelta(minutes=1), last=timedelta(hours=1)),
    max_failures=20,
)

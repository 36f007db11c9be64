"""Asking for mails, in the transaction of what they tell."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen
from django.db import transaction

from enterprise_access.apps.notifications.domain import BOUNCED, NotificationOutcome
from enterprise_access.apps.notifications.errors import NotificationSettled, NotificationUnknown
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services.queue import QUEUE
from enterprise_access.apps.notifications.services.signals import notification_settled
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.models import BACKGROUND
from enterprise_access.lib.work.queues import lock_in_order
from enterprise_access.lib.work.waking import wake

# Rows of one statement, so that a call about thousands stays within what databases take.
_ROWS: Final = 1_000


@frozen(kw_only=True)
class WantedMail:
    """A mail about `subject`. The same kind, subject and occurrence is the same mail, however often it is asked for."""

    kind: str
    subject: UUID
    occurrence: str
    customer_uuid: UUID
    lms_user_id: int | None
    due_at: datetime


@retry_deadlocks
def ask_all(wanted: Sequence[WantedMail]) -> None:
    """Ask for several mails in few statements, in the caller's transaction; the workers are told after its commit."""
    now = clock.now()
    rows = [
        Notification(
            kind=one.kind,
            subject=one.subject,
            occurrence=one.occurrence,
            customer_uuid=one.customer_uuid,
            lms_user_id=one.lms_user_id,
            created=now,
            due_at=one.due_at,
            priority=BACKGROUND,
        )
        for one in wanted
    ]
    if rows:
        Notification.objects.bulk_create(rows, batch_size=_ROWS, ignore_conflicts=True)
        wake(QUEUE)


@retry_deadlocks
def send_again(*, notification_uuid: UUID) -> None:
    """Send a mail again whose outcome is unknown, or that was refused. A person decided that.

    Raises NotificationUnknown, and NotificationSettled where the mail was sent or is on its way.
    """
    with transaction.atomic():
        row = next(iter(lock_in_order(Notification.objects.filter(pk=notification_uuid))), None)
        if row is None:
            raise NotificationUnknown("There is no such notification.")
        if (
            row.outcome not in (NotificationOutcome.UNKNOWN.value, NotificationOutcome.REFUSED.value)
            and row.failed_at is None
        ):
            raise NotificationSettled("The mail was sent, or is still to be sent.")
        row.outcome, row.settled_at, row.error, row.attempted_at = "", None, "", None
        row.due_at, row.failed_at, row.failures, row.waiting_for = clock.now(), None, 0, ""
        row.generation += 1
        row.save()
        wake(QUEUE)


@retry_deadlocks
def note_bounce(*, notification_uuid: UUID, now: datetime) -> None:
    """Record that a mail which the provider took came back. Its subject is told as of a refused address.

    Raises NotificationUnknown, and NotificationSettled where the mail was not sent.
    """
    row = next(iter(lock_in_order(Notification.objects.filter(pk=notification_uuid))), None)
    if row is None:
        raise NotificationUnknown("There is no such notification.")
    if row.outcome != NotificationOutcome.SENT.value:
        raise NotificationSettled("The mail was not sent, so that it cannot have come back.")
    row.outcome, row.error, row.settled_at = NotificationOutcome.REFUSED.value, BOUNCED, now
    row.save(update_fields=["outcome", "error", "settled_at"])
    notification_settled.send(sender=Notification, notification=row, now=now)


def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Delete the notifications to a learner; return how many rows went, by table."""
    return {"notifications": Notification.objects.filter(lms_user_id=lms_user_id).delete()[0]}


@retry_deadlocks
def prune(*, before: datetime, at_once: int = 1000) -> int:
    """Delete notifications that were settled before; those of unknown outcome stay. Return how many went."""
    gone = 0
    old = Notification.objects.filter(settled_at__lt=before).exclude(outcome=NotificationOutcome.UNKNOWN.value)
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:at_once]):
        gone += Notification.objects.filter(pk__in=ids).delete()[0]
    return gone

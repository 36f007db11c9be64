"""What operators want to know about mails."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count

from enterprise_access.apps.notifications.domain import NotificationOutcome
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.lib.state import State, by_label


def read_mails(now: datetime) -> Iterable[State]:  # noqa: ARG001 - every source takes it
    """Tell how many mails ended otherwise than sent. (How many wait is told with the other queues.)"""
    rows = Notification.objects.filter(
        outcome__in=[NotificationOutcome.REFUSED.value, NotificationOutcome.UNKNOWN.value]
    ).order_by()
    counts = dict(rows.values_list("outcome").annotate(rows=Count("pk")))
    text = "Emails that will not be sent, by outcome."
    values = {
        outcome.value: float(counts.get(outcome.value, 0))
        for outcome in (NotificationOutcome.REFUSED, NotificationOutcome.UNKNOWN)
    }
    return [by_label("mails_not_sent", text, "outcome", values)]

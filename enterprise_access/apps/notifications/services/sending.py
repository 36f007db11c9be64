"""Sending what is due: written down before the call, handed over once, and settled by what the provider says."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F

from enterprise_access.apps.notifications.domain import NotificationOutcome, ProviderAnswer
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services.composing import Sender, compose, fetch_sender, read_letters
from enterprise_access.apps.notifications.services.kinds import Letter
from enterprise_access.apps.notifications.services.providers import close_provider, hand_over, open_provider
from enterprise_access.apps.notifications.services.queue import QUEUE
from enterprise_access.apps.notifications.services.signals import notification_settled
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.leases import Lease, claim, postpone, release
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR
from enterprise_access.lib.work.waking import work

log = logging.getLogger(__name__)

BATCH: Final = 50
PROVIDER_AWAY: Final = "provider_away"
UPSTREAM_AWAY: Final = "upstream_away"
ASKED_TO_WAIT: Final = "provider_asked_to_wait"

_SETTLED: Final = {
    ProviderAnswer.TAKEN: NotificationOutcome.SENT,
    ProviderAnswer.REFUSED: NotificationOutcome.REFUSED,
    ProviderAnswer.UNKNOWN: NotificationOutcome.UNKNOWN,
}


def send_due() -> int:
    """Send mails that are due, customers in turn; return how many rows were worked on."""
    return work(QUEUE, _send_some, limit=BATCH)


def _send_some(customer_uuid: UUID, limit: int) -> int:
    rows = QUEUE.rows().filter(customer_uuid=customer_uuid)
    with claim(QUEUE, limit=limit, rows=rows) as lease:
        _send(lease, customer_uuid)
    return len(lease.items)


def _send(lease: Lease[Notification], customer_uuid: UUID) -> None:
    doubtful = [row for row in lease.items if row.attempted_at is not None]
    for row in doubtful:
        # A worker ended between handing it over and writing down the answer.
        settle_mail(row, NotificationOutcome.UNKNOWN, error="worker_ended")
    rows = [row for row in lease.items if row.attempted_at is None]
    letters = read_letters(rows)
    for row in rows:
        if row.pk not in letters:
            settle_mail(row, NotificationOutcome.NOT_NEEDED)
    unknown = [row for row in rows if row.pk in letters and letters[row.pk] is None]
    if unknown:
        postpone(lease, unknown, waiting_for=UPSTREAM_AWAY, is_blamed=False)
    wanted = {row: letter for row in rows if (letter := letters.get(row.pk)) is not None}
    if wanted:
        _hand_over_all(lease, wanted, customer_uuid)


def _hand_over_all(lease: Lease[Notification], letters: Mapping[Notification, Letter], customer_uuid: UUID) -> None:
    rows = list(letters)
    try:
        sender = fetch_sender(customer_uuid)
    except UpstreamError:
        postpone(lease, rows, waiting_for=UPSTREAM_AWAY, is_blamed=False)
        return
    with _provider() as backend:
        if backend is None:
            postpone(lease, rows, waiting_for=PROVIDER_AWAY, is_blamed=False)
            return
        for position, row in enumerate(rows):
            if is_stopping():
                release(lease, rows[position:])
                return
            mail = _composed(lease, row, letters[row], sender, backend)
            if mail is None or not _begin(lease, row):
                # It cannot be written; or the row was taken over by another worker, or withdrawn.
                continue
            answer, error = hand_over(mail, backend)
            if answer in _SETTLED:
                settle_mail(row, _SETTLED[answer], error=error)
                if answer is not ProviderAnswer.UNKNOWN:
                    continue
                # The connection is of no use any more; the others are sent in the next round.
                release(lease, rows[position + 1 :])
                return
            _take_back(row)
            log.warning("A mail was not taken. kind=%s error=%s", row.kind, error)
            if answer is ProviderAnswer.LATER:
                postpone(lease, [row], waiting_for=ASKED_TO_WAIT, is_blamed=True)
                continue
            postpone(lease, rows[position:], waiting_for=PROVIDER_AWAY, is_blamed=False)
            return


def _composed(
    lease: Lease[Notification], row: Notification, letter: Letter, sender: Sender, backend: BaseEmailBackend
) -> EmailMessage | None:
    """Return a mail; None when it cannot be written: a fault of ours, which holds up no other mail."""
    try:
        return compose(row, letter, sender=sender, backend=backend)
    except Exception:
        log.exception("A mail cannot be written. kind=%s", row.kind)
        postpone(lease, [row], waiting_for=UNEXPECTED_ERROR, is_blamed=True)
        return None


@contextmanager
def _provider() -> Iterator[BaseEmailBackend | None]:
    """Yield a connection to the provider; None when it is away."""
    backend = get_connection()
    if not open_provider(backend):
        yield None
        return
    try:
        yield backend
    finally:
        close_provider(backend)


@retry_deadlocks
def _begin(lease: Lease[Notification], row: Notification) -> bool:
    """Write down that the mail is handed over now; say whether it may be."""
    mine = Notification.objects.filter(pk=row.pk, lease_token=lease.token, outcome="", attempted_at=None)
    return bool(mine.update(attempted_at=clock.now()))


@retry_deadlocks
def _take_back(row: Notification) -> None:
    """Write down that the provider has certainly not taken the mail."""
    Notification.objects.filter(pk=row.pk, outcome="").update(attempted_at=None)


@retry_deadlocks
def settle_mail(
    row: Notification, outcome: NotificationOutcome, *, error: str = "", now: datetime | None = None
) -> bool:
    """Record how a mail ended, and tell the apps above; say whether that was news.

    It is recorded even if another worker holds the row by now. What is certain replaces "unknown", and nothing else.
    """
    at = now or clock.now()
    with transaction.atomic():
        open_row = Notification.objects.filter(pk=row.pk, outcome__in=["", NotificationOutcome.UNKNOWN.value])
        is_news = open_row.exclude(outcome=outcome.value).update(
            outcome=outcome.value,
            settled_at=at,
            error=error[:100],
            due_at=None,
            lease_token=None,
            leased_until=None,
            waiting_for="",
            generation=F("generation") + 1,
        )
        if not is_news:
            return False
        row.outcome, row.settled_at, row.error = outcome.value, at, error[:100]
        notification_settled.send(sender=Notification, notification=row, now=at)
    if outcome is NotificationOutcome.UNKNOWN:
        log.error("It is not known whether a mail was sent; it is not sent again. kind=%s error=%s", row.kind, error)
    return True

"""Sending work to the background: by name, after the commit, and never as the only record of it."""

import logging
import time
from typing import Any, Final

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

# After a broker could not be reached, this process sends it nothing for so long: not every request pays the time-out.
PAUSE_SECONDS: Final = 5.0

_away_until: Final = [0.0]


def enqueue_on_commit(job: str, **ids: Any) -> None:
    """Send a message to the worker once the transaction is committed.

    The message is only a hint: the row that was committed is found by a sweep when the message is lost. So a broker
    that cannot be reached is logged, and is no error to the caller.
    """

    transaction.on_commit(lambda: send(job, ids), robust=True)


def send(job: str, ids: dict[str, Any] | None = None, **options: Any) -> bool:
    """Send a message now; say whether the broker took it. A broker that was away a moment ago is not asked."""
    if time.monotonic() < _away_until[0]:
        return False
    try:
        current_app.send_task(job, kwargs=ids or {}, retry=False, **options)
    except (OperationalError, OSError) as error:
        _away_until[0] = time.monotonic() + PAUSE_SECONDS
        log.warning("The broker could not be reached; a sweep will find the work. job=%s error=%s", job, error)
        return False
    return True


def forget() -> None:
    """Forget that the broker was away."""
    _away_until[0] = 0.0

"""Sending work to the background: by name, after the commit, and never as the only record of it."""

import logging
from typing import Any

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def enqueue_on_commit(job: str, **ids: Any) -> None:
    """Send a message to the worker once the transaction is committed.

    The message is only a hint: the row that was committed is found by a sweep when the message is lost. So a broker
    that cannot be reached is logged, and is no error to the caller.
    """

    transaction.on_commit(lambda: _send(job, ids), robust=True)


def enqueue_soon_on_commit(job: str, *, seconds: int) -> None:
    """Send at most one message in `seconds`, which is worked on after them.

    So what many transactions leave behind within that time is done together. As with any hint, a sweep must find what
    is left when the message (or the cache) is lost.
    """

    def send() -> None:
        if _is_first(job, seconds):
            _send(job, {}, countdown=seconds)

    transaction.on_commit(send, robust=True)


def _is_first(job: str, seconds: int) -> bool:
    try:
        return bool(cache.add(f"jobs.soon.{job}", True, timeout=seconds))
    except Exception as error:  # noqa: BLE001 - every cache has errors of its own
        # One message too many does no harm.
        log.warning("The cache cannot be used. error=%s", type(error).__name__)
        return True


def _send(job: str, ids: dict[str, Any], **options: Any) -> None:
    try:
        current_app.send_task(job, kwargs=ids, retry=False, **options)
    except (OperationalError, OSError) as error:
        log.warning("The broker could not be reached; a sweep will find the work. job=%s error=%s", job, error)

"""Asking enterprise-subsidy about several accounts, or learners, at the same time, within a bounded wait."""

import logging
import time
from collections.abc import Callable, Collection
from typing import Final, TypeVar

from django.conf import settings

from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http.deadline import deadline, earliest
from enterprise_access.lib.parallel import run_parallel, start_early
from enterprise_access.upstream import subsidy
from enterprise_access.upstream.subsidy.client import SubsidyClient

log = logging.getLogger(__name__)

K = TypeVar("K")
A = TypeVar("A")

CALLS_AT_ONCE: Final = 8


def ask_each(wanted: Collection[K], ask: Callable[[SubsidyClient, K], A]) -> dict[K, A]:
    """Return what enterprise-subsidy answered for each that is wanted, by it; one that was not answered is absent.

    Waits for CREDIT_BUDGET_SECONDS at most.
    """
    client = subsidy.from_settings()
    if client is None or not wanted:
        return {}
    answers: dict[K, A] = {}
    ends_at = earliest(time.monotonic() + settings.CREDIT_BUDGET_SECONDS)

    def asking(one: K) -> Callable[[], None]:
        def call() -> None:
            try:
                answers[one] = ask(client, one)
            except UpstreamError as error:
                log.warning("An account could not be read. service=%s reason=%s", error.service, error.reason)

        return call

    with deadline(ends_at):
        try:
            run_parallel([asking(one) for one in wanted], limit=CALLS_AT_ONCE, ends_at=ends_at)
        except TimeoutError:
            log.warning("Not every account could be read in time.")
    # A copy: a call that is late may still end.
    return dict(answers)


def start_each(wanted: Collection[K], ask: Callable[[SubsidyClient, K], A]) -> Callable[[], dict[K, A]]:
    """Begin to ask, and return a function that waits for what `ask_each` returns."""
    return start_early(lambda: ask_each(wanted, ask)) if wanted else dict

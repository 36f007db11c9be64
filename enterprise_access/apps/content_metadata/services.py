"""Keeping the enrollment modes of runs."""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import (
    Content,
    KnownModes,
    as_known_modes,
    forget_seen_modes,
    list_modes,
)
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.jobs import enqueue_on_commit
from enterprise_access.lib.keys import fold
from enterprise_access.lib.rate import SharedRate
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import RunModesRecord

log = logging.getLogger(__name__)

REFRESH_MODES_JOB: Final = "content_metadata.refresh_modes"


def refresh_modes(
    *,
    course_run_keys: Iterable[str],
    can_wait: bool = False,
    ask_anyway: bool = False,
    renew: Callable[[], object] = bool,
) -> dict[str, KnownModes]:
    """Return the LMS's modes of these runs by folded key, asking it for those that are missing or too old.

    The LMS allows 40 of these reads a minute: for background work only. Absent is a run that it could not be asked
    about, or that it may not be asked about yet (all our processes keep MODES_PER_MINUTE together). `can_wait`: leaves
    MODES_RESERVED_PER_MINUTE for learners who are to be enrolled and for whoever saves an intention. `ask_anyway`: what
    is stored is doubted. `renew` is called after every answer, so that a lease lasts as long as there is progress.
    """
    runs = {fold(key): key for key in course_run_keys}
    known = list_modes(course_run_keys=runs.values(), now=timezone.now())
    leave = settings.MODES_RESERVED_PER_MINUTE if can_wait else 0
    for folded in sorted(runs if ask_anyway else runs.keys() - known.keys()):
        if not _rate().take(leave=leave):
            log.info("Modes are not read yet: the rate limit is reached. run=%s", folded)
            break
        fresh = _ask(runs[folded])
        if fresh is not None:
            known[folded] = fresh
        renew()
    return known


def refresh_modes_of(
    *, contents: Collection[Content], can_wait: bool = False, renew: Callable[[], object] = bool
) -> dict[str, KnownModes]:
    """Return the modes of the runs that these contents stand for (see `refresh_modes`).

    Where the LMS kept everybody out when it was asked, and the catalog was asked later, the LMS is asked again: the
    dates may have been moved in both.
    """
    now = timezone.now()
    fetched_at = {fold(content.run.key): content.fetched_at for content in contents if content.run}
    runs = [content.run.key for content in contents if content.run]
    known = refresh_modes(course_run_keys=runs, can_wait=can_wait, renew=renew)
    doubted = [run for run in runs if _is_doubted(known.get(fold(run)), fetched_at[fold(run)], now)]
    return known | refresh_modes(course_run_keys=doubted, can_wait=can_wait, ask_anyway=True, renew=renew)


def _is_doubted(known: KnownModes | None, content_at: datetime | None, now: datetime) -> bool:
    if known is None or known.fetched_at is None or content_at is None:
        return False
    return known.is_closed(now=now) and known.fetched_at <= content_at


def ask_for_modes(*, course_run_keys: Iterable[str]) -> None:
    """Have the modes of these runs fetched in the background, where they are missing or too old."""
    runs = list(course_run_keys)
    known = list_modes(course_run_keys=runs, now=timezone.now())
    if missing := [key for key in runs if fold(key) not in known]:
        enqueue_on_commit(REFRESH_MODES_JOB, course_run_keys=missing)


def _rate() -> SharedRate:
    return SharedRate(name="reads of modes", limit=settings.MODES_PER_MINUTE)


def _ask(course_run_key: str) -> KnownModes | None:
    fetched_at = timezone.now()
    try:
        answer = lms.from_settings(optional="modes").get_run_modes(course_run_key=course_run_key)
    except UpstreamError as error:
        log.warning("Modes could not be read. run=%s reason=%s", course_run_key, error.reason)
        return None
    row = _store(course_run_key, answer, fetched_at)
    forget_seen_modes(course_run_key)
    return as_known_modes(row)


@retry_deadlocks
def _store(course_run_key: str, answer: RunModesRecord | None, fetched_at: datetime) -> RunModes:
    """Keep what was read, except where another read that started later was quicker."""
    read = {**_fields(answer), "fetched_at": fetched_at}
    row, is_new = RunModes.objects.get_or_create(course_run_key=course_run_key, defaults=read)
    if not is_new:
        RunModes.objects.filter(pk=row.pk, fetched_at__lte=fetched_at).update(**read)
        row.refresh_from_db()
    return row


def _fields(answer: RunModesRecord | None) -> dict[str, object]:
    """Return the columns of what the LMS answered; None: it has no such run, which is stored with its age, too."""
    if answer is None:
        return {
            "modes": {},
            "is_invitation_only": False,
            "is_unknown": True,
            "enrollment_start": None,
            "enrollment_end": None,
        }
    return {
        "modes": {mode.slug: mode.expires_at and mode.expires_at.isoformat() for mode in answer.modes},
        "is_invitation_only": answer.is_invitation_only,
        "is_unknown": False,
        "enrollment_start": answer.enrollment_start,
        "enrollment_end": answer.enrollment_end,
    }


def refresh_aging_modes() -> int:
    """Ask the LMS again about the runs whose modes will soon be too old to decide by; return how many were asked.

    The oldest first, and only as many as leave MODES_RESERVED_PER_MINUTE for those who wait for an answer.
    """
    aging_since = timezone.now() - timedelta(seconds=settings.MODES_FRESH_SECONDS / 2)
    aging = RunModes.objects.filter(fetched_at__lt=aging_since).order_by("fetched_at")
    runs = list(aging.values_list("course_run_key", flat=True)[: settings.MODES_PER_MINUTE])
    asked = 0
    for course_run_key in runs:
        if not _rate().take(leave=settings.MODES_RESERVED_PER_MINUTE):
            break
        _ask(course_run_key)
        asked += 1
    return asked

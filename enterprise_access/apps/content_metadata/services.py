"""Keeping the enrollment modes of runs."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import KnownModes, as_known_modes, forget_seen_modes, list_modes
from enterprise_access.lib import shared_cache
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.keys import fold
from enterprise_access.lib.rate import SharedRate
from enterprise_access.upstream import lms

log = logging.getLogger(__name__)

# How long "the LMS does not know this run" is believed.
UNKNOWN_SECONDS: Final = 60


def refresh_modes(*, course_run_keys: Iterable[str]) -> dict[str, KnownModes]:
    """Return the LMS's modes of these runs by folded key, asking it for those that are missing or too old.

    The LMS allows 40 of these reads a minute: for background work only. Absent is a run that it does not know, that it
    could not be asked about, or that it may not be asked about yet (all our processes keep MODES_PER_MINUTE together).
    """
    runs = {fold(key): key for key in course_run_keys}
    known = list_modes(course_run_keys=runs.values(), now=timezone.now())
    missing = sorted(runs.keys() - known.keys())
    unknown = shared_cache.get_many([_unknown(key) for key in missing])
    for folded in missing:
        if _unknown(folded) in unknown:
            continue
        if not _rate().take():
            log.info("Modes are not asked for yet: the rate is used up. run=%s", folded)
            break
        fresh = _ask(runs[folded])
        if fresh is not None:
            known[folded] = fresh
    return known


def _rate() -> SharedRate:
    return SharedRate(name="reads of modes", limit=settings.MODES_PER_MINUTE)


def _unknown(folded_run_key: str) -> str:
    return shared_cache.address_of(kind="run unknown to the LMS", version=1, run=folded_run_key)


def _ask(course_run_key: str) -> KnownModes | None:
    fetched_at = timezone.now()
    try:
        answer = lms.from_settings().get_run_modes(course_run_key=course_run_key)
    except UpstreamError as error:
        log.warning("Modes could not be asked for. run=%s reason=%s", course_run_key, error.reason)
        return None
    if answer is None:
        shared_cache.set_many({_unknown(fold(course_run_key)): 1}, seconds=UNKNOWN_SECONDS)
        # What was true once is no evidence any more, and would be asked for again for ever as the oldest there is.
        RunModes.objects.filter(course_run_key=course_run_key).delete()
        forget_seen_modes(course_run_key)
        return None
    row, _ = RunModes.objects.update_or_create(
        course_run_key=course_run_key,
        defaults={
            "modes": {mode.slug: mode.expires_at and mode.expires_at.isoformat() for mode in answer.modes},
            "is_invitation_only": answer.is_invitation_only,
            "fetched_at": fetched_at,
        },
    )
    forget_seen_modes(course_run_key)
    return as_known_modes(row)


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

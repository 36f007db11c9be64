"""Which enrollment modes a run has, as far as we know."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import Resolution, Resolved
from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.course_types.domain.modes import Modes
from enterprise_access.lib.keys import fold


class Evidence(StrEnum):
    """Where the modes of a run are known from, the strongest first."""

    LMS = "lms"
    SEATS = "seats"


@frozen(kw_only=True)
class KnownModes:
    """The modes of a run, whence they are known, and since when (None: as old as the content)."""

    modes: Modes
    is_invitation_only: bool
    evidence: Evidence
    fetched_at: datetime | None


def list_modes(*, course_run_keys: Iterable[str], now: datetime) -> dict[str, KnownModes]:
    """Return, by folded run key, the LMS's modes that are not too old to decide by. A run without any is absent."""
    keys = {key for run_key in course_run_keys for key in (run_key, fold(run_key))}
    oldest = now - timedelta(seconds=settings.MODES_FRESH_SECONDS)
    rows = RunModes.objects.filter(course_run_key__in=keys, fetched_at__gte=oldest)
    return {fold(row.course_run_key): as_known_modes(row) for row in rows}


def as_known_modes(row: RunModes) -> KnownModes:
    """Return the value of a stored row."""
    return KnownModes(
        modes={
            slug: None if expires_at is None else datetime.fromisoformat(expires_at)
            for slug, expires_at in row.modes.items()
        },
        is_invitation_only=row.is_invitation_only,
        evidence=Evidence.LMS,
        fetched_at=row.fetched_at,
    )


def with_seats(stored: Mapping[str, KnownModes], resolutions: Iterable[Resolution]) -> dict[str, KnownModes]:
    """Add what the seats of resolved runs tell, where the LMS's answer is missing. For readers, never for enrolling."""
    runs = {fold(found.run.key): found.run for found in resolutions if isinstance(found, Resolved)}
    from_seats = {
        key: KnownModes(
            modes=dict.fromkeys(run.modes_from_seats),
            is_invitation_only=False,
            evidence=Evidence.SEATS,
            fetched_at=None,
        )
        for key, run in runs.items()
        if run.modes_from_seats
    }
    return {**from_seats, **stored}

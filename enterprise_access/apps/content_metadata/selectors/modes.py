"""Which enrollment modes a run has, as far as we know.

The LMS's own answer is the only evidence that anybody is enrolled by. Where it is missing, readers are told what
follows from what the run is meant for, or from what is sold, and which of it they are told.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import cycle
from typing import Any, Final

from attrs import frozen
from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet

from enterprise_access.apps.content_metadata.domain import CourseRun, Resolution, Resolved
from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.course_types.domain.modes import Modes, pick
from enterprise_access.apps.course_types.selectors import list_modes_by_type
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Prepared


class ModesSource(StrEnum):
    """Where the modes of a run are known from, the strongest first."""

    LMS = "lms"
    # What somebody has said here that the run is for.
    TYPED_RUN = "typed_run"
    # What it is for as the catalog says, by the uuid of course-discovery's run type.
    RUN_TYPE = "run_type"
    SEATS = "seats"


@frozen(kw_only=True)
class KnownModes:
    """The modes of a run, whence they are known, and since when (None: as old as the content).

    `is_unknown`: the LMS says that it has no such run. The two instants are the LMS's own enrollment window; None: no
    limit.
    """

    modes: Modes
    is_invitation_only: bool
    evidence: ModesSource
    fetched_at: datetime | None
    is_unknown: bool = False
    enrollment_starts_at: datetime | None = None
    enrollment_ends_at: datetime | None = None

    def is_closed(self, *, now: datetime) -> bool:
        """Say whether the LMS's own window keeps everybody out."""
        opens_at, ends_at = self.enrollment_starts_at, self.enrollment_ends_at
        return (opens_at is not None and now < opens_at) or (ends_at is not None and now > ends_at)

    @property
    def chosen(self) -> str:
        """The mode that the LMS would enroll in."""
        return pick(self.modes)


def list_modes(*, course_run_keys: Iterable[str], now: datetime) -> dict[str, KnownModes]:
    """Return, by folded run key, the LMS's modes that are not too old to decide by. A run without any is absent.

    That the LMS does not know a run is believed for MODES_ABSENT_SECONDS.
    """
    keys = {key for run_key in course_run_keys for key in (run_key, fold(run_key))}
    if not keys:
        return {}
    oldest = now - timedelta(seconds=settings.MODES_FRESH_SECONDS)
    oldest_absent = now - timedelta(seconds=settings.MODES_ABSENT_SECONDS)
    # As many as a power of two, so that sessions of the database keep a few statements, and not one for each number.
    names = _names(1 << (len(keys) - 1).bit_length())
    rows = _read_of(len(names)).raw_rows(
        oldest=oldest, oldest_absent=oldest_absent, **dict(zip(names, cycle(keys), strict=False))
    )
    return {fold(row[_RUN_KEY]): _as_known_modes(row) for row in rows}


def list_last_known_modes(*, course_run_keys: Iterable[str]) -> dict[str, Modes]:
    """Return, by folded run key, the LMS's modes as they were read last, however long ago: for judging the past."""
    keys = {key for run_key in course_run_keys for key in (run_key, fold(run_key))}
    rows = RunModes.objects.filter(course_run_key__in=keys).order_by("pk") if keys else ()
    return {fold(row.course_run_key): as_known_modes(row).modes for row in rows}


_FIELDS: Final = [field.attname for field in RunModes._meta.concrete_fields]
_RUN_KEY: Final = _FIELDS.index("course_run_key")


@lru_cache(maxsize=256)
def _read_of(number: int) -> Prepared:
    """Return the read of the modes under so many keys."""

    def build(oldest: datetime, oldest_absent: datetime, **keys: str) -> "QuerySet[RunModes, Any]":
        is_young = Q(is_unknown=False, fetched_at__gte=oldest) | Q(is_unknown=True, fetched_at__gte=oldest_absent)
        rows = RunModes.objects.filter(is_young, course_run_key__in=list(keys.values())).order_by()
        return rows.values_list(*_FIELDS)

    instants = {"oldest": models.DateTimeField(), "oldest_absent": models.DateTimeField()}
    return Prepared(build, **instants, **{name: models.CharField() for name in _names(number)})


@lru_cache(maxsize=256)
def _names(number: int) -> list[str]:
    return [f"key_{place}" for place in range(number)]


@lru_cache(maxsize=8192)
def _as_known_modes(raw_row: tuple[object, ...]) -> KnownModes:
    """Return the value of a row as the database gave it. The same rows come again and again."""
    [values] = _read_of(1).converted([raw_row])
    return as_known_modes(RunModes.from_db("default", _FIELDS, values))


def list_known_modes(resolutions: Collection[Resolution], *, now: datetime) -> dict[str, KnownModes]:
    """Return, by folded run key, the modes of resolved runs by the best evidence there is. Asks no one; for readers.

    The LMS's modes may be those of up to CONTENT_TRUSTED_SECONDS ago.
    """
    runs = [found.run.key for found in resolutions if isinstance(found, Resolved)]
    return with_other_evidence(_list_modes_of_late(runs, now), resolutions)


# By folded run key: when this process last read the modes, by time.monotonic(), and what it found.
_seen: Final[dict[str, tuple[float, KnownModes | None]]] = {}
_MOST_SEEN: Final = 10_000


def _list_modes_of_late(course_run_keys: Iterable[str], now: datetime) -> dict[str, KnownModes]:
    """Return what `list_modes` returned a moment ago. Everybody who comes of a customer reads the same few runs."""
    read_at = time.monotonic()
    runs = {fold(key): key for key in course_run_keys}
    earliest = read_at - settings.CONTENT_TRUSTED_SECONDS
    found = {key: seen[1] for key in runs if (seen := _seen.get(key)) is not None and seen[0] > earliest}
    missing = runs.keys() - found.keys()
    if missing:
        read = list_modes(course_run_keys=[runs[key] for key in missing], now=now)
        found |= {key: read.get(key) for key in missing}
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()
        _seen.update((key, (read_at, found[key])) for key in missing)
    return {key: modes for key, modes in found.items() if modes is not None}


def forget_seen_modes(course_run_key: str) -> None:
    """Make this process read the modes of a run again. Called by what writes them."""
    _seen.pop(fold(course_run_key), None)


def as_known_modes(row: RunModes) -> KnownModes:
    """Return the value of a stored row."""
    return KnownModes(
        modes={
            slug: None if expires_at is None else datetime.fromisoformat(expires_at)
            for slug, expires_at in row.modes.items()
        },
        is_invitation_only=row.is_invitation_only,
        evidence=ModesSource.LMS,
        fetched_at=row.fetched_at,
        is_unknown=row.is_unknown,
        enrollment_starts_at=row.enrollment_start,
        enrollment_ends_at=row.enrollment_end,
    )


def with_other_evidence(stored: Mapping[str, KnownModes], resolutions: Iterable[Resolution]) -> dict[str, KnownModes]:
    """Add the next best evidence for resolved runs where the LMS's answer is missing. For readers, never for enrolling.

    Types and seats tell no expiry. A type that we do not know tells nothing, and the seats are asked. One
    statement, and none when the LMS's answers are all there.
    """
    runs = {fold(found.run.key): found.run for found in resolutions if isinstance(found, Resolved)}
    missing = {key: run for key, run in runs.items() if key not in stored}
    by_type = list_modes_by_type(discovery_uuids={key: run.run_type_uuid for key, run in missing.items()})
    return {
        **_known(_from_seats(missing), ModesSource.SEATS),
        **_known(by_type.in_catalog, ModesSource.RUN_TYPE),
        **_known(by_type.stated, ModesSource.TYPED_RUN),
        **stored,
    }


def _from_seats(runs: Mapping[str, CourseRun]) -> dict[str, frozenset[str]]:
    return {key: run.modes_from_seats for key, run in runs.items() if run.modes_from_seats}


def _known(modes: Mapping[str, Collection[str]], evidence: ModesSource) -> dict[str, KnownModes]:
    return {
        key: KnownModes(
            modes=dict.fromkeys(sorted(slugs)), is_invitation_only=False, evidence=evidence, fetched_at=None
        )
        for key, slugs in modes.items()
    }

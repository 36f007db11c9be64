"""What a course should have in ecommerce and in the LMS by its types.

We say what should be; course-discovery and ecommerce make it, when a run is reviewed. A track with a seat type becomes
a seat, and through it an LMS mode; a track without one becomes an LMS mode at price 0 directly.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from enterprise_access.apps.course_types.domain.modes import seat_deadline
from enterprise_access.apps.course_types.domain.values import CourseType, RunType, SeatType, Track

# Settings and constants of course-discovery.
UPGRADE_DEADLINE_DAYS: Final = 10
PUBLISHED_ENTITLEMENT_TYPES: Final = frozenset(
    {"verified", "professional", "executive-education", "paid-executive-education", "paid-bootcamp"}
)
# The only mode that the LMS keeps when ecommerce, which lists all modes of a run at once, does not name it.
MODES_THAT_THE_LMS_KEEPS: Final = frozenset({"masters"})


class Route(StrEnum):
    """How a mode gets into the LMS."""

    ECOMMERCE = "ecommerce"
    DIRECT = "direct"


@frozen(kw_only=True)
class SeatSpec:
    """A seat that ecommerce should sell, and what it is told of it. `expires_at` None = never."""

    seat_type: str
    certificate_type: str
    is_id_verified: bool
    expires_at: datetime | None
    lms_mode: str


@frozen(kw_only=True)
class ModeSpec:
    """A mode that the LMS should have. Those of the direct route cost nothing there."""

    slug: str
    route: Route


@frozen(kw_only=True)
class RunSpec:
    """What one run should have."""

    seats: tuple[SeatSpec, ...] = ()
    modes: tuple[ModeSpec, ...] = ()

    def modes_via(self, route: Route) -> frozenset[str]:
        """Return the modes that get into the LMS this way."""
        return frozenset(mode.slug for mode in self.modes if mode.route is route)

    def modes_to_push(self, *, lms_has: Collection[str]) -> frozenset[str]:
        """Return the modes that discovery has yet to add to the LMS: it adds what is missing, and changes nothing."""
        return self.modes_via(Route.DIRECT) - frozenset(lms_has)


@frozen(kw_only=True)
class CourseSpec:
    """What a course and its runs should have. `runs` is by run key."""

    entitlements: tuple[str, ...]
    runs: Mapping[str, RunSpec] = field(factory=dict)


@frozen(kw_only=True)
class TypedRun:
    """A run, as far as its products depend on it.

    `upgrade_deadlines` are those that are stored or set by hand, by seat type; without one the end of the run tells.
    """

    run_type: RunType
    ends_at: datetime | None = None
    upgrade_deadlines: Mapping[str, datetime | None] = field(factory=dict)


def spec(*, course_type: CourseType, runs: Mapping[str, TypedRun]) -> CourseSpec:
    """Return what a course of this type, with these runs by key, should have in ecommerce and in the LMS."""
    entitlements = tuple(slug for slug in course_type.entitlement_types if slug in PUBLISHED_ENTITLEMENT_TYPES)
    return CourseSpec(entitlements=entitlements, runs={key: spec_of_run(run) for key, run in runs.items()})


def spec_of_run(run: TypedRun) -> RunSpec:
    """Return what one run should have."""
    tracks = run.run_type.tracks
    seats = tuple(_seat(track, track.seat_type, run) for track in tracks if track.seat_type is not None)
    via_ecommerce = dict.fromkeys(seat.lms_mode for seat in seats)
    direct = dict.fromkeys(track.lms_mode for track in tracks if not track.has_product)
    modes = [ModeSpec(slug=slug, route=Route.ECOMMERCE) for slug in via_ecommerce]
    modes += [ModeSpec(slug=slug, route=Route.DIRECT) for slug in direct if slug not in via_ecommerce]
    return RunSpec(seats=seats, modes=tuple(modes))


def _seat(track: Track, seat_type: SeatType, run: TypedRun) -> SeatSpec:
    return SeatSpec(
        seat_type=seat_type.slug,
        certificate_type=track.mode.certificate_type,
        is_id_verified=track.mode.is_id_verified,
        expires_at=_expiry(seat_type, run),
        lms_mode=track.lms_mode,
    )


def _expiry(seat_type: SeatType, run: TypedRun) -> datetime | None:
    """Return when the seat expires, as ecommerce is told: in whole seconds."""
    if not seat_type.has_upgrade_deadline:
        return None
    expires_at = seat_deadline(
        stored=default_upgrade_deadline(run_ends_at=run.ends_at, has_upgrade_deadline=True),
        override=run.upgrade_deadlines.get(seat_type.slug),
    )
    return None if expires_at is None else expires_at.replace(microsecond=0)


def default_upgrade_deadline(
    *, run_ends_at: datetime | None, has_upgrade_deadline: bool, days: int = UPGRADE_DEADLINE_DAYS
) -> datetime | None:
    """Return the deadline that discovery stores for a seat: the last moment of a day, `days` before the run ends.

    The day is that of the zone of `run_ends_at`. None for seats that have no such deadline, and runs without an end.
    """
    if run_ends_at is None or not has_upgrade_deadline:
        return None
    # The odd fraction of a second is discovery's.
    return (run_ends_at - timedelta(days=days)).replace(hour=23, minute=59, second=59, microsecond=99_999)

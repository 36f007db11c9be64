"""Taking over the types of a course-discovery: it adds and updates, all of it or nothing, and deletes nothing.

Uuids differ by installation, and slugs of run types are told nowhere. So a type is recognized by the uuid that an
earlier import has noted; else a course type by its slug, a run type by its name and modes. Organizations are told
nowhere either: which may have a type stays as it is here. The empty types are never told, and stay as they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from attrs import field, frozen
from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from enterprise_access.apps.course_types.domain.values import EMPTY
from enterprise_access.apps.course_types.errors import BrokenTypes, NoDiscovery
from enterprise_access.apps.course_types.models import (
    CourseRunType,
    CourseRunTypeTrack,
    CourseType,
    CourseTypeRunType,
    Mode,
    SeatType,
    Track,
    TypeOrigin,
)
from enterprise_access.apps.course_types.selectors import get_graph
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import discovery
from enterprise_access.upstream.discovery import CourseRecord, RunTypeOption, TrackOption, TypeOption

Row = TypeVar("Row", Mode, SeatType, CourseRunType, CourseType)


class What(StrEnum):
    """What comes of one thing that was told."""

    ADDED = "added"
    CHANGED = "changed"
    MISSING = "missing"
    KEPT = "kept"


@frozen(kw_only=True)
class Line:
    """One thing that differs from what was here. `kind` and `slug` say what it is about."""

    what: What
    kind: str
    slug: str
    text: str = ""


@frozen(kw_only=True)
class Imported:
    """What an import did, or would do. What is the same is only counted."""

    lines: tuple[Line, ...]
    unchanged: int

    def of(self, *kinds: What) -> tuple[Line, ...]:
        """Return the lines of these kinds."""
        return tuple(line for line in self.lines if line.what in kinds)


@frozen(kw_only=True)
class DiscoveryTypes:
    """What course-discovery has told: the types that courses may have, and the slugs of course types by uuid."""

    options: tuple[TypeOption, ...]
    slugs: Mapping[UUID, str]
    courses: tuple[CourseRecord, ...] = field(factory=tuple)


def fetch_told(*, course_key: str | None = None) -> DiscoveryTypes:
    """Ask course-discovery for its types. `course_key`: any course of it that our account may change; None: the first.

    Raises NoDiscovery, and UpstreamError.
    """
    client = client_of_discovery()
    courses = client.list_courses()
    if not courses:
        raise NoDiscovery("The course-discovery has no course, and tells its types only with one.")
    slugs = {course.type: course.course_type for course in courses if course.type and course.course_type}
    return DiscoveryTypes(
        options=client.list_type_options(course_key=course_key or courses[0].key), slugs=slugs, courses=courses
    )


def client_of_discovery() -> discovery.DiscoveryClient:
    """Return a client of course-discovery. Raises NoDiscovery when this installation has none."""
    client = discovery.from_settings()
    if client is None:
        raise NoDiscovery("DISCOVERY_BASE_URL is not set: this installation has no course-discovery to ask.")
    return client


@retry_deadlocks
def import_types(told: DiscoveryTypes, *, commit: bool) -> Imported:
    """Take over what was told. Without `commit`, or if anything cannot be, nothing is saved.

    Raises BrokenTypes, naming what cannot be.
    """
    with transaction.atomic():
        importing = _Importing(told)
        importing.run()
        # All of it together has to be possible, not only row by row.
        get_graph()
        if not commit:
            transaction.set_rollback(True)
    return Imported(lines=tuple(importing.lines), unchanged=importing.unchanged)


_MODE_COLUMNS: Final = ("name", "is_id_verified", "is_credit_eligible", "certificate_type", "payee")


class _Importing:
    def __init__(self, told: DiscoveryTypes) -> None:
        self.told = told
        self.lines: list[Line] = []
        self.unchanged = 0
        self._run_types: dict[UUID, CourseRunType] = {}

    def run(self) -> None:
        options = self.told.options
        tracks = [track for option in options for track in option.tracks]
        for track in _first_of_each(tracks, key=lambda track: track.mode.slug):
            values = {column: getattr(track.mode, column) for column in _MODE_COLUMNS}
            self._keep(Mode, Mode.objects.filter(slug=track.mode.slug).first(), track.mode.slug, values)
        self._keep_seat_types(tracks)
        for option in options:
            for run_type in option.run_types:
                if run_type.uuid not in self._run_types:
                    self._run_types[run_type.uuid] = self._keep_run_type(run_type, option)
        seen = [self._keep_course_type(option).pk for option in options]
        self._report_missing(seen)

    def _keep_seat_types(self, tracks: Iterable[TrackOption]) -> None:
        names = {track.seat_type.slug: track.seat_type.name for track in tracks if track.seat_type}
        for option in self.told.options:
            for slug in option.entitlement_types:
                names.setdefault(slug, "")
        for slug, name in names.items():
            row = SeatType.objects.filter(slug=slug).first()
            # An entitlement tells the slug alone.
            nameless = {} if row else {"name": slug.replace("-", " ").title()}
            self._keep(SeatType, row, slug, {"name": name} if name else nameless)

    def _keep_run_type(self, told: RunTypeOption, option: TypeOption) -> CourseRunType:
        row = self._find_run_type(told)
        slug = row.slug if row else _free_slug(CourseRunType, told.name)
        values = {"name": told.name, "is_marketable": told.is_marketable, "discovery_uuid": told.uuid}
        row = self._keep(CourseRunType, row, slug, values)
        has = set(row.links.values_list("track_id", flat=True))
        tracks = [_track(track) for track in _tracks_of(told, option)]
        for place, track in enumerate(tracks):
            if track.pk not in has:
                CourseRunTypeTrack.objects.create(run_type=row, track=track, place=len(has) + place)
                self._say(What.CHANGED, row, f"gets the track {track}")
        for link in row.links.exclude(track__in=tracks).select_related("track__mode", "track__seat_type"):
            self._say(What.KEPT, row, f"has the track {link.track}, which course-discovery does not know of")
        return row

    def _keep_course_type(self, told: TypeOption) -> CourseType:
        if len(told.entitlement_types) > 1:
            raise BrokenTypes(f"The course type “{told.name}” has several entitlements; a course can hold one.")
        row = _find_course_type(told, self.told.slugs)
        slug = row.slug if row else self.told.slugs.get(told.uuid) or _free_slug(CourseType, told.name)
        entitlement = SeatType.objects.filter(slug__in=told.entitlement_types).first()
        values: dict[str, Any] = {"name": told.name, "entitlement_type": entitlement, "discovery_uuid": told.uuid}
        if row is None:
            last = CourseType.objects.aggregate(last=Max("rank"))["last"]
            values["rank"] = 0 if last is None else last + 1
        row = self._keep(CourseType, row, slug, values)
        has = set(row.links.values_list("run_type_id", flat=True))
        run_types = [self._run_types[run_type.uuid] for run_type in told.run_types]
        for place, run_type in enumerate(run_types):
            if run_type.pk not in has:
                CourseTypeRunType.objects.create(course_type=row, run_type=run_type, place=len(has) + place)
                self._say(What.CHANGED, row, f"allows runs of the type {run_type}")
        for link in row.links.exclude(run_type__in=run_types).select_related("run_type"):
            self._say(What.KEPT, row, f"allows runs of the type {link.run_type}, which course-discovery does not")
        return row

    def _find_run_type(self, told: RunTypeOption) -> CourseRunType | None:
        known = CourseRunType.objects.filter(discovery_uuid=told.uuid).first()
        if known is not None:
            return known
        # One with a uuid that is told as well is another type; one with any other uuid is of a discovery of the past.
        others = [run_type.uuid for option in self.told.options for run_type in option.run_types]
        for row in CourseRunType.objects.filter(name=told.name).exclude(discovery_uuid__in=others).exclude(slug=EMPTY):
            if set(row.links.values_list("track__mode__slug", flat=True)) == set(told.modes):
                return row
        return None

    def _keep(self, model: type[Row], row: Row | None, slug: str, values: Mapping[str, Any]) -> Row:
        """Add a row, or write into it what differs."""
        if row is None:
            row = model(slug=slug, origin=TypeOrigin.IMPORTED, **values)
            row.save()
            self._say(What.ADDED, row)
            return row
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        if not differing:
            self.unchanged += 1
            return row
        told = [f"{name}: {getattr(row, name)!s} becomes {value!s}" for name, value in differing.items()]
        for name, value in differing.items():
            setattr(row, name, value)
        row.save()
        self._say(What.CHANGED, row, "; ".join(told))
        return row

    def _report_missing(self, seen: Sequence[int]) -> None:
        for course_type in CourseType.objects.exclude(pk__in=seen).exclude(slug=EMPTY).filter(is_retired=False):
            self._say(What.MISSING, course_type, "is here, and not in course-discovery")
        run_types = [row.pk for row in self._run_types.values()]
        for run_type in CourseRunType.objects.exclude(pk__in=run_types).exclude(slug=EMPTY).filter(is_retired=False):
            self._say(What.MISSING, run_type, "is here, and not in course-discovery")

    def _say(self, what: What, row: Mode | SeatType | CourseRunType | CourseType, text: str = "") -> None:
        self.lines.append(Line(what=what, kind=str(row._meta.verbose_name), slug=row.slug, text=text))


def _first_of_each(tracks: Iterable[TrackOption], *, key: Any) -> Iterator[TrackOption]:
    yield from {key(track): track for track in reversed(list(tracks))}.values()


def _find_course_type(told: TypeOption, slugs: Mapping[UUID, str]) -> CourseType | None:
    known = CourseType.objects.filter(discovery_uuid=told.uuid).first()
    if known is not None:
        return known
    if told.uuid in slugs:
        return CourseType.objects.filter(slug=slugs[told.uuid]).first()
    # No course has it, so nothing tells its slug.
    return CourseType.objects.filter(discovery_uuid=None, name=told.name).exclude(slug=EMPTY).first()


def _tracks_of(told: RunTypeOption, option: TypeOption) -> list[TrackOption]:
    """Return the tracks of a run type: of its course type's, those with its modes.

    Raises BrokenTypes when a mode is sold in two ways, and nothing tells in which one here, or has no track at all.
    """
    tracks = []
    for mode in told.modes:
        found = [track for track in option.tracks if track.mode.slug == mode]
        if len(found) != 1:
            raise BrokenTypes(
                f"The run type “{told.name}” has the mode {mode!r}, of which the course type “{option.name}” has "
                f"{len(found)} tracks: it cannot be told what sells it."
            )
        tracks += found
    return tracks


def _track(told: TrackOption) -> Track:
    mode = Mode.objects.get(slug=told.mode.slug)
    seat_type = SeatType.objects.get(slug=told.seat_type.slug) if told.seat_type else None
    key = seat_type.pk if seat_type else 0
    track, _ = Track.objects.get_or_create(mode=mode, seat_key=key, defaults={"seat_type": seat_type})
    return track


def _free_slug(model: type[CourseRunType] | type[CourseType], name: str) -> str:
    base = slugify(name)[:90] or "type"
    taken = set(model.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return next(slug for slug in (base, *numbered) if slug not in taken)

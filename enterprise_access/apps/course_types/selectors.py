"""Reads of types: all of them as one value, what courses and runs are meant for, and which modes follow from that."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db.models import CharField, QuerySet, UUIDField, Value

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.keys import fold_course_key
from enterprise_access.apps.course_types.domain.values import Mode, SeatType, Track
from enterprise_access.apps.course_types.errors import UnknownType, UntypedContent
from enterprise_access.apps.course_types.models import (
    CourseRunType,
    CourseRunTypeTrack,
    CourseTypeRunType,
    TypedCourse,
    TypedCourseRun,
)
from enterprise_access.apps.course_types.models import CourseType as CourseTypeRow
from enterprise_access.apps.course_types.models import Mode as ModeRow
from enterprise_access.apps.course_types.models import SeatType as SeatTypeRow
from enterprise_access.lib.keys import fold


def get_graph() -> TypeGraph:
    """Return all types as one value, in six statements however many there are. Raises BrokenTypes."""
    modes = {row.pk: row.as_value() for row in ModeRow.objects.all()}
    with_deadline = {mode.slug for mode in modes.values() if mode.has_upgrade_deadline}
    seat_types = {
        row.pk: SeatType(slug=row.slug, name=row.name, has_upgrade_deadline=row.slug in with_deadline)
        for row in SeatTypeRow.objects.all()
    }
    tracks = _tracks_by_run_type(modes, seat_types)
    run_type_rows = {row.pk: row for row in CourseRunType.objects.all()}
    run_types_of: dict[int, list[str]] = defaultdict(list)
    for link in CourseTypeRunType.objects.all():
        run_types_of[link.course_type_id].append(run_type_rows[link.run_type_id].slug)
    course_type_rows = CourseTypeRow.objects.select_related("entitlement_type")
    return TypeGraph.of(
        modes=modes.values(),
        seat_types=seat_types.values(),
        run_types=[row.as_value(tracks[row.pk]) for row in run_type_rows.values()],
        course_types=[row.as_value(run_types_of[row.pk]) for row in course_type_rows],
    )


def _tracks_by_run_type(modes: Mapping[int, Mode], seat_types: Mapping[int, SeatType]) -> dict[int, list[Track]]:
    tracks: dict[int, list[Track]] = defaultdict(list)
    for link in CourseRunTypeTrack.objects.select_related("track"):
        seat_type = link.track.seat_type_id
        tracks[link.run_type_id].append(
            Track(mode=modes[link.track.mode_id], seat_type=None if seat_type is None else seat_types[seat_type])
        )
    return tracks


def list_discovery_uuids() -> frozenset[UUID]:
    """Return course-discovery's uuids of the run types that are known here; none before the first import."""
    rows = CourseRunType.objects.exclude(discovery_uuid=None).values_list("discovery_uuid", flat=True)
    return frozenset(uuid for uuid in rows if uuid is not None)


# What courses and runs are meant for


def list_typed_courses() -> QuerySet[TypedCourse]:
    """Return the courses of which it is known what they are for, with their runs."""
    return TypedCourse.objects.select_related("course_type").prefetch_related("runs__run_type")


def get_typed_course(*, course_key: str) -> TypedCourse:
    """Return a course with its type, ignoring case. Raises MalformedKey and UntypedContent."""
    found = list_typed_courses().filter(course_key_folded=fold_course_key(course_key)).first()
    if found is None:
        raise UntypedContent(f"The course {course_key} has no type.", extra={"course_key": course_key})
    return found


def find_course_type(*, slug: str) -> CourseTypeRow:
    """Return a course type. Raises UnknownType."""
    row = CourseTypeRow.objects.filter(slug=slug).first()
    if row is None:
        raise _unknown("course type", slug)
    return row


def find_run_type(*, slug: str) -> CourseRunType:
    """Return a run type. Raises UnknownType."""
    row = CourseRunType.objects.filter(slug=slug).first()
    if row is None:
        raise _unknown("run type", slug)
    return row


def _unknown(kind: str, slug: str) -> UnknownType:
    return UnknownType(f"There is no {kind} {slug!r}.", extra={"kind": kind, "slug": slug})


# Which modes follow from types


@frozen(kw_only=True)
class ModesByType:
    """The LMS modes that runs should have by their types, by folded run key.

    `stated`: somebody has said here what the run is for. `in_catalog`: course-discovery's run type, which its uuid in
    the catalog names, is one of ours.
    """

    stated: Mapping[str, frozenset[str]]
    in_catalog: Mapping[str, frozenset[str]]


def list_modes_by_type(*, discovery_uuids: Mapping[str, UUID | None]) -> ModesByType:
    """Return the modes of runs, which are given by key with the uuid of their run type in the catalog, if any.

    In one statement. A run whose type is unknown, or means "not known yet", is absent.
    """
    uuids = {fold(key): uuid for key, uuid in discovery_uuids.items()}
    if not uuids:
        return ModesByType(stated={}, in_catalog={})
    runs = TypedCourseRun.objects.filter(run_key_folded__in=list(uuids)).order_by()
    types = CourseRunType.objects.filter(discovery_uuid__in={uuid for uuid in uuids.values() if uuid}).order_by()
    # Both at once: this is read for every page of a learner whose runs the LMS was not asked about yet.
    # Each in a column of its own: MySQL unites no texts of different collations.
    no_key, no_uuid = Value(None, output_field=CharField()), Value(None, output_field=UUIDField())
    rows = runs.values_list("run_key_folded", no_uuid, *(f"run_type__{path}" for path in _TRACK))
    found = _lms_modes(rows.union(types.values_list(no_key, "discovery_uuid", *_TRACK), all=True))
    stated = {key: found[key, None] for key in uuids if (key, None) in found}
    in_catalog = {key: found[None, uuid] for key, uuid in uuids.items() if (None, uuid) in found and key not in stated}
    return ModesByType(stated=stated, in_catalog=in_catalog)


# What of a track decides under which slug the LMS has its mode.
_TRACK: Final = (
    "links__track__mode__slug",
    "links__track__mode__certificate_type",
    "links__track__mode__is_id_verified",
    "links__track__seat_type__slug",
)


def _lms_modes(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[str | None, UUID | None], frozenset[str]]:
    """Return the LMS modes by what stands first in each row. A type without tracks says nothing."""
    found: dict[tuple[str | None, UUID | None], set[str]] = defaultdict(set)
    for run_key, uuid, mode, certificate_type, is_id_verified, seat_type in rows:
        if mode is not None:
            value = Mode(slug=mode, certificate_type=certificate_type, is_id_verified=is_id_verified)
            seat = None if seat_type is None else SeatType(slug=seat_type)
            found[run_key, uuid].add(Track(mode=value, seat_type=seat).lms_mode)
    return {key: frozenset(modes) for key, modes in found.items()}

"""Which of the catalog's records answer which key, and which catalogs contain it. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.content_metadata.domain import (
    NOT_YET_KNOWN,
    Course,
    CourseRun,
    NormalizedMetadata,
    Partner,
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
    course_key_of_run,
    resolve,
)
from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.apps.course_types.domain.modes import seat_deadline
from enterprise_access.lib.keys import fold
from enterprise_access.lib.rows import UnreadableRow
from enterprise_access.upstream.catalog.types import COURSE, COURSE_RUN, ContentRecord, RunMetadata, RunRecord

Records = Sequence[ContentRecord]


@frozen(kw_only=True)
class Attributed:
    """What was found under one key: the run or the reason why not, and the catalogs that contain the run."""

    resolution: Resolution
    catalogs: tuple[UUID, ...]


def attribute(
    folded_keys: Iterable[str], *, by_catalog: Mapping[UUID, Records], anywhere: Records
) -> dict[str, Attributed]:
    """Sort out the answers of bulk calls.

    A record belongs to a key when its own key, its parent's, or that of a run nested in it is that key.
    """
    shelf = _shelve([*(record for records in by_catalog.values() for record in records), *anywhere])
    runs_in = {uuid: _runs_in(records) for uuid, records in by_catalog.items()}
    return {key: _attribute(key, shelf, runs_in) for key in folded_keys}


def keys_without_course(folded_keys: Iterable[str], records: Records) -> list[str]:
    """Return the keys for which no record shows the course itself."""
    courses = [record for record in records if record.content_type == COURSE]
    shown = {fold(record.key) for record in courses}
    shown |= {fold(run.key) for record in courses for run in record.course_runs or ()}
    return sorted(set(folded_keys) - shown)


def runs_without_record(folded_keys: Iterable[str], records: Records) -> list[str]:
    """Return the keys of runs that neither their course nor a record of their own shows."""
    own = {fold(record.key) for record in records if record.content_type == COURSE_RUN}
    missing = keys_without_course(folded_keys, records)
    return [key for key in missing if key not in own and course_key_of_run(key) is not None]


def unknown_keys(found: Mapping[str, Attributed], unreadable: Iterable[UnreadableRow]) -> set[str]:
    """Return the keys that one of these records may answer.

    A run may be nested in the record of the course that its key spells out. A record that names no key may answer any
    key that no catalog was found to hold.
    """
    keys = [record.key if isinstance(record.key, frozenset) else frozenset() for record in unreadable]
    named = {fold(key) for each in keys for key in each}
    unknown = {key for key in found if named & {key, course_key_of_run(key) or key}}
    if not all(keys):
        unknown |= {key for key, attributed in found.items() if not attributed.catalogs}
    return unknown


@frozen(kw_only=True)
class _RunIndex:
    """Everything that was found: courses by their own key and by those of their runs, and bare run records by theirs.

    All keys are folded. `without_runs` are records of courses that do not say which runs they have, not even none.
    """

    courses: Mapping[str, Course]
    courses_of_runs: Mapping[str, Course]
    bare_runs: Mapping[str, ContentRecord]
    without_runs: Mapping[str, ContentRecord]

    def record_of(self, key: str) -> Course | CourseRun | None:
        course = self.courses.get(key) or self.courses_of_runs.get(key)
        if course is not None:
            return course
        bare = self.bare_runs.get(key)
        if bare is not None:
            course = self.courses.get(fold(bare.parent_key or ""))
        else:
            bare = self.without_runs.get(key) or self.without_runs.get(course_key_of_run(key) or "")
        if course is not None or bare is None:
            return course
        return CourseRun(key=bare.key, title=bare.title or "")


def _attribute(key: str, shelf: _RunIndex, runs_in: Mapping[UUID, frozenset[str]]) -> Attributed:
    resolution = _resolve(key, shelf)
    if not isinstance(resolution, Resolved):
        return Attributed(resolution=resolution, catalogs=())
    run_key = fold(resolution.run.key)
    return Attributed(resolution=resolution, catalogs=tuple(uuid for uuid, runs in runs_in.items() if run_key in runs))


def _resolve(key: str, shelf: _RunIndex) -> Resolution:
    try:
        return resolve(key, shelf.record_of(key))
    except MalformedContentKey:
        # No content can have it.
        return Unresolved(reason=UnresolvedReason.CONTENT_NOT_FOUND)


def _runs_in(records: Records) -> frozenset[str]:
    """Return the folded keys of the runs that a catalog contains: by records of their own, or through their courses.

    The catalog nests a restricted run in its course only where the catalog's own query allows that run.
    """
    own = {fold(record.key) for record in records if record.content_type == COURSE_RUN}
    return frozenset(own | {fold(run.key) for record in records for run in record.course_runs or ()})


def _shelve(records: Iterable[ContentRecord]) -> _RunIndex:
    """Sort records. Catalogs differ in the restricted runs that they show of a course: all are kept."""
    courses: dict[str, Course] = {}
    courses_of_runs: dict[str, Course] = {}
    bare_runs: dict[str, ContentRecord] = {}
    without_runs: dict[str, ContentRecord] = {}
    for record in records:
        key = fold(record.key)
        if record.content_type == COURSE_RUN:
            bare_runs.setdefault(key, record)
        if record.content_type == COURSE and record.course_runs is None:
            without_runs.setdefault(key, record)
        if record.content_type != COURSE or record.course_runs is None:
            continue
        known = courses.get(key)
        if known is None or any(fold(run.key) not in courses_of_runs for run in record.course_runs):
            courses[key] = course = _merged(known, as_course(record))
            courses_of_runs.update((fold(run.key), course) for run in course.runs)
    return _RunIndex(courses=courses, courses_of_runs=courses_of_runs, bare_runs=bare_runs, without_runs=without_runs)


def _merged(known: Course | None, other: Course) -> Course:
    if known is None:
        return other
    return evolve(
        known,
        runs=known.runs + tuple(run for run in other.runs if known.run_with_key(run.key) is None),
        normalized_metadata_by_run={**other.normalized_metadata_by_run, **known.normalized_metadata_by_run},
    )


def as_course(record: ContentRecord) -> Course:
    """Return a course record of the catalog as our value."""
    return Course(
        key=record.key,
        uuid=record.uuid,
        title=record.title or "",
        course_type=record.course_type,
        advertised_run=record.advertised_course_run_uuid if record.has_advertised_run_key else NOT_YET_KNOWN,
        runs=tuple(_as_run(run) for run in record.course_runs or ()),
        normalized_metadata_by_run={
            key: _as_metadata(metadata) for key, metadata in (record.normalized_metadata_by_run or {}).items()
        },
        partners=None
        if record.owners is None
        else tuple(
            Partner(name=owner.name, uuid=owner.uuid, logo_image_url=owner.logo_image_url) for owner in record.owners
        ),
    )


def _as_metadata(metadata: RunMetadata) -> NormalizedMetadata:
    return NormalizedMetadata(
        start_date=metadata.start_date,
        end_date=metadata.end_date,
        enroll_by_date=metadata.enroll_by_date,
        enroll_start_date=metadata.enroll_start_date,
        content_price=metadata.content_price,
    )


def _as_run(run: RunRecord) -> CourseRun:
    return CourseRun(
        key=run.key,
        uuid=run.uuid,
        title=run.title or "",
        status=run.status,
        starts_at=run.start,
        ends_at=run.end,
        enrollment_starts_at=run.enrollment_start,
        enrollment_ends_at=run.enrollment_end,
        has_dates=run.has_dates,
        is_enrollable_snapshot=run.is_enrollable,
        run_type_uuid=run.run_type,
        upgrade_deadlines={
            seat.type: seat_deadline(stored=seat.upgrade_deadline, override=seat.upgrade_deadline_override)
            for seat in run.seats or ()
        },
    )

"""Content as the rest of the service sees it: courses, their runs, and which run a key stands for."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Final
from uuid import UUID

from attrs import field, frozen
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey
from opaque_keys.edx.locator import CourseLocator

from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.lib.keys import fold, same_key

EXECUTIVE_EDUCATION: Final = "executive-education-2u"
PUBLISHED: Final = "published"
MAX_KEY_LENGTH: Final = 255

_RUN_KEY_PREFIX: Final = "course-v1:"
_COURSE_KEY: Final = re.compile(r"[\w\-~.]+\+[\w\-~.]+")


class ContentType(StrEnum):
    """What a content key names."""

    COURSE = "course"
    COURSE_RUN = "course_run"


class NotYetKnown(Enum):
    """The type of NOT_YET_KNOWN: the catalog's record lacks the field, because it is not fully synced."""

    NOT_YET_KNOWN = "not_yet_known"


NOT_YET_KNOWN: Final = NotYetKnown.NOT_YET_KNOWN


@frozen(kw_only=True)
class CourseRun:
    """One run of a course. Instants are aware UTC; None is no limit.

    `has_dates` says whether the record carried the keys of the enrollment window at all: when it did not,
    `is_enrollable_snapshot` (the catalog's flag as of its last sync; None = not given) is all there is.
    `upgrade_deadlines` is mode to effective deadline of its seat; a mode without a seat is absent.
    `run_type_uuid` names course-discovery's type of the run.
    """

    key: str
    uuid: UUID | None = None
    title: str = ""
    status: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    enrollment_starts_at: datetime | None = None
    enrollment_ends_at: datetime | None = None
    has_dates: bool = True
    is_enrollable_snapshot: bool | None = None
    upgrade_deadlines: Mapping[str, datetime | None] = field(factory=dict)
    run_type_uuid: UUID | None = None

    @property
    def is_published(self) -> bool:
        """Whether learners may see the run."""
        return self.status == PUBLISHED

    @property
    def modes_from_seats(self) -> frozenset[str]:
        """The modes that are sold: weaker evidence than the LMS's answer, as a mode without a product is not there."""
        return frozenset(self.upgrade_deadlines)


@frozen(kw_only=True)
class NormalizedMetadata:
    """What the catalog computed for one run, in its own words; a price of 0.0 also means "unknown"."""

    start_date: datetime | None = None
    end_date: datetime | None = None
    enroll_by_date: datetime | None = None
    enroll_start_date: datetime | None = None
    content_price: float = 0.0


@frozen(kw_only=True)
class Partner:
    """An organization that offers a course."""

    name: str
    uuid: UUID | None = None
    logo_image_url: str | None = None


@frozen(kw_only=True)
class Course:
    """A course with the runs that the catalog's record nests.

    `advertised_run` is the uuid of a run, None when none is advertised, or NOT_YET_KNOWN when the record does not say.
    `normalized_metadata_by_run` describes every run by its key. `partners` is None when the record does not say who
    offers the course.
    """

    key: str
    uuid: UUID | None = None
    title: str = ""
    course_type: str | None = None
    advertised_run: UUID | NotYetKnown | None = NOT_YET_KNOWN
    runs: tuple[CourseRun, ...] = ()
    normalized_metadata_by_run: Mapping[str, NormalizedMetadata] = field(factory=dict)
    partners: tuple[Partner, ...] | None = None

    @property
    def is_executive_education(self) -> bool:
        """Whether enrolling needs input that only the learner can give."""
        return self.course_type == EXECUTIVE_EDUCATION

    @property
    def run_keys(self) -> frozenset[str]:
        """The keys of the current runs, in the catalog's spelling."""
        return frozenset(run.key for run in self.runs)

    def run_with_key(self, course_run_key: str) -> CourseRun | None:
        """Return the nested run with this key, ignoring case."""
        return next((run for run in self.runs if same_key(run.key, course_run_key)), None)

    def run_with_uuid(self, uuid: UUID) -> CourseRun | None:
        """Return the nested run with this uuid."""
        return next((run for run in self.runs if run.uuid == uuid), None)

    def metadata_of(self, course_run_key: str) -> NormalizedMetadata | None:
        """Return what the catalog computed for this run, or None when it computed nothing."""
        by_run = self.normalized_metadata_by_run.items()
        return next((metadata for key, metadata in by_run if same_key(key, course_run_key)), None)


class UnresolvedReason(StrEnum):
    """Why a content key stands for no run."""

    CONTENT_NOT_FOUND = "content_not_found"
    NO_ADVERTISED_RUN = "no_advertised_run"
    RUN_NOT_FOUND = "run_not_found"
    CONTENT_NOT_READY = "content_not_ready"
    CATALOG_UNAVAILABLE = "catalog_unavailable"


@frozen(kw_only=True)
class Resolved:
    """The run that a content key stands for."""

    course: Course
    run: CourseRun


@frozen(kw_only=True)
class Unresolved:
    """No run, and why. `course` is what is known of the course all the same."""

    reason: UnresolvedReason
    course: Course | None = None


Resolution = Resolved | Unresolved

# What the catalog has under a key. A CourseRun is a bare run record whose course is not to be had; None = nothing.
CatalogRecord = Course | CourseRun | None


def content_type_of(content_key: str) -> ContentType:
    """Say what a key names, by its form alone.

    Raises MalformedContentKey when it is neither `edX+DemoX` nor `course-v1:edX+DemoX+2026_T1`.
    """
    folded = fold(content_key)
    if len(folded) > MAX_KEY_LENGTH:
        raise MalformedContentKey(f"A content key has at most {MAX_KEY_LENGTH} characters.")
    # A key with an "@" names a branch, a version or a block of a run; no one enrolls in those, or can be asked for one.
    if folded.startswith(_RUN_KEY_PREFIX) and "@" not in folded and course_key_of_run(folded) is not None:
        return ContentType.COURSE_RUN
    if _COURSE_KEY.fullmatch(folded):
        return ContentType.COURSE
    # In an address a raw plus sign is a space.
    hint = " Write a plus sign as %2B in an address." if " " in content_key.strip() else ""
    raise MalformedContentKey(
        f"“{content_key.strip()}” is neither a course key (edX+DemoX) nor a run key (course-v1:edX+DemoX+2026_T1)."
        + hint
    )


@lru_cache(maxsize=4096)
def course_key_of_run(course_run_key: str) -> str | None:
    """Return the course key (folded) that a run key spells out, or None when it does not parse.

    The one place where a run key is taken apart. A library, and a coach's copy of a course (CCX, ADR 0021), are course
    keys to the parser, and runs of no course here.
    """
    try:
        key = CourseKey.from_string(fold(course_run_key))
    except InvalidKeyError:
        return None
    return f"{key.org}+{key.course}" if type(key) is CourseLocator else None


def resolve(content_key: str, record: CatalogRecord) -> Resolution:
    """Return the run that a key stands for, given the catalog's record for it, or why there is none.

    A run key stands for that run whatever is advertised; a course key for the advertised run and never another one.
    A catalog that could not be asked gives no record to pass: that is Unresolved with CATALOG_UNAVAILABLE.

    Raises MalformedContentKey.
    """
    content_type = content_type_of(content_key)
    if record is None:
        return Unresolved(reason=UnresolvedReason.CONTENT_NOT_FOUND)
    if isinstance(record, CourseRun):
        # A bare run record says neither what is advertised nor what type of course it is.
        return Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY)
    if content_type is ContentType.COURSE_RUN:
        return _resolve_run(content_key, record)
    return _resolve_course(content_key, record)


def _resolve_run(course_run_key: str, course: Course) -> Resolution:
    run = course.run_with_key(course_run_key)
    if run is None:
        return Unresolved(reason=UnresolvedReason.RUN_NOT_FOUND, course=course)
    return _ready(course, run)


def _resolve_course(course_key: str, course: Course) -> Resolution:
    if not same_key(course.key, course_key):
        return Unresolved(reason=UnresolvedReason.CONTENT_NOT_FOUND)
    if isinstance(course.advertised_run, NotYetKnown):
        return Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY, course=course)
    run = None if course.advertised_run is None else course.run_with_uuid(course.advertised_run)
    if run is None:
        return Unresolved(reason=UnresolvedReason.NO_ADVERTISED_RUN, course=course)
    return _ready(course, run)


def _ready(course: Course, run: CourseRun) -> Resolution:
    # Unknown is not "no": without status or type, "not published" and "no executive education" would be guesses.
    if run.status is None or course.course_type is None:
        return Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY, course=course)
    return Resolved(course=course, run=run)

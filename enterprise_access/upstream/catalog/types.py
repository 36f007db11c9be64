"""What enterprise-catalog tells us, as values. Of records of 8 kB each, only what we use is kept.

A member that is missing from a record means "not synced yet", which is not the same as null: `has_...` tells them
apart, and so does None for a whole list that is missing.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import (
    Fields,
    ShapeError,
    field,
    instant,
    items,
    mapping,
    object_reader,
    reader,
    text,
    uuid,
)

COURSE = "course"
COURSE_RUN = "courserun"
PROGRAM = "program"
_RUN_PREFIX = "course-v1:"
_DATE_KEYS = ("start", "end", "enrollment_start", "enrollment_end")


@attrs.frozen(kw_only=True)
class Catalog:
    """A catalog of a customer. Nothing else of it is used, so nothing else can make its row unreadable."""

    uuid: UUID
    customer_uuid: UUID = field("enterprise_customer")


@attrs.frozen
class Seat:
    """A mode in which a run can be bought, and until when."""

    type: str
    upgrade_deadline: datetime | None
    upgrade_deadline_override: datetime | None = None


@attrs.frozen
class RunMetadata:
    """Dates and price of one run, as the catalog puts them together. A price of 0.0 is also "unknown"."""

    start_date: datetime | None
    end_date: datetime | None
    enroll_start_date: datetime | None
    enroll_by_date: datetime | None
    content_price: float


@attrs.frozen(kw_only=True)
class RunRecord:
    """A run, nested in its course or as a record of its own.

    `uuid`, `status`, `seats` and `run_type` are None where the record lacks them; `is_enrollable` is a snapshot of the
    last sync that looks at the enrollment window only; `has_dates` says whether all four dates were named.
    A record of its own is flatter: no status, no uuid and no seats.
    """

    key: str
    uuid: UUID | None = None
    title: str | None = None
    status: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    enrollment_start: datetime | None = None
    enrollment_end: datetime | None = None
    is_enrollable: bool | None = None
    seats: tuple[Seat, ...] | None = None
    run_type: UUID | None = None
    has_dates: bool = False


@attrs.frozen(kw_only=True)
class Owner:
    """An organization that offers a course. The record may lack its uuid."""

    name: str
    uuid: UUID | None = None
    logo_image_url: str | None = None


def _owners_or_none(value: object) -> tuple[Owner, ...] | None:
    """Read the organizations; None: not known, or none can be read. One of several that cannot be read is left out."""
    if not isinstance(value, list):
        return None
    found = []
    for row in value:
        try:
            found.append(_read_owner(row))
        except ShapeError:
            continue
    return tuple(found) if found or not value else None


_read_owner = object_reader(Owner)


@attrs.frozen(kw_only=True)
class ContentRecord:
    """A course, a run or a program.

    `run` is set for records of runs, `course_runs` for courses (None: missing from the record). A program's key is its
    uuid. `has_advertised_run_key`: whether the record names its advertised run at all, be it as null.
    """

    content_type: str = ""
    key: str = ""
    uuid: UUID | None = None
    parent_key: str | None = field("parent_content_key", default=None)
    title: str | None = None
    course_type: str | None = None
    has_advertised_run_key: bool = False
    advertised_course_run_uuid: UUID | None = None
    course_runs: tuple[RunRecord, ...] | None = None
    run: RunRecord | None = None
    normalized_metadata_by_run: Mapping[str, RunMetadata] | None = None
    owners: tuple[Owner, ...] | None = field("owners", read=_owners_or_none, default=None)


@attrs.frozen(kw_only=True)
class Containment:
    """Whether any of the keys asked for is in a catalog of the customer, and in which; not which key is in which.

    `catalog_uuids` is None when the question was not asked.
    """

    is_contained: bool = field("contains_content_items")
    catalog_uuids: tuple[UUID, ...] | None = field("catalog_list", default=None)


@attrs.frozen
class SearchKey:
    """A key for the search engine, limited to what one learner may see."""

    secured_api_key: str = attrs.field(repr=False)
    valid_until: datetime
    query_uuids_by_catalog: Mapping[UUID, UUID]


def _read_run(value: object) -> RunRecord:
    run: RunRecord = reader(RunRecord)(value)
    return attrs.evolve(run, has_dates=Fields(value).has(*_DATE_KEYS))


def _none(_: object) -> None:
    return None


_read_course = object_reader(ContentRecord, course_runs=items(_read_run), run=_none)
_read_other = object_reader(ContentRecord, course_runs=_none, run=_none)


def read_content(value: object) -> ContentRecord:
    """Read a course, run or program."""
    row = Fields(value)
    # A restricted run's own record comes without its type.
    is_bare_run = not row.has("content_type") and row.need("key", text).startswith(_RUN_PREFIX)
    content_type = COURSE_RUN if is_bare_run else row.need("content_type", text)
    record: ContentRecord = (_read_course if content_type == COURSE else _read_other)(value)
    return attrs.evolve(
        record,
        content_type=content_type,
        key=str(row.need("uuid", uuid)) if content_type == PROGRAM else row.need("key", text),
        has_advertised_run_key=row.has("advertised_course_run_uuid"),
        run=_read_run(value) if content_type == COURSE_RUN else None,
    )


def keys_of_content(value: object) -> frozenset[str]:
    """Read every key that a record may answer: its own, its course's, and those of the runs nested in it."""
    row = Fields(value)
    runs = row.raw.get("course_runs")
    found = [row.raw.get("key"), row.raw.get("parent_content_key"), row.raw.get("aggregation_key")]
    found += [run.get("key") for run in runs if isinstance(run, dict)] if isinstance(runs, list) else []
    return frozenset(key.removeprefix("course:").removeprefix("courserun:") for key in found if isinstance(key, str))


def read_containment_with_catalogs(value: object) -> Containment:
    """Read whether, and in which catalogs."""
    Fields(value).need("catalog_list", items(uuid))
    return reader(Containment)(value)


def read_filtered_keys(value: object) -> frozenset[str]:
    return frozenset(Fields(value).need("filtered_content_keys", items(text)))


def read_search_key(value: object) -> SearchKey:
    body = Fields(value)
    algolia = body.part("algolia")
    return SearchKey(
        secured_api_key=algolia.need("secured_api_key", text),
        valid_until=algolia.need("valid_until", instant),
        query_uuids_by_catalog=body.need("catalog_uuids_to_catalog_query_uuids", mapping(uuid, uuid)),
    )

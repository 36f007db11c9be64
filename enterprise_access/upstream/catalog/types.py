"""What enterprise-catalog tells us, as values. Of records of 8 kB each, only what we use is kept.

A member that is missing from a record means "not synced yet", which is not the same as null: `has_...` tells them
apart, and so does None for a whole list that is missing.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, flag, instant, items, mapping, number, text, uuid

COURSE = "course"
COURSE_RUN = "courserun"
PROGRAM = "program"
_DATE_KEYS = ("start", "end", "enrollment_start", "enrollment_end")


@attrs.frozen
class Catalog:
    """A catalog of a customer."""

    uuid: UUID
    title: str
    customer_uuid: UUID
    modified_at: datetime
    content_modified_at: datetime | None


@attrs.frozen
class Seat:
    """A mode in which a run can be bought, and until when."""

    type: str
    upgrade_deadline: datetime | None
    upgrade_deadline_override: datetime | None


@attrs.frozen
class RunMetadata:
    """Dates and price of one run, as the catalog puts them together. A price of 0.0 is also "unknown"."""

    start_date: datetime | None
    end_date: datetime | None
    enroll_start_date: datetime | None
    enroll_by_date: datetime | None
    content_price: float


@attrs.frozen
class RunRecord:
    """A run, nested in its course or as a record of its own.

    `uuid`, `status`, `seats` and `run_type` are None where the record lacks them; `is_enrollable` is a snapshot of the
    last sync that looks at the enrollment window only; `has_dates` says whether all four dates were named.
    """

    key: str
    uuid: UUID | None
    title: str | None
    status: str | None
    is_published: bool | None
    start: datetime | None
    end: datetime | None
    enrollment_start: datetime | None
    enrollment_end: datetime | None
    has_dates: bool
    is_enrollable: bool | None
    seats: tuple[Seat, ...] | None
    restriction_type: str | None
    run_type: UUID | None
    type: str | None
    pacing_type: str | None


@attrs.frozen
class ContentRecord:
    """A course, a run or a program.

    `run` is set for records of runs, `course_runs` for courses (None: missing from the record). A program's key is its
    uuid. `has_advertised_run_key`: whether the record names its advertised run at all, be it as null.
    """

    content_type: str
    key: str
    uuid: UUID | None
    parent_key: str | None
    title: str | None
    course_type: str | None
    has_advertised_run_key: bool
    advertised_course_run_uuid: UUID | None
    course_runs: tuple[RunRecord, ...] | None
    run: RunRecord | None
    normalized_metadata: RunMetadata | None
    normalized_metadata_by_run: Mapping[str, RunMetadata] | None
    product_source_slug: str | None


@attrs.frozen
class Containment:
    """Whether any of the keys asked for is in a catalog of the customer, and in which; not which key is in which.

    `catalog_uuids` is None when the question was not asked.
    """

    is_contained: bool
    catalog_uuids: tuple[UUID, ...] | None


@attrs.frozen
class SearchKey:
    """A key for the search engine, limited to what one learner may see."""

    secured_api_key: str = attrs.field(repr=False)
    valid_until: datetime
    query_uuids_by_catalog: Mapping[UUID, UUID]


def read_catalog(value: object) -> Catalog:
    row = Fields(value)
    return Catalog(
        uuid=row.need("uuid", uuid),
        title=row.need("title", text),
        customer_uuid=row.need("enterprise_customer", uuid),
        modified_at=row.need("catalog_modified", instant),
        content_modified_at=row.nullable("content_last_modified", instant),
    )


def _read_seat(value: object) -> Seat:
    row = Fields(value)
    return Seat(
        type=row.need("type", text),
        upgrade_deadline=row.nullable("upgrade_deadline", instant),
        upgrade_deadline_override=row.optional("upgrade_deadline_override", instant),
    )


def _read_metadata(value: object) -> RunMetadata:
    row = Fields(value)
    return RunMetadata(
        start_date=row.nullable("start_date", instant),
        end_date=row.nullable("end_date", instant),
        enroll_start_date=row.nullable("enroll_start_date", instant),
        enroll_by_date=row.nullable("enroll_by_date", instant),
        content_price=row.need("content_price", number),
    )


def _read_run(value: object) -> RunRecord:
    """Read a run that is nested in its course."""
    row = Fields(value)
    status = row.optional("status", text)
    return RunRecord(
        key=row.need("key", text),
        uuid=row.optional("uuid", uuid),
        title=row.optional("title", text),
        status=status,
        is_published=None if status is None else status == "published",
        start=row.optional("start", instant),
        end=row.optional("end", instant),
        enrollment_start=row.optional("enrollment_start", instant),
        enrollment_end=row.optional("enrollment_end", instant),
        has_dates=row.has(*_DATE_KEYS),
        is_enrollable=row.optional("is_enrollable", flag),
        seats=row.optional("seats", items(_read_seat)),
        restriction_type=row.optional("restriction_type", text),
        run_type=row.optional("run_type", uuid),
        type=row.optional("type", text),
        pacing_type=row.optional("pacing_type", text),
    )


def _read_own_run(value: object) -> RunRecord:
    """Read a record of a run: flatter, `published` instead of `status`, no uuid and no seats."""
    published = Fields(value).optional("published", flag)
    return attrs.evolve(_read_run(value), is_published=published)


def read_content(value: object) -> ContentRecord:
    """Read a course, run or program."""
    row = Fields(value)
    content_type = row.need("content_type", text)
    own_uuid = row.need("uuid", uuid) if content_type == PROGRAM else row.optional("uuid", uuid)
    by_run = mapping(text, _read_metadata)
    return ContentRecord(
        content_type=content_type,
        key=str(own_uuid) if content_type == PROGRAM else row.need("key", text),
        uuid=own_uuid,
        parent_key=row.nullable("parent_content_key", text),
        title=row.optional("title", text),
        course_type=row.optional("course_type", text),
        has_advertised_run_key=row.has("advertised_course_run_uuid"),
        advertised_course_run_uuid=row.optional("advertised_course_run_uuid", uuid),
        course_runs=row.optional("course_runs", items(_read_run)) if content_type == COURSE else None,
        run=_read_own_run(value) if content_type == COURSE_RUN else None,
        normalized_metadata=row.optional("normalized_metadata", _read_metadata),
        normalized_metadata_by_run=row.optional("normalized_metadata_by_run", by_run),
        product_source_slug=row.optional("product_source", _slug_or_none),
    )


def _slug_or_none(value: object) -> str | None:
    return Fields(value).optional("slug", text)


def read_containment(value: object) -> Containment:
    """Read whether, and nothing more."""
    return Containment(is_contained=Fields(value).need("contains_content_items", flag), catalog_uuids=None)


def read_containment_with_catalogs(value: object) -> Containment:
    """Read whether, and in which catalogs."""
    return attrs.evolve(read_containment(value), catalog_uuids=Fields(value).need("catalog_list", items(uuid)))


def read_filtered_keys(value: object) -> frozenset[str]:
    return frozenset(Fields(value).need("filtered_content_keys", items(text)))


def read_search_key(value: object) -> SearchKey:
    body = Fields(value)
    algolia = body.part("algolia")
    queries = body.need("catalog_uuids_to_catalog_query_uuids", mapping(_catalog_uuid, uuid))
    return SearchKey(
        secured_api_key=algolia.need("secured_api_key", text),
        valid_until=algolia.need("valid_until", instant),
        query_uuids_by_catalog={UUID(catalog): query for catalog, query in queries.items()},
    )


def _catalog_uuid(key: object) -> str:
    return str(uuid(key))

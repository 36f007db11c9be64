"""What course-discovery answers, as values."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, flag, instant, items, text, uuid


@attrs.frozen
class ModeOption:
    """An LMS mode as discovery describes it. `certificate_type` and `payee` are empty where there is none."""

    slug: str
    name: str
    is_id_verified: bool
    is_credit_eligible: bool
    certificate_type: str
    payee: str


@attrs.frozen
class SeatTypeOption:
    """What ecommerce sells."""

    slug: str
    name: str


@attrs.frozen
class TrackOption:
    """A mode, and what sells it; None = a mode without a product."""

    mode: ModeOption
    seat_type: SeatTypeOption | None


@attrs.frozen
class RunTypeOption:
    """A type that runs may have. Its slug is told nowhere; nor which tracks it has, but by their modes."""

    uuid: UUID
    name: str
    is_marketable: bool
    modes: tuple[str, ...]


@attrs.frozen
class TypeOption:
    """A type that courses may have. `tracks` are those of all its run types together. Its slug is not told."""

    uuid: UUID
    name: str
    entitlement_types: tuple[str, ...]
    run_types: tuple[RunTypeOption, ...]
    tracks: tuple[TrackOption, ...]


@attrs.frozen
class SeatRecord:
    """A seat of a run."""

    type: str
    upgrade_deadline: datetime | None
    upgrade_deadline_override: datetime | None


@attrs.frozen
class RunRecord:
    """A run of a course. `run_type` names the type by discovery's uuid."""

    key: str
    run_type: UUID | None
    status: str | None
    end: datetime | None
    seats: tuple[SeatRecord, ...]


@attrs.frozen
class CourseRecord:
    """A course. `type` names its type by discovery's uuid, `course_type` by its slug: nothing else tells the slug."""

    key: str
    uuid: UUID
    type: UUID | None
    course_type: str | None
    entitlements: tuple[str, ...]
    runs: tuple[RunRecord, ...]


def read_type_options(value: object) -> tuple[TypeOption, ...] | None:
    """Read what may be put into the type of a course; None when the caller may not change the course."""
    actions = Fields(value).optional("actions", Fields)
    changes = actions.optional("PUT", Fields) if actions else None
    return None if changes is None else changes.part("type").need("type_options", items(_read_type))


def _read_type(value: object) -> TypeOption:
    row = Fields(value)
    return TypeOption(
        uuid=row.need("uuid", uuid),
        name=row.need("name", text),
        entitlement_types=row.need("entitlement_types", items(text)),
        run_types=row.need("course_run_types", items(_read_run_type)),
        tracks=row.need("tracks", items(_read_track)),
    )


def _read_run_type(value: object) -> RunTypeOption:
    row = Fields(value)
    return RunTypeOption(
        uuid=row.need("uuid", uuid),
        name=row.need("name", text),
        is_marketable=row.need("is_marketable", flag),
        modes=row.need("modes", items(text)),
    )


def _read_track(value: object) -> TrackOption:
    row = Fields(value)
    return TrackOption(mode=row.need("mode", _read_mode), seat_type=row.nullable("seat_type", _read_seat_type))


def _read_mode(value: object) -> ModeOption:
    row = Fields(value)
    return ModeOption(
        slug=row.need("slug", text),
        name=row.need("name", text),
        is_id_verified=row.need("is_id_verified", flag),
        is_credit_eligible=row.need("is_credit_eligible", flag),
        certificate_type=row.nullable("certificate_type", text) or "",
        payee=row.nullable("payee", text) or "",
    )


def _read_seat_type(value: object) -> SeatTypeOption:
    row = Fields(value)
    return SeatTypeOption(slug=row.need("slug", text), name=row.need("name", text))


def read_course(value: object) -> CourseRecord:
    """Read a course with its runs."""
    row = Fields(value)
    return CourseRecord(
        key=row.need("key", text),
        uuid=row.need("uuid", uuid),
        type=row.nullable("type", uuid),
        course_type=row.nullable("course_type", text),
        entitlements=row.need("entitlements", items(_read_entitlement)),
        runs=row.need("course_runs", items(_read_run)),
    )


def _read_entitlement(value: object) -> str:
    return Fields(value).need("mode", text)


def _read_run(value: object) -> RunRecord:
    row = Fields(value)
    return RunRecord(
        key=row.need("key", text),
        run_type=row.nullable("run_type", uuid),
        status=row.optional("status", text),
        end=row.optional("end", instant),
        seats=row.need("seats", items(_read_seat)),
    )


def _read_seat(value: object) -> SeatRecord:
    row = Fields(value)
    return SeatRecord(
        type=row.need("type", text),
        upgrade_deadline=row.optional("upgrade_deadline", instant),
        upgrade_deadline_override=row.optional("upgrade_deadline_override", instant),
    )

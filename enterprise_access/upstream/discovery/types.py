"""What course-discovery answers, as values."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, field, items, reader, text


@attrs.frozen
class ModeOption:
    """An LMS mode as discovery describes it. `certificate_type` and `payee` are empty where there is none."""

    slug: str
    name: str
    is_id_verified: bool
    is_credit_eligible: bool
    certificate_type: str = ""
    payee: str = ""


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


@attrs.frozen(kw_only=True)
class TypeOption:
    """A type that courses may have. `tracks` are those of all its run types together. Its slug is not told."""

    uuid: UUID
    name: str
    entitlement_types: tuple[str, ...]
    run_types: tuple[RunTypeOption, ...] = field("course_run_types")
    tracks: tuple[TrackOption, ...]


@attrs.frozen(kw_only=True)
class SeatRecord:
    """A seat of a run."""

    type: str
    upgrade_deadline: datetime | None = None
    upgrade_deadline_override: datetime | None = None


@attrs.frozen(kw_only=True)
class CourseRunRecord:
    """A run of a course. `run_type` names the type by discovery's uuid."""

    key: str
    run_type: UUID | None
    status: str | None = None
    end: datetime | None = None
    seats: tuple[SeatRecord, ...]


def _mode_of_entitlement(value: object) -> str:
    return Fields(value).need("mode", text)


@attrs.frozen(kw_only=True)
class CourseRecord:
    """A course. `type` names its type by discovery's uuid, `course_type` by its slug: nothing else tells the slug."""

    key: str
    uuid: UUID
    type: UUID | None
    course_type: str | None
    entitlements: tuple[str, ...] = field(read=items(_mode_of_entitlement))
    runs: tuple[CourseRunRecord, ...] = field("course_runs")


def read_type_options(value: object) -> tuple[TypeOption, ...] | None:
    """Read what may be put into the type of a course; None when the caller may not change the course."""
    actions = Fields(value).optional("actions", Fields)
    changes = actions.optional("PUT", Fields) if actions else None
    return None if changes is None else changes.part("type").need("type_options", items(reader(TypeOption)))


def key_of_course(value: object) -> str:
    return Fields(value).need("key", text)

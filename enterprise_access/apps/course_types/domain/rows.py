"""Reading all types from rows, as data/course-types.json has them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import evolve

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.modes import AUDIT_LIKE, VERIFIED, WANTED_MODE_ORDER
from enterprise_access.apps.course_types.domain.values import CourseType, Mode, RunType, SeatType, Track
from enterprise_access.apps.course_types.errors import BrokenTypes

Rows = Mapping[str, Any]
T = TypeVar("T")


_UNREAD: Final = frozenset({"migration"})


class _Row:
    """One row, and its place for messages. Every member that no one reads is one that no one meant."""

    def __init__(self, raw: Any, where: str) -> None:
        self.where = where
        if not isinstance(raw, Mapping):
            raise BrokenTypes(f"{where} is not an object.")
        self._raw = raw
        self._read: set[str] = set(_UNREAD)

    def text(self, member: str) -> str:
        return self._get(member, str, "a text")

    def text_or_none(self, member: str) -> str | None:
        self._read.add(member)
        return None if self._raw.get(member, "") is None else self.text(member)

    def boolean(self, member: str, *, default: bool | None = None) -> bool:
        return self._get(member, bool, "true or false", default)

    def number_or_none(self, member: str, *, default: int | None) -> int | None:
        self._read.add(member)
        value = self._raw.get(member, default)
        if value is not None and type(value) is not int:
            raise BrokenTypes(f"{self.where}: {member} is not a whole number.")
        return value

    def list_of(self, member: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
        values = self._get(member, list, "a list")
        return tuple(read(value, f"{self.where}: {member}[{place}]") for place, value in enumerate(values))

    def done(self) -> None:
        """Raise BrokenTypes when the row says something that was not read."""
        unread = sorted(set(self._raw) - self._read)
        if unread:
            raise BrokenTypes(f"{self.where} has the unknown members {', '.join(unread)}.")

    def _get(self, member: str, kind: type[T], kind_name: str, default: T | None = None) -> T:
        self._read.add(member)
        if member not in self._raw and default is not None:
            return default
        if member not in self._raw:
            raise BrokenTypes(f"{self.where} has no {member}.")
        value = self._raw[member]
        if not isinstance(value, kind):
            raise BrokenTypes(f"{self.where}: {member} is not {kind_name}.")
        return value


def read_graph(*sources: Rows) -> TypeGraph:
    """Return the graph of rows as they are packaged (see data/course-types.json), of all sources together.

    Raises BrokenTypes for what is missing, unknown, of another kind, or impossible.
    """
    return _RowReader(sources).graph()


class _RowReader:
    """Reads the rows of several sources as if they were one: a later source may build on what an earlier one has."""

    def __init__(self, sources: Sequence[Rows]) -> None:
        self._sources = sources
        self._modes: dict[str, Mode] = {}
        self._seat_types: dict[str, SeatType] = {}

    def graph(self) -> TypeGraph:
        modes = self._all("modes", _mode)
        self._modes = {mode.slug: mode for mode in modes}
        seat_types = self._all("seat_types", self._seat_type)
        self._seat_types = {seat_type.slug: seat_type for seat_type in seat_types}
        run_types = self._all("course_run_types", self._run_type)
        course_types = self._all("course_types", _course_type)
        ranked = [evolve(course_type, rank=place) for place, course_type in enumerate(course_types)]
        return TypeGraph.of(modes=modes, seat_types=seat_types, run_types=run_types, course_types=ranked)

    def _all(self, section: str, read: Callable[[_Row], T]) -> list[T]:
        return [_read_row(raw, where, read) for raw, where in self._rows(section)]

    def _rows(self, section: str) -> Iterator[tuple[Any, str]]:
        for source in self._sources:
            rows = source.get(section) if isinstance(source, Mapping) else None
            if not isinstance(rows, list):
                raise BrokenTypes(f"There is no list of {section}.")
            yield from ((raw, f"{section}[{place}]") for place, raw in enumerate(rows))

    def _seat_type(self, row: _Row) -> SeatType:
        slug = row.text("slug")
        mode = self._modes.get(slug)
        return SeatType(slug=slug, name=row.text("name"), has_upgrade_deadline=bool(mode and mode.has_upgrade_deadline))

    def _run_type(self, row: _Row) -> RunType:
        return RunType(
            slug=row.text("slug"),
            name=row.text("name"),
            is_marketable=row.boolean("is_marketable"),
            is_retired=row.boolean("retired", default=False),
            tracks=row.list_of("tracks", lambda raw, where: _read_row(raw, where, self._track)),
        )

    def _track(self, row: _Row) -> Track:
        seat_type = row.text_or_none("seat_type")
        return Track(
            mode=self._referred(row, self._modes, row.text("mode"), "mode"),
            seat_type=None if seat_type is None else self._referred(row, self._seat_types, seat_type, "seat type"),
        )

    @staticmethod
    def _referred(row: _Row, values: Mapping[str, T], slug: str, kind: str) -> T:
        if slug not in values:
            raise BrokenTypes(f"{row.where} names the {kind} {slug!r}, which there is not.")
        return values[slug]


def _read_row(raw: Any, where: str, read: Callable[[_Row], T]) -> T:
    row = _Row(raw, where)
    value = read(row)
    row.done()
    return value


def _mode(row: _Row) -> Mode:
    slug = row.text("slug")
    rank = (WANTED_MODE_ORDER.index(slug) + 1) * 10 if slug in WANTED_MODE_ORDER else None
    return Mode(
        slug=slug,
        name=row.text("name"),
        is_id_verified=row.boolean("is_id_verified"),
        is_credit_eligible=row.boolean("is_credit_eligible"),
        certificate_type=row.text("certificate_type"),
        payee=row.text("payee"),
        is_audit=row.boolean("is_audit", default=slug in AUDIT_LIKE),
        enroll_rank=row.number_or_none("enroll_rank", default=rank),
        has_upgrade_deadline=row.boolean("has_upgrade_deadline", default=slug == VERIFIED),
    )


def _course_type(row: _Row) -> CourseType:
    return CourseType(
        slug=row.text("slug"),
        name=row.text("name"),
        entitlement_types=row.list_of("entitlement_types", _text),
        run_types=row.list_of("course_run_types", _text),
        org_allow_list=row.list_of("white_listed_orgs", _text),
        is_retired=row.boolean("retired", default=False),
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BrokenTypes(f"{where} is not a text.")
    return value

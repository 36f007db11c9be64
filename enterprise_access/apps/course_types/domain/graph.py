"""Course types and what they are made of, as one frozen value that every rule reads.

A course has a course type, each of its runs a run type; a run type is a set of tracks; a track is an LMS mode and the
seat type under which ecommerce sells it, or no seat type: a mode without a product. Slugs identify all of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeVar

from attrs import evolve, frozen

from enterprise_access.apps.course_types.domain.modes import (
    AUDIT,
    AUDIT_LIKE,
    NO_ID_PROFESSIONAL,
    PROFESSIONAL,
    VERIFIED,
    WANTED_MODE_ORDER,
)
from enterprise_access.apps.course_types.errors import BrokenTypes, UnknownType

# The slug of the course type and of the run type that mean "not known yet".
EMPTY: Final = "empty"

PLATFORM: Final = "platform"
ORGANIZATION: Final = "organization"
PAYEES: Final = frozenset({"", PLATFORM, ORGANIZATION})

# What course-discovery can store.
CERTIFICATE_TYPES: Final = frozenset(
    {
        "",
        "honor",
        "credit",
        "verified",
        "professional",
        "executive-education",
        "paid-executive-education",
        "unpaid-executive-education",
        "paid-bootcamp",
        "unpaid-bootcamp",
    }
)

Rows = Mapping[str, Any]
T = TypeVar("T")


class _HasSlug(Protocol):
    @property
    def slug(self) -> str: ...


S = TypeVar("S", bound=_HasSlug)


@frozen(kw_only=True)
class Mode:
    """An LMS enrollment mode. `certificate_type` and `payee` are empty where there is none.

    `enroll_rank` orders what a learner should get automatically, lowest first; None = never automatically.
    """

    slug: str
    name: str = ""
    is_id_verified: bool = False
    is_credit_eligible: bool = False
    certificate_type: str = ""
    payee: str = ""
    is_audit: bool = False
    enroll_rank: int | None = None
    has_upgrade_deadline: bool = False

    @property
    def is_certificate_eligible(self) -> bool:
        """Whether the mode leads to a certificate."""
        return self.certificate_type != ""


@frozen(kw_only=True)
class SeatType:
    """What ecommerce sells. `has_upgrade_deadline` is that of the mode of the same slug: discovery goes by the seat."""

    slug: str
    name: str = ""
    has_upgrade_deadline: bool = False


@frozen(kw_only=True)
class Track:
    """A mode, and the seat type that sells it; None = a mode without a product, put into the LMS at price 0."""

    mode: Mode
    seat_type: SeatType | None = None

    @property
    def has_product(self) -> bool:
        """Whether ecommerce sells a seat for it."""
        return self.seat_type is not None

    @property
    def paid_to_platform(self) -> bool:
        """Whether the platform is paid for the mode."""
        return self.mode.payee == PLATFORM

    @property
    def paid_to_partner(self) -> bool:
        """Whether the partner organization is paid for the mode."""
        return self.mode.payee == ORGANIZATION

    @property
    def lms_mode(self) -> str:
        """The slug under which the LMS gets the mode.

        Of a seat ecommerce makes it from the certificate type and the ID check, whatever the mode is called.
        """
        if self.seat_type is None:
            return self.mode.slug
        if self.mode.certificate_type == PROFESSIONAL and not self.mode.is_id_verified:
            return NO_ID_PROFESSIONAL
        return self.mode.certificate_type or AUDIT


@frozen(kw_only=True)
class RunType:
    """What a run is for: its tracks. `is_marketable` False = never has a page of its own on the marketing site."""

    slug: str
    name: str = ""
    tracks: tuple[Track, ...] = ()
    is_marketable: bool = True
    is_retired: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it means "not known yet"."""
        return self.slug == EMPTY

    @property
    def modes(self) -> frozenset[str]:
        """The slugs of its modes."""
        return frozenset(track.mode.slug for track in self.tracks)

    @property
    def seat_types(self) -> frozenset[str]:
        """The slugs of its seat types; a track without a product has none."""
        return frozenset(track.seat_type.slug for track in self.tracks if track.seat_type is not None)

    @property
    def lms_modes_without_product(self) -> frozenset[str]:
        """The LMS modes that no seat shows."""
        return frozenset(track.lms_mode for track in self.tracks if not track.has_product)


@frozen(kw_only=True)
class CourseType:
    """What a course is for: its entitlement, if any, and the run types that its runs may have.

    `org_allow_list` empty = every organization. `rank` is the place in which the type is tried when matching.
    """

    slug: str
    name: str = ""
    entitlement_types: tuple[str, ...] = ()
    run_types: tuple[str, ...] = ()
    org_allow_list: tuple[str, ...] = ()
    rank: int = 0
    is_retired: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it means "not known yet"."""
        return self.slug == EMPTY

    def allows_run_type(self, slug: str) -> bool:
        """Say whether a run may have this type; "not known yet" is always possible."""
        return slug == EMPTY or slug in self.run_types

    def allows_org(self, org: str) -> bool:
        """Say whether courses of this organization may have the type, ignoring case."""
        return not self.org_allow_list or org.casefold() in (allowed.casefold() for allowed in self.org_allow_list)


@frozen(kw_only=True)
class TypeGraph:
    """All types, by slug, in the order in which they were made. Made by `of` or `from_rows`, which check it."""

    modes: Mapping[str, Mode]
    seat_types: Mapping[str, SeatType]
    run_types: Mapping[str, RunType]
    course_types: Mapping[str, CourseType]

    @classmethod
    def of(
        cls,
        *,
        modes: Iterable[Mode],
        seat_types: Iterable[SeatType],
        run_types: Iterable[RunType],
        course_types: Iterable[CourseType],
    ) -> "TypeGraph":
        """Return the graph of these values. Raises BrokenTypes, naming everything that cannot be as it is."""
        graph = cls(
            modes=_by_slug(modes, "mode"),
            seat_types=_by_slug(seat_types, "seat type"),
            run_types=_by_slug(run_types, "run type"),
            course_types=_by_slug(course_types, "course type"),
        )
        _refuse(list(problems(graph)))
        return graph

    @classmethod
    def from_rows(cls, *sources: Rows) -> "TypeGraph":
        """Return the graph of rows as they are packaged (see data/course-types.json), of all sources together.

        Raises BrokenTypes for what is missing, unknown, of another kind, or impossible.
        """
        return _RowReader(sources).graph()

    def mode(self, slug: str) -> Mode:
        """Return the mode. Raises UnknownType."""
        return _known(self.modes, slug, "mode")

    def run_type(self, slug: str) -> RunType:
        """Return the run type. Raises UnknownType."""
        return _known(self.run_types, slug, "run type")

    def course_type(self, slug: str) -> CourseType:
        """Return the course type. Raises UnknownType."""
        return _known(self.course_types, slug, "course type")

    def run_types_of(self, course_type: CourseType) -> tuple[RunType, ...]:
        """Return the run types that its runs may have, in the order of their creation."""
        return tuple(run_type for run_type in self.run_types.values() if run_type.slug in course_type.run_types)

    @property
    def matching_order(self) -> tuple[CourseType, ...]:
        """The course types in the order in which they are tried."""
        return tuple(sorted(self.course_types.values(), key=lambda course_type: course_type.rank))


def _known(values: Mapping[str, T], slug: str, kind: str) -> T:
    if slug not in values:
        raise UnknownType(f"There is no {kind} {slug!r}.", extra={"kind": kind, "slug": slug})
    return values[slug]


def _by_slug(values: Iterable[S], kind: str) -> Mapping[str, S]:
    rows = [(value.slug, value) for value in values]
    twice = _repeated(slug for slug, _ in rows)
    _refuse([f"There is more than one {kind} {slug!r}." for slug in twice])
    return MappingProxyType(dict(rows))


def _repeated(slugs: Iterable[str]) -> list[str]:
    return [slug for slug, count in Counter(slugs).items() if count > 1]


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise BrokenTypes(" ".join(found), extra={"problems": list(found)})


# What has to hold


def problems(graph: TypeGraph) -> Iterator[str]:
    """Say, a sentence each, what of the graph cannot be as it is."""
    for mode in graph.modes.values():
        yield from mode_problems(mode)
    yield from _rank_problems(graph.modes.values())
    for run_type in graph.run_types.values():
        yield from run_type_problems(run_type)
    for course_type in graph.course_types.values():
        yield from course_type_problems(course_type, seat_types=graph.seat_types, run_types=graph.run_types)


def mode_problems(mode: Mode) -> Iterator[str]:
    """Say what of the mode cannot be as it is."""
    if mode.certificate_type not in CERTIFICATE_TYPES:
        yield f"Mode {mode.slug!r} has the certificate type {mode.certificate_type!r}, which nobody knows."
    if mode.payee not in PAYEES:
        yield f"Mode {mode.slug!r} pays {mode.payee!r}, which is neither platform nor organization."


def _rank_problems(modes: Iterable[Mode]) -> Iterator[str]:
    counted = Counter(mode.enroll_rank for mode in modes if mode.enroll_rank is not None)
    yield from (f"Several modes have the rank {rank}." for rank, count in counted.items() if count > 1)


def run_type_problems(run_type: RunType) -> Iterator[str]:
    """Say what of the run type cannot be as it is."""
    name = f"Run type {run_type.slug!r}"
    if run_type.is_empty and (run_type.tracks or run_type.is_marketable):
        yield f"{name} means that nothing is known: it has no tracks and is not marketable."
    for slug in _repeated(track.mode.slug for track in run_type.tracks):
        yield f"{name} has the mode {slug!r} more than once."
    for slug in _repeated(track.seat_type.slug for track in run_type.tracks if track.seat_type):
        yield f"{name} has the seat type {slug!r} more than once."
    for track in run_type.tracks:
        yield from track_problems(track)


def track_problems(track: Track) -> Iterator[str]:
    """Say what of the track cannot be as it is: without a certificate type ecommerce sells any seat as audit."""
    if track.has_product and not track.mode.is_audit and not track.mode.certificate_type:
        yield f"Mode {track.mode.slug!r} has a seat and no certificate type: ecommerce would sell it as audit."


def course_type_problems(
    course_type: CourseType, *, seat_types: Collection[str], run_types: Collection[str]
) -> Iterator[str]:
    """Say what of the course type cannot be as it is, given the slugs of the seat types and run types there are."""
    name = f"Course type {course_type.slug!r}"
    if course_type.is_empty and (course_type.entitlement_types or course_type.run_types):
        yield f"{name} means that nothing is known: it has neither entitlements nor run types."
    if len(course_type.entitlement_types) > 1:
        yield f"{name} has more than one entitlement type; a course can hold one entitlement."
    for slug in course_type.entitlement_types:
        if slug not in seat_types:
            yield f"{name} has the entitlement type {slug!r}, which is no seat type."
    for slug in course_type.run_types:
        if slug not in run_types:
            yield f"{name} has the run type {slug!r}, which there is not."
    for slug in _repeated(course_type.run_types):
        yield f"{name} has the run type {slug!r} more than once."


# From rows to values

_UNREAD: Final = frozenset({"migration"})


class _Row:
    """One row, and its place for messages. Every member that nobody reads is one that nobody meant."""

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

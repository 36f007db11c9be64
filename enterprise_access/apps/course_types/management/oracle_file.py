"""Cases of course types in a file: read into the values that the rules take, and answered by the real rules.

The format is that of tests/data/course-types-oracle.json: `cases`, each for one function, and where present
`run_transition_matrix`. Members that say nothing when absent or null may be left out: types that are set, allowed
pairs, LMS modes, deadlines. A course or run type that `match` is given and nobody knows is a fact of the course; where
a type is asked about, it is an error of the file.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import frozen

from enterprise_access.apps.course_types.domain.graph import (
    CERTIFICATE_TYPES,
    CourseType,
    Mode,
    RunType,
    SeatType,
    Track,
    TypeGraph,
)
from enterprise_access.apps.course_types.domain.matching import Match, match
from enterprise_access.apps.course_types.domain.modes import (
    Modes,
    SeatDeadline,
    Subsidy,
    downgrade_target,
    enroll_by,
    pick,
)
from enterprise_access.apps.course_types.domain.products import (
    UPGRADE_DEADLINE_DAYS,
    Route,
    TypedRun,
    default_upgrade_deadline,
    spec,
)
from enterprise_access.apps.course_types.domain.seeds import Origin, seeded_graph
from enterprise_access.apps.course_types.domain.transitions import check_course, check_run
from enterprise_access.apps.course_types.errors import UnknownType

T = TypeVar("T")
D = TypeVar("D")
Reader = Callable[[Any, str], T]

_CASES: Final = "cases"
_MATRIX: Final = "run_transition_matrix"
_GRAPHS: Final[Mapping[str, tuple[Origin, ...]]] = {
    "upstream": (Origin.UPSTREAM,),
    "upstream+operator": (Origin.UPSTREAM, Origin.OPERATOR),
}
_ALL_ROWS: Final = "upstream+operator"
_ALLOWED: Final = "allowed"
_DENIED: Final = "denied"
# How a cell of a matrix may say it; DROP is what only upstream allows.
_VERDICTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("allowed", "allow", "yes", "y", "=", "true", "1"), _ALLOWED),
    **dict.fromkeys(("denied", "deny", "no", "n", "-", "drop", "false", "0"), _DENIED),
}
# What a run of the cases of `spec` ends at, unless they say so: the format leaves it out.
_END_OF_SPECIFIED_RUN: Final = datetime(2025, 6, 30, tzinfo=UTC)


class UnreadableFileError(Exception):
    """The file holds no cases; the message says why."""


class _MemberError(Exception):
    """A member cannot be read; the message says which."""


@frozen(kw_only=True)
class Evaluated:
    """A case, what it wants, and what the rules answer, both in comparable form.

    `departure` says how the answer knowingly differs from what upstream does; empty = it does not.
    """

    id: str
    want: Any
    got: Any
    departure: str = ""

    @property
    def is_as_wanted(self) -> bool:
        """Whether the answer is the wanted one; of an object, every member that the case names."""
        if isinstance(self.want, Mapping) and isinstance(self.got, Mapping):
            return all(member in self.got and self.got[member] == value for member, value in self.want.items())
        return bool(self.want == self.got)


@frozen(kw_only=True)
class Unreadable:
    """A case that cannot be evaluated. `where` names the case, `why` the member."""

    where: str
    why: str


def read(path: Path) -> Mapping[str, Any]:
    """Return the content of a file of cases. Raises UnreadableFileError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UnreadableFileError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not (_CASES in content or _MATRIX in content):
        raise UnreadableFileError(f"{path} has neither of the members {_CASES}, {_MATRIX}.")
    if not isinstance(content.get(_CASES, []), list):
        raise UnreadableFileError(f"{path}: {_CASES} is not a list.")
    return content


def evaluate_all(content: Mapping[str, Any]) -> Iterator[Evaluated | Unreadable]:
    """Answer every case with the real rules. One that cannot be read does not keep the others from being answered."""
    for position, case in enumerate(content.get(_CASES, [])):
        yield _evaluate(case, where=f"{_CASES}[{position}]")
    if content.get(_MATRIX) is not None:
        yield from _evaluate_matrix(content[_MATRIX])


def _evaluate(raw: Any, *, where: str) -> Evaluated | Unreadable:
    if isinstance(raw, dict) and "id" in raw:
        where = f"{where} ({raw['id']})"
    try:
        case = _Members(raw)
        function = _FUNCTIONS[case.get("function", _one_of(_FUNCTIONS))]
        return Evaluated(
            id=case.get("id", _text),
            want=function.read_want(case.required("want"), "want"),
            got=function.answer(case.members("input")),
            departure=case.optional("departure", _text, ""),
        )
    except (_MemberError, UnknownType) as error:
        return Unreadable(where=where, why=str(error))
    except OverflowError:
        return Unreadable(where=where, why="its instants are beyond the calendar.")


# The matrix of run types


def _evaluate_matrix(raw: Any) -> Iterator[Evaluated | Unreadable]:
    try:
        matrix = _Members(raw, _MATRIX)
        slugs = matrix.get("types", _list_of(_text))
        rows = _by_slug(matrix.required("want"), f"{_MATRIX}.want", slugs)
        cells = {old: _by_slug(row, f"{_MATRIX}.want[{old}]", slugs) for old, row in rows.items()}
    except _MemberError as error:
        yield Unreadable(where=_MATRIX, why=str(error))
        return
    for old, row in cells.items():
        for new, want in row.items():
            yield _evaluate_cell(want, old, new)


def _evaluate_cell(raw: Any, old: str, new: str) -> Evaluated | Unreadable:
    where = f"{_MATRIX}[{old}][{new}]"
    graph = seeded_graph()
    try:
        transition = check_run(old=graph.run_type(old), new=graph.run_type(new), published=True)
        return Evaluated(id=where, want=_verdict(raw, where), got=_said(transition.is_allowed))
    except (_MemberError, UnknownType) as error:
        return Unreadable(where=where, why=str(error))


def _by_slug(raw: Any, name: str, slugs: tuple[str, ...]) -> dict[str, Any]:
    """Return the rows or cells by type, whether they are listed in the order of the types or named."""
    if isinstance(raw, dict):
        return raw
    if not isinstance(raw, list):
        raise _MemberError(f"{name} is neither a list nor an object.")
    if len(raw) != len(slugs):
        raise _MemberError(f"{name} has {len(raw)} entries for {len(slugs)} types.")
    return dict(zip(slugs, raw, strict=True))


# The functions


def _match(case: "_Members") -> Any:
    seats = case.get("runs_seats", _list_of(_slugs))
    unknown: tuple[None, ...] = (None,) * len(seats)
    run_types: tuple[str | None, ...] = case.optional("run_types", _list_of(_text_or_none), unknown)
    lms_modes: tuple[tuple[str, ...] | None, ...] = case.optional("lms_modes", _list_of(_slugs_or_none), unknown)
    for name, values in (("run_types", run_types), ("lms_modes", lms_modes)):
        if len(values) != len(seats):
            raise _MemberError(f"{name} has {len(values)} entries for {len(seats)} runs.")
    # Runs have no keys in the file: their places, which keep their order, serve.
    found = match(
        _graph(case),
        entitlements=case.optional("entitlements", _slugs, ()),
        seats_by_run={str(place): slugs for place, slugs in enumerate(seats)},
        course_type=case.optional("course_type", _text, None),
        run_types={str(place): slug for place, slug in enumerate(run_types)},
        allow=case.optional("allow", _pairs, ()),
        lms_modes_by_run={str(place): modes for place, modes in enumerate(lms_modes)},
    )
    if isinstance(found, Match):
        return {"matched": True, "course_type": found.course_type, "run_types": list(found.run_types.values())}
    return {"matched": False}


def _check_run(case: "_Members") -> str:
    graph = _graph(case)
    old = case.nullable("old", _text)
    course_type = case.optional("course_type", _text, None)
    transition = check_run(
        old=None if old is None else graph.run_type(old),
        new=graph.run_type(case.get("new", _text)),
        published=case.get("published", _boolean),
        course_type=None if course_type is None else graph.course_type(course_type),
    )
    return _said(transition.is_allowed)


def _check_course(case: "_Members") -> str:
    graph = _graph(case)
    old = case.optional("old", _text, None)
    entitlement = case.optional("entitlement", _text, None)
    transition = check_course(
        old=None if old is None else graph.course_type(old),
        new=graph.course_type(case.get("new", _text)),
        entitlements=() if entitlement is None else (entitlement,),
        published=case.get("published", _boolean),
        run_types=case.optional("run_types", _slugs, ()),
        org=case.optional("org", _text, None),
    )
    return _said(transition.is_allowed)


def _pick(case: "_Members") -> str:
    return pick(case.get("modes", _modes))


def _enroll_by(case: "_Members") -> datetime | None:
    return enroll_by(
        case.optional("seats", _list_of(_seat_deadline), ()),
        enrollment_ends_at=case.optional("enrollment_end", _instant, None),
        is_executive_education=case.optional("exec_ed", _boolean, False),
    )


def _default_upgrade_deadline(case: "_Members") -> datetime | None:
    return default_upgrade_deadline(
        run_ends_at=case.nullable("run_end", _instant),
        has_upgrade_deadline=_seat_type(case.get("seat_type", _text)).has_upgrade_deadline,
        days=case.optional("days", _whole_number, UPGRADE_DEADLINE_DAYS),
    )


def _spec(case: "_Members") -> Any:
    run_type = RunType(slug="specified", tracks=case.get("tracks", _list_of(_track)))
    course_type = CourseType(slug="specified", entitlement_types=case.optional("entitlement_types", _slugs, ()))
    ends_at = case.nullable("run_end", _instant) if "run_end" in case.raw else _END_OF_SPECIFIED_RUN
    specified = spec(course_type=course_type, runs={"run": TypedRun(run_type=run_type, ends_at=ends_at)})
    seats = specified.runs["run"].seats
    products: set[tuple[Any, ...]] = {
        ("Seat", seat.certificate_type, seat.is_id_verified, seat.expires_at) for seat in seats
    }
    products |= {("Course Entitlement", slug, None, None) for slug in specified.entitlements}
    lms_has = case.optional("lms_has", _slugs, ())
    return {
        "ecommerce_products": products,
        "lms_modes_via_ecommerce": specified.runs["run"].modes_via(Route.ECOMMERCE),
        "lms_modes_pushed_directly": specified.runs["run"].modes_to_push(lms_has=lms_has),
    }


def _downgrade_target(case: "_Members") -> str:
    target = downgrade_target(
        case.get("lms_modes", _modes),
        is_run_completed=case.optional("run_completed", _boolean, False),
        subsidy=case.get("event", _lost_subsidy),
    )
    return target.value


def _said(is_allowed: bool) -> str:
    return _ALLOWED if is_allowed else _DENIED


def _graph(case: "_Members") -> TypeGraph:
    return seeded_graph(*_GRAPHS[case.optional("graph", _one_of(_GRAPHS), _ALL_ROWS)])


# What is wanted


def _verdict(value: Any, name: str) -> str:
    said = str(value).strip().lower() if isinstance(value, str | bool | int) else ""
    if said not in _VERDICTS:
        raise _MemberError(f"{name} is neither {_ALLOWED} nor {_DENIED}.")
    return _VERDICTS[said]


def _wanted_match(value: Any, name: str) -> Any:
    want = _Members(value, name)
    if not want.get("matched", _boolean):
        return {"matched": False}
    return {
        "matched": True,
        "course_type": want.get("course_type", _text),
        "run_types": list(want.get("run_types", _slugs)),
    }


def _wanted_spec(value: Any, name: str) -> Any:
    want = _Members(value, name)
    readers: dict[str, Reader[Any]] = {
        "ecommerce_products": lambda raw, place: set(_list_of(_product)(raw, place)),
        "lms_modes_via_ecommerce": lambda raw, place: frozenset(_slugs(raw, place)),
        "lms_modes_pushed_directly": lambda raw, place: frozenset(_slugs(raw, place)),
    }
    unknown = set(want.raw) - set(readers)
    if unknown or not want.raw:
        raise _MemberError(f"{name} has to have some of the members {', '.join(readers)}, and no other.")
    return {member: want.get(member, readers[member]) for member in want.raw}


def _product(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != 4:
        raise _MemberError(f"{name} is not kind, certificate type, ID check and expiry.")
    kind, certificate_type, id_check, expiry = value
    return (
        _text(kind, f"{name}[0]"),
        _text(certificate_type, f"{name}[1]"),
        id_check if id_check is None else _boolean(id_check, f"{name}[2]"),
        expiry if expiry is None else _instant(expiry, f"{name}[3]"),
    )


@frozen
class _Function:
    """How a case of one function is answered, and how what it wants is read."""

    answer: Callable[["_Members"], Any]
    read_want: Reader[Any]


# Members and their types


class _Members:
    """A JSON object, and its place in the case (empty: the case itself) for messages."""

    def __init__(self, raw: Any, name: str = "") -> None:
        self.name = name
        if not isinstance(raw, dict):
            raise _MemberError(f"{name or 'the case'} is not an object.")
        self.raw = raw

    def required(self, member: str) -> Any:
        """Return the member as it is, which may be null but not absent."""
        if member not in self.raw:
            raise _MemberError(f"{self.name or 'the case'} has no {member}.")
        return self.raw[member]

    def get(self, member: str, reader: Reader[T]) -> T:
        """Return the member, which has to be there, as `reader` reads it."""
        return reader(self.required(member), self._place(member))

    def nullable(self, member: str, reader: Reader[T]) -> T | None:
        """Return the member, which has to be there, but may be null."""
        return None if self.required(member) is None else self.get(member, reader)

    def optional(self, member: str, reader: Reader[T], default: D) -> T | D:
        """Return the member, or `default` when it is absent or null."""
        return default if self.raw.get(member) is None else self.get(member, reader)

    def members(self, member: str) -> "_Members":
        """Return a member that is an object itself."""
        return self.get(member, _Members)

    def _place(self, member: str) -> str:
        return f"{self.name}.{member}" if self.name else member


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _MemberError(f"{name} is not a text.")
    return value


def _text_or_none(value: Any, name: str) -> str | None:
    return None if value is None else _text(value, name)


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _MemberError(f"{name} is neither true nor false.")
    return value


def _whole_number(value: Any, name: str) -> int:
    if type(value) is not int:
        raise _MemberError(f"{name} is not a whole number.")
    return value


def _instant(value: Any, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(value, name))
    except ValueError:
        raise _MemberError(f"{name} is not an instant (ISO 8601).") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _instant_or_none(value: Any, name: str) -> datetime | None:
    return None if value is None else _instant(value, name)


def _one_of(options: Mapping[str, Any]) -> Reader[str]:
    def read_option(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in options:
            raise _MemberError(f"{name} is {value!r}, and none of {', '.join(options)}.")
        return value

    return read_option


def _list_of(reader: Reader[T]) -> Reader[tuple[T, ...]]:
    def read_list(value: Any, name: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise _MemberError(f"{name} is not a list.")
        return tuple(reader(item, f"{name}[{position}]") for position, item in enumerate(value))

    return read_list


_slugs = _list_of(_text)


def _slugs_or_none(value: Any, name: str) -> tuple[str, ...] | None:
    return None if value is None else _slugs(value, name)


def _modes(value: Any, name: str) -> Modes:
    """Read modes, listed or with their expiry."""
    if not isinstance(value, dict):
        return dict.fromkeys(_slugs(value, name))
    return {slug: _instant_or_none(expiry, f"{name}.{slug}") for slug, expiry in value.items()}


def _pairs(value: Any, name: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of course type and run type: lists of two, `course-type:run-type`, or run types by course type."""
    if not isinstance(value, dict):
        return _list_of(_pair)(value, name)
    return tuple((one, other) for one, others in value.items() for other in _slugs(others, f"{name}.{one}"))


def _pair(value: Any, name: str) -> tuple[str, str]:
    parts = value.split(":") if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) != 2:
        raise _MemberError(f"{name} is not a pair of course type and run type.")
    return _text(parts[0], name), _text(parts[1], name)


def _seat_deadline(value: Any, name: str) -> SeatDeadline:
    seat = _Members(value, name)
    return SeatDeadline(
        seat_type=seat.get("type", _text),
        stored=seat.optional("upgrade_deadline", _instant, None),
        override=seat.optional("upgrade_deadline_override", _instant, None),
    )


def _track(value: Any, name: str) -> Track:
    """Read a pair of mode and seat type. One that we do not know counts as one of which only the slug is known."""
    if not isinstance(value, list) or len(value) != 2:
        raise _MemberError(f"{name} is not a pair of mode and seat type.")
    mode, seat_type = _text(value[0], f"{name}[0]"), _text_or_none(value[1], f"{name}[1]")
    return Track(mode=_mode(mode), seat_type=None if seat_type is None else _seat_type(seat_type))


def _mode(slug: str) -> Mode:
    known = seeded_graph().modes.get(slug)
    return known or Mode(slug=slug, certificate_type=slug if slug in CERTIFICATE_TYPES else "")


def _seat_type(slug: str) -> SeatType:
    return seeded_graph().seat_types.get(slug) or SeatType(slug=slug)


def _lost_subsidy(value: Any, name: str) -> Subsidy:
    """Read what was taken back out of the words for the event, such as "license revoked/expired"."""
    event = _text(value, name).lower()
    if re.search("licen[cs]e|subscription|plan", event):
        return Subsidy.LICENSE
    if re.search("credit|transaction|assignment|redemption|budget|subsidy", event):
        return Subsidy.LEARNER_CREDIT
    raise _MemberError(f"{name} is {value!r}, the loss of neither a license nor of learner credit.")


_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "match": _Function(_match, _wanted_match),
    "check_run": _Function(_check_run, _verdict),
    "check_course": _Function(_check_course, _verdict),
    "pick": _Function(_pick, _text),
    "enroll_by": _Function(_enroll_by, _instant_or_none),
    "default_upgrade_deadline": _Function(_default_upgrade_deadline, _instant_or_none),
    "spec": _Function(_spec, _wanted_spec),
    "downgrade_target": _Function(_downgrade_target, _text),
}

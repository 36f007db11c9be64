"""Cases of course types in a file: read into the values that the rules take, and answered by the real rules.

The format is that of tests/data/course-types-oracle.json: `cases`, each for one function, and where present
`run_transition_matrix`. Members that say nothing when absent or null may be left out: types that are set, allowed
pairs, LMS modes, deadlines. A course or run type that `match` is given and nobody knows is a fact of the course; where
a type is asked about, it is an error of the file.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

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
from enterprise_access.lib.oracle import (
    Evaluated,
    Members,
    Reader,
    Result,
    Unreadable,
    UnreadableMemberError,
    boolean,
    cases_of,
    evaluate_each,
    instant,
    list_of,
    load,
    name_in,
    or_none,
    text,
    whole_number,
)

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


def evaluate_file(path: Path) -> Iterator[Result]:
    """Answer every case of a file with the real rules. Raises UnreadableFileError."""
    return evaluate_all(load(path, members=(_CASES, _MATRIX)))


def evaluate_all(content: Mapping[str, Any]) -> Iterator[Result]:
    """Answer every case, and every cell of the matrix, with the real rules."""
    yield from evaluate_each(cases_of(content, _CASES), _evaluate, name=_CASES, errors=(UnknownType,))
    if content.get(_MATRIX) is not None:
        yield from _evaluate_matrix(content[_MATRIX])


def _evaluate(case: Members) -> Evaluated:
    function = _FUNCTIONS[case.get("function", name_in(_FUNCTIONS))]
    return Evaluated(
        id=case.get("id", text),
        want=function.read_want(case.required("want"), "want"),
        got=function.answer(case.members("input")),
        departure=case.optional("departure", text, ""),
    )


# The matrix of run types


def _evaluate_matrix(raw: Any) -> Iterator[Result]:
    try:
        matrix = Members(raw, _MATRIX)
        slugs = matrix.get("types", list_of(text))
        rows = _by_slug(matrix.required("want"), f"{_MATRIX}.want", slugs)
        cells = {old: _by_slug(row, f"{_MATRIX}.want[{old}]", slugs) for old, row in rows.items()}
    except UnreadableMemberError as error:
        yield Unreadable(where=_MATRIX, why=str(error))
        return
    for old, row in cells.items():
        for new, want in row.items():
            yield _evaluate_cell(want, old, new)


def _evaluate_cell(raw: Any, old: str, new: str) -> Result:
    where = f"{_MATRIX}[{old}][{new}]"
    graph = seeded_graph()
    try:
        transition = check_run(old=graph.run_type(old), new=graph.run_type(new), published=True)
        return Evaluated(id=where, want=_verdict(raw, where), got=_said(transition.is_allowed))
    except (UnreadableMemberError, UnknownType) as error:
        return Unreadable(where=where, why=str(error))


def _by_slug(raw: Any, name: str, slugs: tuple[str, ...]) -> dict[str, Any]:
    """Return the rows or cells by type, whether they are listed in the order of the types or named."""
    if isinstance(raw, dict):
        return raw
    if not isinstance(raw, list):
        raise UnreadableMemberError(f"{name} is neither a list nor an object.")
    if len(raw) != len(slugs):
        raise UnreadableMemberError(f"{name} has {len(raw)} entries for {len(slugs)} types.")
    return dict(zip(slugs, raw, strict=True))


# The functions


def _match(case: Members) -> Any:
    seats = case.get("runs_seats", list_of(_slugs))
    unknown: tuple[None, ...] = (None,) * len(seats)
    run_types: tuple[str | None, ...] = case.optional("run_types", list_of(_text_or_none), unknown)
    lms_modes: tuple[tuple[str, ...] | None, ...] = case.optional("lms_modes", list_of(_slugs_or_none), unknown)
    for name, values in (("run_types", run_types), ("lms_modes", lms_modes)):
        if len(values) != len(seats):
            raise UnreadableMemberError(f"{name} has {len(values)} entries for {len(seats)} runs.")
    # Runs have no keys in the file: their places, which keep their order, serve.
    found = match(
        _graph(case),
        entitlements=case.optional("entitlements", _slugs, ()),
        seats_by_run={str(place): slugs for place, slugs in enumerate(seats)},
        course_type=case.optional("course_type", text, None),
        run_types={str(place): slug for place, slug in enumerate(run_types)},
        allow=case.optional("allow", _pairs, ()),
        lms_modes_by_run={str(place): modes for place, modes in enumerate(lms_modes)},
    )
    if isinstance(found, Match):
        return {"matched": True, "course_type": found.course_type, "run_types": list(found.run_types.values())}
    return {"matched": False}


def _check_run(case: Members) -> str:
    graph = _graph(case)
    old = case.nullable("old", text)
    course_type = case.optional("course_type", text, None)
    transition = check_run(
        old=None if old is None else graph.run_type(old),
        new=graph.run_type(case.get("new", text)),
        published=case.get("published", boolean),
        course_type=None if course_type is None else graph.course_type(course_type),
    )
    return _said(transition.is_allowed)


def _check_course(case: Members) -> str:
    graph = _graph(case)
    old = case.optional("old", text, None)
    entitlement = case.optional("entitlement", text, None)
    transition = check_course(
        old=None if old is None else graph.course_type(old),
        new=graph.course_type(case.get("new", text)),
        entitlements=() if entitlement is None else (entitlement,),
        published=case.get("published", boolean),
        run_types=case.optional("run_types", _slugs, ()),
        org=case.optional("org", text, None),
    )
    return _said(transition.is_allowed)


def _pick(case: Members) -> str:
    return pick(case.get("modes", _modes))


def _enroll_by(case: Members) -> datetime | None:
    return enroll_by(
        case.optional("seats", list_of(_seat_deadline), ()),
        enrollment_ends_at=case.optional("enrollment_end", instant, None),
        is_executive_education=case.optional("exec_ed", boolean, False),
    )


def _default_upgrade_deadline(case: Members) -> datetime | None:
    return default_upgrade_deadline(
        run_ends_at=case.nullable("run_end", instant),
        has_upgrade_deadline=_seat_type(case.get("seat_type", text)).has_upgrade_deadline,
        days=case.optional("days", whole_number, UPGRADE_DEADLINE_DAYS),
    )


def _spec(case: Members) -> Any:
    run_type = RunType(slug="specified", tracks=case.get("tracks", list_of(_track)))
    course_type = CourseType(slug="specified", entitlement_types=case.optional("entitlement_types", _slugs, ()))
    ends_at = case.nullable("run_end", instant) if "run_end" in case.raw else _END_OF_SPECIFIED_RUN
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


def _downgrade_target(case: Members) -> str:
    target = downgrade_target(
        case.get("lms_modes", _modes),
        is_run_completed=case.optional("run_completed", boolean, False),
        subsidy=case.get("event", _lost_subsidy),
    )
    return target.value


def _said(is_allowed: bool) -> str:
    return _ALLOWED if is_allowed else _DENIED


def _graph(case: Members) -> TypeGraph:
    return seeded_graph(*_GRAPHS[case.optional("graph", name_in(_GRAPHS), _ALL_ROWS)])


# What is wanted


def _verdict(value: Any, name: str) -> str:
    said = str(value).strip().lower() if isinstance(value, str | bool | int) else ""
    if said not in _VERDICTS:
        raise UnreadableMemberError(f"{name} is neither {_ALLOWED} nor {_DENIED}.")
    return _VERDICTS[said]


def _wanted_match(value: Any, name: str) -> Any:
    want = Members(value, name)
    if not want.get("matched", boolean):
        return {"matched": False}
    return {
        "matched": True,
        "course_type": want.get("course_type", text),
        "run_types": list(want.get("run_types", _slugs)),
    }


def _wanted_spec(value: Any, name: str) -> Any:
    want = Members(value, name)
    readers: dict[str, Reader[Any]] = {
        "ecommerce_products": lambda raw, place: set(list_of(_product)(raw, place)),
        "lms_modes_via_ecommerce": lambda raw, place: frozenset(_slugs(raw, place)),
        "lms_modes_pushed_directly": lambda raw, place: frozenset(_slugs(raw, place)),
    }
    unknown = set(want.raw) - set(readers)
    if unknown or not want.raw:
        raise UnreadableMemberError(f"{name} has to have some of the members {', '.join(readers)}, and no other.")
    return {member: want.get(member, readers[member]) for member in want.raw}


def _product(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != 4:
        raise UnreadableMemberError(f"{name} is not kind, certificate type, ID check and expiry.")
    kind, certificate_type, id_check, expiry = value
    return (
        text(kind, f"{name}[0]"),
        text(certificate_type, f"{name}[1]"),
        id_check if id_check is None else boolean(id_check, f"{name}[2]"),
        expiry if expiry is None else instant(expiry, f"{name}[3]"),
    )


@frozen
class _Function:
    """How a case of one function is answered, and how what it wants is read."""

    answer: Callable[[Members], Any]
    read_want: Reader[Any]


# Members of this format


_slugs = list_of(text)


_slugs_or_none = or_none(_slugs)
_text_or_none = or_none(text)
_instant_or_none = or_none(instant)


def _modes(value: Any, name: str) -> Modes:
    """Read modes, listed or with their expiry."""
    if not isinstance(value, dict):
        return dict.fromkeys(_slugs(value, name))
    return {slug: _instant_or_none(expiry, f"{name}.{slug}") for slug, expiry in value.items()}


def _pairs(value: Any, name: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of course type and run type: lists of two, `course-type:run-type`, or run types by course type."""
    if not isinstance(value, dict):
        return list_of(_pair)(value, name)
    return tuple((one, other) for one, others in value.items() for other in _slugs(others, f"{name}.{one}"))


def _pair(value: Any, name: str) -> tuple[str, str]:
    parts = value.split(":") if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) != 2:
        raise UnreadableMemberError(f"{name} is not a pair of course type and run type.")
    return text(parts[0], name), text(parts[1], name)


def _seat_deadline(value: Any, name: str) -> SeatDeadline:
    seat = Members(value, name)
    return SeatDeadline(
        seat_type=seat.get("type", text),
        stored=seat.optional("upgrade_deadline", instant, None),
        override=seat.optional("upgrade_deadline_override", instant, None),
    )


def _track(value: Any, name: str) -> Track:
    """Read a pair of mode and seat type. One that we do not know counts as one of which only the slug is known."""
    if not isinstance(value, list) or len(value) != 2:
        raise UnreadableMemberError(f"{name} is not a pair of mode and seat type.")
    mode, seat_type = text(value[0], f"{name}[0]"), _text_or_none(value[1], f"{name}[1]")
    return Track(mode=_mode(mode), seat_type=None if seat_type is None else _seat_type(seat_type))


def _mode(slug: str) -> Mode:
    known = seeded_graph().modes.get(slug)
    return known or Mode(slug=slug, certificate_type=slug if slug in CERTIFICATE_TYPES else "")


def _seat_type(slug: str) -> SeatType:
    return seeded_graph().seat_types.get(slug) or SeatType(slug=slug)


def _lost_subsidy(value: Any, name: str) -> Subsidy:
    """Read what was taken back out of the words for the event, such as "license revoked/expired"."""
    event = text(value, name).lower()
    if re.search("licen[cs]e|subscription|plan", event):
        return Subsidy.LICENSE
    if re.search("credit|transaction|assignment|redemption|budget|subsidy", event):
        return Subsidy.LEARNER_CREDIT
    raise UnreadableMemberError(f"{name} is {value!r}, the loss of neither a license nor of learner credit.")


_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "match": _Function(_match, _wanted_match),
    "check_run": _Function(_check_run, _verdict),
    "check_course": _Function(_check_course, _verdict),
    "pick": _Function(_pick, text),
    "enroll_by": _Function(_enroll_by, _instant_or_none),
    "default_upgrade_deadline": _Function(_default_upgrade_deadline, _instant_or_none),
    "spec": _Function(_spec, _wanted_spec),
    "downgrade_target": _Function(_downgrade_target, text),
}

"""Decision cases in a file: read into the values that the rules take, and answered by the real rules.

The format is that of tests/data/decision-oracle.json. Members that say nothing when absent may be left out: no
enrollments, no realizations, no override. What is absent among catalogs, modes, licenses and `is_active` is unknown.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeVar, overload
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_metadata.domain import (
    ContentType,
    Course,
    CourseRun,
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
    course_key_of_run,
)
from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.license_payer import LicensePayer
from enterprise_access.apps.default_enrollments.domain.paying import Payment, choose_payer
from enterprise_access.apps.default_enrollments.domain.values import Case, Enrollment, RealizationFact, Reason
from enterprise_access.apps.licenses.domain import License, LicenseStatus, Plan

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=Enum)

# Reads one JSON value, given its name for the message.
Reader = Callable[[Any, str], T]
Answer = Mapping[str, str | None]

# Licenses are looked up by learner; the file speaks of one learner, who has no number.
_LEARNER = 1


class UnreadableFileError(Exception):
    """The file holds no cases; the message says why."""


class _MemberError(Exception):
    """A member cannot be read; the message says which."""


@frozen(kw_only=True)
class Evaluated:
    """A case, what it expects, and what the rules answer."""

    id: str
    expected: Mapping[str, Any]
    got: Answer

    @property
    def is_as_expected(self) -> bool:
        """Whether every member that the case names has the value that it names."""
        return all(self.got.get(member) == value for member, value in self.expected.items())


@frozen(kw_only=True)
class Unreadable:
    """A case that cannot be evaluated. `where` names the case, `why` the member."""

    where: str
    why: str


def read(path: Path) -> Mapping[str, list[Any]]:
    """Return the cases of a file, by the function that they are for. Raises UnreadableFileError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UnreadableFileError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not any(function in content for function in _FUNCTIONS):
        raise UnreadableFileError(f"{path} has neither of the members {', '.join(_FUNCTIONS)}.")
    sections = {function: content.get(function, []) for function in _FUNCTIONS}
    for function, cases in sections.items():
        if not isinstance(cases, list):
            raise UnreadableFileError(f"{path}: {function} is not a list.")
    return sections


def evaluate_all(sections: Mapping[str, list[Any]]) -> Iterator[Evaluated | Unreadable]:
    """Answer every case with the real rules. One that cannot be read does not keep the others from being answered."""
    for function, cases in sections.items():
        for position, case in enumerate(cases):
            yield _evaluate(function, case, where=f"{function}[{position}]")


def _evaluate(function: str, raw: Any, *, where: str) -> Evaluated | Unreadable:
    if isinstance(raw, dict) and "id" in raw:
        where = f"{where} ({raw['id']})"
    try:
        case = _Members(raw)
        expected = case.members("expected").raw
        if not expected:
            raise _MemberError("expected is empty.")
        return Evaluated(id=case.get("id", _text), expected=_expectation(expected), got=_FUNCTIONS[function](case))
    except _MemberError as error:
        return Unreadable(where=where, why=str(error))


def _expectation(expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is expected, a license in our spelling of its uuid."""
    if expected.get("license") is None:
        return expected
    return {**expected, "license": str(_Members(expected, "expected").get("license", _uuid))}


# The two functions


def _decide(case: "_Members") -> Answer:
    verdict = decide(read_case(case), now=case.get("now", _instant))
    return {
        "rule": verdict.rule.value,
        "verdict": verdict.kind.value,
        "bucket": verdict.bucket.value,
        "reason": verdict.reason.value,
        "mode": verdict.mode,
    }


def _choose_payer(case: "_Members") -> Answer:
    licenses = case.get("licenses", _list_of(_license), default=None)
    payer = LicensePayer(licenses={_LEARNER: licenses})
    chosen = choose_payer([payer], lms_user_id=_LEARNER, catalogs=case.get("catalogs", _list_of(_uuid)))
    if isinstance(chosen, Payment):
        return {"license": str(chosen.uuid), "reason": None}
    return {"license": None, "reason": chosen.code}


_FUNCTIONS: dict[str, Callable[["_Members"], Answer]] = {"decide": _decide, "choose_payer": _choose_payer}


# From JSON to values


def read_case(case: "_Members") -> Case:
    """Return the facts of one case of `decide`."""
    learner = case.members("learner")
    intention = case.members("intention")
    resolution = case.members("resolution")
    return Case(
        is_linked=learner.get("linked", _boolean),
        is_customer_active=learner.get("customer_active", _boolean),
        content_type=intention.get("content_type", _one_of(ContentType)),
        content_key=intention.get("content_key", _text),
        course_key=case.get("course_key", _text, default=None),
        resolution=_resolution(resolution, course_key=case.get("course_key", _text, default=None)),
        catalogs=case.get("catalogs", _list_of(_uuid), default=None),
        modes=case.get("modes", _instants, default=None),
        is_invitation_only=_is_invitation_only(resolution),
        enrollments=case.get("enrollments", _list_of(_enrollment), default=()),
        realizations=case.get("realizations", _list_of(_realization), default=()),
        is_covered_in_plan=case.get("planned_for_same_course", _boolean, default=False),
        has_override=case.get("override", _boolean, default=False),
    )


def _resolution(resolution: "_Members", *, course_key: str | None) -> Resolution:
    status = resolution.get("status", _text)
    if status == "unresolved":
        return Unresolved(reason=resolution.get("reason", _one_of(UnresolvedReason)))
    if status != "resolved":
        raise _MemberError(f"{resolution.name}.status is neither resolved nor unresolved.")
    run = _run(resolution.members("run"))
    course = Course(
        key=course_key or course_key_of_run(run.key) or "",
        course_type=resolution.get("course_type", _text, default=None),
        runs=(run,),
    )
    return Resolved(course=course, run=run)


def _run(run: "_Members") -> CourseRun:
    return CourseRun(
        key=run.get("key", _text),
        status=run.get("status", _text, default=None),
        enrollment_starts_at=run.get("enrollment_start", _instant, default=None),
        enrollment_ends_at=run.get("enrollment_end", _instant, default=None),
        ends_at=run.get("end", _instant, default=None),
        has_dates="enrollment_start" in run.raw and "enrollment_end" in run.raw,
        is_enrollable_snapshot=run.get("is_enrollable", _boolean, default=None),
        upgrade_deadlines=run.get("upgrade_deadlines", _instants, default={}),
    )


def _is_invitation_only(resolution: "_Members") -> bool:
    if resolution.raw.get("run") is None:
        return False
    return resolution.members("run").get("invitation_only", _boolean, default=False)


def _enrollment(raw: Any, name: str) -> Enrollment:
    row = _Members(raw, name)
    return Enrollment(
        course_key=row.get("course_key", _text, default=None),
        course_run_key=row.get("course_run_key", _text),
        mode=row.get("mode", _text),
        is_active=row.get("is_active", _boolean, default=None),
        is_revoked=row.get("is_revoked", _boolean, default=False),
    )


def _realization(raw: Any, name: str) -> RealizationFact:
    row = _Members(raw, name)
    return RealizationFact(
        course_key=row.get("course_key", _text, default=None),
        course_run_key=row.get("course_run_key", _text),
        of_this_intention=row.get("of_this_intention", _boolean, default=True),
        left_at=row.get("left_at", _instant, default=None),
        left_reason=row.get("left_reason", _one_of(Reason), default=None),
    )


def _license(raw: Any, name: str) -> License:
    row = _Members(raw, name)
    plan = row.members("plan")
    return License(
        uuid=row.get("uuid", _uuid),
        status=LicenseStatus(row.get("status", _text)),
        plan=Plan(
            uuid=plan.get("uuid", _uuid),
            catalog_uuid=plan.get("catalog", _uuid, default=None),
            is_current=plan.get("is_current", _boolean),
            is_active=plan.get("is_active", _boolean),
            expires_at=plan.get("expires", _instant, default=None),
        ),
    )


# Members and their types


class _Required(Enum):
    REQUIRED = "required"


_REQUIRED: Final = _Required.REQUIRED


class _Members:
    """A JSON object, and its place in the case (empty: the case itself) for messages."""

    def __init__(self, raw: Any, name: str = "") -> None:
        self.name = name
        if not isinstance(raw, dict):
            raise _MemberError(f"{self._title} is not an object.")
        self.raw = raw

    @property
    def _title(self) -> str:
        return self.name or "the case"

    @overload
    def get(self, member: str, reader: Reader[T]) -> T: ...

    @overload
    def get(self, member: str, reader: Reader[T], *, default: D) -> T | D: ...

    def get(self, member: str, reader: Reader[T], *, default: D | _Required = _REQUIRED) -> T | D:
        """Return the member as `reader` reads it; `default`, if there is one, when it is absent or null."""
        value = self.raw.get(member)
        if value is None and not isinstance(default, _Required):
            return default
        if member not in self.raw:
            raise _MemberError(f"{self._title} has no {member}.")
        return reader(value, f"{self.name}.{member}" if self.name else member)

    def members(self, member: str) -> "_Members":
        """Return a member that is an object itself."""
        return self.get(member, _Members)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise _MemberError(f"{name} is not a text.")
    return value


def _boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _MemberError(f"{name} is neither true nor false.")
    return value


def _uuid(value: Any, name: str) -> UUID:
    try:
        return UUID(_text(value, name))
    except ValueError:
        raise _MemberError(f"{name} is not a uuid.") from None


def _instant(value: Any, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(value, name))
    except ValueError:
        raise _MemberError(f"{name} is not an instant (ISO 8601).") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _instants(value: Any, name: str) -> dict[str, datetime | None]:
    members = _Members(value, name)
    return {member: members.get(member, _instant, default=None) for member in members.raw}


def _one_of(options: type[E]) -> Reader[E]:
    def read_option(value: Any, name: str) -> E:
        try:
            return options(value)
        except ValueError:
            raise _MemberError(f"{name} is none of {', '.join(option.value for option in options)}.") from None

    return read_option


def _list_of(reader: Reader[T]) -> Reader[tuple[T, ...]]:
    def read_list(value: Any, name: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise _MemberError(f"{name} is not a list.")
        return tuple(reader(item, f"{name}[{position}]") for position, item in enumerate(value))

    return read_list

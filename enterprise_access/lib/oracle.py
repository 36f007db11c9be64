"""Oracle files: cases as JSON, answered by the real rules and compared with what each case wants.

An app supplies the functions: a reader of the input and the rule to call. Everything else is here: reading the file,
naming the member that cannot be read, comparing, and a management command that prints the differences.
"""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Set
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from attrs import frozen
from django.core.management.base import BaseCommand, CommandError

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=Enum)

# Reads one JSON value, given its name for the message.
Reader = Callable[[Any, str], T]

DIFFERS: Final = 1
UNREADABLE: Final = 2


class UnreadableFileError(Exception):
    """The file holds no cases; the message says why."""


class UnreadableMemberError(Exception):
    """A member cannot be read; the message says which."""


@frozen(kw_only=True)
class Evaluated:
    """A case, what it wants, and what the rules answer, both in comparable form.

    `departure` says how the answer knowingly differs from what the upstream service does; empty = it does not.
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
class UnreadableCase:
    """A case that cannot be evaluated. `where` names the case, `why` the member."""

    where: str
    why: str


Result = Evaluated | UnreadableCase


def load(path: Path, *, members: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the content of a file that has at least one of these members. Raises UnreadableFileError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UnreadableFileError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not any(member in content for member in members):
        raise UnreadableFileError(f"{path} has neither of the members {', '.join(members)}.")
    return content


def cases_of(content: Mapping[str, Any], member: str) -> list[Any]:
    """Return the list of cases under a member; an absent one has none. Raises UnreadableFileError."""
    cases = content.get(member, [])
    if not isinstance(cases, list):
        raise UnreadableFileError(f"{member} is not a list.")
    return cases


def evaluate_each(
    cases: list[Any], evaluate: Callable[["Members"], Evaluated], *, name: str, errors: tuple[type[Exception], ...] = ()
) -> Iterator[Result]:
    """Evaluate every case. A case that cannot be read, or raises one of `errors`, does not stop the others."""
    unreadable: tuple[type[Exception], ...] = (UnreadableMemberError, *errors)
    for position, raw in enumerate(cases):
        where = f"{name}[{position}]"
        if isinstance(raw, dict) and "id" in raw:
            where = f"{where} ({raw['id']})"
        try:
            yield evaluate(Members(raw))
        except unreadable as error:
            yield UnreadableCase(where=where, why=str(error))
        except OverflowError:
            yield UnreadableCase(where=where, why="its instants are beyond the calendar.")


# --- Members and their types ---------------------------------------------------------------------------------------


class Members:
    """A JSON object, and its place in the case (empty: the case itself) for messages."""

    def __init__(self, raw: Any, name: str = "") -> None:
        self.name = name
        if not isinstance(raw, dict):
            raise UnreadableMemberError(f"{name or 'the case'} is not an object.")
        self.raw = raw

    def required(self, member: str) -> Any:
        """Return the member as it is, which may be null but not absent."""
        if member not in self.raw:
            raise UnreadableMemberError(f"{self.name or 'the case'} has no {member}.")
        return self.raw[member]

    def get(self, member: str, reader: Reader[T]) -> T:
        """Return the member, which must be present, as `reader` reads it."""
        return reader(self.required(member), f"{self.name}.{member}" if self.name else member)

    def nullable(self, member: str, reader: Reader[T]) -> T | None:
        """Return the member, which must be present and may be null."""
        return None if self.required(member) is None else self.get(member, reader)

    def optional(self, member: str, reader: Reader[T], default: D) -> T | D:
        """Return the member, or `default` when it is absent or null."""
        return default if self.raw.get(member) is None else self.get(member, reader)

    def members(self, member: str) -> "Members":
        """Return a member that is an object itself."""
        return self.get(member, Members)


def text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise UnreadableMemberError(f"{name} is not a text.")
    return value


def boolean(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise UnreadableMemberError(f"{name} is neither true nor false.")
    return value


def whole_number(value: Any, name: str) -> int:
    if type(value) is not int:
        raise UnreadableMemberError(f"{name} is not a whole number.")
    return value


def uuid(value: Any, name: str) -> UUID:
    try:
        return UUID(text(value, name))
    except ValueError:
        raise UnreadableMemberError(f"{name} is not a uuid.") from None


def instant(value: Any, name: str) -> datetime:
    """Read an ISO 8601 instant; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text(value, name))
    except ValueError:
        raise UnreadableMemberError(f"{name} is not an instant (ISO 8601).") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def option_of(options: type[E]) -> Reader[E]:
    """Return a reader of the values of an enum."""

    def read_option(value: Any, name: str) -> E:
        try:
            return options(value)
        except ValueError:
            names = ", ".join(str(option.value) for option in options)
            raise UnreadableMemberError(f"{name} is none of {names}.") from None

    return read_option


def name_in(options: Mapping[str, Any]) -> Reader[str]:
    """Return a reader of one of these names."""

    def read_name(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in options:
            raise UnreadableMemberError(f"{name} is {value!r}, and none of {', '.join(options)}.")
        return value

    return read_name


def list_of(reader: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return a reader of lists whose items `reader` reads."""

    def read_list(value: Any, name: str) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise UnreadableMemberError(f"{name} is not a list.")
        return tuple(reader(item, f"{name}[{position}]") for position, item in enumerate(value))

    return read_list


def or_none(reader: Reader[T]) -> Reader[T | None]:
    """Return a reader that reads null as None."""
    return lambda value, name: None if value is None else reader(value, name)


# --- The command ---------------------------------------------------------------------------------------------------


class OracleCommand(BaseCommand):
    """Evaluate the cases of FILE with the rules as they are, and print those that differ.

    Exits 0 when every case is answered as wanted, 1 when one differs, 2 when the file or a case is unreadable.
    """

    # The rules need neither database nor settings.
    requires_system_checks: list[str] = []
    example: ClassVar[str]

    def evaluate(self, path: Path) -> Iterator[Result]:
        """Return the results of a file. Raises UnreadableFileError."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=f"JSON like {self.example}")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            results = list(self.evaluate(options["file"]))
        except UnreadableFileError as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        unreadable = [result for result in results if isinstance(result, UnreadableCase)]
        evaluated = [result for result in results if isinstance(result, Evaluated)]
        differing = [result for result in evaluated if not result.is_as_wanted]
        self._print(unreadable, differing, evaluated)
        if unreadable:
            raise SystemExit(UNREADABLE)
        if differing:
            raise SystemExit(DIFFERS)

    def _print(self, unreadable: list[UnreadableCase], differing: list[Evaluated], evaluated: list[Evaluated]) -> None:
        for case in unreadable:
            self.stderr.write(f"{case.where} cannot be read: {case.why}")
        for result in evaluated:
            if result.departure:
                self.stdout.write(f"{result.id} departs from upstream: {result.departure}")
        for result in differing:
            self.stdout.write(f"{result.id} differs")
            self.stdout.write(f"  expected {as_line(result.want)}")
            self.stdout.write(f"  got      {as_line(result.got)}")
        as_wanted = len(evaluated) - len(differing)
        total = len(evaluated) + len(unreadable)
        closing = f"{total} cases: {as_wanted} as expected, {len(differing)} differ, {len(unreadable)} unreadable."
        self.stdout.write(closing)


def as_line(answer: Any) -> str:
    """Return an answer as one line of JSON."""
    return json.dumps(answer, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Set):
        return sorted(value, key=str)
    return value.isoformat() if isinstance(value, datetime) else str(value)

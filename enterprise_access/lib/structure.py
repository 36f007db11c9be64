"""Strict reading of other programs' JSON: what is not exactly as expected is a ShapeError, and never a guess.

`reader(SomeClass)` makes a reader from an attrs class: its annotations say what each member must be, and a default
says that the member is optional (docs/decisions/0019). Additional keys are welcome, because services add some with
every release. A key that we read must be there, and of its type: no "5" for 5, no null where a value is needed.
Messages say where and what, but never the value: it may be personal data.
"""

import functools
import types
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints, overload
from uuid import UUID

import attrs

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Read = Callable[[object], T]

_MAX_INTEGER: Final = 2**63 - 1


class ShapeError(ValueError):
    """A value is not of the shape that we know. `where` leads to it."""

    def __init__(self, problem: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.where = where

    def inside(self, place: str) -> "ShapeError":
        """Return the same error as seen from one level further out."""
        separator = "" if not self.where or self.where.startswith("[") else "."
        return ShapeError(self.problem, where=f"{place}{separator}{self.where}")


_NAMES = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}


def expected(what: str, value: object) -> ShapeError:
    return ShapeError(f"expected {what}, got {'null' if value is None else _NAMES.get(type(value), 'something else')}")


def text(value: object) -> str:
    """Return text that any database can store (no NUL, no half of a surrogate pair)."""
    if not isinstance(value, str):
        raise expected("text", value)
    if "\x00" in value:
        raise ShapeError("expected text, got text with a NUL")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ShapeError("expected text, got half a character") from None
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise expected("a boolean", value)
    return value


def integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise expected("an integer", value)
    if not -_MAX_INTEGER <= value <= _MAX_INTEGER:
        raise ShapeError("expected an integer, got one that is too large")
    return value


def number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise expected("a number", value)
    try:
        return float(value)
    except OverflowError:
        raise ShapeError("expected a number, got one that is too large") from None


def uuid(value: object) -> UUID:
    try:
        return UUID(text(value))
    except ShapeError:
        raise
    except ValueError:
        raise ShapeError("expected a uuid, got other text") from None


def instant(value: object) -> datetime:
    """Return an aware UTC instant. A date without a time, or a time without an offset, is not one."""
    try:
        moment = datetime.fromisoformat(text(value))
        if moment.tzinfo is None:
            raise ShapeError("expected an instant with an offset, got one without")
        return moment.astimezone(UTC)
    except ShapeError:
        raise
    except (ValueError, OverflowError):
        raise ShapeError("expected an instant, got other text") from None


def items(read: Read[T]) -> Read[tuple[T, ...]]:
    """Return a reader of lists whose items `read` reads."""

    def read_items(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise expected("a list", value)
        found = []
        for index, item in enumerate(value):
            try:
                found.append(read(item))
            except ShapeError as error:
                raise error.inside(f"[{index}]") from None
        return tuple(found)

    return read_items


def mapping(read_key: Read[K], read: Read[T]) -> Read[dict[K, T]]:
    """Return a reader of objects that are used as dictionaries."""

    def read_mapping(value: object) -> dict[K, T]:
        found = {}
        for key, item in Fields(value).raw.items():
            try:
                found[read_key(key)] = read(item)
            except ShapeError as error:
                # The key is not named: it may say more than the log should know.
                raise error.inside("{}") from None
        return found

    return read_mapping


class Fields:
    """The members of a JSON object; `place` is where it stands in what is being read."""

    __slots__ = ("_place", "raw")

    def __init__(self, value: object, *, place: str = "") -> None:
        if not isinstance(value, dict):
            raise expected("an object", value)
        self.raw: Mapping[str, object] = value
        self._place = place

    def has(self, *keys: str) -> bool:
        """Say whether all of `keys` are there, whatever their value."""
        return all(key in self.raw for key in keys)

    def need(self, key: str, read: Read[T]) -> T:
        """Return a member that must be there and must not be null."""
        try:
            if key not in self.raw:
                raise ShapeError("is missing")
            return read(self.raw[key])
        except ShapeError as error:
            raise error.inside(f"{self._place}{key}") from None

    def nullable(self, key: str, read: Read[T]) -> T | None:
        """Return a member that must be there and may be null."""
        if key in self.raw and self.raw[key] is None:
            return None
        return self.need(key, read)

    def optional(self, key: str, read: Read[T]) -> T | None:
        """Return a member that may be null, or not be there at all."""
        return None if self.raw.get(key) is None else self.need(key, read)

    def part(self, key: str) -> "Fields":
        """Return the members of an object that must be there."""
        return self.need(key, lambda value: Fields(value, place=f"{self._place}{key}."))


# --- readers made from attrs classes ---------------------------------------------------------------------------------

_SCALARS: Final[Mapping[object, Read[Any]]] = {
    str: text,
    bool: flag,
    int: integer,
    float: number,
    UUID: uuid,
    datetime: instant,
}


def field(key: str | None = None, *, read: Read[Any] | None = None, **options: Any) -> Any:
    """Declare a member that has another name in the JSON (`key`), or that the type alone does not tell how to read.

    `options` are those of `attrs.field`: a default makes the member optional, and also stands for null.
    """
    return attrs.field(metadata={"key": key, "read": read}, **options)


@overload
def reader(kind: type[T]) -> Read[T]: ...
@overload
def reader(kind: object) -> Read[Any]: ...
def reader(kind: Any) -> Read[Any]:
    """Return the reader of a type: a scalar, tuple[X, ...], Mapping[K, X], or an attrs class of such members.

    In a class, `X | None` may be null; a member with a default may be null or missing, and is the default then.
    """
    return _reader(kind)


@functools.cache
def _reader(kind: Any) -> Read[Any]:
    if kind in _SCALARS:
        return _SCALARS[kind]
    arguments = get_args(kind)
    if get_origin(kind) is tuple:
        return items(reader(arguments[0]))
    if get_origin(kind) is Mapping:
        return mapping(reader(arguments[0]), reader(arguments[1]))
    return object_reader(kind)


def object_reader(kind: Any, **reads: Read[Any]) -> Read[Any]:
    """Return the reader of an attrs class, some of whose members are read by `reads`."""
    hints = get_type_hints(kind)
    members = tuple(_member(attribute, hints, reads.get(attribute.name)) for attribute in attrs.fields(kind))

    def read_object(value: object) -> Any:
        if not isinstance(value, dict):
            raise expected("an object", value)
        return kind(**{member.name: found for member in members if (found := member.of(value)) is not attrs.NOTHING})

    return read_object


def remembering(read: Read[T]) -> Read[T]:
    """Return a reader that reads what is equal to the last value only once: rows of a list repeat whole objects."""
    last: tuple[object, T] | None = None

    def read_again(value: object) -> T:
        nonlocal last
        if last is not None and last[0] == value:
            return last[1]
        found = read(value)
        last = (value, found)
        return found

    return read_again


@attrs.frozen
class _Member:
    name: str
    key: str
    read: Read[Any]
    is_nullable: bool
    is_optional: bool

    def of(self, row: Mapping[str, object]) -> Any:
        """Return the value of this member; NOTHING where its default stands."""
        value = row.get(self.key)
        if value is None:
            if self.is_optional:
                return attrs.NOTHING
            if self.key not in row:
                raise ShapeError("is missing", where=self.key)
            if self.is_nullable:
                return None
        try:
            return self.read(value)
        except ShapeError as error:
            raise error.inside(self.key) from None


def _member(attribute: "attrs.Attribute[Any]", hints: Mapping[str, Any], read: Read[Any] | None) -> _Member:
    hint = hints[attribute.name]
    is_nullable = get_origin(hint) in (Union, types.UnionType)
    if is_nullable:
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    return _Member(
        name=attribute.name,
        key=attribute.metadata.get("key") or attribute.name,
        read=read or attribute.metadata.get("read") or reader(hint),
        is_nullable=is_nullable,
        is_optional=attribute.default is not attrs.NOTHING,
    )

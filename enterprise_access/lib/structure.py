"""Strict reading of other programs' JSON: what is not exactly as expected is a ShapeError, and never a guess.

Additional keys are welcome, because neighbours add some with every release. A key that we read must be there, and of
its type: no "5" for 5, no null where a value is needed. Messages say where and what, but never the value: it may be
somebody's name.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")
Read = Callable[[object], T]


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


def _expected(what: str, value: object) -> ShapeError:
    return ShapeError(f"expected {what}, got {'null' if value is None else _NAMES.get(type(value), 'something else')}")


def text(value: object) -> str:
    """Return text that any database can store (no NUL, no half of a surrogate pair)."""
    if not isinstance(value, str):
        raise _expected("text", value)
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
        raise _expected("a boolean", value)
    return value


def integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _expected("an integer", value)
    return value


def number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _expected("a number", value)
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
            raise _expected("a list", value)
        found = []
        for index, item in enumerate(value):
            try:
                found.append(read(item))
            except ShapeError as error:
                raise error.inside(f"[{index}]") from None
        return tuple(found)

    return read_items


def mapping(read_key: Read[str], read: Read[T]) -> Read[dict[str, T]]:
    """Return a reader of objects that are used as dictionaries."""

    def read_mapping(value: object) -> dict[str, T]:
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
            raise _expected("an object", value)
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

"""Comparing what a case wants with what the rules answer, and reading the values that cases share."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from attrs import frozen

from enterprise_access.lib.oracle import UnreadableMemberError, instant, text

ANYTHING: Final = "*"


@frozen
class AnyOrder:
    """A list that is compared as a set."""

    items: tuple[Any, ...]

    @classmethod
    def of(cls, items: Iterable[Any]) -> "AnyOrder":
        return cls(tuple(items))


def an_id(value: Any, name: str) -> UUID:
    """Read a UUID, or a short name such as P1 that stands for one."""
    written = text(value, name)
    try:
        return UUID(written)
    except ValueError:
        return uuid5(NAMESPACE_URL, written)


def is_wanted(want: Any, got: Any) -> bool:
    """Say whether an answer is the wanted one; of an object, every member that the case names."""
    if want == ANYTHING:
        return True
    if isinstance(got, Mapping):
        return isinstance(want, Mapping) and all(name in got and is_wanted(want[name], got[name]) for name in want)
    if isinstance(got, AnyOrder):
        return isinstance(want, list) and _same_items(want, list(got.items))
    if isinstance(got, tuple):
        return isinstance(want, list) and len(want) == len(got) and all(map(is_wanted, want, got))
    return _same_value(want, got)


def _same_items(want: list[Any], got: list[Any]) -> bool:
    left = list(got)
    for one in want:
        found = next((item for item in left if is_wanted(one, item)), None)
        if found is None:
            return False
        left.remove(found)
    return not left


def _same_value(want: Any, got: Any) -> bool:
    if isinstance(got, UUID | datetime):
        read = an_id if isinstance(got, UUID) else instant
        try:
            return bool(read(want, "want") == got)
        except UnreadableMemberError:
            return False
    plain = got.value if isinstance(got, Enum) else got
    return isinstance(want, bool) == isinstance(plain, bool) and bool(want == plain)


def as_plain(got: Any) -> Any:
    """Return an answer as JSON can show it."""
    if isinstance(got, Mapping):
        return {name: as_plain(value) for name, value in got.items()}
    if isinstance(got, AnyOrder):
        return [as_plain(item) for item in got.items]
    if isinstance(got, tuple):
        return [as_plain(item) for item in got]
    if isinstance(got, datetime):
        return got.isoformat()
    if isinstance(got, Enum):
        return got.value
    return str(got) if isinstance(got, UUID) else got

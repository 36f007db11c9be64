"""Values of steps as JSON and back. Reading is strict: lib.structure makes the reader of an attrs class."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import attrs

from enterprise_access.lib.structure import reader

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Return `value` as what JSON can hold. Raises TypeError for a kind of value that no step may have."""
    if attrs.has(type(value)):
        return {each.name: to_json(getattr(value, each.name)) for each in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): to_json(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if value is None or isinstance(value, str | int | bool | float):
        return value
    raise TypeError(f"A step cannot have a value of type {type(value).__name__}.")


def from_json(kind: type[T], value: object) -> T:
    """Return the value of an attrs class that `to_json` wrote. Raises ShapeError."""
    return reader(kind)(value)

"""Frozen values to JSON and back, by their type hints: what the state file holds."""

from __future__ import annotations

import functools
import types
import typing
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import attrs


def to_json(value: Any) -> Any:
    """Return `value` as what `json.dumps` takes."""
    if attrs.has(type(value)):
        return {field.name: to_json(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def from_json(hint: Any, data: Any) -> Any:
    """Return the value of type `hint` that `to_json` made `data` of."""
    if data is None:
        return None
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return from_json(next(arg for arg in typing.get_args(hint) if arg is not type(None)), data)
    if typing.get_origin(hint) is tuple:
        return tuple(from_json(typing.get_args(hint)[0], item) for item in data)
    if attrs.has(hint):
        return hint(**{name: from_json(part, data[name]) for name, part in _hints(hint).items() if name in data})
    if hint is datetime:
        return datetime.fromisoformat(data)
    return hint(data) if hint is UUID or issubclass(hint, Enum) else data


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)

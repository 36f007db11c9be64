"""What typed values are made of: for each member of each class, the types that were seen there."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

Shape = dict[str, set[str]]


def shape_of(value: Any) -> Shape:
    """Return the types by `Class.member`, wherever in `value` the class is met."""
    found: Shape = {}
    _look_at(value, "value", found)
    return found


def shape_of_all(values: Iterable[Any]) -> Shape:
    found: Shape = {}
    for value in values:
        _look_at(value, "value", found)
    return found


def classes_of(shape: Shape) -> set[str]:
    return {place.split(".")[0] for place in shape if "." in place}


def _look_at(value: Any, place: str, found: Shape) -> None:
    found.setdefault(place, set()).add(type(value).__name__)
    if attrs.has(type(value)):
        for name in attrs.fields_dict(type(value)):
            _look_at(getattr(value, name), f"{type(value).__name__}.{name}", found)
    elif isinstance(value, Mapping):
        for item in value.values():
            _look_at(item, f"{place}{{}}", found)
    elif isinstance(value, tuple | frozenset):
        for item in value:
            _look_at(item, f"{place}[]", found)

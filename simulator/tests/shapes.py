"""The shape of a JSON answer: keys, types, nullability. Values do not matter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

DATA_KEY = re.compile(r"course-v1:.*|[0-9a-f]{8}-[0-9a-f-]{27}")
Shape = dict[str, set[str]]
NULL = type(None).__name__


def shape_of(value: Any, path: str = "$") -> Shape:
    """Return the types seen at every path. Keys that are data (run keys, uuids) and list positions count as one."""
    shape: Shape = {path: {type(value).__name__}}
    if isinstance(value, dict):
        names = {name: "<key>" if DATA_KEY.fullmatch(name) else name for name in value}
        parts = [shape_of(value[name], f"{path}.{shown}") for name, shown in names.items()]
    elif isinstance(value, list):
        parts = [shape_of(item, f"{path}[]") for item in value]
    else:
        parts = []
    for part in parts:
        for where, types in part.items():
            shape.setdefault(where, set()).update(types)
    return shape


def vocabulary_of(bodies: Iterable[Any]) -> Shape:
    """Return the types that a service ever answers with, by the last name of the path."""
    words: Shape = {}
    for body in bodies:
        for path, types in shape_of(body).items():
            words.setdefault(_word(path), set()).update(types)
    return words


def differences(ours: Shape, recorded: Shape, vocabulary: Shape) -> list[str]:
    """Say where our shape departs: keys of one side only, or types that the service never has in that place.

    Null against a value is no difference where the service answers both: that is data. What lies below a null or an
    empty list of one side cannot be compared.
    """
    lines = []
    for path in sorted(ours.keys() | recorded.keys()):
        mine, theirs = ours.get(path), recorded.get(path)
        if mine is None or theirs is None:
            if not _is_below_nothing(path, ours if mine is None else recorded):
                lines.append(f"{path}: {'missing in ours' if mine is None else 'only in ours'}")
        elif mine - theirs - vocabulary.get(_word(path), set()):
            lines.append(f"{path}: ours {sorted(mine)}, recorded {sorted(theirs)}")
    return lines


def _word(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _is_below_nothing(path: str, shape: Shape) -> bool:
    """Say whether the other side has null, an empty list or an empty object of data keys where the path would go on."""
    parent = path.removesuffix("[]") if path.endswith("[]") else path.rsplit(".", 1)[0]
    if path.endswith(("[]", "<key>")):
        return True
    return parent not in shape or shape[parent] == {NULL}

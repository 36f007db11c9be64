"""What a replay of one recording found."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import attrs

from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamReason


class Comparison(Enum):
    """How the request that our client sends compares with the recorded one."""

    EQUAL = "equal"
    DIFFERENT = "different"
    REFUSED_LOCALLY = "refused locally"


@attrs.frozen
class Value:
    """A typed value came out of it; None is the typed value "there is no such thing"."""

    value: object

    is_typed = True

    def __str__(self) -> str:
        """Return the value's type, and what is in it in a line."""
        if isinstance(self.value, tuple | frozenset):
            kinds = sorted({type(item).__name__ for item in self.value})
            return f"{len(self.value)} x {', '.join(kinds)}" if kinds else "none (an empty list)"
        return repr(self.value)

    def as_json(self) -> dict[str, object]:
        """Return the whole of it for machines."""
        return {"kind": "value", "type": _type_name(self.value), "value": _plain(self.value)}


@attrs.frozen
class Failure:
    """One of the three failures came out of it."""

    error: UpstreamError

    @property
    def is_typed(self) -> bool:
        """Say whether the answer was understood: not when it had a usable status, and a content we do not know."""
        error = self.error
        if not isinstance(error, UpstreamChanged):
            return True
        if error.reason in {UpstreamReason.UNKNOWN_SHAPE, UpstreamReason.TOO_LARGE}:
            return False
        return error.status is not None and error.status >= 300

    def __str__(self) -> str:
        """Return kind and reason in a line."""
        return f"{type(self.error).__name__}, {self.error.reason.value}: {self.error.detail}"

    def as_json(self) -> dict[str, object]:
        """Return the whole of it for machines."""
        return {
            "kind": "failure",
            "failure": type(self.error).__name__,
            "reason": self.error.reason.value,
            "status": self.error.status,
            "may_have_happened": self.error.may_have_happened,
            "detail": self.error.detail,
        }


@attrs.frozen
class Result:
    """What became of one recording. `method` None: an endpoint that we do not use.

    `outcome` is what our client made of it. `answer` is set when the client refused to send such a request: what it
    would have made of the recorded answer, had a request of its own been answered so. `also` is what other methods,
    that ask the same for another purpose, make of it.
    """

    name: str
    service: str | None
    recorded: str
    method: str | None = None
    verdict: Comparison | None = None
    differences: tuple[str, ...] = ()
    outcome: Value | Failure | None = None
    answer: Value | Failure | None = None
    also: Mapping[str, Value | Failure] = attrs.field(factory=dict)

    @property
    def is_typed(self) -> bool:
        """Say whether the answer became a value or a failure that we know, for each method that uses it."""
        found = self.answer or self.outcome
        return found is None or (found.is_typed and all(other.is_typed for other in self.also.values()))

    def as_json(self) -> dict[str, object]:
        """Return the whole of it for machines."""
        return {
            "file": self.name,
            "service": self.service,
            "recorded": self.recorded,
            "in_use": self.method is not None,
            "method": self.method,
            "request": None
            if self.verdict is None
            else {"verdict": self.verdict.value.replace(" ", "_"), "differences": list(self.differences)},
            "outcome": self.outcome.as_json() if self.outcome else None,
            "answer": self.answer.as_json() if self.answer else None,
            "also": {name: found.as_json() for name, found in self.also.items()},
            "typed": self.is_typed,
        }


def _type_name(value: object) -> str:
    if isinstance(value, tuple | frozenset):
        kinds = sorted({type(item).__name__ for item in value})
        return f"{type(value).__name__}[{' | '.join(kinds)}]"
    return type(value).__name__


def _plain(value: object) -> object:
    """Return `value` made of what JSON knows."""
    kind: Any = type(value)
    if attrs.has(kind):
        return {name: _plain(getattr(value, name)) for name in attrs.fields_dict(kind)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value

"""Reading the environment, so that what is written wrongly there is said at the start and by its name."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = frozenset(environ.Env.BOOLEAN_TRUE_STRINGS)
_FALSE = frozenset({"false", "off", "no", "n", "0"})


class Environment(environ.Env):
    """`environ.Env` that refuses what is neither a number nor a truth value where one is expected.

    The library takes "ture" for false, "1O" for 1, and " b" for the second item of "a, b". Empty counts as not set: an
    orchestrator passes on as "" what no one has set.
    """

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **more: Any) -> Any:
        if cast not in (int, float, bool):
            value = super().get_value(var, cast=cast, default=default, **more)
            return [item.strip() for item in value if item.strip()] if cast is list else value
        text = str(super().get_value(var, default="")).strip()
        if not text:
            if default is self.NOTSET:
                raise ImproperlyConfigured(f"{var} is missing in the environment.")
            return default
        return truth(var, text) if cast is bool else _number(var, text, cast)


def truth(name: str, text: str) -> bool:
    """Return what a text says. Raises ImproperlyConfigured for one that says neither."""
    if text.lower() not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} has to be true or false.")
    return text.lower() in _TRUE


def _number(name: str, text: str, cast: type[int] | type[float]) -> int | float:
    """Return a number of seconds, calls, bytes and the like; there is nothing to be said with a negative one."""
    try:
        number = cast(text)
    except ValueError:
        kind = "a whole number" if cast is int else "a number"
        raise ImproperlyConfigured(f"{name} has to be {kind}.") from None
    # `not >=` refuses "nan" as well.
    if not number >= 0 or number == float("inf"):
        raise ImproperlyConfigured(f"{name} must not be negative or without end.")
    return number


def integers_from(text: str) -> dict[int, int]:
    """Return the pairs of whole numbers that `1=2,3=4` names. Raises ImproperlyConfigured."""
    pairs = [part.split("=") for part in text.split(",") if part.strip()]
    try:
        return {int(key): int(value) for key, value in pairs}
    except ValueError:
        raise ImproperlyConfigured(f"{text!r} has to be pairs of whole numbers, like 1=2,3=4.") from None

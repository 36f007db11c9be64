"""Every route and method that the service knows, read from its own router."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, resolve

# The admin pages guard themselves, and have tests of their own.
NOT_OURS = ("admin/",)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def known() -> set[tuple[str, str]]:
    """Return (method, route) of everything that can be called, the admin pages aside."""
    found = set(_walk(get_resolver().url_patterns, prefix=""))
    return {(method, route) for method, route in found if not route.startswith(NOT_OURS)}


def route_of(path: str) -> str:
    """Return the route to which an address leads."""
    return resolve(path.partition("?")[0]).route


def _walk(patterns: list[Any], *, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, prefix=route)
        elif isinstance(entry, URLPattern):
            yield from ((method, route) for method in _methods_of(entry.callback))


def _methods_of(view: Any) -> list[str]:
    """Return the methods that a view answers: a viewset's by its actions, a class's by its handlers, else GET."""
    if actions := getattr(view, "actions", None):
        return [name.upper() for name in actions if name.upper() in METHODS]
    if view_class := getattr(view, "view_class", None) or getattr(view, "cls", None):
        if getattr(view_class, "pattern_name", None) or view_class.__name__ == "RedirectView":
            return ["GET"]
        return [method for method in METHODS if hasattr(view_class, method.lower())]
    return ["GET"]

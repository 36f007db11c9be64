"""The pieces that answers of all upstream services are made of: callers, errors, pages, instants."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from attrs import frozen
from flask import Response, current_app, json, request

from .tokens import BadToken, ExpiredToken, Tokens
from .world import World

Row = TypeVar("Row")
OPERATOR = "enterprise_openedx_operator:*"
PROVISIONER = "enterprise_provisioning_admin:*"
SERVER_ERROR = "Server Error (500)", ""
NOT_FOUND = "Not Found", "The requested resource was not found on this server."
UUID_PATTERN = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


class Abort(Exception):
    """Stop here and answer this."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@frozen(kw_only=True)
class Caller:
    """Who asks, as the token says."""

    username: str
    user_id: int | None
    email: str | None
    is_staff: bool
    roles: tuple[str, ...]

    @property
    def is_operator(self) -> bool:
        return OPERATOR in self.roles

    @property
    def is_provisioner(self) -> bool:
        return PROVISIONER in self.roles

    def has_role(self, role: str, customer_uuid: object) -> bool:
        """Say whether the role names this customer. Contexts are compared as text, as the real services do."""
        return f"{role}:{customer_uuid}" in self.roles


def the_world() -> World:
    world: World = current_app.extensions["simulator"].world
    return world


def the_tokens() -> Tokens:
    tokens: Tokens = current_app.extensions["simulator"].tokens
    return tokens


# -- who asks ---------------------------------------------------------------------------------------------------------


def authenticate(*, garbage: str = "Invalid token.", expired: str = "Invalid token.") -> Caller:
    """Return the caller, or abort with 401. Only `Authorization: JWT` counts as credentials."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.upper() != "JWT" or not token:
        raise Abort(unauthorized("Authentication credentials were not provided."))
    try:
        claims = the_tokens().claims_of(token.strip())
    except ExpiredToken:
        raise Abort(unauthorized(expired)) from None
    except BadToken:
        raise Abort(unauthorized(garbage)) from None
    tell_caller(claims["preferred_username"])
    return Caller(
        username=claims["preferred_username"],
        user_id=claims.get("user_id"),
        email=claims.get("email"),
        is_staff=bool(claims.get("administrator")),
        roles=tuple(claims.get("roles", ())),
    )


def tell_caller(username: str) -> None:
    """Let the log know who called."""
    request.environ.get("simulator.seen", {})["caller"] = username


# -- answers ----------------------------------------------------------------------------------------------------------


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    response = Response(json.dumps(body, sort_keys=False), status=status, content_type="application/json")
    response.headers.update(headers or {})
    return response


def empty(status: int) -> Response:
    """Return an answer without a body, and so without a type of it."""
    response = Response(b"", status=status)
    del response.headers["Content-Type"]
    return response


def detail(text: str, status: int) -> Response:
    return answer({"detail": text}, status)


def unauthorized(text: str) -> Response:
    return answer({"detail": text}, 401, {"WWW-Authenticate": 'JWT realm="api"'})


def throttled(retry_after_seconds: int) -> Response:
    unit = "second" if retry_after_seconds == 1 else "seconds"
    text = f"Request was throttled. Expected available in {retry_after_seconds} {unit}."
    return answer({"detail": text}, 429, {"Retry-After": str(retry_after_seconds)})


def html_page(status: int, title: str, text: str = "") -> Response:
    """Return the error page that a server sends where no JSON was thought of."""
    page = (
        f'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>\n'
        f"<body>\n  <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
    )
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def crash() -> Response:
    return html_page(500, *SERVER_ERROR)


def instant(at: datetime | None) -> str | None:
    """Write an instant as Django REST framework does; fractional seconds only where they are not zero."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def whole_second(at: datetime | None) -> str | None:
    """Write an instant as a database without fractional seconds gives it back."""
    return instant(at.replace(microsecond=0)) if at else None


# -- questions --------------------------------------------------------------------------------------------------------


def uuid_or(value: str | None, otherwise: Callable[[], Response]) -> UUID:
    """Return the uuid that the text spells, or abort with what `otherwise` answers."""
    if value is None or not UUID_PATTERN.fullmatch(value):
        raise Abort(otherwise())
    return UUID(value)


def number_or(value: str, otherwise: Callable[[], Response]) -> int:
    if not re.fullmatch(r"-?\d+", value):
        raise Abort(otherwise())
    return int(value)


def is_any_text(name: str) -> bool:
    """Say whether a boolean parameter of enterprise-catalog is on: any non-empty text is, `false` and `0` too."""
    return bool(request.args.get(name))


def is_true(name: str, *, default: bool) -> bool:
    """Read a boolean parameter of license-manager, which does understand `false`."""
    value = request.args.get(name)
    return default if value is None else value.lower() in ("true", "1", "t", "yes", "y")


# -- pages ------------------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Page:
    """Some rows of many, with the links that lead on. Links carry the host the request came in with."""

    rows: list[Any]
    count: int
    number: int
    size: int
    pages: int
    next: str | None
    previous: str | None

    def envelope(self, results: Iterable[Any], **more: Any) -> dict[str, Any]:
        """The long form: with page numbers and start."""
        return {
            "next": self.next,
            "previous": self.previous,
            "count": self.count,
            "num_pages": self.pages,
            "current_page": self.number,
            "start": (self.number - 1) * self.size,
            "results": list(results),
        } | more

    def short_envelope(self, results: Iterable[Any], **more: Any) -> dict[str, Any]:
        links = {"count": self.count, "next": self.next, "previous": self.previous}
        return links | {"results": list(results)} | more


def page_of(rows: Sequence[Row], *, size: int, largest: int | None = None, is_size_free: bool = True) -> Page:
    """Cut the page that the request asks for out of `rows`; abort with 404 past the end."""
    size = _page_size(size, largest) if is_size_free else size
    pages = max(1, math.ceil(len(rows) / size))
    asked = request.args.get("page", "1")
    number = pages if asked == "last" else int(asked) if asked.isdigit() else 0
    if not 1 <= number <= pages:
        raise Abort(detail("Invalid page.", 404))
    return Page(
        rows=list(rows[(number - 1) * size : number * size]),
        count=len(rows),
        number=number,
        size=size,
        pages=pages,
        next=_link(number + 1) if number < pages else None,
        previous=_link(number - 1) if number > 1 else None,
    )


def _page_size(default: int, largest: int | None) -> int:
    asked = request.args.get("page_size", "")
    size = int(asked) if asked.isdigit() and int(asked) > 0 else default
    return min(size, largest) if largest else size


def _link(number: int) -> str:
    pairs = [pair for pair in parse_qsl(request.query_string.decode(), keep_blank_values=True) if pair[0] != "page"]
    if number > 1:
        pairs.append(("page", str(number)))
    query = urlencode(sorted(pairs, key=lambda pair: pair[0]))
    return f"{request.base_url}?{query}" if query else request.base_url

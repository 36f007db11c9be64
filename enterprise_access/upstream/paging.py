"""Long questions in pieces, long answers in pages."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar
from urllib.parse import parse_qs, quote_plus, urlsplit

import attrs

from enterprise_access.lib.errors import Reason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.lib.http import Answer, Params
from enterprise_access.lib.structure import Fields, Read, items, text

T = TypeVar("T")
Ask = Callable[[Params], Answer]

MAX_VALUES: Final = 100
# gunicorn cuts request lines at 4094 bytes; 3200 leave room for the address itself and for a prefix.
MAX_QUERY_BYTES: Final = 3200
# A guard against a list that never ends, far above every list that we know (100 rows a page).
MAX_PAGES: Final = 2000


@attrs.frozen
class Page(Generic[T]):
    """The rows of one page, and the link to the next page as the neighbour wrote it."""

    rows: tuple[T, ...]
    next: str | None


def page_of(read: Read[T]) -> Read[Page[T]]:
    """Return a reader of the envelope {results, next} around rows that `read` reads."""

    def read_page(value: object) -> Page[T]:
        fields = Fields(value)
        return Page(rows=fields.need("results", items(read)), next=fields.nullable("next", text))

    return read_page


def in_pieces(values: Sequence[str], *, name: str = ",") -> Iterator[tuple[str, ...]]:
    """Yield `values` in pieces that fit into one address. `name` is repeated with every value there."""
    piece: list[str] = []
    size = 0
    for value in values:
        cost = len(name) + len(quote_plus(value)) + 2
        if piece and (len(piece) == MAX_VALUES or size + cost > MAX_QUERY_BYTES):
            yield tuple(piece)
            piece, size = [], 0
        piece.append(value)
        size += cost
    if piece:
        yield tuple(piece)


def numbered_pages(ask: Ask, params: Params, read: Read[Page[T]]) -> Iterator[T]:
    """Yield the rows of all pages, counting them.

    The links between the pages are not followed: they carry the host name that the neighbour believes to have.
    """
    answer = ask(params)
    page = answer.read(read)
    yield from page.rows
    number = 1
    while page.next is not None:
        number += 1
        if number > MAX_PAGES:
            raise answer.changed("answered a list without an end", Reason.UNKNOWN_SHAPE)
        answer = _later_page(ask, [*params, ("page", str(number))])
        page = answer.read(read)
        yield from page.rows


def _later_page(ask: Ask, params: Params) -> Answer:
    try:
        return ask(params)
    except UpstreamRefused as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        failure = UpstreamUnavailable(
            f"a list of {error.service} became shorter while it was read",
            service=error.service,
            reason=error.reason,
            status=error.status,
        )
    raise failure


def cursor_pages(ask: Ask, params: Params, read: Read[Page[T]]) -> Iterator[T]:
    """Yield the rows of all pages, each found by the cursor in the link of the page before."""
    answer = ask(params)
    page = answer.read(read)
    yield from page.rows
    seen: set[str] = set()
    while page.next is not None:
        cursor = _cursor(page.next)
        if cursor is None or cursor in seen or len(seen) >= MAX_PAGES:
            raise answer.changed("answered a list without an end", Reason.UNKNOWN_SHAPE)
        seen.add(cursor)
        answer = ask([*params, ("cursor", cursor)])
        page = answer.read(read)
        yield from page.rows


def _cursor(link: str) -> str | None:
    try:
        found = parse_qs(urlsplit(link).query).get("cursor")
    except ValueError:
        return None
    return found[0] if found else None

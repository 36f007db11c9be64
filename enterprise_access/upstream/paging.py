"""Long questions in pieces, long answers in pages."""

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import parse_qs, quote_plus, urlsplit

import attrs

from enterprise_access.lib import breaker, unreadable
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.lib.http import Answer, Params
from enterprise_access.lib.rows import Rows, UnreadableRow, rows_of
from enterprise_access.lib.structure import Read, field, items, object_reader, reader

T = TypeVar("T")
Ask = Callable[[Params], Answer]

MAX_VALUES: Final = 100
# gunicorn cuts request lines at 4094 bytes; 3200 leave room for the address itself and for a prefix.
MAX_QUERY_BYTES: Final = 3200


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One page: its rows, the link to the next page as the service wrote it, and how many rows all pages have."""

    rows: Rows[T] = field("results")
    next: str | None
    count: int | None = None

    @property
    def unreadable(self) -> tuple[UnreadableRow, ...]:
        return self.rows.unreadable


P = TypeVar("P", bound=Page[Any])


@functools.cache
def page_of(row: Any, *, key: Read[Hashable] | None = None, page: type[Page[Any]] = Page) -> Read[Any]:
    """Return a reader of the envelope {results, next, count} around rows of the class `row`, or that `row` reads.

    `key` reads whose row it is, for rows that cannot be read otherwise. `page` is a class with more members.
    """
    return object_reader(page, rows=rows_of(_reader_of(row), key=key))


@functools.cache
def whole_page_of(row: Any, *, page: type[Page[Any]] = Page) -> Read[Any]:
    """Return the same for a list about one thing or one learner, which one odd row leaves unknown as a whole."""
    read_all = items(_reader_of(row))
    return object_reader(page, rows=lambda value: Rows(read_all(value)))


def _reader_of(row: Any) -> Read[Any]:
    return reader(row) if isinstance(row, type) else row


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


def all_rows(pages: Iterable[Page[T]]) -> Rows[T]:
    """Return the rows of all pages together."""
    return joined(page.rows for page in pages)


def joined(parts: Iterable[Rows[T]]) -> Rows[T]:
    """Return several answers as one."""
    parts = list(parts)
    return Rows((row for part in parts for row in part), (row for part in parts for row in part.unreadable))


def numbered_pages(ask: Ask, params: Params, read: Read[P]) -> Iterator[P]:
    """Yield all pages, counting them.

    The links between the pages are not followed: they carry the host name that the service believes to have.
    """
    answer = ask(params)
    page = answer.read(read)
    yield page
    end = _End(page)
    number = 1
    while page.next is not None:
        number += 1
        answer = _later_page(ask, [*params, ("page", str(number))])
        page = answer.read(read)
        end.check(page, answer)
        yield page


# A list is not read on once more of its pages have failed.
MAX_FAILED_PAGES: Final = 3


def numbered_pages_apart(ask: Ask, params: Params, read: Read[Page[T]], *, call: str) -> Iterator[Page[T]]:
    """Yield the same; in the place of a later page that fails alone, one with an unreadable row, which may be anyone's.

    One row can make a service fail on the whole page that it is on. Raises what `ask` raises for the first page, and
    for one page too many.
    """
    answer = ask(params)
    first: Page[T] = answer.read(read)
    yield first
    end, page, number, failed = _End(first), first, 1, 0
    while page.next is not None:
        number += 1
        try:
            with breaker.blaming_the_keys():
                answer = _later_page(ask, [*params, ("page", str(number))])
            page = answer.read(read)
            end.check(page, answer)
        except UpstreamError as error:
            failed += 1
            if not error.may_be_one_row or failed > MAX_FAILED_PAGES:
                raise
            is_last = number * _size(first) >= (first.count or 0)
            lost = UnreadableRow(problem=error.reason.value)
            page = Page(rows=Rows((), [lost]), next=None if is_last else page.next, count=first.count)
            unreadable.note(service=error.service, call=call, rows=[lost])
        yield page


@attrs.define
class _End:
    """Notices a list that never ends: more rows than it says it has, or a page that repeats the one before."""

    last: Page[Any]
    rows: int = 0

    def __attrs_post_init__(self) -> None:
        self.rows = _size(self.last)

    def check(self, page: Page[Any], answer: Answer) -> None:
        """Raise UpstreamChanged if the list has no end."""
        self.rows += _size(page)
        is_repeated = bool(page.rows) and page.rows == self.last.rows
        # Rows are added and shift while the list is read: a page more than the list has is no sign yet.
        is_too_long = page.count is not None and self.rows > page.count + _size(self.last) + MAX_VALUES
        if is_repeated or is_too_long or (page.next is not None and not _size(page)):
            raise answer.changed("answered a list without an end", UpstreamReason.UNKNOWN_SHAPE)
        self.last = page


def _size(page: Page[Any]) -> int:
    return len(page.rows) + len(page.unreadable)


def _later_page(ask: Ask, params: Params) -> Answer:
    try:
        return ask(params)
    except UpstreamRefused as error:
        if error.reason is not UpstreamReason.NOT_FOUND:
            raise
        failure = UpstreamUnavailable(
            f"a list of {error.service} became shorter while it was read",
            service=error.service,
            reason=error.reason,
            status=error.status,
        )
    raise failure


def cursor_pages(ask: Ask, params: Params, read: Read[P]) -> Iterator[P]:
    """Yield all pages, each found by the cursor in the link of the page before."""
    answer = ask(params)
    page = answer.read(read)
    yield page
    end = _End(page)
    seen: set[str] = set()
    while page.next is not None:
        cursor = _cursor(page.next)
        if cursor is None or cursor in seen:
            raise answer.changed("answered a list without an end", UpstreamReason.UNKNOWN_SHAPE)
        seen.add(cursor)
        answer = ask([*params, ("cursor", cursor)])
        page = answer.read(read)
        end.check(page, answer)
        yield page


def _cursor(link: str) -> str | None:
    try:
        found = parse_qs(urlsplit(link).query).get("cursor")
    except ValueError:
        return None
    return found[0] if found else None

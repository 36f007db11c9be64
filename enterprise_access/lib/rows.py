"""Reading lists row by row: one that cannot be read is left out, and never means "no"."""

from collections.abc import Collection, Hashable, Iterable
from typing import Protocol, TypeVar, runtime_checkable

import attrs

from enterprise_access.lib.structure import Read, ShapeError, expected

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@attrs.frozen
class UnreadableRow:
    """A row that could not be read. `key` says whose it is (None: that cannot be read either).

    `problem` is one of few sentences, for metrics; `where` leads to it.
    """

    problem: str
    where: str = ""
    key: Hashable | None = attrs.field(default=None, repr=False)


@runtime_checkable
class PartlyRead(Protocol):
    """Something that was read from an answer, some rows of which may be unreadable."""

    @property
    def unreadable(self) -> tuple[UnreadableRow, ...]: ...


class Rows(tuple[T, ...]):
    """The rows of an answer that could be read, and what is known of those that could not (`unreadable`).

    Before you conclude from an absence, ask `unknown_among`: a row that could not be read never means "no".
    """

    unreadable: tuple[UnreadableRow, ...]

    def __new__(cls, rows: Iterable[T] = (), unreadable: Iterable[UnreadableRow] = ()) -> "Rows[T]":
        self = super().__new__(cls, tuple(rows))
        self.unreadable = tuple(unreadable)
        return self

    def unknown_among(self, asked: Iterable[K], *, told: Collection[K]) -> set[K]:
        """Return those of the keys `asked` for that this answer leaves unknown. `told` are the keys of its rows.

        A row whose key cannot be read may belong to any key that the answer does not otherwise tell about.
        """
        keys = {row.key for row in self.unreadable}
        return {key for key in asked if key in keys or (None in keys and key not in told)}


def rows_of(read: Read[T], *, key: Read[Hashable] | None = None) -> Read[Rows[T]]:
    """Return a reader of lists that leaves out the rows that `read` cannot read. `key` reads whose row it is."""

    def read_rows(value: object) -> Rows[T]:
        if not isinstance(value, list):
            raise expected("a list", value)
        found, unreadable = [], []
        for item in value:
            try:
                found.append(read(item))
            except ShapeError as error:
                unreadable.append(UnreadableRow(problem=error.problem, where=error.where, key=_key(item, key)))
        return Rows(found, unreadable)

    return read_rows


def _key(item: object, read: Read[Hashable] | None) -> Hashable | None:
    if read is None:
        return None
    try:
        return read(item)
    except ShapeError:
        return None

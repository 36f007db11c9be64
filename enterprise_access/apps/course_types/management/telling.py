"""How the commands tell what they do: lines, and how far they are when somebody watches."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def with_progress(rows: Iterable[T], *, total: int, out: Any, what: str) -> Iterator[T]:
    """Yield the rows, and say on a terminal how many are done. Elsewhere, as in a log, nothing is said."""
    is_watched = getattr(out, "isatty", lambda: False)()
    for number, row in enumerate(rows, start=1):
        yield row
        if is_watched:
            out.write(f"\r{number} of {total} {what}", ending="\n" if number == total else "")


def counted(names: Iterable[str]) -> str:
    """Return how often each name comes, in words, in the order in which they come first."""
    totals: dict[str, int] = {}
    for name in names:
        totals[name] = totals.get(name, 0) + 1
    return ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in totals.items())

"""The state of the world: tables, clock and journal, and the two verbs through which every change goes.

The rules of enrolling and of licenses (`enrolling`, `licensing`) work on a Store; `world` puts its words on top.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .journal import Journal
from .keeping import Keeper
from .ledger_rows import LedgerLocks
from .quirks import Quirks
from .tables import Tables
from .values import EnterpriseEnrollment


def utc_now() -> datetime:
    return datetime.now(tz=UTC)


def nothing(store: Any) -> None:
    """Seed an empty world."""


class Store:
    """State and transitions. Hold `lock` around anything that must not interleave."""

    def __init__(self, *, now: Callable[[], datetime] = utc_now, seed: Callable[[Any], None] = nothing) -> None:
        self.lock = threading.RLock()
        self.quirks = Quirks()
        self.ledger_locks = LedgerLocks()
        self.replica: dict[int, list[EnterpriseEnrollment]] | None = None
        self.contains_cache: dict[str, tuple[datetime, bool]] = {}
        self.listeners: list[Callable[[str, Any], None]] = []
        self._keeper = Keeper(now=now, sow=lambda: seed(self))
        self._keeper.sow(now())

    # -- keeping ------------------------------------------------------------------------------------------------------

    def put(self, what: str, row: Any) -> None:
        """Store `row` in the table of its type, replacing the row with the same key."""
        self._keeper.put(what, row)
        self.tell(what, row)

    def tell(self, what: str, row: Any) -> None:
        """Let the listeners know what happened, to whom. The seed is no news."""
        if not self._keeper.is_sowing:
            for listener in self.listeners:
                listener(what, row)

    def drop(self, what: str, row: Any) -> None:
        self._keeper.drop(what, row)

    def keep_in(self, path: Path) -> None:
        """Continue the story that `path` tells, or begin it; from now on every change is appended to it."""
        with self.lock:
            self._keeper.keep_in(path)

    def reset(self) -> None:
        """Go back to the seed, with all quirks off. A state file keeps its lines and gets one that says so."""
        with self.lock:
            self._forget_moods()
            self._keeper.reset()

    @contextlib.contextmanager
    def undoing(self) -> Iterator[None]:
        """Go back at the end to the rows that there are now, with all quirks off; for tests that share a world."""
        tables = self.tables.copied()
        try:
            yield
        finally:
            with self.lock:
                self._forget_moods()
                self._keeper.put_back(tables)

    def _forget_moods(self) -> None:
        self.quirks = Quirks()
        self.ledger_locks = LedgerLocks()
        self.replica = None
        self.contains_cache.clear()

    def now(self) -> datetime:
        """Return the instant of the world's clock; while it is seeded, the clock stands still."""
        return self._keeper.now()

    @property
    def tables(self) -> Tables:
        return self._keeper.tables

    @property
    def journal(self) -> Journal:
        return self._keeper.journal

    @property
    def seeded_at(self) -> datetime:
        return self._keeper.seeded_at

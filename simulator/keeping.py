"""How the state is kept: tables, the journal that every change goes through, seed and replay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from . import codec
from .journal import Change, Journal, lines_of
from .tables import Table, Tables


class Keeper:
    """Applies changes to the tables, and tells the journal first. `sow` fills the empty tables with the seed."""

    def __init__(self, *, now: Callable[[], datetime], sow: Callable[[], None]) -> None:
        self.tables = Tables()
        self.journal = Journal()
        self.seeded_at = now()
        self._clock = now
        self._sow = sow
        self.is_sowing = False

    def now(self) -> datetime:
        return self.seeded_at if self.is_sowing else self._clock()

    def put(self, what: str, row: Any) -> None:
        self._tell(what, row, is_dropped=False)
        self._table_of(row).put(row)

    def drop(self, what: str, row: Any) -> None:
        self._tell(what, row, is_dropped=True)
        self._table_of(row).drop(row)

    def sow(self, at: datetime) -> None:
        """Start over with the seed as of `at`; the seed itself is not journaled."""
        self.tables.clear()
        self.seeded_at = at
        self.is_sowing = True
        try:
            self._sow()
        finally:
            self.is_sowing = False
        self.journal.forget()

    def put_back(self, tables: Tables) -> None:
        """Continue with the rows that these tables hold, without a history."""
        self.tables = tables
        self.journal.forget()

    def reset(self) -> None:
        at = self._clock()
        self.journal.write({"what": "reset", "at": at.isoformat()})
        self.sow(at)

    def keep_in(self, path: Path) -> None:
        """Replay what `path` tells, then append to it."""
        for line in lines_of(path):
            self._replay(line)
        self.journal.keep_in(path)
        if path.stat().st_size == 0:
            self.journal.write({"what": "seeded", "at": self.seeded_at.isoformat()})

    def _tell(self, what: str, row: Any, *, is_dropped: bool) -> None:
        if self.is_sowing:
            return
        at, table = self._clock(), self.tables.name_of(row)
        change = Change(
            number=self.journal.next_number(), at=at, what=what, table=table, row=row, is_dropped=is_dropped
        )
        line = {"at": at.isoformat(), "what": what, "table": table, "drop": is_dropped, "row": codec.to_json(row)}
        self.journal.add_change(change, line)

    def _table_of(self, row: Any) -> Table[Any]:
        return self.tables.named(self.tables.name_of(row))

    def _replay(self, line: dict[str, Any]) -> None:
        if "table" not in line:
            self.sow(datetime.fromisoformat(line["at"]))
            return
        table = self.tables.named(line["table"])
        row = codec.from_json(table.row_type, line["row"])
        if line["drop"]:
            table.drop(row)
        else:
            table.put(row)

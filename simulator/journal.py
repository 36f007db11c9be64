"""What happened: changes of the world (kept in a file, if there is one) and calls that the upstream services saw (in
memory).

The file holds one JSON object a line and is only ever appended to. Its first line says when the world was seeded, so
that a restart seeds the same dates; a `reset` line throws away everything above it.
"""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from attrs import frozen

REMEMBERED = 20_000


@frozen(kw_only=True)
class Change:
    """One row put into, or dropped from, a table; `what` says why in a word or two."""

    number: int
    at: datetime
    what: str
    table: str
    row: Any
    is_dropped: bool = False


@frozen(kw_only=True)
class Call:
    """One request as the upstream service saw it, and what it answered. `status` None: nothing was answered."""

    number: int
    at: datetime
    service: str
    endpoint: str
    method: str
    path: str
    query: dict[str, list[str]]
    body: Any
    caller: str | None
    status: int | None
    fault: str | None
    request_id: str | None


class Journal:
    """The memory of a world: bounded in memory, complete in the file."""

    def __init__(self) -> None:
        self._changes: deque[Change] = deque(maxlen=REMEMBERED)
        self._calls: deque[Call] = deque(maxlen=REMEMBERED)
        self._numbers = itertools.count(1)
        self._file: IO[str] | None = None

    def next_number(self) -> int:
        return next(self._numbers)

    def changes(self, *, what: str | None = None, table: str | None = None, since: int = 0) -> list[Change]:
        return [
            change
            for change in list(self._changes)
            if change.number > since and what in (None, change.what) and table in (None, change.table)
        ]

    def calls(
        self, *, service: str | None = None, endpoint: str | None = None, method: str | None = None, since: int = 0
    ) -> list[Call]:
        """Return the calls in the order in which they were answered."""
        return [
            call
            for call in list(self._calls)
            if call.number > since
            and service in (None, call.service)
            and endpoint in (None, call.endpoint)
            and method in (None, call.method)
        ]

    def add_change(self, change: Change, line: dict[str, Any] | None) -> None:
        """Remember `change`; write `line` first where a file is kept, so that what was answered is never lost."""
        self.write(line)
        self._changes.append(change)

    def add_call(self, call: Call) -> None:
        self._calls.append(call)

    def forget(self) -> None:
        """Forget changes and calls; the file stays as it is."""
        self._changes.clear()
        self._calls.clear()

    def write(self, line: dict[str, Any] | None) -> None:
        if self._file is not None and line is not None:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()

    def keep_in(self, path: Path) -> None:
        """Append from now on to `path`, after cutting off a last line that a crash left unfinished."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.read_bytes().endswith(b"\n"):
            whole = path.read_bytes()
            path.write_bytes(whole[: whole.rfind(b"\n") + 1])
        self._file = path.open("a", encoding="utf-8")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a state file; none when there is no file yet, and not the torn last line of a crash."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)

"""How every benchmark tells what it found: on which machine, in which tables, into which files."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# `make bench` tells its parts where to write; on its own, each writes where its page is.
FOLDER = Path(os.environ.get("BENCH_FOLDER") or ROOT / "docs" / "benchmarks")

Row = dict[str, Any]


def about_this(command: str, **more: object) -> Row:
    """Return what figures mean nothing without: code, versions, machine, date."""
    return {
        "command": command,
        "commit": _git("rev-parse", "--short", "HEAD") or "unknown",
        # Figures of earlier runs are no change of what was measured.
        "is_changed_since": bool(_git("status", "--porcelain", "--", ".", ":!docs/benchmarks", ":!docs/capacity")),
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "django": version("django"),
        "drf": version("djangorestframework"),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "load": load(),
        **more,
    }


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def load() -> float:
    """Return how many processes wanted a core during the last minute."""
    return round(os.getloadavg()[0], 1)


def made_by(about: Row) -> str:
    """Return the sentence with which a page of figures begins."""
    changed = ", with changes that are not committed," if about["is_changed_since"] else ""
    return (
        f"Measured with ``{about['command']}`` at commit {about['commit']}{changed} on {about['date']}: Python"
        f" {about['python']}, Django {about['django']}, {about['cores']} cores with {about['memory_gb']} GB and a load"
        f" of {about['load']}."
    )


def percentiles(milliseconds: Sequence[float]) -> Row:
    """Return the median and the 95th percentile."""
    ordered = sorted(milliseconds)
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95) - 1], 2)}


def write(name: str, found: Row, page: str) -> None:
    """Write figures and page side by side."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n")
    (FOLDER / f"{name}.rst").write_text(page)


def heading(words: str, line: str = "=") -> list[str]:
    return [words, line * len(words), ""]


def list_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return a table of reStructuredText, and the empty line after it."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (titles, *rows):
        lines += [f"   {' ' if number else '*'} - {as_cell(cell)}".rstrip() for number, cell in enumerate(row)]
    return [*lines, ""]


def timeline_table(timeline: Row) -> list[str]:
    """Return the calls of one request, with when they began and ended."""
    return [
        f"{timeline['ms']} ms, of which the calls take, in {timeline['rounds']} rounds:",
        "",
        *list_table(
            ["call", "from ms", "to ms"],
            [[f"``{call['call']}``", call["began_ms"], call["ended_ms"]] for call in timeline["calls"]],
        ),
    ]


def as_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        # No 1e+05, and no zeros that were not measured.
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)

"""`make bench`: all benchmarks, one after the other, and every bar that they say something about.

    python -m benchmarks [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379]

Quick, unless FULL=1: then all sizes, as often as the figures need. Makes databases of its own beside the PostgreSQL
named, and empties the databases 9 and 10 of the Redis named. Each benchmark runs in a process of its own and writes its
figures and page to docs/benchmarks (--folder names another place); bench.json and index.rst there have all of it, and
the bars. Ends with 1 when a bar is not met or a benchmark has failed; the page is written all the same.
"""

import argparse
import json
import os
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.bars import judge
from benchmarks.index_page import as_page, status
from benchmarks.reporting import FOLDER, ROOT, Row, about_this, as_cell, load


@frozen
class Benchmark:
    """One program and its arguments. `quick` ones, and more of an environment, make it smaller."""

    name: str
    arguments: Sequence[str] = ()
    quick: Sequence[str] = ()
    quick_environment: tuple[tuple[str, str], ...] = ()


def benchmarks(postgres: str, redis: str) -> list[Benchmark]:
    return [
        Benchmark("api", (postgres, f"{redis}/10"), ("--repeat", "25", "--seconds", "0.6", "--cold-repeat", "3")),
        Benchmark("content", quick=("--repeat", "5")),
        Benchmark("portal", quick=("--repeat", "5")),
        Benchmark(
            "storm",
            (postgres, f"{redis}/9"),
            quick_environment=(("STORM_LEARNERS", "300"), ("STORM_WORKERS", "1,2")),
        ),
        Benchmark("page_storm", (postgres, f"{redis}/9"), quick_environment=(("PAGE_STORM_SECONDS", "60"),)),
        Benchmark("fairness", (postgres, f"{redis}/9")),
        Benchmark("events", (postgres, f"{redis}/9"), quick_environment=(("EVENTS", "4000"),)),
        Benchmark("overview", (postgres,)),
        Benchmark("assignments", (postgres,)),
        Benchmark("groups", (postgres,)),
        Benchmark("budgets", (postgres,)),
        Benchmark("redemption", (postgres,)),
        Benchmark("requests", (postgres,)),
        Benchmark("redeeming", (postgres, f"{redis}/9")),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("postgres", nargs="?", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("redis", nargs="?", default="redis://127.0.0.1:6379")
    parser.add_argument("--only", nargs="+", default=(), help="Run these only; of the others, take what is there.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Where to write.")
    parser.add_argument("--judge-only", action="store_true", help="Measure nothing; judge what is there anew.")
    options = parser.parse_args()
    if options.judge_only:
        found = json.loads((options.folder / "bench.json").read_text())
        return conclude(options.folder, found["about"], found["failed"])
    is_full = os.environ.get("FULL") == "1"
    about = about_this("make bench FULL=1" if is_full else "make bench", **versions(options.postgres, options.redis))
    started = time.monotonic()
    failed = [
        benchmark.name
        for benchmark in benchmarks(options.postgres, options.redis)
        if (not options.only or benchmark.name in options.only)
        and not succeeds(benchmark, options.folder, is_full=is_full)
    ]
    about |= {"load_at_end": load(), "seconds": round(time.monotonic() - started)}
    return conclude(options.folder, about, failed)


def conclude(folder: Path, about: Row, failed: Sequence[str]) -> int:
    """Judge what the benchmarks have written, write it down, and tell it; return the exit code."""
    rooms = read_rooms(folder, [one.name for one in benchmarks("", "") if one.name not in failed])
    found = {"about": about, "failed": failed, "bars": judge(rooms), "rooms": rooms}
    (folder / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "index.rst").write_text(as_page(found))
    return tell(found)


def succeeds(benchmark: Benchmark, folder: Path, *, is_full: bool) -> bool:
    """Run one benchmark, and say whether it has written new figures."""
    print(f"\n=== {benchmark.name}", flush=True)
    figures = folder / f"{benchmark.name}.json"
    before = figures.stat().st_mtime_ns if figures.exists() else 0
    command = [sys.executable, "-m", f"benchmarks.{benchmark.name}", *benchmark.arguments]
    more = {} if is_full else dict(benchmark.quick_environment)
    command += () if is_full else benchmark.quick
    started = time.monotonic()
    environment = os.environ | more | {"BENCH_FOLDER": str(folder)}
    code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    print(f"=== {benchmark.name}: {time.monotonic() - started:.0f} s, exit code {code}", flush=True)
    return code == 0 and figures.exists() and figures.stat().st_mtime_ns > before


def read_rooms(folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return what each benchmark has written, now or before. One that never has is absent."""
    paths = {name: folder / f"{name}.json" for name in names}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def versions(postgres: str, redis: str) -> Row:
    """Return the versions of the servers; None for one that does not answer, which its benchmarks will say, too."""
    import psycopg
    from redis import Redis, RedisError

    found: Row = {"sqlite": sqlite3.sqlite_version, "postgresql": None, "redis": None}
    try:
        with psycopg.connect(postgres, connect_timeout=5) as connection:
            row = connection.execute("show server_version").fetchone()
            found["postgresql"] = row and row[0].split()[0]
    except psycopg.OperationalError as error:
        print(f"PostgreSQL: {error}", file=sys.stderr)
    try:
        info: Any = Redis.from_url(redis).info("server")
        found["redis"] = info["redis_version"]
    except RedisError as error:
        print(f"Redis: {error}", file=sys.stderr)
    return found


def tell(found: Row) -> int:
    """Print every bar, and return the exit code."""
    print()
    for bar in found["bars"]:
        measured = f"{as_cell(bar['measured'])} {bar['unit']}".strip()
        limit = "" if bar["limit"] is None else f"{'≥' if bar['is_least'] else '≤'} {as_cell(bar['limit'])}"
        verdict = status(bar).strip("*")
        print(f"{bar['bar']:12}{bar['what']:72}{measured:>16} {limit:>12}  {verdict}")
    missed = sum(bar["is_met"] is False for bar in found["bars"])
    met = sum(bar["is_met"] is True for bar in found["bars"])
    failed = f", failed: {shlex.join(found['failed'])}" if found["failed"] else ""
    print(f"bench: {met} bars met, {missed} not met{failed}; {found['about']['seconds']} s")
    return 1 if missed or found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""Where the time of a request goes, seen from inside the process that answers it."""

import cProfile
import pstats
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from attrs import frozen

from benchmarks.reporting import ROOT, Row

MOST = 15


# --- Calls of neighbours ---------------------------------------------------------------------------------------------


@frozen
class Call:
    """One call over HTTP; seconds of time.perf_counter()."""

    what: str
    began: float
    ended: float


@contextmanager
def noting_calls() -> Iterator[list[Call]]:
    """Note when each call over HTTP began and ended, in whatever thread."""
    found: list[Call] = []
    lock, inner = threading.Lock(), requests.Session.request

    def request(self: requests.Session, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        began = time.perf_counter()
        try:
            return inner(self, method, url, *args, **kwargs)
        finally:
            with lock:
                found.append(Call(f"{method} {urlsplit(url).path}", began, time.perf_counter()))

    requests.Session.request = request  # type: ignore[assignment]
    try:
        yield found
    finally:
        requests.Session.request = inner  # type: ignore[method-assign]


def rounds_of(calls: list[Call]) -> int:
    """Return the largest number of calls of which no two overlap: whoever ends first leaves most room for others."""
    rounds, free_at = 0, 0.0
    for call in sorted(calls, key=lambda call: call.ended):
        if call.began >= free_at:
            rounds, free_at = rounds + 1, call.ended
    return rounds


def timeline_of(ask: Callable[[], object]) -> Row:
    """Return when, in milliseconds since the start, each call of one request began and ended."""
    with noting_calls() as calls:
        started = time.perf_counter()
        ask()
        ended = time.perf_counter()
    rows = [
        {
            "call": call.what,
            "began_ms": round(1000 * (call.began - started), 1),
            "ended_ms": round(1000 * (call.ended - started), 1),
        }
        for call in sorted(calls, key=lambda call: call.began)
    ]
    return {"ms": round(1000 * (ended - started), 1), "rounds": rounds_of(calls), "calls": rows}


# --- Functions -------------------------------------------------------------------------------------------------------


def profile_of(ask: Callable[[], object], repeat: int, unmeasured: int = 3) -> Row:
    """Return the milliseconds of one of so many requests: by package, and the functions that take most.

    What is written in C counts for who calls it. The profiler itself makes everything slower, small functions most.
    """
    for _ in range(unmeasured):
        ask()
    profiler = cProfile.Profile()
    for _ in range(repeat):
        profiler.runcall(ask)
    stats: dict[tuple[str, int, str], Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    packages: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in stats.items():
        if file == "~":
            for (calling_file, _, _), (_, _, own_for_caller, _) in callers.items():
                packages[package_of(calling_file)] += own_for_caller
        else:
            packages[package_of(file)] += own
    functions = [
        {
            "function": f"{_short(file)}:{line} {name}",
            "calls": round(calls / repeat, 1),
            "own_ms": round(1000 * own / repeat, 3),
            "cumulative_ms": round(1000 * cumulative / repeat, 3),
        }
        for (file, line, name), (_, calls, own, cumulative, _) in stats.items()
    ]
    ours = [row for row in functions if row["function"].startswith(("enterprise_access/", "rest_framework/"))]
    return {
        "ms": round(1000 * sum(own for _, _, own, _, _ in stats.values()) / repeat, 2),
        "packages": {name: round(1000 * seconds / repeat, 3) for name, seconds in packages.most_common(MOST)},
        "by_own_time": sorted(functions, key=lambda row: -row["own_ms"])[:MOST],
        "by_cumulative_time": sorted(ours, key=lambda row: -row["cumulative_ms"])[:MOST],
    }


def package_of(file: str) -> str:
    """Return the package that a file belongs to; of ours, the app or the part of the library."""
    short = _short(file)
    if short.startswith("enterprise_access/"):
        return ".".join(short.removesuffix(".py").split("/")[:3])
    if short.startswith("benchmarks/"):
        return "benchmarks"
    return short.split("/")[0] if "/site-packages/" in file else "python"


def _short(file: str) -> str:
    """Return a path without what is of this machine."""
    return re.sub(r".*/(?:site-packages|python3\.\d+)/", "", file).removeprefix(f"{ROOT}/")

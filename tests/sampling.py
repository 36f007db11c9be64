"""Which of many alike cases an ordinary run tries: others at each commit, so that all are tried in the course of time.

The long runs (`make test-faults`, `make test-fuzz`) try all, or many more. SAMPLE repeats the choice of another commit.
"""

import functools
import os
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

P = TypeVar("P")
T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def commit() -> str:
    """Return what the choice depends on: SAMPLE, or else the commit that is checked out."""
    if chosen := os.environ.get("SAMPLE"):
        return chosen
    asked = ["git", "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        # What was unpacked from an archive has no history.
        return "none"


def some(values: Mapping[str, T], where: str, *, count: int) -> dict[str, T]:
    """Return so many of them (0: all), as far apart as they can be; others elsewhere, and others at another commit."""
    names = list(values)
    if count and len(names) > count:
        start = zlib.crc32(f"{commit()} {where}".encode())
        names = [names[(start + step * (len(names) // count)) % len(names)] for step in range(count)]
    return {name: values[name] for name in names}


def cases(places: Iterable[P], faults: Mapping[str, object], *, count: int) -> list[Any]:
    """Return parameters: at each place so many of the faults, or all with FAULT_KINDS=all (`make test-faults`)."""
    tried = 0 if os.environ.get("FAULT_KINDS") == "all" else count
    return [
        pytest.param(place, name, id=f"{place}-{name}")
        for place in places
        for name in some(faults, str(place), count=tried)
    ]

"""The packaged rows: what a fresh course-discovery holds, and what operators add to it by hand, told apart."""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.rows import Rows, read_graph

_FILE: Final = Path(__file__).resolve().parent.parent / "data" / "course-types.json"


class Origin(StrEnum):
    """Where a packaged row comes from."""

    UPSTREAM = "upstream"
    OPERATOR = "operator"


@cache
def _packaged() -> Mapping[str, Any]:
    content: Mapping[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return content


def seed_rows(origin: Origin) -> Rows:
    """Return the rows of one origin. Those of operators build on those of upstream, and are no graph by themselves."""
    rows: Rows = _packaged()[origin.value]
    return rows


@cache
def seeded_graph(*origins: Origin) -> TypeGraph:
    """Return the graph of the rows of these origins; without any, of all."""
    return read_graph(*(seed_rows(origin) for origin in origins or tuple(Origin)))

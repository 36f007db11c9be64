"""The changes of type that are possible after publication, as tables of a document: asked of the rules, not written."""

from collections.abc import Iterable, Iterator

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.transitions import check_course, check_run


def transitions_tables(graph: TypeGraph) -> str:
    """Return both tables as reStructuredText: of run types, every ordered pair; of course types, by entitlement."""
    return "\n".join([*_table_of_runs(graph), "", *_table_of_courses(graph)]) + "\n"


def _table_of_runs(graph: TypeGraph) -> Iterator[str]:
    slugs = list(graph.run_types)
    yield ".. csv-table:: From the run type of a row to that of a column"
    yield "   :header-rows: 1"
    yield "   :stub-columns: 1"
    yield ""
    yield _row(["", *map(_initials, slugs)])
    for old in slugs:
        yield _row([f"{old} ({_initials(old)})", *(_cell(graph, old, new) for new in slugs)])


def _cell(graph: TypeGraph, old: str, new: str) -> str:
    if old == new:
        return "same"
    is_allowed = check_run(old=graph.run_type(old), new=graph.run_type(new), published=True).is_allowed
    return "yes" if is_allowed else "-"


def _table_of_courses(graph: TypeGraph) -> Iterator[str]:
    sold = dict.fromkeys(slug for course_type in graph.course_types.values() for slug in course_type.entitlement_types)
    yield ".. csv-table:: From the entitlement that a course has to the course types that it may get"
    yield "   :header-rows: 1"
    yield "   :stub-columns: 1"
    yield "   :widths: 25 75"
    yield ""
    yield _row(["Entitlement", "Course types"])
    yield _row(["none, or audit", _possible(graph, ())])
    for slug in sold:
        yield _row([slug, _possible(graph, (slug,))])


def _possible(graph: TypeGraph, entitlements: tuple[str, ...]) -> str:
    course_types = graph.course_types.values()
    verdicts = (
        (new, check_course(old=None, new=new, entitlements=entitlements, published=True)) for new in course_types
    )
    return ", ".join(new.slug for new, verdict in verdicts if verdict.is_allowed)


def _initials(slug: str) -> str:
    return "".join(part[0] for part in slug.split("-")).upper()


def _row(cells: Iterable[str]) -> str:
    return "   " + ", ".join(f'"{cell}"' for cell in cells)

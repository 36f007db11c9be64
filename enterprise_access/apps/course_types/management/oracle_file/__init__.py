"""Cases of course types in a file: read into the values that the rules take, and answered by the real rules.

The format is that of tests/data/course-types-oracle.json: `cases`, each for one function, and where present
`run_transition_matrix`. Members that say nothing when absent or null may be left out: types that are set, allowed
pairs, LMS modes, deadlines. A course or run type that `match` is given and no one knows is a fact of the course; where
a type is asked about, it is an error of the file.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.domain.transitions import check_run
from enterprise_access.apps.course_types.errors import UnknownType
from enterprise_access.apps.course_types.management.oracle_file.functions import (
    answer_check_course,
    answer_check_run,
    answer_default_upgrade_deadline,
    answer_downgrade_target,
    answer_enroll_by,
    answer_match,
    answer_pick,
    answer_spec,
)
from enterprise_access.apps.course_types.management.oracle_file.reading import (
    instant_or_none,
    read_verdict,
    read_wanted_match,
    read_wanted_spec,
    told,
)
from enterprise_access.lib.oracle import (
    Evaluated,
    Members,
    Reader,
    Result,
    UnreadableCase,
    UnreadableMemberError,
    cases_of,
    evaluate_each,
    list_of,
    load,
    name_in,
    text,
)

_CASES: Final = "cases"
_MATRIX: Final = "run_transition_matrix"


def evaluate_file(path: Path) -> Iterator[Result]:
    """Answer every case of a file with the real rules. Raises UnreadableFileError."""
    return evaluate_all(load(path, members=(_CASES, _MATRIX)))


def evaluate_all(content: Mapping[str, Any]) -> Iterator[Result]:
    """Answer every case, and every cell of the matrix, with the real rules."""
    yield from evaluate_each(cases_of(content, _CASES), _evaluate, name=_CASES, errors=(UnknownType,))
    if content.get(_MATRIX) is not None:
        yield from _evaluate_matrix(content[_MATRIX])


def _evaluate(case: Members) -> Evaluated:
    function = _FUNCTIONS[case.get("function", name_in(_FUNCTIONS))]
    return Evaluated(
        id=case.get("id", text),
        want=function.read_want(case.required("want"), "want"),
        got=function.answer(case.members("input")),
        departure=case.optional("departure", text, ""),
    )


def _evaluate_matrix(raw: Any) -> Iterator[Result]:
    try:
        matrix = Members(raw, _MATRIX)
        slugs = matrix.get("types", list_of(text))
        rows = _by_slug(matrix.required("want"), f"{_MATRIX}.want", slugs)
        cells = {old: _by_slug(row, f"{_MATRIX}.want[{old}]", slugs) for old, row in rows.items()}
    except UnreadableMemberError as error:
        yield UnreadableCase(where=_MATRIX, why=str(error))
        return
    for old, row in cells.items():
        for new, want in row.items():
            yield _evaluate_cell(want, old, new)


def _evaluate_cell(raw: Any, old: str, new: str) -> Result:
    where = f"{_MATRIX}[{old}][{new}]"
    graph = seeded_graph()
    try:
        transition = check_run(old=graph.run_type(old), new=graph.run_type(new), published=True)
        return Evaluated(id=where, want=read_verdict(raw, where), got=told(transition.is_allowed))
    except (UnreadableMemberError, UnknownType) as error:
        return UnreadableCase(where=where, why=str(error))


def _by_slug(raw: Any, name: str, slugs: tuple[str, ...]) -> dict[str, Any]:
    """Return the rows or cells by type, whether they are listed in the order of the types or named."""
    if isinstance(raw, dict):
        return raw
    if not isinstance(raw, list):
        raise UnreadableMemberError(f"{name} is neither a list nor an object.")
    if len(raw) != len(slugs):
        raise UnreadableMemberError(f"{name} has {len(raw)} entries for {len(slugs)} types.")
    return dict(zip(slugs, raw, strict=True))


@frozen
class _Function:
    """How a case of one function is answered, and how what it wants is read."""

    answer: Callable[[Members], Any]
    read_want: Reader[Any]


_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "match": _Function(answer_match, read_wanted_match),
    "check_run": _Function(answer_check_run, read_verdict),
    "check_course": _Function(answer_check_course, read_verdict),
    "pick": _Function(answer_pick, text),
    "enroll_by": _Function(answer_enroll_by, instant_or_none),
    "default_upgrade_deadline": _Function(answer_default_upgrade_deadline, instant_or_none),
    "spec": _Function(answer_spec, read_wanted_spec),
    "downgrade_target": _Function(answer_downgrade_target, text),
}

"""Cases of learner credit in a file: read into the values that the rules take, and answered by the real rules.

The format is that of tests/data/credit-oracle.json. This package only translates; it holds no rules.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from enterprise_access.apps.redemption.management.oracle_file import assignments, budgets, redeeming
from enterprise_access.apps.redemption.management.oracle_file.comparing import is_wanted
from enterprise_access.lib.oracle import Members, UnreadableFileError, cases_of, load, text

_CASES: Final = "cases"

Answer = Callable[[Members], Mapping[str, Any]]
FUNCTIONS: Final[Mapping[str, Answer]] = {**budgets.FUNCTIONS, **redeeming.FUNCTIONS, **assignments.FUNCTIONS}


@frozen(kw_only=True)
class Answered:
    """A case, what it wants and what the rules answer. `problem`: why there is no answer; empty = there is one."""

    id: str
    want: Any
    got: Any = None
    problem: str = ""

    @property
    def is_as_wanted(self) -> bool:
        return not self.problem and is_wanted(self.want, self.got)


def answer_file(path: Path) -> Iterator[Answered]:
    """Answer every case of a file with the real rules. Raises UnreadableFileError."""
    content = load(path, members=(_CASES,))
    for position, raw in enumerate(cases_of(content, _CASES)):
        yield answer_case(raw, position=position)


def answer_case(raw: Any, *, position: int) -> Answered:
    """Answer one case. What goes wrong with it is its own problem, and stops no other case."""
    case_id, want = f"{_CASES}[{position}]", None
    try:
        case = Members(raw)
        case_id = case.get("id", text)
        want = case.required("want")
        function = case.get("function", text)
        if function not in FUNCTIONS:
            return Answered(id=case_id, want=want, problem=f"The function {function!r} is not known.")
        return Answered(id=case_id, want=want, got=FUNCTIONS[function](case.members("input")))
    except Exception as error:  # noqa: BLE001 - a rule that raises is what this command is there to find
        return Answered(id=case_id, want=want, problem=f"{type(error).__name__}: {error}")


__all__ = ["FUNCTIONS", "Answered", "UnreadableFileError", "answer_case", "answer_file"]

"""One name for one thing: no two public classes of the product share a name."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

PRODUCT = Path(__file__).resolve().parent.parent.parent / "enterprise_access"
NAMED_BY_DJANGO = {"Command", "Migration"}

_ROW_AND_VALUE = "One thing twice: its table, and its row as a frozen value for the rules, which know no database."
# Name: why two classes have it.
EXCEPTIONS = {"CourseType": _ROW_AND_VALUE, "Mode": _ROW_AND_VALUE, "SeatType": _ROW_AND_VALUE, "Track": _ROW_AND_VALUE}


@cache
def shared_names() -> dict[str, list[str]]:
    """Return the names that several public classes have, with the files that define them."""
    found = defaultdict(list)
    for path in sorted(PRODUCT.rglob("*.py")):
        if "tests" not in path.parts:
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(str(path.relative_to(PRODUCT)))
    return {name: paths for name, paths in found.items() if len(paths) > 1 and name not in NAMED_BY_DJANGO}


def test_every_class_has_a_name_of_its_own():
    assert {name: paths for name, paths in shared_names().items() if name not in EXCEPTIONS} == {}


def test_every_exception_is_still_needed_and_for_two_classes_only():
    assert {name: len(shared_names().get(name, [])) for name in EXCEPTIONS} == dict.fromkeys(EXCEPTIONS, 2)

"""From another app: its services, selectors, domain and errors, and nothing else. And no mocks of our own code."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("enterprise_access", "simulator")
APP = re.compile(r"enterprise_access\.apps\.(?P<app>\w+)(\.(?P<room>\w+))?")
PUBLIC_ROOMS = {"services", "selectors", "domain", "errors"}

# Importer -> imported: why it has to be.
EXCEPTIONS = {
    ("default_enrollments.models", "customers.models"): "A foreign key names the table that it points to.",
    ("default_enrollments.admin", "customers.admin"): "Lists of rows of a customer have the same filter.",
    ("default_enrollments.admin", "customers.models"): "A choice of customers in a form is made of rows.",
    ("bff.api", "default_enrollments.api"): "A page of the portal contains the answer of learner-status.",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*OURS, cache_dir=None)


def is_test(module: str) -> bool:
    return ".tests" in module


def foreign_imports(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    """Return every import from one app into a room of another, as (`app.room`, `app.room`)."""
    found = set()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            importer, door = APP.match(module), APP.match(imported)
            if importer and door and importer["app"] != door["app"] and not is_test(module):
                found.add((f"{importer['app']}.{importer['room']}", f"{door['app']}.{door['room']}"))
    return found


def test_other_apps_are_entered_through_their_public_rooms(graph):
    others = {pair for pair in foreign_imports(graph) if pair[1].split(".")[1] not in PUBLIC_ROOMS}
    assert others - EXCEPTIONS.keys() == set()


def test_every_exception_is_still_needed(graph):
    assert EXCEPTIONS.keys() - foreign_imports(graph) == set()


def test_only_tests_import_tests(graph):
    found = {
        (module, imported)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if is_test(imported) and not is_test(module)
    }
    assert found == set()


# --- Mocks ---------------------------------------------------------------------------------------------------------


def sources() -> list[Path]:
    files = [path for name in (*OURS, "tests", "scripts") for path in (ROOT / name).rglob("*.py")]
    return [*files, ROOT / "conftest.py"]


def mocks_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and kind of whatever replaces code of ours, or could."""
    ours = names_of_ours(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and "unittest.mock" in imported_names(node):
            yield node.lineno, "imports unittest.mock"
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "uses pytest-mock"
        if is_setattr(node) and is_ours(node.args[0], ours) and not is_harmless(node.args[1]):
            yield node.lineno, "replaces something of ours"


def is_setattr(node: ast.AST) -> TypeGuard[ast.Call]:
    """Say whether this is a call like `monkeypatch.setattr(...)`."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return False
    return isinstance(node.func, ast.Attribute) and node.func.attr == "setattr"


def imported_names(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}


def names_of_ours(tree: ast.AST) -> set[str]:
    """Return the names that this file gives to modules, classes and functions of ours."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(OURS)):
            names |= {alias.asname or alias.name for alias in node.names}
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names if alias.name.startswith(OURS)}
    return names


def is_ours(target: ast.expr, ours: set[str]) -> bool:
    """Say whether the first argument of a setattr names something of ours: `module.thing`, or "a.dotted.name"."""
    if isinstance(target, ast.Constant):
        return str(target.value).startswith(OURS)
    while isinstance(target, ast.Attribute):
        target = target.value
    return isinstance(target, ast.Name) and target.id in ours


def is_harmless(name: ast.expr) -> bool:
    """Say whether what is set is no code of ours: a constant (a smaller limit, say), or Python's own `time`."""
    return isinstance(name, ast.Constant) and (str(name.value).isupper() or name.value in sys.stdlib_module_names)


def test_nothing_of_ours_is_mocked():
    found = [
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in sources()
        for line, what in mocks_in(ast.parse(path.read_text()))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "from unittest import mock",
        "from unittest.mock import patch",
        "import unittest.mock",
        "def test_it(mocker): ...",
        "monkeypatch.setattr('enterprise_access.lib.keys.fold', str)",
        "from enterprise_access.lib import keys\nmonkeypatch.setattr(keys, 'fold', str)",
        "import enterprise_access.lib.keys\nmonkeypatch.setattr(enterprise_access.lib.keys, 'fold', str)",
        "from .world import World\nmonkeypatch.setattr(World, 'now', None)",
    ],
)
def test_a_mock_is_noticed(code):
    assert list(mocks_in(ast.parse(code)))


def test_replacing_the_world_outside_is_no_mock_of_ours():
    code = "import requests\nmonkeypatch.setattr(requests.adapters.HTTPAdapter, 'send', None)"
    assert list(mocks_in(ast.parse(code))) == []


@pytest.mark.parametrize("name", ["MAX_PAGES", "time"])
def test_a_smaller_limit_and_another_clock_are_no_mocks(name):
    code = f"from enterprise_access.upstream import paging\nmonkeypatch.setattr(paging, '{name}', something)"
    assert list(mocks_in(ast.parse(code))) == []

"""One finds one's place: modules are short, and documents name files, functions and classes that are there."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ROOT / "enterprise_access"
DOCUMENTS = ROOT / "docs"
MOST_LINES = 300
MOST_STEPS = 8

ONE_LOGIN = (DOCUMENTS / "explanation/one-login.rst").read_text()
STEPS = re.findall(r"^     - ``([\w/]+\.py)``: ``(\w+)``$", ONE_LOGIN, flags=re.MULTILINE)
ADD_AN_APP = (DOCUMENTS / "how-to/add-an-app.rst").read_text()
# The app that the page about new apps writes.
EXAMPLE = "notices"


def test_no_module_of_the_product_is_too_long():
    modules = [path for path in PRODUCT.rglob("*.py") if not {"tests", "migrations"} & set(path.parts)]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules}
    assert lengths
    too_long = {path: lines for path, lines in lengths.items() if lines > MOST_LINES}
    assert not too_long, "Split it by what it does (docs/decisions/0003)."


def test_one_login_takes_few_steps():
    assert 1 < len(STEPS) <= MOST_STEPS
    assert len(STEPS) == len(re.findall(r"^   \* - \d$", ONE_LOGIN, flags=re.MULTILINE))


@pytest.mark.parametrize(("path", "function"), STEPS)
def test_each_step_of_one_login_is_in_the_file_that_is_named(path, function):
    tree = ast.parse((PRODUCT / "apps" / path).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_files_that_documents_name_are_there():
    # What was decided names the files of its time.
    of_today = [path for path in DOCUMENTS.rglob("*.rst") if DOCUMENTS / "decisions" not in path.parents]
    named = {name for path in of_today for name in re.findall(r"``([\w/]+\.py)``", path.read_text())}
    ours = ("enterprise_access", "simulator", "tests", "scripts", "benchmarks", "deploy")
    files = [f"/{path.relative_to(ROOT)}" for folder in ours for path in (ROOT / folder).rglob("*.py")]
    missing = [name for name in named if not any(file.endswith(f"/{name}") for file in files)]
    assert named
    assert [name for name in missing if not name.startswith(f"{EXAMPLE}/")] == []


def test_what_the_page_about_a_new_app_uses_is_there():
    imported = re.findall(r"^ *from (enterprise_access[\w.]*) import (\w+)$", ADD_AN_APP, flags=re.MULTILINE)
    named = re.findall(r"``(lib[\w.]*)\.([A-Z]\w+)``", ADD_AN_APP)
    uses = [*imported, *((f"enterprise_access.{module}", name) for module, name in named)]
    assert uses
    for module, name in uses:
        if f".{EXAMPLE}" not in module:
            assert hasattr(importlib.import_module(module), name), f"{module}.{name}"

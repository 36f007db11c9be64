"""The page about one login names files and functions that are there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ROOT / "enterprise_access"
MOST_STEPS = 8

ONE_LOGIN = (ROOT / "docs/explanation/one-login.rst").read_text()
STEPS = re.findall(r"^     - ``([\w/]+\.py)``: ``(\w+)``$", ONE_LOGIN, flags=re.MULTILINE)


def test_one_login_takes_few_steps():
    assert 1 < len(STEPS) <= MOST_STEPS
    assert len(STEPS) == len(re.findall(r"^   \* - \d$", ONE_LOGIN, flags=re.MULTILINE))


@pytest.mark.parametrize(("path", "function"), STEPS)
def test_each_step_of_one_login_is_in_the_file_that_is_named(path, function):
    tree = ast.parse((PRODUCT / "apps" / path).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"``([\w/]+\.py)``", ONE_LOGIN))))
def test_each_file_that_is_named_on_the_way_is_there(name):
    assert list((PRODUCT / "apps").rglob(name))

"""The list of mutants that change nothing, and what `make test-mutation` makes of it."""

import ast
import runpy
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CHECK = runpy.run_path(str(ROOT / "scripts" / "mutation.py"))
Change, Tried = CHECK["Change"], CHECK["Tried"]

LISTED = Change("paying.py choose_payer", "if a:", "if b:")
OTHER = Change("paying.py choose_payer", "if c:", "if d:")


def report(*survivors, explained=(LISTED,), is_sample=False):
    found = Counter(survivors)
    tried = Tried(total=9, killed=9 - found.total(), survivors=found, diffs=dict.fromkeys(found, "the diff"))
    return CHECK["report"](tried, Counter(explained), is_sample=is_sample)


def closing_line(capsys) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_what_survives_and_is_explained_is_not_lost(capsys):
    assert report(LISTED) == 0
    assert closing_line(capsys) == "test-mutation: tried 9 mutants; killed 8, 1 equivalent, explained; lost 0"


def test_what_survives_and_is_not_explained_is_lost_and_shown_with_an_entry_to_fill_in(capsys):
    assert report(LISTED, OTHER) == 1
    printed = capsys.readouterr().out
    assert "the diff" in printed
    assert "was = '''\nif c:\n'''" in printed
    assert printed.endswith("test-mutation: tried 9 mutants; killed 7, 1 equivalent, explained; lost 1\n")


def test_one_reason_is_good_for_one_mutant(capsys):
    assert report(LISTED, LISTED) == 1
    assert closing_line(capsys).endswith("1 equivalent, explained; lost 1")


def test_an_entry_that_no_mutant_needs_is_stale(capsys):
    assert report() == 0
    assert "Stale in equivalent-mutants.toml" in capsys.readouterr().out


def test_a_sample_says_nothing_about_entries_that_were_not_drawn(capsys):
    assert report(is_sample=True) == 0
    assert "Stale" not in capsys.readouterr().out


def test_a_change_is_named_by_its_function_and_its_lines():
    diff = "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n def course(self):\n-    return a\n+    return b\n"
    name = "apps.domain.values.xǁCaseǁcourse__mutmut_12"
    change = CHECK["change_of"](name, "enterprise_access/apps/domain/values.py", diff)
    assert change == Change("domain/values.py Case.course", "return a", "return b")


@pytest.mark.parametrize("change", CHECK["read_list"](), ids=lambda change: change.where)
def test_what_the_list_says_was_there_is_there(change):
    path, _, name = change.where.partition(" ")
    code = (ROOT / CHECK["APPS"] / path).read_text()
    functions = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)]
    [source] = [ast.get_source_segment(code, one) for one in functions if one.name == name.rpartition(".")[2]]
    assert change.was in "\n".join(line.strip() for line in source.splitlines())


@pytest.mark.parametrize("path", [*CHECK["RULES"], *CHECK["TESTS"], *CHECK["COPIED"]])
def test_what_is_tried_is_there(path):
    assert (ROOT / path).exists()

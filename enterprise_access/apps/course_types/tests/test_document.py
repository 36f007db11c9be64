"""What docs/reference/course-types.rst says of the rules is so."""

from pathlib import Path

from django.core.management import call_command

from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.management.transitions_table import transitions_tables

DOCUMENT = (Path(__file__).parents[4] / "docs" / "reference" / "course-types.rst").read_text()


def test_the_tables_of_changes_are_what_the_rules_say():
    assert transitions_tables(seeded_graph()) in DOCUMENT


def test_the_command_prints_the_tables(capsys):
    call_command("course_types_table")
    assert capsys.readouterr().out == transitions_tables(seeded_graph())


def test_no_two_columns_share_a_heading():
    [header] = [line for line in DOCUMENT.splitlines() if line.startswith('   "", ')]
    headings = header.split(", ")[1:]
    assert len(set(headings)) == len(headings) == len(seeded_graph().run_types)

"""What the documents say of the code is so."""

import re
from pathlib import Path

import pytest

from enterprise_access.apps.default_enrollments.domain.reasons import EXPLANATIONS
from enterprise_access.apps.default_enrollments.domain.values import Reason, Rule

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = (ROOT / "docs/reference/default-enrollments.rst").read_text()
DECISIONS = ROOT / "docs/decisions"


def words(text: str) -> str:
    """Return the text without its line breaks."""
    return " ".join(text.split())


def rows_of_rules() -> list[str]:
    return re.findall(r"^   \* - \[(D\d+)\]$", RULES, flags=re.MULTILINE)


def rows_of_reasons() -> dict[str, str]:
    """Return what follows each reason in the tables that have two more columns."""
    row = re.compile(r"^   \* - ``(\w+)``\n((?:     - .+\n(?:       .+\n)*){2})", flags=re.MULTILINE)
    return {reason: words(cells) for reason, cells in row.findall(RULES)}


def test_every_rule_is_described_in_its_order():
    assert rows_of_rules() == [rule.value for rule in Rule]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_described_in_the_words_that_users_read(reason):
    explanation = EXPLANATIONS[reason]
    assert words(f"- {explanation.text} - {explanation.what_would_change_it}") == rows_of_reasons()[reason.value]


def test_no_reason_is_described_that_does_not_exist():
    described = set(re.findall(r"``([a-z]+(?:_[a-z]+)+)``", RULES))
    buckets = {"already_enrolled", "not_enrollable"}
    assert described - {reason.value for reason in Reason} == buckets


# --- Decisions -----------------------------------------------------------------------------------------------------


def records() -> list[Path]:
    return sorted(DECISIONS.glob("0*.rst"))


def test_decisions_are_numbered_without_gaps():
    assert [int(path.name[:4]) for path in records()] == list(range(1, len(records()) + 1))


@pytest.mark.parametrize("path", records(), ids=lambda path: path.stem)
def test_every_decision_has_its_parts_and_is_in_the_index(path):
    text = path.read_text()
    title = text.splitlines()[1]
    status = re.search(r"^:Status: (\w+)$", text, flags=re.MULTILINE)
    date = re.search(r"^:Date: (\d{4}-\d\d-\d\d)$", text, flags=re.MULTILINE)
    assert status
    assert date
    for part in ("Context", "Decision", "Consequences", "Rejected"):
        assert re.search(rf"^{part}\n=+$", text, flags=re.MULTILINE), part
    index = words((DECISIONS / "README.rst").read_text())
    assert f"* - `{title} <{path.name}>`_ - {status[1]} - {date[1]} - " in index


# --- Links ---------------------------------------------------------------------------------------------------------


def documents() -> list[Path]:
    return [*ROOT.glob("*.rst"), *(ROOT / "docs").rglob("*.rst")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_exists(path):
    text = path.read_text()
    targets = re.findall(r"`[^`]+<([^`>:#]+)>`_", text) + re.findall(r"^\.\. (?:image|figure):: (\S+)$", text, re.M)
    assert [target for target in targets if not (path.parent / target).exists()] == []

"""What the documents say of the code is so."""

import re
import runpy
from pathlib import Path

import attr
import pytest
from django.core.management import get_commands

from enterprise_access.apps.default_enrollments.domain.values import Reason, Rule
from enterprise_access.events.sending import SENT

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = (ROOT / "docs/reference/default-enrollments.rst").read_text()
DECISIONS = ROOT / "docs/decisions"


def words(text: str) -> str:
    """Return the text without its line breaks."""
    return " ".join(text.split())


def rows_of_rules() -> list[str]:
    return re.findall(r"^   \* - \[(D\d+)\]$", RULES, flags=re.MULTILINE)


def test_every_rule_is_described_in_its_order():
    assert rows_of_rules() == [rule.value for rule in Rule]


def test_no_reason_is_described_that_does_not_exist():
    described = set(re.findall(r"``([a-z]+(?:_[a-z]+)+)``", RULES))
    others = {"already_enrolled", "not_enrollable", "pays_for_default_enrollments"}
    assert described - {reason.value for reason in Reason} == others


# --- What is made from the code ------------------------------------------------------------------------------------

MAKER = runpy.run_path(str(ROOT / "scripts" / "make_reference.py"))


@pytest.mark.parametrize("name", MAKER["PAGES"])
def test_a_page_that_is_made_from_the_code_says_what_the_code_says(name):
    assert (ROOT / "docs" / "reference" / name).read_text() == MAKER["PAGES"][name](), "run `make reference`"


def test_every_name_without_which_production_does_not_start_is_said_to_be_required():
    page = MAKER["settings_page"]()
    required = re.findall(r"^   \* - ``(\w+)``\n     - .+\n     - \*\*required\*\*$", page, flags=re.MULTILINE)
    assert set(required) == MAKER["required_settings"]()


def settings_in(source: str) -> list[tuple[str, str, str | None, str]]:
    return [(one.name, one.kind, one.default, one.meaning) for one in MAKER["settings_of"](source, section="")]


def test_the_meaning_of_a_setting_is_the_comment_above_it():
    source = """
# Not of it.

# How long it may take,
# altogether.
READ_SECONDS = env.float("READ_SECONDS", default=2 * 60)
"""
    meaning = "How long it may take, altogether."
    assert settings_in(source) == [("READ_SECONDS", "number", "``120`` (2 minutes)", meaning)]


def test_a_setting_that_follows_another_one_has_no_part_in_its_comment():
    assert [meaning for *_, meaning in settings_in("# One.\nA = env.str('A')\nB = env.str('B', default=A)\n")] == [
        "One.",
        "",
    ]


@pytest.mark.parametrize(
    "code", ["A = env.str('A', default=make())", "A = env.str('A', default=SOMEWHERE['else'])"], ids=["call", "lookup"]
)
def test_a_default_that_cannot_be_told_is_an_error(code):
    with pytest.raises(MAKER["NoMeaning"], match="The default of A cannot be told"):
        settings_in(code)


@pytest.mark.parametrize(
    ("read", "kind", "default"),
    [
        ('env.str("URL")', "text", None),
        ('env.str("BASE_URL", default=LMS)', "address (URL)", "as ``LMS``"),
        ('env.bool("IS_ON", default=True)', "``true`` or ``false``", "``true``"),
        ('env.list("NAMES", default=["a", "b"])', "list, with commas between", "``a,b``"),
        ('env.str("NOTHING", default="") or None', "text", "none"),
    ],
)
def test_type_and_default_of_a_setting_are_told_in_words(read, kind, default):
    assert [one[1:3] for one in settings_in(f"X = {read}")] == [(kind, default)]


@pytest.mark.parametrize("event_type", SENT)
def test_every_event_of_ours_is_described_with_all_its_fields(event_type):
    section = (ROOT / "docs/reference/events.rst").read_text().split(f"``{event_type}``\n----")[1].split("\n---")[0]
    described = re.findall(r"^   \* - (``\w+``(?:, ``\w+``)*)$", section, flags=re.MULTILINE)
    (data,) = SENT[event_type].signal.init_data.values()
    assert re.findall(r"\w+", " ".join(described)) == [field.name for field in attr.fields(data)]


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


# --- Names ---------------------------------------------------------------------------------------------------------


def documents_of_today() -> list[Path]:
    """Return all but those that say what was decided, or changed, at their time."""
    return [path for path in documents() if DECISIONS not in path.parents and path.name != "CHANGELOG.rst"]


# Gunicorn's own, which the image sets.
OF_OTHERS = {"WEB_CONCURRENCY", "WEB_THREADS"}


def test_the_settings_that_documents_name_are_on_the_page_of_settings():
    name = re.compile(r"``([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b")
    known = set(name.findall((ROOT / "docs/reference/settings.rst").read_text()))
    named = {found for path in documents_of_today() for found in name.findall(path.read_text())}
    assert named - known - OF_OTHERS == set()


def test_the_commands_that_documents_name_exist():
    named = {name for path in documents_of_today() for name in re.findall(r"manage\.py ([a-z_]+)", path.read_text())}
    assert named - get_commands().keys() == set()


# --- Links ---------------------------------------------------------------------------------------------------------


def documents() -> list[Path]:
    return [*ROOT.glob("*.rst"), *(ROOT / "docs").rglob("*.rst")]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_links_to_exists(path):
    text = path.read_text()
    links = re.findall(r"`[^`]+<([^`>:#]+(?<!_))>`_", text)
    pictures = re.findall(r"^\.\. (?:image|figure):: (\S+)$", text, re.MULTILINE)
    assert [target for target in links + pictures if not (path.parent / target).exists()] == []

"""Texts for people use the words of the glossary, not those that it has retired."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
RETIRED = re.compile(
    r"(?<![\w/])(owed|owes?|neighbours?|anew|whence|thereof|came of|given up|somebody|nobody|whoever|looked at again"
    r"|of ours)(?![\w/])",
    re.IGNORECASE,
)
# Names, which stay: literals, the targets of links, tags, and attributes.
NAMES = {
    ".rst": re.compile(r"``.*?``|<[^<>]*>`_|^\.\. _.*$", re.MULTILINE | re.DOTALL),
    ".html": re.compile(r"\{\{.*?\}\}|\{%(?! *(?:block)?trans).*?%\}|\{#.*?#\}|<[^<>]*>", re.DOTALL),
    ".txt": re.compile(r"\{\{.*?\}\}|\{%(?! *(?:block)?trans).*?%\}", re.DOTALL),
    ".yaml": re.compile(r"`[^`]*`"),
}
FIRST_DECISION_IN_PLAIN_WORDS = "0040"
DOORS = ("api", "admin", "management", "validators")


def _files() -> Iterator[Path]:
    yield from (ROOT / "enterprise_access").rglob("templates/**/*.html")
    yield from (ROOT / "enterprise_access").rglob("templates/**/*.txt")
    yield from (one for one in (ROOT / "docs").rglob("*.rst") if not _is_an_old_decision(one))
    yield from (ROOT / "README.rst", ROOT / "docs/openapi.yaml")
    for app in sorted((ROOT / "enterprise_access/apps").iterdir()):
        for door in DOORS:
            yield from (app / door).rglob("*.py")
            yield from app.glob(f"{door}.py")


def _is_an_old_decision(page: Path) -> bool:
    return page.parent.name == "decisions" and page.name[:4] < FIRST_DECISION_IN_PLAIN_WORDS


FILES = sorted({str(one.relative_to(ROOT)) for one in _files()})


def retired_words(text: str, suffix: str) -> list[str]:
    """Return the retired words of a file's text for people, in its order."""
    seen = " ".join(_messages(text)) if suffix == ".py" else NAMES[suffix].sub(" ", text)
    return RETIRED.findall(" ".join(seen.split()))


def _messages(source: str) -> Iterator[str]:
    """Yield the strings of a module that are sentences: they have a space, and are no docstring."""
    tree = ast.parse(source)
    statements = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    constants = [one for one in ast.walk(tree) if isinstance(one, ast.Constant) and id(one) not in statements]
    yield from (one.value for one in constants if isinstance(one.value, str) and " " in one.value)


@pytest.mark.parametrize("name", FILES)
def test_no_retired_word_is_used(name):
    assert retired_words((ROOT / name).read_text(), Path(name).suffix) == []


@pytest.mark.parametrize(
    ("suffix", "text", "found"),
    [
        (".rst", "A look is owed,\nand nobody knows.", ["owed", "nobody"]),
        (".rst", "What came\nof it", ["came of"]),
        (".rst", "``owed``, ``manage.py check_neighbours``, `the LMS <upstream-services/lms.rst>`_", []),
        (".html", '<a class="owed" href="/neighbours/">{{ owed.due }}</a> Neighbours', ["Neighbours"]),
        (".py", '"""Nobody."""\nname = "neighbours"\nsay("Nobody has looked.")', ["Nobody"]),
        (".yaml", "description: Asks nobody. `owed`", ["nobody"]),
    ],
)
def test_a_retired_word_is_found_in_texts_and_not_in_names(suffix, text, found):
    assert retired_words(text, suffix) == found

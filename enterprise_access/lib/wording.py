"""Codes and names of columns as people would say them; and marks for the translators."""

import re
from typing import Final

_ACRONYMS: Final = {"api": "API", "csv": "CSV", "id": "ID", "json": "JSON", "lms": "LMS", "url": "URL", "uuid": "UUID"}
_ACRONYM: Final = re.compile(rf"\b({'|'.join(_ACRONYMS)})\b", re.IGNORECASE)
# In a name that people read, "LMS user id" is what the API and the docs say.
_IN_NAMES: Final = re.compile(r"\b(api|csv|json|lms|url|uuid)\b")
_CODE: Final = re.compile(r"[a-z0-9_]+|[A-Z0-9_]+")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Codes on the wire whose words are not the glossary's.
_WORDS: Final = {"in_doubt": "Outcome unknown", "dead": "Failed", "cancelled": "Canceled"}


def in_words(code: str) -> str:
    """Return a code or label in words: "lms_unavailable" is "LMS unavailable". What is no code keeps its words."""
    if code in _WORDS:
        return _WORDS[code]
    words = code
    if _CODE.fullmatch(code):
        words = code.replace("_", " ").lower()
    elif code.isalpha():
        words = _HUMP.sub(" ", code).capitalize() if _HUMP.search(code) else code
    words = _ACRONYM.sub(lambda found: _ACRONYMS[found[0].lower()], words)
    return words[:1].upper() + words[1:]


def named(name: str) -> str:
    """Return the name of a column with its acronyms in capitals: "lms user id" is "LMS user id"."""
    return _IN_NAMES.sub(lambda found: found[0].upper(), name)


def gettext_noop(text: str) -> str:
    """Mark a text that is translated where it is shown. As Django's, for the domain, which knows no Django."""
    return text

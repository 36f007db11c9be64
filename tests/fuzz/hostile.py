"""What mistaken programs, careless people and attackers send."""

import json
import os
from collections.abc import Mapping
from typing import Final

from tests.sampling import some

# Must never come back as it is in a page.
SCRIPT: Final = "<script>alert(20261)</script>"
ATTRIBUTE: Final = "\"'><img src=x onerror=alert(20261)>"
MB: Final = 1_000_000
DEEP: Final = 100_000
LONGEST_IN_ADDRESS: Final = 600

# How many values each field gets; 0 are all.
VALUES: Final = int(os.environ.get("HOSTILE_VALUES", "1"))
# How much is tried on each page of the admin; 0 is everything in every field.
TRIES: Final = int(os.environ.get("HOSTILE_TRIES", "1"))

# What can stand anywhere: in an address, a form, a JSON text. "\ud800" is half a character, which JSON can spell and
# UTF-8 cannot; in an address it becomes bytes that are no UTF-8.
TEXTS: Final[Mapping[str, str]] = {
    "nothing": "",
    "a space": " ",
    "NUL": "a\x00b",
    "NUL alone": "\x00",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "line ends": "a\r\nX-Hostile: 1\r\n\r\nb",
    "line and paragraph separators": "a\u2028b\u2029c",
    "half a character": "a\ud800b",
    "the other half": "\udfff",
    "right to left": "\u202eexe.1001\u202c\u2066\u200f",
    "combining": "e" + "\u0301" * 500,
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308",
    "the last code points": "\uffff\ufffe\U0010fffe\U0010ffff",
    "no width": "\u200b\ufeff\u00ad",
    "letters that fold oddly": "\u0130\u0131\u017f\u00df\ufb03\u1e9e",
    "full width": "\uff25\uff44\uff38\uff0b\uff24\uff45\uff4d\uff4f",
    "digits of other scripts": "\u0661\u0662\u0663",
    "a digit that is no number": "\u00b2",
    "a million letters": "x" * MB,
    "256 letters": "x" * 256,
    "1024 wide letters": "\U0001f600" * 1024,
    "html": SCRIPT,
    "an attribute": ATTRIBUTE,
    "sql": "x' OR 1=1; DROP TABLE core_user; --",
    "sql in double quotes": '" UNION SELECT NULL --',
    "like": "%_\\%",
    "a pattern": "(a+)+$[",
    "a template": "{{ 7*7 }}{% debug %}${7*7}#{7*7}",
    "a format": "%s%n%(x)s{0.__class__.__mro__}{learner}",
    "a path": "../../../../etc/passwd",
    "an address": "https://elsewhere.example.com/%2e%2e/?a=b#c",
    "a formula": '=HYPERLINK("https://elsewhere.example.com")',
    "JSON": '{"a": [1, null]}',
    "null": "null",
    "none": "None",
    "true": "true",
    "NaN": "NaN",
    "infinity": "-Infinity",
    "zero": "0",
    "minus zero": "-0",
    "minus one": "-1",
    "a sign": "+1001",
    "padded": " 1001 ",
    "underscores": "1_001",
    "hexadecimal": "0x3e9",
    "a fraction": "1.5",
    "an exponent": "1e400",
    "2**31": str(2**31),
    "2**63 - 1": str(2**63 - 1),
    "2**63": str(2**63),
    "2**64": str(2**64),
    "-2**63 - 1": str(-(2**63) - 1),
    "10**400": str(10**400),
    "5000 digits": "9" * 5000,
    "an instant before the first": "0001-01-01T00:00:00+14:00",
    "an instant after the last": "9999-12-31T23:59:59-12:00",
    "the year 0": "0000-00-00T00:00:00Z",
    "February 30th": "2026-02-30",
    "a leap second": "2026-06-30T23:59:60.9999999Z",
    "no uuid": "00000000-0000-0000-0000-00000000000g",
    "the nil uuid": "00000000-0000-0000-0000-000000000000",
    "a uuid in braces": "{7ae1cd2b-8e0c-4b4b-b5a1-c2f3f1f0a7d1}",
    "a uuid as a urn": "urn:uuid:7ae1cd2b-8e0c-4b4b-b5a1-c2f3f1f0a7d1",
    "a course key": "course-v1:a+b",
    "a run key that ends early": "course-v1:edX+DemoX+",
    "a run key of the old kind": "edX/DemoX/2026",
    "a key of a library": "lib:edX:DemoX",
    "a key with a space": "ed X+Demo X",
}

# What JSON can say besides, as it is written: numbers are not what a program would make of them.
LITERALS: Final[Mapping[str, str]] = {
    "null, really": "null",
    "true, really": "true",
    "false, really": "false",
    "an empty list": "[]",
    "an empty object": "{}",
    "a list with null": "[null]",
    "a list of texts": '["edX+DemoX", "x"]',
    "an object": '{"__proto__": {"a": 1}, "": {"$ne": null}}',
    "0": "0",
    "-1": "-1",
    "a fraction, really": "1.5",
    "a whole fraction": "1001.0",
    "2**31, really": str(2**31),
    "2**63, really": str(2**63),
    "2**64, really": str(2**64),
    "-2**63 - 1, really": str(-(2**63) - 1),
    "10**400, really": str(10**400),
    "5000 digits, really": "9" * 5000,
    "1e400, really": "1e400",
    "NaN, really": "NaN",
    "Infinity, really": "Infinity",
    "-Infinity, really": "-Infinity",
    "lists in lists": "[" * DEEP + "]" * DEEP,
    "lists in lists, a few": "[" * 300 + "]" * 300,
    "objects in objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "ten thousand things": json.dumps(list(range(10_000))),
}


def for_address(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts as they fit into an address: no longer than a server lets through."""
    return {name: text[:LONGEST_IN_ADDRESS] for name, text in texts.items()}


def addresses_for(place: str) -> dict[str, str]:
    """Return the texts that this place of an address gets."""
    return for_address(some(TEXTS, place, count=VALUES))


def literals_for(field: str) -> dict[str, str]:
    """Return what this field of a JSON body gets, as it is written there."""
    return some({**{name: json.dumps(text) for name, text in TEXTS.items()}, **LITERALS}, field, count=VALUES)

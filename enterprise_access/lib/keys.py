"""Course keys (`edX+DemoX`) and run keys (`course-v1:edX+DemoX+2026_T1`), which each service spells its way."""

from functools import lru_cache


# The same keys are compared again and again: in a page of a hundred courses each of them some ten times.
@lru_cache(maxsize=32_768)
def fold(key: str) -> str:
    """Return the form in which keys are compared: trimmed, lower case (as the upstream services' databases compare)."""
    return key.strip().lower()


def same_key(one: str, other: str) -> bool:
    """Say whether two keys are the same, ignoring case."""
    return fold(one) == fold(other)

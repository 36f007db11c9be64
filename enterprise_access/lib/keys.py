"""Course keys (`edX+DemoX`) and run keys (`course-v1:edX+DemoX+2026_T1`), which every neighbour spells as it likes."""


def fold(key: str) -> str:
    """Return the form in which keys are compared: trimmed, lower case (as the neighbours' databases compare)."""
    return key.strip().lower()


def same_key(one: str, other: str) -> bool:
    """Say whether two keys are the same, ignoring case."""
    return fold(one) == fold(other)

"""Answers that say, as documented, that there is no such thing."""

from enterprise_access.lib.errors import UpstreamChanged
from enterprise_access.lib.http import Answer
from enterprise_access.lib.structure import Fields, text


def is_absence(answer: Answer, *, status: int, key: str = "detail", starts_with: str = "") -> bool:
    """Say whether an upstream service itself says that there is no such thing, with a sentence under `key`.

    The same status without that sentence (of a router, of a proxy) says nothing about the thing, and is raised as the
    failure that it is.
    """
    if answer.status != status:
        return False
    sentence = _sentence(answer, key)
    if sentence is None or not sentence.startswith(starts_with):
        raise answer.failure()
    return True


def _sentence(answer: Answer, key: str) -> str | None:
    try:
        return answer.read(lambda value: Fields(value).optional(key, text))
    except UpstreamChanged:
        return None

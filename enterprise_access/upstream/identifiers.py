"""Checks of what is about to be sent. Services answer malformed identifiers with HTML 500s, wrong hits or silence.

Every method returns what may be sent, and raises UpstreamRefused (`refused_locally`) otherwise; nothing is sent then.
The refusals never quote the value.
"""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import attrs
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from enterprise_access.lib.errors import UpstreamRefused

_MAX_KEY_LENGTH: Final = 255
_MAX_ID: Final = 2**63 - 1
_RUN_PREFIX: Final = "course-v1:"
_COURSE_KEY: Final = re.compile(r"[\w\-~.]+(\+[\w\-~.]+)+")
# Sites decide what a username may be, and some allow spaces and any letter. No comma, because lists of usernames are
# separated by commas; no space at an end, because the platform strips it.
_USERNAME: Final = re.compile(r"[^\s,](?:[^,]{0,148}[^\s,])?")
_SLUG: Final = re.compile(r"[\w-]{1,255}")
# What keeps the address in one piece, in a query and in a list. Whether it exists is the upstream service's business.
_EMAIL: Final = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}")


@functools.lru_cache(maxsize=4096)
def is_content_key(value: str) -> bool:
    """Say whether this can be the key of a course or of one of its runs, and may be sent as one."""
    return _is_run_key(value) or _is_course_key(value)


def _is_course_key(value: str) -> bool:
    return len(value) <= _MAX_KEY_LENGTH and _COURSE_KEY.fullmatch(value) is not None


def _is_run_key(value: str) -> bool:
    if not value.startswith(_RUN_PREFIX) or len(value) > _MAX_KEY_LENGTH:
        return False
    try:
        key = CourseKey.from_string(value)
    except InvalidKeyError:
        return False
    # Exactly what was given, and a run rather than one of its versions or branches.
    return str(key) == value and "@" not in value


@attrs.frozen
class Identifiers:
    """Checks identifiers on behalf of one client. `refusal` makes the failure of a sentence."""

    refusal: Callable[[str], UpstreamRefused]

    def uuid(self, value: object, name: str) -> str:
        """Return a uuid in the one spelling that upstream services compare as text."""
        if not isinstance(value, UUID):
            raise self.refusal(f"{name} is not a uuid")
        return str(value)

    def positive(self, value: object, name: str) -> int:
        """Return an id of a database row."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MAX_ID:
            raise self.refusal(f"{name} is not a positive integer")
        return value

    def run_key(self, value: object, name: str = "course_run_key") -> str:
        """Return the key of one run of a course: course-v1:org+course+run."""
        if not isinstance(value, str) or not _is_run_key(value):
            raise self.refusal(f"{name} is not the key of a course run")
        return value

    def content_key(self, value: object, name: str = "content_key") -> str:
        """Return the key of a course or of one of its runs."""
        if not isinstance(value, str) or not is_content_key(value):
            raise self.refusal(f"{name} is not the key of a course or course run")
        return value

    def content_keys(self, values: Sequence[object], name: str = "content_keys") -> list[str]:
        """Return the keys without repetitions, in the same order."""
        return list(dict.fromkeys(self.content_key(value, name) for value in values))

    def content_id(self, value: object, name: str = "content_key") -> str:
        """Return the key of a course or run, or the uuid of a course or program. (All digits would be a row number.)"""
        return str(value) if isinstance(value, UUID) else self.content_key(value, name)

    def username(self, value: object, name: str = "username") -> str:
        """Return a username that can be one of a comma-separated list."""
        if not self.is_username(value):
            raise self.refusal(f"{name} is not a username")
        return str(value)

    def is_username(self, value: object) -> bool:
        """Say whether `username` would return it."""
        return isinstance(value, str) and _USERNAME.fullmatch(value) is not None and value.isprintable()

    def slug(self, value: object, name: str = "slug") -> str:
        """Return the slug of a customer."""
        return self._matching(_SLUG, value, f"{name} is not a slug")

    def email(self, value: object, name: str = "user_email") -> str:
        """Return an e-mail address."""
        address = self._matching(_EMAIL, value, f"{name} is not an e-mail address")
        if not address.isprintable():
            raise self.refusal(f"{name} is not an e-mail address")
        return address

    def _matching(self, pattern: re.Pattern[str], value: object, problem: str) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise self.refusal(problem)
        return value

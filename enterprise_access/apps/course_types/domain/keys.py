"""Keys of courses and of their runs, as far as types hang on them."""

import re
from functools import lru_cache
from typing import Final

from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from enterprise_access.apps.course_types.errors import MalformedKey
from enterprise_access.lib.keys import fold

MAX_KEY_LENGTH: Final = 255
_RUN_KEY_PREFIX: Final = "course-v1:"
_COURSE_KEY: Final = re.compile(r"[\w\-~.]+\+[\w\-~.]+")


@lru_cache(maxsize=4096)
def fold_course_key(key: str) -> str:
    """Return the form in which keys of courses are compared. Raises MalformedKey for what is none."""
    folded = fold(key)
    if len(folded) > MAX_KEY_LENGTH or not _COURSE_KEY.fullmatch(folded):
        raise MalformedKey(f"“{key.strip()[:MAX_KEY_LENGTH]}” is not the key of a course, like edX+DemoX.")
    return folded


@lru_cache(maxsize=4096)
def fold_run_key(key: str) -> str:
    """Return the form in which keys of runs are compared. Raises MalformedKey for what is none."""
    folded = fold(key)
    if len(folded) > MAX_KEY_LENGTH or not _is_run_key(folded):
        raise MalformedKey(
            f"“{key.strip()[:MAX_KEY_LENGTH]}” is not the key of a run, like course-v1:edX+DemoX+2026_T1."
        )
    return folded


def org_of(course_key: str) -> str:
    """Return the organization that a course key names. Raises MalformedKey."""
    return fold_course_key(course_key).partition("+")[0]


def _is_run_key(folded: str) -> bool:
    # A key with an "@" names a branch, a version or a block of a run.
    if not folded.startswith(_RUN_KEY_PREFIX) or "@" in folded:
        return False
    try:
        CourseKey.from_string(folded)
    except InvalidKeyError:
        return False
    return True

"""What the LMS is known to have, told to the app of course types below (apps.py hands it over)."""

from collections.abc import Iterable

from django.utils import timezone

from enterprise_access.apps.content_metadata.selectors.modes import list_modes
from enterprise_access.apps.course_types.domain.modes import effective


def list_lms_modes(course_run_keys: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, by folded run key, the slugs of the LMS's modes that are not too old, with what counts if it has none."""
    known = list_modes(course_run_keys=course_run_keys, now=timezone.now())
    return {key: frozenset(effective(found.modes)) for key, found in known.items() if not found.is_unknown}

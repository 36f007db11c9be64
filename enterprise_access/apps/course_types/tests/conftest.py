"""What the tests of this app share."""

from collections.abc import Callable, Iterator

import pytest

from enterprise_access.apps.course_types.services.evidence import register_lms_modes


@pytest.fixture
def lms_has() -> Iterator[Callable[..., None]]:
    """Return a way to say which modes the LMS is known to have; the app that knows it for real is above this one."""
    known: dict[str, frozenset[str]] = {}
    former = register_lms_modes(
        lambda run_keys: {key.lower(): known[key.lower()] for key in run_keys if key.lower() in known}
    )

    def say(run_key: str, *modes: str) -> None:
        known[run_key.lower()] = frozenset(modes)

    yield say
    register_lms_modes(former)

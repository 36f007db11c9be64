"""What the tests of the learner portal's pages may use besides the neighbours."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from enterprise_access.apps.bff.tests.pages import Open, make_opener


@pytest.fixture
def open_page(api_as: Any, world: Any) -> Open:
    """Return a function that opens a page as one of the world's people and checks the body against our API document."""
    return make_opener(api_as)


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stop the clock, for us and for the neighbours; `clock.shift(...)` moves it on."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def calls(world: Any) -> Callable[[], list[str]]:
    """Return a function that tells which endpoints of the neighbours were called since it was last asked."""
    seen = 0

    def told() -> list[str]:
        nonlocal seen
        new = world.journal.calls()[seen:]
        seen += len(new)
        return [call.endpoint for call in new]

    return told

"""What the tests of this app may use besides the neighbours."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import time_machine

from enterprise_access.apps.licenses.services import Ensured, ensure_license
from simulator.app import Simulator
from simulator.seed import ACME


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stop the clock, for us and for license-manager; `clock.shift(...)` moves it on."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def load(simulator: Simulator) -> Callable[..., Ensured]:
    """Return what a page load of the learner portal does about the licenses of one of the world's people."""

    def load_page(username: str, *, customer: Any = ACME, **about: Any) -> Ensured:
        given = {"is_linked": True, "has_identity_provider": False, "budget_seconds": 3.0, **about}
        return ensure_license(
            learner_token=simulator.tokens.token_for(username),
            customer_uuid=customer,
            lms_user_id=simulator.world.user(username).id,
            **given,
        )

    return load_page


@pytest.fixture
def meanwhile(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let something happen while license-manager is asked at an address: `before` it does its work, or `after`."""
    hooks: list[tuple[str, Callable[[], object], Callable[[], object]]] = []
    inner = requests.adapters.HTTPAdapter.send

    def send(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        hook = next((hook for hook in hooks if hook[0] in (request.url or "")), None)
        if hook is None:
            return inner(self, request, *args, **kwargs)
        hooks.remove(hook)
        hook[1]()
        response = inner(self, request, *args, **kwargs)
        hook[2]()
        return response

    def add(path: str, *, before: Callable[[], object] = bool, after: Callable[[], object] = bool) -> None:
        hooks.append((path, before, after))

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return add

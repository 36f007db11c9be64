"""What the tests of this app may use besides the neighbours."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from simulator.app import Simulator
from simulator.world import World

Hook = Callable[[], object]


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stop the clock, for us and for the neighbours; `clock.shift(...)` moves it on."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def meanwhile(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let things happen while a neighbour is being asked: `meanwhile("some/path", after=do)` acts on the next call of
    an address that contains the path, `before` its work is done or `after`. Each acts once, unless told otherwise."""
    hooks: list[list[Any]] = []
    inner = requests.adapters.HTTPAdapter.send

    def send(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        hook = next((hook for hook in hooks if hook[0] in (request.url or "") and hook[3] > 0), None)
        if hook is None:
            return inner(self, request, *args, **kwargs)
        hook[3] -= 1
        hook[1]()
        response = inner(self, request, *args, **kwargs)
        hook[2]()
        return response

    def add(path: str, *, before: Hook = bool, after: Hook = bool, times: int = 1) -> None:
        hooks.append([path, before, after, times])

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return add


@pytest.fixture
def in_transaction() -> Callable[[], bool]:
    """Return a question: is a transaction open now? (For tests that have none of their own around them.)"""
    return lambda: connection.in_atomic_block


@pytest.fixture
def onlooker(world: World, django_user_model: type[Any]) -> Client:
    """Return somebody who may look at everything of ours, and do nothing."""
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    views = Permission.objects.filter(codename__startswith="view_", content_type__app_label="default_enrollments")
    user.user_permissions.add(*views)
    client = Client()
    client.force_login(user)
    return client

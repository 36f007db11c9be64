from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from flask import Flask

from simulator.app import create_app, simulator_of
from simulator.faults import Faults
from simulator.in_process import SimulatorAdapter
from simulator.seed import seed
from simulator.tokens import throwaway_jwk
from simulator.world import World

WORKER = "enterprise_access_worker"
BASE = "http://simulator.test"
Ask = Callable[..., requests.Response]


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **amount: float) -> None:
        self.at += timedelta(**amount)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    """The named world."""
    return World(now=clock, seed=seed)


@pytest.fixture(scope="session")
def signing_key() -> dict[str, Any]:
    """One key for all tests: to make one takes longer than to make a world."""
    return throwaway_jwk()


@pytest.fixture
def app(world: World, signing_key: dict[str, Any]) -> Flask:
    return create_app(world, signing_key=signing_key)


@pytest.fixture
def faults(app: Flask) -> Faults:
    return simulator_of(app).faults


@pytest.fixture
def adapter(app: Flask) -> SimulatorAdapter:
    return SimulatorAdapter(app)


@pytest.fixture
def ask(app: Flask, adapter: SimulatorAdapter) -> Ask:
    """Send a request as somebody: `ask("GET", "/lms/...", caller="ada")`; the caller None sends no token."""
    session = requests.Session()
    session.mount(BASE, adapter)

    def ask(method: str, path: str, *, caller: str | None = WORKER, **about: Any) -> requests.Response:
        headers = about.pop("headers", {})
        if caller is not None:
            headers = {"Authorization": f"JWT {simulator_of(app).tokens.token_for(caller)}"} | headers
        about = {"timeout": 5, "allow_redirects": False} | about
        return session.request(method, BASE + path, headers=headers, **about)

    return ask

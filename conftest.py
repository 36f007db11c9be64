"""What every test may use: the neighbours, played by the simulator inside this process behind the real clients."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.core.cache import cache
from edx_django_utils.cache import TieredCache
from rest_framework.test import APIClient

from enterprise_access.lib import breaker
from enterprise_access.upstream import connections
from simulator.app import Simulator, create_app, simulator_of
from simulator.in_process import SimulatorAdapter
from simulator.seed import WORKER_KEY, WORKER_SECRET
from simulator.tokens import throwaway_jwk
from simulator.world import World

SIGNING_JWK = throwaway_jwk()


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing is remembered from one test to the next: no answer, no token, no open session, no open breaker."""
    cache.clear()
    TieredCache.dangerous_clear_all_tiers()
    connections.forget()
    breaker._breaker_of.cache_clear()


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Simulator:
    """Put the simulator, with its named world, where the neighbours are; everything sent over HTTP ends up there."""
    app = create_app(
        signing_key=SIGNING_JWK,
        issuer=django_settings.JWT_AUTH["JWT_ISSUERS"][0]["ISSUER"],
        audience=django_settings.JWT_AUTH["JWT_ISSUERS"][0]["AUDIENCE"],
    )
    adapter = SimulatorAdapter(app)
    public_keys = simulator_of(app).tokens.public_jwk_set()
    settings.JWT_AUTH = django_settings.JWT_AUTH | {"JWT_PUBLIC_SIGNING_JWK_SET": public_keys}
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = WORKER_KEY, WORKER_SECRET
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lambda _, *args, **kwargs: adapter.send(*args, **kwargs))
    return simulator_of(app)


@pytest.fixture
def world(simulator: Simulator) -> World:
    """Return the neighbours' world, to look at and to change."""
    return simulator.world


@pytest.fixture
def api_as(simulator: Simulator) -> Callable[[str], APIClient]:
    """Return a maker of clients of our own API that call as one of the world's people."""

    def as_user(username: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"JWT {simulator.tokens.token_for(username)}")
        return client

    return as_user

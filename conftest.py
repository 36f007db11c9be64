"""What every test may use: the neighbours, played by the simulator inside this process behind the real clients.

And what every test is held to: nothing that is logged or counted names a person.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from celery import current_app
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from edx_django_utils.cache import TieredCache
from rest_framework.test import APIClient

from enterprise_access.apps.content_metadata.selectors import content, modes
from enterprise_access.lib import breaker, clock, jobs, metrics, shared_cache
from enterprise_access.upstream import connections
from simulator.app import Simulator, create_app, simulator_of
from simulator.in_process import SimulatorAdapter
from simulator.seed import WORKER_KEY, WORKER_SECRET
from simulator.tokens import throwaway_jwk
from simulator.world import World
from tests import tally as closing
from tests.access.personal_data import Listener, found_in

SIGNING_JWK = throwaway_jwk()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Close a proof with what was tried and what was lost."""
    closing.close(terminalreporter, config)


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> closing.Tally:
    """Return what this run has tried and lost, to add to."""
    return closing.of(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def _every_task() -> None:
    """Know every task, as a worker does."""
    current_app.loader.import_default_modules()


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """Listen to every logger for as long as there are tests, and look at what was counted at the end."""
    listener = Listener()
    with listener.listening():
        yield listener
    if named := found_in(metrics.process_metrics().decode()):
        pytest.fail(f"Somebody is named in what is counted: {named}")


@pytest.fixture(autouse=True)
def _nobody_is_named(request: pytest.FixtureRequest, listener: Listener) -> Iterator[None]:
    """Fail a test that makes the service log an address, a token, or the name of one of the world's people."""
    yield
    heard = listener.take()
    if heard and "names_people" not in request.keywords:
        pytest.fail("Somebody is named in the log:\n" + "\n".join(heard))


@pytest.fixture(autouse=True)
def _clean_slate() -> None:
    """Nothing is remembered from one test to the next: no answer, no token, no open session, no open breaker."""
    shared_cache.forget_silence()
    cache.clear()
    TieredCache.dangerous_clear_all_tiers()
    connections.forget()
    breaker._breaker_of.cache_clear()
    jobs.forget()
    clock.forget()
    content._cache._kept.clear()
    modes._seen.clear()


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


@pytest.fixture
def staff(world: World, django_user_model: type[Any]) -> Client:  # noqa: ARG001 - some pages ask the neighbours
    """Return the browser of somebody who may do everything in the admin."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client

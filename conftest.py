"""What every test may use: the neighbours, played by the simulator inside this process behind the real clients.

And what every test is held to: nothing that is logged or counted names a person.
"""

import gc
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from rest_framework.test import APIClient

from enterprise_access.lib import metrics
from simulator.app import Simulator
from simulator.world import World
from tests import tally as closing
from tests.access.personal_data import Listener, found_in
from tests.setting_up import forget_everything, play_neighbours


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector leave alone what lives until the end: walking through it took an eighth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


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
    forget_everything()


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Simulator:
    """Put the simulator, with its named world, where the neighbours are; everything sent over HTTP ends up there."""
    simulator, known = play_neighbours(monkeypatch)
    for name, value in known.items():
        setattr(settings, name, value)
    return simulator


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

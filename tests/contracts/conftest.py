"""One simulator for each of these modules: its world is put back where a test has changed it."""

from collections.abc import Iterator

import pytest
from flask import Flask

from simulator.app import Simulator, create_app, simulator_of
from simulator.in_process import SimulatorAdapter


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app()


@pytest.fixture
def adapter(app: Flask) -> SimulatorAdapter:
    return SimulatorAdapter(app)


@pytest.fixture
def neighbours(app: Flask) -> Iterator[Simulator]:
    """Return the simulator behind `adapter`, without faults, and with the named world."""
    simulator = simulator_of(app)
    started_at = simulator.world.journal.next_number()
    yield simulator
    simulator.faults.clear()
    if simulator.world.journal.changes(since=started_at):
        simulator.world.reset()

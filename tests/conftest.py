"""The scene of tests/access/scene.py, made once for all tests of a module."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from django.db import transaction
from django.test.utils import override_settings

from simulator.app import Simulator
from tests.setting_up import play_neighbours


@attrs.frozen
class Scene:
    """The neighbours, and the names of what stands in the database."""

    simulator: Simulator
    names: dict[str, object]


@pytest.fixture(scope="module")
def _scene_of_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[Scene]:
    """Make the scene in a transaction that lasts as long as the module's tests; it takes longer than most of them."""
    from tests.access.scene import make_scene

    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        simulator, known = play_neighbours(patch)
        with override_settings(**known):
            yield Scene(simulator, make_scene())
        transaction.set_rollback(True)


@pytest.fixture
def scene(_scene_of_module: Scene, db: None) -> Iterator[Scene]:
    """Return the scene as it was made; what a test changes, in the database or at the neighbours, is undone.

    It is there for every test of the module that comes later, so all of them have to start from it.
    """
    simulator = _scene_of_module.simulator
    with simulator.world.undoing():
        yield Scene(simulator, dict(_scene_of_module.names))
    simulator.faults.clear()

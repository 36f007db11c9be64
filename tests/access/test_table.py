"""Every route, with every method, answers everybody as the table says; and every route is in the table."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import transaction

from simulator.app import Simulator
from tests.access import routes
from tests.access.callers import Who, client_of
from tests.access.personal_data import found_in
from tests.access.scene import filled
from tests.access.table import ROWS, Row

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulator(scene):
    return scene.simulator


@pytest.fixture
def names(scene):
    return scene.names


def test_every_route_has_a_row_and_every_row_has_a_route(names):
    listed = [(row.method, routes.route_of(filled(row.path, names))) for row in ROWS]
    assert sorted(set(listed) - routes.known()) == [], "The table has rows for what is not there (any more)."
    assert sorted(routes.known() - set(listed)) == [], "These have no row in tests/access/table.py."
    assert len(listed) == len(set(listed)), "The table has a row twice."


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_the_answer_that_the_table_says(row, names, simulator):
    got = {who: status(row, who, simulator, names) for who in Who}
    assert got == {who: row.answer_for(who) for who in Who}


def status(row: Row, who: Who, simulator: Simulator, names: Mapping[str, object]) -> int:
    """Call as `who`, and undo what came of it, so that the next one finds the same scene."""
    client = client_of(who, simulator)
    with transaction.atomic():
        answer = client.generic(row.method, filled(row.path, names), **sent(row, names))
        transaction.set_rollback(True)
    assert answer.status_code < 400 or found_in(answer.content.decode()) == []
    return answer.status_code


def sent(row: Row, names: Mapping[str, object]) -> dict[str, Any]:
    if row.method == "GET":
        return {}
    return {"data": json.dumps(filled(row.body, names)), "content_type": "application/json"}

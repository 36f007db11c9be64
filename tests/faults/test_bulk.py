"""One bad row among many, and a service that fails when one key is among those asked about: at every bulk method.

Everybody else is answered as ever. The culprit is unknown, which is neither a "no" nor a failure of all, it is counted,
and operators see it.
"""

import typing
from collections.abc import Iterator, Sequence, Set
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.db import transaction

from enterprise_access.lib import metrics, unreadable
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.paging import Page
from simulator.app import Simulator
from simulator.faults import FaultKind
from tests.contracts.calls import BY_NAME, client_of, session_over
from tests.faults.bulk import BULK, COURSES, ELSEWHERE, NAME, Bulk, add_crowd, unknown_keys
from tests.faults.scenes import SCENES, UNKNOWN
from tests.tally import Tally

pytestmark = pytest.mark.faults

# What the odd member of a row becomes.
ODD = {"null": None, "an object": {"un": "known"}}
# What a service answers whenever the culprit is among those asked about.
ANSWERS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "400": {"status": 400, "body": '{"detail": "No."}'},
    "an unknown shape": {"status": 200, "body": "null"},
    "a page for people": {"status": 200, "body": "<p>Oops</p>", "content_type": "text/html"},
}
# These answer about many, or are asked about many, and are read as a whole. Why one odd row spoils nothing else.
READ_AS_A_WHOLE = {
    "LmsClient.list_enterprise_enrollments": "one learner of one customer",
    "LicenseManagerClient.list_licenses_of": "one learner of one customer",
    "LicenseManagerClient.staff_lookup": "one learner",
    "LicenseManagerClient.assign_licenses": "a write: what was granted is read back",
    "CatalogClient.list_catalogs": "one customer, whose courses may be in the catalog that is odd",
    "CatalogClient.contains": "one yes or no",
    "CatalogClient.filter_content_keys": "no service asks it",
    "DiscoveryClient.list_type_options": "types hang together: all of them are taken over, or none",
    "LicenseCreator.list_plans": "one plan that cannot be read may be the one to be created: nothing is created then",
    "LmsCreator.list_admin_addresses": "about one customer; making an admin again changes nothing",
}

# No service works for many at once with these.
WITHOUT_SCENE = {
    "LmsClient.list_portal_links": "a page of one learner; see bff/tests/test_every_fault.py",
    "LmsClient.list_portal_enrollments": "a page of one learner; see bff/tests/test_every_fault.py",
    "LmsClient.list_enterprise_enrollments_admin": "one learner at a time",
    "LmsClient.list_default_intentions": "staff are shown the list, and what is missing in it",
    "LmsGroups.get_page": "admins are shown the page",
    "SubsidyClient.list_subsidies": "no service asks it",
}

by_name = pytest.mark.parametrize("bulk", BULK, ids=lambda bulk: bulk.call.name)


@pytest.fixture
def crowd(simulator: Simulator, tally: Tally) -> Simulator:
    tally.of("test-faults").add(faults_of_one_among_many=1)
    add_crowd(simulator.world)
    unreadable.forget()
    return simulator


def ask(bulk: Bulk, simulator: Simulator) -> Any:
    """Make the call. What comes a page at a time is read to its end."""
    client = client_of(bulk.call.client, session_over(requests.adapters.HTTPAdapter()))
    arguments = bulk.arguments(simulator)
    return getattr(client, bulk.call.method)(**arguments)


def counted() -> float:
    return sum(
        sample.value
        for family in metrics.UNREADABLE_ROWS.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    )


def told_without(bulk: Bulk, simulator: Simulator, healthy: set[object]) -> tuple[set[object], Any]:
    """Ask while something is wrong with one; return of whom nothing is told, and the answer."""
    before = counted()
    answer = ask(bulk, simulator)
    rows = bulk.rows(answer)
    assert counted() > before
    assert unreadable.list_unreadable_rows()
    return healthy - {bulk.told(row) for row in rows}, rows


@by_name
@pytest.mark.parametrize("odd", ODD)
def test_one_odd_row_leaves_one_unknown_and_everybody_else_told(bulk: Bulk, odd: str, crowd: Simulator) -> None:
    healthy = {bulk.told(row) for row in bulk.rows(ask(bulk, crowd))}
    row_of, member = bulk.odd
    crowd.faults.add(FaultKind.ODD_ROW, bulk.call.endpoint, row_of=row_of, keys=[member], value=ODD[odd], times=None)
    untold, rows = told_without(bulk, crowd, healthy)
    assert len(untold) == 1
    assert len(healthy) > 1
    key = bulk.key(crowd.world)
    if key is not None and isinstance(rows, Rows):
        assert key in unknown_keys(rows.unreadable)


@pytest.mark.parametrize(
    "bulk", [bulk for bulk in BULK if bulk.is_asked_by_key and not bulk.call.is_write], ids=lambda bulk: bulk.call.name
)
@pytest.mark.parametrize("said", ANSWERS)
def test_whom_a_service_fails_on_is_left_out_and_everybody_else_told(bulk: Bulk, said: str, crowd: Simulator) -> None:
    healthy = {bulk.told(row) for row in bulk.rows(ask(bulk, crowd))}
    key, word = bulk.key(crowd.world), bulk.asked_by(crowd.world)
    crowd.faults.add(FaultKind.STATUS, bulk.call.endpoint, only_with=word, times=None, **ANSWERS[said])
    untold, rows = told_without(bulk, crowd, healthy)
    assert untold == {key}
    assert unknown_keys(rows.unreadable) == {key}


ODD_IN_A_SCENE = [("odd row", bulk, scene) for bulk in BULK for scene in bulk.scenes]
FAILING_IN_A_SCENE = [("500", bulk, scene) for _, bulk, scene in ODD_IN_A_SCENE if bulk.is_asked_by_key]


@pytest.mark.django_db
@pytest.mark.names_people
@pytest.mark.parametrize(
    ("wrong", "bulk", "scene"),
    [*ODD_IN_A_SCENE, *FAILING_IN_A_SCENE],
    ids=lambda part: part.call.name if isinstance(part, Bulk) else part,
)
def test_one_among_many_keeps_nobody_else_waiting(
    wrong: str, bulk: Bulk, scene: str, simulator: Simulator, tally: Tally
) -> None:
    tally.of("test-faults").add(faults_of_one_among_many=1)
    world = simulator.world

    def arm() -> None:
        if wrong == "500":
            word = bulk.asked_by(world)
            simulator.faults.add(FaultKind.STATUS, bulk.call.endpoint, status=500, only_with=word, times=None)
        else:
            row_of, member = bulk.odd
            simulator.faults.add(FaultKind.ODD_ROW, bulk.call.endpoint, row_of=row_of, keys=[member], times=None)

    with transaction.atomic():
        healthy = SCENES[scene](world, lambda: None)
        transaction.set_rollback(True)
    world.reset()
    cache.clear()
    unreadable.forget()
    said = SCENES[scene](world, arm)
    assert any(call.fault for call in world.journal.calls(endpoint=bulk.call.endpoint))
    changed = {key: said[key] for key in healthy if said[key] != healthy[key]}
    assert set(changed.values()) <= UNKNOWN, changed
    assert len(changed) <= 1
    assert changed.keys() <= {NAME, COURSES[0], ELSEWHERE[0]}


def test_every_bulk_method_that_a_service_asks_has_a_scene() -> None:
    assert {scene for bulk in BULK for scene in bulk.scenes} == SCENES.keys()
    without = {bulk.call.name for bulk in BULK if not bulk.scenes}
    assert without == WITHOUT_SCENE.keys()


def test_every_method_that_answers_about_many_is_in_the_table_or_says_why_not() -> None:
    many = {name for name, call in BY_NAME.items() if is_about_many(getattr(call.client, call.method))}
    table = {bulk.call.name for bulk in BULK}
    assert not table & READ_AS_A_WHOLE.keys()
    assert table | READ_AS_A_WHOLE.keys() == many


def is_about_many(method: Any) -> bool:
    """Say whether a method returns rows, or is asked about several things at once."""
    hints = typing.get_type_hints(method)
    returned = hints.pop("return")
    kind = typing.get_origin(returned) or returned
    is_rows = isinstance(kind, type) and (
        issubclass(kind, tuple | Set | Iterator | Page) or hasattr(kind, "unreadable")
    )
    return is_rows or any(typing.get_origin(hint) is Sequence for hint in hints.values())

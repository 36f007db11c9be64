"""Twenty page loads of one learner at once, each in a process of its own: one activation, one auto-apply.

The neighbours are a server. Needs a database that processes can share (`make test-concurrency` runs it on a file,
PostgreSQL and MariaDB). The cache of every process is its own, as if the shared one were lost: only the database
keeps them apart.
"""

import json
from uuid import UUID

import pytest
import requests

from enterprise_access.apps.licenses.models import LicenseClaim
from simulator.seed import ACME, HOOLI
from tests.concurrency.test_one_learner import count, neighbours, run_program
from tests.tally import Tally

__all__ = ["neighbours"]

BEN, NINA, OMAR = 1002, 5001, 5002
PAGE_LOADS = 20

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# One process gets ready and splits into as many as there are page loads; all start in the same moment. Each says what
# it would show, on a line of its own.
LOADS = """
import json, os, sys, django
django.setup()
from uuid import UUID
from enterprise_access.apps.licenses.services import ensure_license
reading, writing = os.pipe()
children = []
for load in sys.argv[1:]:
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    customer, learner, token = load.split(":")
    ensured = ensure_license(
        learner_token=token, customer_uuid=UUID(customer), lms_user_id=int(learner), is_linked=True,
        has_identity_provider=True, budget_seconds=10,
    )
    shown = {
        "learner": int(learner),
        "licenses": [[str(row.uuid), row.status] for row in ensured.licenses.licenses],
        "problems": [problem.code for problem in ensured.problems],
        "has_changed": ensured.has_changed,
    }
    os.write(1, (json.dumps(shown) + "\\n").encode())
    os._exit(0)
os.close(writing)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def token_of(neighbours: str, username: str) -> str:
    answer = requests.post(f"{neighbours}/control/token", json={"username": username}, timeout=10)
    return answer.json()["token"]


def load_at_once(neighbours: str, who: list[tuple[UUID, int, str]]) -> list[dict]:
    """Let as many page loads as there are entries in `who` start in the same moment; return what each would show."""
    tokens = {name: token_of(neighbours, name) for _, _, name in who}
    loads = [f"{customer}:{learner}:{tokens[name]}" for customer, learner, name in who]
    return [json.loads(line) for line in run_program(neighbours, LOADS, *loads).splitlines()]


def calls(neighbours: str, endpoint: str) -> list[dict]:
    log = requests.get(f"{neighbours}/control/log", params={"endpoint": endpoint}, timeout=10).json()
    return log["calls"]


def test_twenty_page_loads_activate_once_and_show_the_same(neighbours: str, tally: Tally) -> None:
    shown = load_at_once(neighbours, [(ACME, BEN, "ben")] * PAGE_LOADS)

    activations = calls(neighbours, "license_manager.license_activation")
    count(tally, expected=1, made=len(activations), races_of_20_pages_for_one_license=1)
    assert len(activations) == 1
    assert len(shown) == PAGE_LOADS
    assert {str(load["licenses"]) for load in shown} == {str(shown[0]["licenses"])}
    assert shown[0]["licenses"][0][1] == "activated"
    assert [load for load in shown if load["problems"]] == []
    assert sum(load["has_changed"] for load in shown) == 1
    assert not LicenseClaim.objects.exclude(token=None).exists()


def test_twenty_page_loads_take_one_license_and_show_the_same(neighbours: str, tally: Tally) -> None:
    shown = load_at_once(neighbours, [(HOOLI, NINA, "nina")] * PAGE_LOADS)

    callers = [call["caller"] for call in calls(neighbours, "license_manager.auto_apply")]
    count(tally, expected=1, made=len(callers), races_of_20_pages_for_one_license=1)
    assert callers == ["nina"]
    assert {str(load["licenses"]) for load in shown} == {str(shown[0]["licenses"])}
    assert len(shown[0]["licenses"]) == 1
    assert [load for load in shown if load["problems"]] == []


def test_two_learners_at_once_get_a_license_each(neighbours: str, tally: Tally) -> None:
    shown = load_at_once(neighbours, [(HOOLI, NINA, "nina"), (HOOLI, OMAR, "omar")] * (PAGE_LOADS // 2))

    callers = sorted(call["caller"] for call in calls(neighbours, "license_manager.auto_apply"))
    count(tally, expected=2, made=len(callers), races_of_20_pages_for_two_licenses=1)
    assert callers == ["nina", "omar"]
    held = {load["learner"]: load["licenses"][0][0] for load in shown}
    assert len(set(held.values())) == 2

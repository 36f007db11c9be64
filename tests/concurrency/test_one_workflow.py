"""Many requests at once for one customer, and processes that are killed again and again: everything exists once.

The upstream services are a server. Needs a database that processes can share (`make test-concurrency` runs it on a
file, PostgreSQL and MariaDB).
"""

import json

import pytest
import requests

from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from tests.concurrency.test_one_learner import count, neighbours, run_program
from tests.tally import Tally

__all__ = ["neighbours"]

CREATING = {
    "lms.create_customer": 1,
    "lms.create_admin_by_email": 1,
    "lms.add_pending_admin": 1,
    "lms.create_catalog": 1,
    "license_manager.create_agreement": 1,
    "license_manager.create_plan": 2,
    "license_manager.create_renewal": 1,
}

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

REQUESTS = """
import json, os, sys, django
django.setup()
from enterprise_access.apps.provisioning.services.provisioning import provision
from enterprise_access.apps.provisioning.tests.bodies import asked_to_provision
asked, people = asked_to_provision("Alpha")
reading, writing = os.pipe()
children = []
for number in range(int(sys.argv[1])):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    progress = provision(asked=asked, people=people, requested_by=None, seconds=60)
    told = [str(progress.workflow.pk), progress.state.value, progress.has_created]
    os.write(1, (json.dumps(told) + "\\n").encode())
    os._exit(0)
os.close(writing)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""

# A process runs the workflow and is killed at each call that writes: before it is sent, the next time after its answer
# came and before that is recorded. Leases and doubts are over by the time the next process begins.
KILLED = """
import json, os, signal, django
django.setup()
from datetime import timedelta
from urllib.parse import urlsplit
from django.db import connection
from django.db.models import F
from django.utils import timezone
from requests.adapters import HTTPAdapter
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.provisioning import provision
from enterprise_access.apps.provisioning.tests.bodies import asked_to_provision
asked, people = asked_to_provision("Alpha")
kills = []
send = HTTPAdapter.send

def die_once(writing, moment, request):
    kill = [moment, urlsplit(request.url).path]
    if request.method != "GET" and "oauth2" not in request.url and kill not in kills:
        os.write(writing, json.dumps(kill).encode())
        os.kill(os.getpid(), signal.SIGKILL)

def run(writing):
    def send_or_die(self, request, **kwargs):
        die_once(writing, "unsent", request)
        answer = send(self, request, **kwargs)
        die_once(writing, "unrecorded", request)
        return answer

    HTTPAdapter.send = send_or_die
    provision(asked=asked, people=people, requested_by=None, seconds=60)
    os._exit(0)

for turn in range(100):
    connection.close()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        run(writing)
    os.close(writing)
    told = os.read(reading, 10_000)
    os.close(reading)
    status = os.waitpid(child, 0)[1]
    if not told:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    kills.append(json.loads(told))
    past, age = timezone.now() - timedelta(minutes=2), timedelta(minutes=2)
    Workflow.objects.filter(leased_until__isnull=False).update(leased_until=past)
    WorkflowStep.objects.filter(sent_at__isnull=False).update(sent_at=F("sent_at") - age)
print(json.dumps(kills))
"""


def created(neighbours: str) -> dict[str, int]:
    """Return how many calls of each kind have created something."""
    log = requests.get(f"{neighbours}/control/log", timeout=10).json()["calls"]
    return {name: sum(call["endpoint"] == name and call["status"] == 201 for call in log) for name in CREATING}


def test_requests_at_once_are_one_workflow_and_create_once(neighbours: str, tally: Tally) -> None:
    printed = run_program(neighbours, REQUESTS, "6")
    told = [json.loads(line) for line in printed.splitlines()]
    assert len(told) == 6
    assert {(uuid, state) for uuid, state, _ in told} == {(str(Workflow.objects.get().pk), "done")}
    assert created(neighbours) == CREATING
    count(tally, expected=8, made=sum(created(neighbours).values()), races_of_6_requests_for_one_customer=1)


def test_processes_that_are_killed_at_each_write_create_once(neighbours: str, tally: Tally) -> None:
    kills = [tuple(kill) for kill in json.loads(run_program(neighbours, KILLED))]
    paths = {path for _, path in kills}
    # Both plans are made at one address.
    assert len(paths) >= len(CREATING)
    assert sorted(kills) == sorted((moment, path) for path in paths for moment in ("unsent", "unrecorded"))
    assert Workflow.objects.get().ended_at is not None
    own = WorkflowStep.objects.filter(name__in=["customer_copy", "notification"])
    assert set(own.values_list("state", "is_created")) == {("done", False)}
    elsewhere = WorkflowStep.objects.exclude(pk__in=own.values("pk"))
    assert set(elsewhere.values_list("state", "is_created")) == {("done", True)}
    # A killed process may not have heard that its call created something; nothing was created a second time.
    assert created(neighbours) == CREATING
    count(tally, expected=8, made=sum(created(neighbours).values()), processes_killed_while_provisioning=len(kills))

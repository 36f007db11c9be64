"""Two hundred learners want a course at once, and the account has money for 150: exactly 150 get it.

Requests and workers are processes of their own; in one of the storms, two workers are killed (SIGKILL) while they work.
Needs a database that processes can share (`make test-concurrency` runs it on a file, PostgreSQL and MariaDB). How much
of the time the ledger is used, `make bench-redeeming` measures.
"""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from django.db import connection

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from simulator.seed import ACME, ACME_CREDIT, ACME_OPEN
from tests.concurrency.test_one_learner import count, neighbours, run_program
from tests.tally import Tally

__all__ = ["neighbours"]

PRICE = 14_900
LEARNERS = 200
PAID = 150
SEEDED = 500_000
FIRST_LEARNER = 50_000
# How long the ledger takes for each redemption, and how long a worker may be silent.
LEDGER_SECONDS = 0.1
SILENT_SECONDS = 2

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# Every process asks for some learners, each of whom clicks twice; then some processes work, and two of them are killed.
STORM = """
import json, os, signal, sys, time, django
django.setup()
from uuid import UUID
from requests.adapters import HTTPAdapter
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
policy_uuid, run, first, learners, processes, workers, killed, told_in = sys.argv[1:]
first, learners, processes, workers, killed = int(first), int(learners), int(processes), int(workers), int(killed)
told = os.open(told_in, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
send = HTTPAdapter.send

def send_timed(self, request, **kwargs):
    began = time.time()
    answer = send(self, request, **kwargs)
    if request.method == "POST" and request.url.endswith("/admin/transactions/"):
        os.write(told, (json.dumps([began, time.time()]) + "\\n").encode())
    return answer

HTTPAdapter.send = send_timed

def fork(work):
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    return child

def ask(number):
    policy = get_policy(UUID(policy_uuid))
    for learner in range(first + number, first + learners, processes):
        for _ in range(2):
            redeem(RedemptionOrder(policy=policy, lms_user_id=learner, run_key=run))

def work():
    while RedemptionAttempt.objects.exclude(due_at=None).exists():
        if not work_on_attempts():
            time.sleep(0.05)

askers = [fork(lambda number=number: ask(number)) for number in range(processes)]
failed = sum(os.waitpid(child, 0)[1] != 0 for child in askers)
crew = [fork(work) for _ in range(workers)]
for victim in crew[:killed]:
    time.sleep(1.5)
    os.kill(victim, signal.SIGKILL)
failed += sum(os.waitpid(child, 0)[1] != 0 for child in crew[killed:])
sys.exit(failed)
"""


def call(address: str, verb: str, **about: object) -> None:
    requests.post(f"{address}/control/world/{verb}", json=about, timeout=30).raise_for_status()


def deposit(address: str, cents: int) -> None:
    body = {
        "desired_deposit_quantity": cents,
        "idempotency_key": "for the storm",
        "sales_contract_reference_id": "1",
        "sales_contract_reference_provider": "x",
    }
    url = f"{address}/subsidy/api/v2/subsidies/{ACME_CREDIT}/admin/deposits/"
    requests.post(url, json=body, headers=as_worker(address), timeout=30).raise_for_status()


def balance(address: str) -> int:
    """Return what the ledger has left for Acme, in cents."""
    url = f"{address}/subsidy/api/v1/subsidies/{ACME_CREDIT}/"
    return int(requests.get(url, headers=as_worker(address), timeout=30).json()["current_balance"])


def as_worker(address: str) -> dict[str, str]:
    token = requests.post(f"{address}/control/token", json={"username": "enterprise_access_worker"}, timeout=30).json()
    return {"Authorization": f"JWT {token['token']}"}


def make_policy() -> SubsidyAccessPolicy:
    subsidy = Subsidy.objects.create(uuid=ACME_CREDIT, customer_uuid=ACME)
    return SubsidyAccessPolicy.objects.create(
        customer_uuid=ACME,
        subsidy=subsidy,
        catalog_uuid=ACME_OPEN,
        display_name=str(uuid4()),
        policy_type=PolicyType.PER_LEARNER_SPEND.value,
        access_method=AccessMethod.DIRECT.value,
    )


@pytest.mark.parametrize("killed", [0, 2])
def test_exactly_as_many_are_paid_as_there_is_money_for(
    neighbours: str, tally: Tally, tmp_path: Path, killed: int
) -> None:
    for number in range(LEARNERS):
        call(neighbours, "add_learner", username=f"storm{number}", id=FIRST_LEARNER + number, customer="acme")
    deposit(neighbours, PAID * PRICE - SEEDED)
    slow = {"kind": "delay_before", "endpoint": "subsidy.redeem", "seconds": LEDGER_SECONDS, "times": None}
    requests.post(f"{neighbours}/control/faults", json=slow, timeout=30).raise_for_status()
    policy = make_policy()
    run = "course-v1:edX+DemoX+2026_T1"
    processes = 4 if connection.vendor == "sqlite" else 8
    run_program(
        neighbours,
        STORM,
        *(
            str(policy.pk),
            run,
            str(FIRST_LEARNER),
            str(LEARNERS),
            str(processes),
            "4",
            str(killed),
            str(tmp_path / "calls"),
        ),
        SUBSIDY_BASE_URL=f"{neighbours}/subsidy",
        REDEEM_READ_TIMEOUT_SECONDS=str(SILENT_SECONDS),
    )
    ends = dict.fromkeys((state.value for state in AttemptState), 0)
    for state in RedemptionAttempt.objects.values_list("state", flat=True):
        ends[state] += 1
    # (A learner who was refused clicked again, and was refused again.)
    assert (ends["committed"], ends["refused"]) == (PAID, 2 * (LEARNERS - PAID)), ends
    answered = redeem_calls(neighbours)
    assert {one["status"] for one in answered} <= {200, 201}
    paid = {one["body"]["lms_user_id"] for one in answered}
    assert len(paid) == PAID
    assert list_differences(Subsidy.objects.get()) == []
    assert all(
        later - earlier > timedelta(seconds=LEDGER_SECONDS / 2) for earlier, later in pairwise(instants(answered))
    )
    assert balance(neighbours) == 0
    count(tally, expected=PAID, made=len(paid), storms_of_200_on_money_for_150=1)
    calls = sorted(json.loads(line) for line in (tmp_path / "calls").read_text().splitlines())
    used = sum(ended - began for began, ended in calls) / (calls[-1][1] - calls[0][0])
    print(f"database={connection.vendor} killed={killed} ledger_used={used:.0%}")  # noqa: T201 (shown with -s)


def redeem_calls(address: str) -> list[dict]:
    answer = requests.get(f"{address}/control/log", params={"service": "subsidy"}, timeout=60).json()
    rows = answer["calls"] if isinstance(answer, dict) else answer
    return [row for row in rows if row["endpoint"] == "subsidy.redeem"]


def instants(calls: list[dict]) -> list[datetime]:
    return sorted(datetime.fromisoformat(row["at"]) for row in calls)

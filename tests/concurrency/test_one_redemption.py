"""Processes that are killed (SIGKILL) at each step of redeeming: another one finishes, and every learner pays once.

The upstream services are a server. Needs a database that processes can share (`make test-concurrency` runs it on a
file, PostgreSQL and MariaDB).
"""

import json
from collections import Counter

import pytest
from django.db import connection

from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Reservation, Subsidy
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from tests.concurrency.test_one_learner import count, neighbours, run_program
from tests.concurrency.test_redemption_storm import PRICE, SEEDED, balance, call, deposit, make_policy, redeem_calls
from tests.tally import Tally

__all__ = ["neighbours"]

FIRST_LEARNER, MOST_LEARNERS = 60_000, 120

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# Each process gets learners of its own, and is killed one step later than the one before: before a statement that
# writes, before a call, and after its answer. The first that ends by itself is the last. Then another process does what
# would happen next: the leases run out, the learners click again, and a worker works.
KILLED = """
import json, os, signal, sys, django
django.setup()
from datetime import timedelta
from uuid import UUID
from django.db import connection
from requests.adapters import HTTPAdapter
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
from enterprise_access.lib import clock
policy_uuid, run, first, part = sys.argv[1:]
send = HTTPAdapter.send

def in_child(work):
    connection.close()
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]

def ask(learners):
    for learner in learners:
        redeem(RedemptionOrder(policy=get_policy(UUID(policy_uuid)), lms_user_id=learner, run_key=run))

def killed_at(step, work):
    steps = iter(range(1, 10_000))

    def pass_step(what):
        if next(steps) == step:
            os.write(told, (what + "\\n").encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(execute, sql, params, many, context):
        if sql.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            pass_step(" ".join(sql.split()[:3]).translate(str.maketrans("", "", '`"')))
        return execute(sql, params, many, context)

    def send_step(self, request, **kwargs):
        is_call = request.method == "POST" and request.url.endswith("/admin/transactions/")
        if is_call:
            pass_step("unsent")
        answer = send(self, request, **kwargs)
        if is_call:
            pass_step("unrecorded")
        return answer

    HTTPAdapter.send = send_step
    with connection.execute_wrapper(execute):
        work()

def finish(learners):
    ask(learners)
    for _ in range(10):
        rows = RedemptionAttempt.objects.open()
        rows.exclude(leased_until=None).update(leased_until=clock.now() - timedelta(minutes=2))
        if not rows.update(due_at=clock.now()):
            return
        work_on_attempts()

reading, told = os.pipe()
for step in range(1, 200):
    learners = [int(first) + 2 * step, int(first) + 2 * step + 1]
    if part == "asking":
        status = in_child(lambda: killed_at(step, lambda: ask(learners[:1])))
    else:
        assert in_child(lambda: ask(learners)) == 0
        status = in_child(lambda: killed_at(step, work_on_attempts))
    assert in_child(lambda: finish(learners)) == 0
    if status == 0:
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
os.close(told)
print(json.dumps({"learners": 2 * step, "steps": os.read(reading, 100_000).decode().split("\\n")[:-1]}))
"""


@pytest.mark.parametrize(
    ("part", "passed"), [("asking", "INSERT INTO redemption_redemptionattempt"), ("working", "unrecorded")]
)
def test_processes_that_are_killed_at_each_step_charge_every_learner_once(
    neighbours: str, tally: Tally, part: str, passed: str
) -> None:
    for number in range(MOST_LEARNERS):
        call(neighbours, "add_learner", username=f"killed{number}", id=FIRST_LEARNER + number, customer="acme")
    deposit(neighbours, MOST_LEARNERS * PRICE - SEEDED)
    policy = make_policy()
    arguments = (str(policy.pk), "course-v1:edX+DemoX+2026_T1", str(FIRST_LEARNER), part)
    told = json.loads(run_program(neighbours, KILLED, *arguments, SUBSIDY_BASE_URL=f"{neighbours}/subsidy"))
    print(f"database={connection.vendor} {part}: killed before or after {told['steps']}")  # noqa: T201 (shown with -s)
    assert passed in told["steps"]
    assert Counter(RedemptionAttempt.objects.values_list("state", flat=True)) == {"committed": told["learners"]}
    # 201: the ledger wrote a transaction. It had it already: 200.
    charged = Counter(one["body"]["lms_user_id"] for one in redeem_calls(neighbours) if one["status"] == 201)
    count(tally, expected=told["learners"], made=charged.total(), processes_killed_while_redeeming=len(told["steps"]))
    assert set(charged.values()) == {1}
    assert len(charged) == told["learners"]
    assert balance(neighbours) == (MOST_LEARNERS - told["learners"]) * PRICE
    totals = PolicyTotals.objects.get(pk=policy.pk)
    assert (totals.held, totals.spent) == (0, told["learners"] * PRICE)
    assert not Reservation.objects.filter(state="held").exists()
    assert list_differences(Subsidy.objects.get()) == []

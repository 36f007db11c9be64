"""Thirty-two processes at once spend one account through two budgets: never over, and nobody waits for a busy budget.

Needs a database that processes can share (`make test-concurrency` runs it on a file, PostgreSQL and MariaDB).
"""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyTotals,
    Reservation,
    Subsidy,
    SubsidyAccessPolicy,
    SubsidyTotals,
)
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from tests.concurrency.test_one_learner import count, run_program
from tests.tally import Tally

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ROUNDS = 6
BALANCE = 10_000
SPEND_LIMIT = 4_000

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# One process gets ready and splits into as many as are asked for; all start in the same moment. Each promises money
# again and again, gives some of it back, spends some, and hears of some of it twice.
SPENDERS = """
import json, os, sys, time, django
django.setup()
from datetime import datetime
from uuid import UUID, uuid4
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.services import (
    LedgerNews, record_transaction, release, reserve, spend,
)
from attrs import evolve
processes, rounds, subsidy = int(sys.argv[1]), int(sys.argv[2]), UUID(sys.argv[3])
now = datetime.fromisoformat(sys.argv[4])
policies = [UUID(text) for text in sys.argv[5:]]
reading, writing = os.pipe()
children = []
for number in range(processes):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    made, slowest = 0, 0.0
    for turn in range(rounds):
        policy, learner = policies[(number + turn) % len(policies)], 7 + number % 3
        began = time.monotonic()
        try:
            row = reserve(
                policy_uuid=policy, lms_user_id=learner, content_key="course-v1:A+B+C", amount_cents=100 + number,
                kind=ReservationKind.REDEMPTION, now=now,
            )
        except BudgetRefused:
            continue
        finally:
            slowest = max(slowest, time.monotonic() - began)
        made += 1
        if turn % 3 == 0:
            release(reservation_uuid=row.pk)
            continue
        news = LedgerNews(
            uuid=uuid4(), subsidy_uuid=subsidy, policy_uuid=policy, lms_user_id=learner, content_key="course-v1:A+B+C",
            quantity_cents=-row.amount, state=TransactionState.COMMITTED, is_reversed=False, created=now, modified=now,
            source="answer",
        )
        if turn % 3 == 1:
            record_transaction(news=news, now=now)
        spend(reservation_uuid=row.pk, news=news, now=now)
        record_transaction(news=news, now=now)
        if number % 4 == 0:
            record_transaction(news=evolve(news, is_reversed=True), now=now)
    os.write(1, (json.dumps({"made": made, "slowest": slowest}) + "\\n").encode())
    os._exit(0)
os.close(writing)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def make_policy(subsidy: Subsidy, name: str, spend_limit: int | None) -> SubsidyAccessPolicy:
    return SubsidyAccessPolicy.objects.create(
        customer_uuid=UUID(int=1),
        subsidy=subsidy,
        catalog_uuid=UUID(int=2),
        display_name=name,
        policy_type=PolicyType.PER_LEARNER_SPEND.value,
        access_method=AccessMethod.DIRECT.value,
        spend_limit=spend_limit,
    )


def test_many_processes_never_promise_more_than_there_is(tally: Tally) -> None:
    subsidy = Subsidy.objects.create(
        uuid=uuid4(), customer_uuid=UUID(int=1), balance=BALANCE, total_deposits=BALANCE, fetched_at=NOON
    )
    policies = [make_policy(subsidy, "limited", SPEND_LIMIT), make_policy(subsidy, "unlimited", None)]
    processes = 32
    names = [str(processes), str(ROUNDS), str(subsidy.pk), NOON.isoformat(), *(str(policy.pk) for policy in policies)]
    printed = run_program("http://127.0.0.1:9", SPENDERS, *names)
    told = [json.loads(line) for line in printed.splitlines()]
    assert len(told) == processes
    assert Reservation.objects.count() == sum(one["made"] for one in told) > 0
    assert list(list_differences(subsidy)) == []
    assert SubsidyTotals.objects.get().promised <= BALANCE
    limited = PolicyTotals.objects.get(policy=policies[0])
    assert limited.held + limited.allocated + limited.spent <= SPEND_LIMIT
    assert limited.held == 0
    count(tally, expected=len(told), made=processes, **{f"races_of_{processes}_for_one_account": 1})

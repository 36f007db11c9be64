"""Eight admins allocate, cancel and remind while learners redeem, rows expire and workers mail, all at once.

Never over the budget, no state written back, no redeemed assignment lost, no mail sent twice. Needs a database that
processes can share (`make test-concurrency` runs it on a file, PostgreSQL and MariaDB).
"""

import json
import re
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyTotals,
    Reservation,
    Subsidy,
    SubsidyAccessPolicy,
)
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.lib import clock
from tests.concurrency.test_one_learner import count, run_program
from tests.tally import Tally

SPEND_LIMIT = 1_500
PRICE = 100
PEOPLE = 24
ROUNDS = 8
ADMINS, LEARNERS, OTHERS = 8, 3, 3

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# One process gets ready and splits; all start in the same moment. The catalog's facts are given: nothing is asked.
PROGRAM = """
import json, os, random, sys, django
django.setup()
from uuid import UUID, uuid4
from django.db import transaction
from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.errors import AllocationRefused, AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment as Assignment
from enterprise_access.apps.content_assignments.services import allocating, redeeming, reminding, transitions
from enterprise_access.apps.content_assignments.services.offered import AllocationFacts
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.errors import ReservationEnded
from enterprise_access.apps.subsidy_access_policies.services import LedgerNews, Offer, reserve, spend
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks

policy, subsidy = map(UUID, sys.argv[1:3])
price, people, rounds, admins, learners, others = map(int, sys.argv[3:])
KEY = "A+B"
offer = Offer(run_key="course-v1:A+B+C", course_key=KEY, title="Biology", is_in_catalog=True, has_metadata=True,
              run_dollars=price / 100)
facts = AllocationFacts(content_key=KEY, offer=offer, content=None, has_account=True)
done = []

def some():
    return random.sample(range(people), 5)

def administer():
    emails = {f"p{one}@example.com": f"p{one}@example.com" for one in some()}
    call = allocating._Call(emails=emails, price_cents=price, facts=facts, admin_lms_user_id=9)
    try:
        allocating._allocate(policy, call, clock.now())
    except AllocationRefused:
        pass
    mine = list(Assignment.objects.filter(policy_uuid=policy, state="allocated").values_list("pk", flat=True))
    for act in (transitions.cancel, reminding.remind):
        try:
            act(random.sample(mine, min(2, len(mine))), now=clock.now())
        except AssignmentTransitionRefused:
            pass

@retry_deadlocks
def begin(row, attempt):
    redeeming.lock_for_redemption(assignment_uuid=row)
    return reserve(policy_uuid=policy, lms_user_id=7, content_key="course-v1:A+B+C", amount_cents=price,
                   kind=ReservationKind.REDEMPTION, now=clock.now(), assignment_uuid=row, attempt_uuid=attempt)

@retry_deadlocks
def record(row, promise, news):
    redeeming.accept(assignment_uuid=row, transaction_uuid=news.uuid, lms_user_id=7, now=clock.now())
    spend(reservation_uuid=promise.pk, news=news, now=clock.now())

def redeem():
    rows = list(Assignment.objects.filter(policy_uuid=policy, state="allocated").values_list("pk", flat=True))
    if not rows:
        return
    row = random.choice(rows)
    try:
        promise = begin(row, uuid4())
    except AssignmentTransitionRefused:
        return
    now = clock.now()
    news = LedgerNews(uuid=uuid4(), subsidy_uuid=subsidy, policy_uuid=policy, lms_user_id=7,
                      content_key="course-v1:A+B+C", quantity_cents=-price, state=TransactionState.COMMITTED,
                      is_reversed=False, created=now, modified=now, source="answer")
    try:
        record(row, promise, news)
    except ReservationEnded:
        # Another process had chosen the same assignment. Attempts are left out here; there is one for a run.
        return
    done.append(str(row))

def tend(number):
    notifications.send_due()
    if number % 3 == 0:
        rows = list(Assignment.objects.filter(policy_uuid=policy, state="allocated").values_list("pk", flat=True)[:1])
        try:
            transitions.expire(rows, reason=ExpirationReason.NINETY_DAYS_PASSED, now=clock.now())
        except AssignmentTransitionRefused:
            pass

reading, writing = os.pipe()
children = []
for number in range(admins + learners + others):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    random.seed(number)
    act = administer if number < admins else redeem if number < admins + learners else (lambda: tend(number))
    for _ in range(rounds):
        act()
    os.write(1, (json.dumps({"redeemed": done}) + chr(10)).encode())  # in one piece
    os._exit(0)
os.close(writing)
for child in children:
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"a process ended with {status}")
notifications.send_due()
"""


def make_policy() -> SubsidyAccessPolicy:
    subsidy = Subsidy.objects.create(
        uuid=uuid4(), customer_uuid=UUID(int=1), balance=10**6, total_deposits=10**6, fetched_at=clock.now()
    )
    return SubsidyAccessPolicy.objects.create(
        customer_uuid=UUID(int=1),
        subsidy=subsidy,
        catalog_uuid=UUID(int=2),
        display_name="assigned",
        policy_type=PolicyType.ASSIGNED.value,
        access_method=AccessMethod.ASSIGNED.value,
        spend_limit=SPEND_LIMIT,
        assignment_configuration=uuid4(),
    )


def mails_in(folder: Path) -> list[str]:
    """Return the ids of all mails that were sent."""
    texts = [path.read_text() for path in folder.iterdir()]
    return [found for text in texts for found in re.findall(r"^Message-ID: (.*)$", text, re.MULTILINE)]


def test_everybody_acts_at_once_and_nothing_is_lost_or_done_twice(tally: Tally, tmp_path: Path) -> None:
    policy = make_policy()
    folder = tmp_path / "mails"
    folder.mkdir()
    numbers = [PRICE, PEOPLE, ROUNDS, ADMINS, LEARNERS, OTHERS]
    names = [str(policy.pk), str(policy.subsidy_id), *map(str, numbers)]
    printed = run_program("http://127.0.0.1:9", PROGRAM, *names, EMAIL_URL=f"filemail:///{folder}")
    told = [json.loads(line) for line in printed.splitlines()]
    assert len(told) == ADMINS + LEARNERS + OTHERS
    redeemed = Counter(uuid for one in told for uuid in one["redeemed"])
    accepted = {
        str(pk) for pk in LearnerContentAssignment.objects.filter(state="accepted").values_list("pk", flat=True)
    }
    assert set(redeemed) == accepted
    assert max(redeemed.values(), default=0) <= 1
    rows = LearnerContentAssignment.objects.filter(state="allocated")
    held = sum(row.price_cents for row in rows)
    totals = PolicyTotals.objects.get(policy=policy)
    assert (totals.allocated, totals.held) == (held, 0)
    assert totals.spent == PRICE * len(accepted)
    assert totals.spent + totals.allocated <= SPEND_LIMIT
    assert list(list_differences(policy.subsidy)) == []
    assert Reservation.objects.filter(state="held").count() == rows.count()
    sent = mails_in(folder)
    assert len(sent) == len(set(sent))
    assert len(sent) == Notification.objects.filter(outcome="sent").count()
    count(tally, expected=len(told), made=len(told), **{f"races_of_{len(told)}_for_one_budget": 1})

"""Many processes for the same requests: one open request, one approval, one license each, and never over the budget.

The upstream services are a server. Needs a database that processes can share (`make test-concurrency` runs it on a
file, PostgreSQL and MariaDB).
"""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from django.db import transaction

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment, SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import plan_enrollments, start_enrollments
from enterprise_access.apps.subsidy_requests.tests.made import ADA, COUPON, CREDIT, made, takes
from enterprise_access.lib import clock
from simulator.seed import ACME, ACME_ANNUAL, ACME_CREDIT, ACME_OPEN
from tests.concurrency.test_one_learner import count, enroll_items, neighbours, run_program
from tests.tally import Tally

__all__ = ["neighbours"]

PROCESSES = 8
PRICE = 14_900

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# One process gets ready and splits into as many as are asked for; all start in the same moment, with the same call.
AT_ONCE = """
import json, os, sys, django
django.setup()
from uuid import UUID
from django.db import connection
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.services import auto_enrolling, creating, credit_reviewing
from enterprise_access.apps.subsidy_requests.services import granting, reviewing
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError
what, processes, customer, source, uuids = sys.argv[1], int(sys.argv[2]), UUID(sys.argv[3]), sys.argv[4], sys.argv[5:]
reading, writing = os.pipe()
children = []
for number in range(processes):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.close(writing)
    os.read(reading, 1)  # until the parent closes its end
    named = [UUID(uuid) for uuid in uuids]
    review = reviewing.Review(
        customer_uuid=customer, request_uuids=named, reviewer_lms_user_id=5 + number, now=clock.now()
    )
    try:
        if what == "ask":
            asker = creating.Asker(lms_user_id=1008, email="hal@example.com")
            found = creating.create_request(
                customer_uuid=customer, subsidy_type=SubsidyType.COUPON, asker=asker, course_id="edX+DemoX",
                now=clock.now(),
            )
            done = [str(found.request.pk), found.is_new]
        elif what == "approve":
            done = len(reviewing.approve_licenses(review, plan_uuid=UUID(source)))
            granting.grant_due()
        elif what == "enroll":
            done = auto_enrolling.enroll_due()
        elif what == "decide":
            if number % 2:
                done = len(reviewing.approve_licenses(review, plan_uuid=UUID(source)))
            else:
                done = -len(reviewing.decline(review, subsidy_type=SubsidyType.LICENSE, reason=""))
        else:
            own = reviewing.Review(
                customer_uuid=customer, request_uuids=[named[number]], reviewer_lms_user_id=5, now=clock.now()
            )
            done = len(credit_reviewing.approve_credit(own, policy_uuid=UUID(source)))
    except ServiceError as error:
        done = error.code
    os.write(1, (json.dumps(done) + "\\n").encode())
    os._exit(0)
os.close(writing)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


# Where the license of a learner is, license-manager says.
HELD = """
import sys, django
django.setup()
from uuid import UUID
from enterprise_access.upstream import license_manager
(held,) = license_manager.from_settings().list_licenses_of(
    customer_uuid=UUID(sys.argv[1]), user_email="ada@example.com"
)
print(held.uuid)
"""


def at_once(server: str, what: str, source: object = "", *rows: SubsidyRequest) -> list[Any]:
    """Let processes do the same in the same moment; return what each says."""
    named = [str(row.pk) for row in rows]
    printed = run_program(
        server,
        AT_ONCE,
        what,
        str(PROCESSES),
        str(ACME),
        str(source),
        *named,
        SUBSIDY_BASE_URL=f"{server}/subsidy",
    )
    return [json.loads(line) for line in printed.splitlines()]


def assigned(server: str) -> list[str]:
    """Return the addresses that license-manager was asked to give licenses to, in all calls."""
    log = requests.get(f"{server}/control/log", timeout=10).json()
    return [call["path"] for call in log["calls"] if call["path"].endswith("/licenses/assign/")]


def test_a_learner_who_asks_eight_times_has_one_request(neighbours: str, tally: Tally) -> None:
    takes(COUPON)
    told = at_once(neighbours, "ask")
    assert len(told) == PROCESSES
    assert len({uuid for uuid, _ in told}) == SubsidyRequest.objects.count() == 1
    assert sum(is_new for _, is_new in told) == 1
    count(tally, expected=PROCESSES, made=PROCESSES, races_of_8_for_one_request=1)


def test_eight_admins_approve_the_same_requests_once(neighbours: str, tally: Tally) -> None:
    rows = [made(7000 + number) for number in range(4)]
    told = at_once(neighbours, "approve", ACME_ANNUAL, *rows)
    assert sum(done for done in told if isinstance(done, int)) == len(rows), told
    found = list(SubsidyRequest.objects.all())
    assert {row.state for row in found} == {"approved"}
    assert len({row.license_uuid for row in found}) == len(rows)
    assert all(row.actions.filter(type="approved").count() == 1 for row in found)
    assert len(assigned(neighbours)) == 1
    count(tally, expected=PROCESSES, made=len(told), races_of_8_admins_for_licenses=1)


def test_approving_and_declining_at_once_ends_in_one_of_both(neighbours: str, tally: Tally) -> None:
    rows = [made(7000 + number) for number in range(3)]
    told = at_once(neighbours, "decide", ACME_ANNUAL, *rows)
    states = {row.state for row in SubsidyRequest.objects.all()}
    assert states in ({"pending"}, {"declined"}), told
    wanted = len(rows) if states == {"pending"} else -len(rows)
    assert [done for done in told if isinstance(done, int) and done] == [wanted], told
    count(tally, expected=PROCESSES, made=len(told), races_of_approving_and_declining=1)


def test_eight_approvals_never_spend_more_than_the_budget_has(neighbours: str, tally: Tally) -> None:
    now = datetime.now(UTC)
    subsidy = Subsidy.objects.create(
        uuid=ACME_CREDIT, customer_uuid=ACME, balance=500_000, total_deposits=500_000, fetched_at=clock.now()
    )
    policy = SubsidyAccessPolicy.objects.create(
        customer_uuid=ACME,
        subsidy=subsidy,
        catalog_uuid=ACME_OPEN,
        policy_type=PolicyType.PER_LEARNER_SPEND.value,
        access_method=AccessMethod.REQUEST.value,
        learner_credit_request_config=uuid4(),
        spend_limit=3 * PRICE,
    )
    rows = [
        made(7000 + number, kind=CREDIT, policy_uuid=policy.pk, email=f"{number}@example.com", reviewed_at=now)
        for number in range(PROCESSES)
    ]
    told = at_once(neighbours, "credit", policy.pk, *rows)
    assert sorted(map(str, told)) == ["1"] * 3 + ["credit_refused"] * 5
    assert SubsidyRequest.objects.filter(state="approved").count() == LearnerContentAssignment.objects.count() == 3
    assert PolicyTotals.objects.get(policy=policy).allocated == 3 * PRICE
    assert list(list_differences(subsidy)) == []
    count(tally, expected=PROCESSES, made=len(told), races_of_8_approvals_for_one_budget=1)


def test_eight_workers_enroll_a_learner_once_after_an_approval(neighbours: str, tally: Tally) -> None:
    takes(attempt_auto_enrollment=True)
    license_uuid = UUID(run_program(neighbours, HELD, str(ACME)).strip())
    row = made(ADA, state=RequestState.APPROVED, email="ada@example.com", license_uuid=license_uuid)
    with transaction.atomic():
        plan_enrollments([row], now=clock.now())
        start_enrollments([row], now=clock.now())
    told = at_once(neighbours, "enroll", "")
    found = AutoEnrollment.objects.get()
    assert (found.state, found.reason, found.sends) == ("enrolled", "", 1)
    assert sum(done for done in told if isinstance(done, int)) == 1, told
    assert len(enroll_items(neighbours)) == 1
    count(tally, expected=PROCESSES, made=len(told), races_of_8_workers_for_one_approval=1)

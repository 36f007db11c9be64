"""Anything in any order with requests for licenses, while license-manager fails now and then: what always holds."""

import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine

from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.configurations import change_configuration
from enterprise_access.apps.subsidy_requests.services.creating import Asker, create_request, withdraw_request
from enterprise_access.apps.subsidy_requests.services.reviewing import decline
from enterprise_access.apps.subsidy_requests.tests.made import AMY, LICENSE, approve, grant, review, takes
from enterprise_access.lib import breaker, clock
from enterprise_access.lib.errors import ServiceError
from simulator.seed import ACME, ACME_LEADERS

pytestmark = pytest.mark.django_db

STEPS = 60
LEARNERS = range(7001, 7007)
FAULTS = [
    ("drop", {}),
    ("unreachable", {}),
    ("status", {"status": 423, "body": '"Assignment currently locked for this subscription plan."'}),
    ("status", {"status": 500, "body": ""}),
    ("missing_keys", {"keys": ("license_assignments",)}),
    ("throttled", {"seconds": 1}),
]


class Days:
    """Some days of a customer with three licenses left for six learners."""

    def __init__(self, seed, simulator, traveller):
        self.random, self.simulator, self.traveller = random.Random(seed), simulator, traveller
        often, seldom = (
            [self.ask, self.approve, self.work],
            [self.withdraw, self.decline, self.fail, self.wait, self.turn],
        )
        self.steps = [*often, *often, *often, *seldom]

    def step(self):
        breaker._breaker_of.cache_clear()
        with suppress(ServiceError):
            self.random.choice(self.steps)()

    def some(self, *states):
        rows = list(SubsidyRequest.objects.filter(state__in=states) if states else SubsidyRequest.objects.all())
        return self.random.sample(rows, min(len(rows), self.random.randint(1, 3)))

    def ask(self):
        learner = self.random.choice(LEARNERS)
        asker = Asker(lms_user_id=learner, email=f"Learner-{learner}@example.com")
        create_request(customer_uuid=ACME, subsidy_type=LICENSE, asker=asker, course_id="", now=clock.now())

    def withdraw(self):
        for row in self.some()[:1]:
            withdraw_request(request_uuid=row.pk, subsidy_type=LICENSE, lms_user_id=row.lms_user_id, now=clock.now())

    def approve(self):
        approve(*self.some("requested", "error", "pending"), plan_uuid=ACME_LEADERS)

    def decline(self):
        decline(review(*self.some("requested", "error", "pending")), subsidy_type=LICENSE, reason="")

    def work(self):
        grant()

    def fail(self):
        kind, about = self.random.choice(FAULTS)
        endpoint = self.random.choice(["license_manager.assign", "license_manager.admin_license_view"])
        self.simulator.faults.add(kind, endpoint, times=1, **about)

    def wait(self):
        self.traveller.shift(timedelta(minutes=self.random.choice([1, 60, 600])))

    def turn(self):
        if self.random.random() < 0.3:
            for subsidy_type in ("coupon", "license"):
                change_configuration(
                    customer_uuid=ACME,
                    changes={"subsidy_type": subsidy_type},
                    actor_lms_user_id=AMY,
                    now=clock.now(),
                )


def check(world):
    rows = list(SubsidyRequest.objects.all())
    held = Counter((row.user_email or "").lower() for row in world.tables.licenses.where(plan=ACME_LEADERS))
    assert all(held[f"learner-{learner}@example.com"] <= 1 for learner in LEARNERS), "One license per learner."
    undecided = Counter(row.lms_user_id for row in rows if row.state in ("requested", "pending", "error"))
    assert all(count == 1 for count in undecided.values()), "One open request per learner."
    licenses = {row.uuid: (row.user_email or "").lower() for row in world.tables.licenses.where(plan=ACME_LEADERS)}
    for row in rows:
        if row.state == RequestState.APPROVED.value:
            assert licenses[row.license_uuid] == row.email_folded
        assert (row.due_at is not None) == (row.state == RequestState.PENDING.value)
        last = row.actions.order_by("created").last()
        assert (last.type, row.latest_action_type) == (row.state, row.state)
        assert row.history.first().state == row.state


@pytest.mark.parametrize("seed", range(4))
def test_what_always_holds(simulator, world, seed):
    takes(LICENSE)
    with time_machine.travel(clock.now(), tick=True) as traveller:
        days = Days(seed, simulator, traveller)
        for _ in range(STEPS):
            days.step()
            check(world)
        simulator.faults.clear()
        for _ in range(3):
            traveller.shift(timedelta(hours=2))
            days.work()
        check(world)
    assert not SubsidyRequest.objects.filter(state=RequestState.PENDING.value).exists()
    assert SubsidyRequest.objects.filter(license_uuid__isnull=False).exists(), "Something was granted at all."

"""What staff do by hand: a look now, another chance for who was given up, a stop for everything."""

import pytest
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.operations.steering import (
    RequeueResult,
    is_everything_paused,
    pause_everything,
    realize_all_now,
    realize_now,
    resume_everything,
    revive,
)
from enterprise_access.apps.default_enrollments.services.requests.work_items import give_up
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    FRANK,
    HAL,
    ask_for,
    intend,
    realizations_of,
    request_of,
    visit,
    work,
)
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


def test_a_learner_is_looked_at_now_though_nothing_was_owed(world):
    intend(DEMO)
    assert realize_now(customer_uuid=ACME, lms_user_ids=[ADA], now=timezone.now()) == RequeueResult(now=1, dead=0)
    assert request_of(ADA).trigger == Trigger.STAFF
    assert work().realized == 1


def test_learners_of_several_customers_are_asked_for_at_once(world):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    asked = realize_all_now(learners=[(ACME, ADA), (GLOBEX, FRANK), (ACME, ADA)], now=timezone.now())
    assert asked == RequeueResult(now=2, dead=0)
    assert set(RealizationRequest.objects.values_list("customer_id", "lms_user_id")) == {(ACME, ADA), (GLOBEX, FRANK)}


def test_who_was_given_up_stays_so_until_revived(world):
    intend(DEMO)
    ask_for(ADA, HAL)
    give_up(customer_uuid=ACME, lms_user_id=ADA, because="outcome_unknown")
    assert realize_now(customer_uuid=ACME, lms_user_ids=[ADA, HAL], now=timezone.now()) == RequeueResult(now=1, dead=1)
    work()
    assert realizations_of(ADA) == {}
    ids = list(RealizationRequest.objects.values_list("pk", flat=True))
    assert revive(request_ids=ids, now=timezone.now()) == 1
    row = request_of(ADA)
    assert (row.dead_at, row.waiting_for, row.failures, row.trigger) == (None, "", 0, Trigger.STAFF)
    work()
    assert DEMO_RUN in realizations_of(ADA)


def test_reviving_who_was_not_given_up_changes_nothing(world):
    intend(DEMO)
    visit(ADA)
    before = RealizationRequest.objects.values().get()
    assert revive(request_ids=[before["id"]], now=timezone.now()) == 0
    assert RealizationRequest.objects.values().get() == before


def test_while_everything_is_paused_nobody_is_enrolled_and_nothing_is_lost(world):
    intend(DEMO)
    pause_everything(by="root", because="the LMS is being upgraded")
    assert is_everything_paused()
    visit(ADA)
    assert realizations_of(ADA) == {}
    resume_everything(by="root")
    assert not is_everything_paused()
    work()
    assert DEMO_RUN in realizations_of(ADA)

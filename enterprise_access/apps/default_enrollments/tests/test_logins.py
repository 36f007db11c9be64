"""From a login to a request: for the active customer, when something may be owed, with as few calls as possible."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerSighting
from enterprise_access.apps.customers.services import fetch_customer, refresh_learners, resolve_logins
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DAY,
    DEMO,
    DEMO_RUN,
    FRANK,
    HAL,
    LINUX,
    MINUTE,
    add_learners,
    asked,
    intend,
    realizations_of,
    visit,
    work,
)
from enterprise_access.events.handling import handle
from enterprise_access.events.tests.made import login
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "world")]

LOOK_UP = "lms.learners"


def log_in(*lms_user_ids):
    handle([login(lms_user_id) for lms_user_id in lms_user_ids])
    return resolve()


def resolve(limit=100):
    return resolve_logins(limit=limit, now=timezone.now())


def requested():
    rows = RealizationRequest.objects.exclude(due_at=None).order_by("lms_user_id")
    return [(row.customer_id, row.lms_user_id, row.trigger) for row in rows]


def calls(world):
    return len(world.journal.calls())


def test_a_login_owes_a_look_to_the_active_customer_and_the_learner_is_enrolled(world):
    intend(DEMO)
    assert log_in(ADA) == 1
    assert requested() == [(ACME, ADA, Trigger.LOGIN)]
    work()
    assert DEMO_RUN in realizations_of(ADA)


def test_of_two_customers_only_the_active_one_counts():
    intend(DEMO, customer=ACME)
    intend(DEMO, customer=GLOBEX)
    log_in(FRANK)
    assert requested() == [(GLOBEX, FRANK, Trigger.LOGIN)]


def test_copies_of_all_links_are_kept_for_customers_that_we_know():
    intend(DEMO, customer=ACME)
    log_in(FRANK)
    links = EnterpriseLearner.objects.filter(lms_user_id=FRANK).values_list("customer_id", "is_active_link")
    assert list(links) == [(ACME, False)]
    assert requested() == []


def test_many_logins_are_one_call(world):
    intend(DEMO)
    ids = add_learners(world, 99, plan_uuid=ACME_ANNUAL)
    before = calls(world)
    log_in(ADA, *ids)
    assert (calls(world) - before, asked(world, LOOK_UP)) == (1, 1)
    assert len(requested()) == 100


def test_no_call_at_all_where_a_young_copy_names_the_active_customer(world):
    intend(DEMO)
    refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA])
    before = calls(world)
    log_in(ADA)
    assert calls(world) == before
    assert requested() == [(ACME, ADA, Trigger.LOGIN)]


def test_two_young_copies_that_both_claim_to_be_active_are_not_believed(world):
    intend(DEMO, customer=ACME)
    intend(DEMO, customer=GLOBEX)
    world.link(username="frank", customer=ACME)
    refresh_learners(customer_uuid=ACME, lms_user_ids=[FRANK])
    world.link(username="frank", customer=GLOBEX)
    refresh_learners(customer_uuid=GLOBEX, lms_user_ids=[FRANK])
    log_in(FRANK)
    assert requested() == [(GLOBEX, FRANK, Trigger.LOGIN)]


def test_a_customer_that_nobody_met_here_costs_a_look_up_and_nothing_else(world):
    log_in(ADA)
    assert requested() == []
    assert LearnerSighting.objects.get(pk=ADA).due_at is None


def test_a_customer_without_intentions_costs_no_more_than_the_look_up(world):
    fetch_customer(customer_uuid=ACME)
    log_in(ADA)
    assert requested() == []
    assert EnterpriseLearner.objects.get(lms_user_id=ADA).last_login_at == timezone.now()


def test_nothing_is_asked_for_a_learner_who_has_everything(world, clock):
    intend(DEMO, LINUX)
    visit(ADA)
    assert len(realizations_of(ADA)) == 2
    clock.shift(MINUTE)
    before = calls(world)
    log_in(ADA)
    assert (requested(), calls(world) - before) == ([], 0)
    clock.shift(10 * MINUTE)
    log_in(ADA)
    assert (requested(), calls(world) - before) == ([], 1)


def test_a_new_intention_is_owed_to_who_has_the_others():
    intend(DEMO)
    visit(ADA)
    intend(LINUX)
    log_in(ADA)
    assert requested() == [(ACME, ADA, Trigger.LOGIN)]


def test_a_missing_license_is_looked_for_at_every_login(clock):
    intend(DEMO)
    visit(HAL)
    RealizationRequest.objects.update(due_at=None)
    clock.shift(MINUTE)
    log_in(HAL)
    assert requested() == [(ACME, HAL, Trigger.LOGIN)]


def test_a_learner_who_left_is_not_looked_at(world, clock):
    intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    clock.shift(10 * MINUTE)
    log_in(ADA)
    assert requested() == []


def test_that_nothing_is_needed_is_believed_for_a_day(world, clock):
    intend(DEMO)
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    visit(ADA)
    log_in(ADA)
    assert requested() == []
    clock.shift(DAY)
    log_in(ADA)
    assert requested() == [(ACME, ADA, Trigger.LOGIN)]


def test_a_link_that_comes_after_the_login_is_found(world, clock):
    intend(DEMO)
    user = world.add_user(username="new")
    log_in(user.id)
    assert requested() == []
    world.link(username="new", customer=ACME)
    clock.shift(MINUTE)
    resolve()
    assert requested() == [(ACME, user.id, Trigger.LOGIN)]


def test_a_learner_who_is_linked_again_is_looked_at_again(world, clock):
    intend(DEMO)
    visit(ADA)
    RealizationAttempt.objects.all().delete()
    world.unlink(username="ben", customer=ACME)
    visit(BEN)
    assert RealizationAttempt.objects.get(lms_user_id=BEN).reason == "learner_not_linked"
    RealizationRequest.objects.update(due_at=None)
    world.link(username="ben", customer=ACME)
    clock.shift(10 * MINUTE)
    log_in(BEN)
    assert requested() == [(ACME, BEN, Trigger.LOGIN)]


def test_an_lms_that_does_not_answer_costs_nobody_their_look(world, simulator, clock):
    intend(DEMO)
    simulator.faults.add("status", LOOK_UP, times=None, status=500)
    assert log_in(ADA) == 1
    assert requested() == []
    simulator.faults.clear()
    clock.shift(2 * MINUTE)
    resolve()
    assert requested() == [(ACME, ADA, Trigger.LOGIN)]


def test_an_empty_answer_unlinks_nobody(world):
    """A worker account without staff rights gets empty lists."""
    intend(DEMO)
    refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA])
    EnterpriseLearner.objects.update(fetched_at=timezone.now() - DAY)
    world.unlink(username="ada", customer=ACME)
    log_in(ADA)
    assert EnterpriseLearner.objects.get(lms_user_id=ADA).is_linked


def test_a_switched_off_customer_is_owed_nothing(world):
    intend(DEMO)
    world.change_customer(customer=ACME, is_active=False)
    EnterpriseLearner.objects.all().delete()
    EnterpriseCustomer.objects.update(is_active=False)
    log_in(ADA)
    assert requested() == []


# --- One learner whom the LMS cannot answer for ----------------------------------------------------------------------


def test_one_learner_whom_the_lms_fails_for_does_not_hold_up_the_logins_of_others(world, simulator, clock):
    fetch_customer(customer_uuid=ACME)
    intend(DEMO)
    ids = add_learners(world, 40, plan_uuid=ACME_ANNUAL)
    simulator.faults.add("status", "lms.learners", times=None, status=500, only_with=str(ids[7]))
    handle([login(lms_user_id) for lms_user_id in ids])
    resolve_logins(limit=100, now=timezone.now())
    assert {learner for _, learner, _ in requested()} == set(ids) - {ids[7]}
    culprit = LearnerSighting.objects.get(pk=ids[7])
    assert (culprit.failures, culprit.waiting_for) == (1, "lms_unavailable")
    assert timezone.now() < culprit.due_at <= timezone.now() + 2 * MINUTE


def test_a_learner_whom_the_lms_keeps_failing_for_is_marked_as_failed_in_the_end(world, simulator, clock):
    simulator.faults.add("status", "lms.learners", times=None, status=500, only_with=str(ADA))
    handle([login(ADA)])
    for _ in range(10):
        clock.shift(timedelta(hours=2))
        resolve_logins(limit=100, now=timezone.now())
    assert LearnerSighting.objects.get(pk=ADA).failed_at is not None
    clock.shift(timedelta(hours=2))
    handle([login(ADA)])
    assert LearnerSighting.objects.get(pk=ADA).failed_at is None


def test_while_the_lms_is_away_nobody_is_blamed(world, simulator, clock):
    simulator.faults.add("status", "lms.learners", times=None, status=503)
    handle([login(ADA), login(BEN)])
    for _ in range(12):
        clock.shift(timedelta(hours=2))
        resolve_logins(limit=100, now=timezone.now())
    assert not LearnerSighting.objects.exclude(failed_at=None).exists()
    assert not LearnerSighting.objects.exclude(failures=0).exists()


def test_one_learner_whose_enrollments_cannot_be_read_does_not_hold_up_the_others_of_the_batch(world, simulator, clock):
    intend(DEMO)
    ids = add_learners(world, 20, plan_uuid=ACME_ANNUAL)
    simulator.faults.add("status", "platform.enrollments", times=None, status=500, only_with="learner007")
    visit(*ids)
    served = {lms_user_id for lms_user_id in ids if realizations_of(lms_user_id)}
    assert served == set(ids) - {ids[7]}
    culprit = RealizationRequest.objects.get(lms_user_id=ids[7])
    assert (culprit.failures, culprit.waiting_for) == (1, "lms_unavailable")

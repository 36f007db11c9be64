"""Facts are fetched after the claim, in bulk; who does not answer makes things unknown, and never a no."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseEnrollment, EnterpriseLearner
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.services.realizing.facts import fetch_facts
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    CAROL,
    DAVE,
    DAY,
    DEMO,
    DEMO_RUN,
    ERIN,
    GRACE,
    HOUR,
    LINUX,
    LINUX_RUN,
    MAX,
    MINUTE,
    add_learners,
    ask_for,
    asked,
    attempts_of,
    bulk_posts,
    intend,
    is_enrolled,
    request_of,
    visit,
    work,
)
from enterprise_access.lib.errors import UpstreamUnavailable
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX
from tests.sampling import cases

BACKOFF = (MINUTE, 2 * MINUTE)

pytestmark = pytest.mark.django_db


def wait_of(lms_user_id):
    return request_of(lms_user_id).due_at - timezone.now()


# --- What is asked, and how often ----------------------------------------------------------------------------------


def test_links_and_enrollments_of_many_learners_are_one_call_each(world):
    intend(DEMO)
    ids = add_learners(world, 60, plan_uuid=ACME_ANNUAL)
    world.journal.forget()
    fetch_facts(customer_uuid=ACME, lms_user_ids=ids)
    assert asked(world, "lms.learners") == 1
    assert asked(world, "platform.enrollments") == 1
    assert asked(world, "lms.enterprise_enrollments_for_staff") == 0


def test_nothing_is_asked_when_the_customer_intends_nothing(world):
    intend()
    world.journal.forget()
    summary = visit(ADA)
    assert summary.learners == 1
    assert world.journal.calls() == []
    assert request_of(ADA).settled_at is not None


def test_facts_are_fetched_after_the_claim_and_not_taken_from_copies(world, clock):
    intend(DEMO)
    fetch_facts(customer_uuid=ACME, lms_user_ids=[ADA])
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == [("not_needed", "enrolled")]


def test_modes_are_asked_for_once_a_day(world, clock):
    intend(DEMO)
    visit(ADA)
    assert asked(world, "platform.course") == 1
    clock.shift(23 * HOUR)
    visit(BEN)
    assert asked(world, "platform.course") == 1
    clock.shift(2 * HOUR)
    visit(MAX)
    assert asked(world, "platform.course") == 2


def test_revocations_are_asked_for_only_where_they_matter(world):
    intend(DEMO, LINUX)
    ask_for(ADA, BEN, CAROL, DAVE, ERIN)
    work()
    calls = world.journal.calls(endpoint="lms.enterprise_enrollments_for_staff")
    assert [call.query["lms_user_id"] for call in calls] == [[str(DAVE)]]


def test_the_address_is_used_for_the_licenses_and_not_kept(world):
    intend(DEMO)
    visit(ADA)
    (call,) = world.journal.calls(endpoint="license_manager.admin_license_view")
    assert call.query["user_email"] == ["ada@example.com"]
    kept = [*EnterpriseLearner.objects.values(), *RealizationAttempt.objects.values()]
    assert "ada@example.com" not in str(kept)


def test_licenses_are_asked_for_only_where_there_is_something_to_pay(world):
    intend(DEMO)
    visit(ERIN)
    assert asked(world, "license_manager.admin_license_view") == 0


def test_no_address_is_logged(simulator, world, caplog):
    intend(DEMO)
    simulator.faults.add("status", "license_manager.*", times=None, status=500)
    visit(ADA)
    assert "ada@example.com" not in caplog.text
    assert "'ada'" not in caplog.text


# --- Who is not linked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lms_user_id", [GRACE, 999_999, 2001])
def test_a_learner_who_is_not_linked_is_skipped_until_somebody_asks_again(world, lms_user_id):
    intend(DEMO)
    summary = visit(lms_user_id)
    assert (summary.realized, summary.blocked) == (0, 1)
    assert attempts_of(lms_user_id) == [("blocked", "learner_not_linked")]
    assert request_of(lms_user_id).due_at is None
    assert bulk_posts(world) == []


def test_a_learner_who_was_unlinked_since_is_not_linked_again_by_us(world):
    intend(DEMO)
    ask_for(ADA)
    fetch_facts(customer_uuid=ACME, lms_user_ids=[ADA])
    world.unlink(username="ada", customer="acme")
    work()
    assert bulk_posts(world) == []
    assert world.links_of("ada")[0].is_linked is False


def test_a_learner_who_is_linked_again_is_enrolled_at_the_next_visit(world):
    intend(DEMO)
    visit(GRACE)
    world.link(username="grace", customer="acme")
    world.add_license(plan_uuid=ACME_ANNUAL, username="grace")
    assert visit(GRACE).realized == 1


# --- The customer --------------------------------------------------------------------------------------------------


def test_nobody_of_a_customer_that_was_switched_off_is_enrolled(world, clock):
    intend(DEMO)
    world.change_customer(customer="acme", is_active=False)
    clock.shift(6 * MINUTE)
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == [("blocked", "customer_inactive")]
    assert request_of(ADA).due_at is None
    assert EnterpriseCustomer.objects.get(pk=ACME).is_active is False


def test_a_customer_that_was_switched_on_again_is_seen(world, clock):
    intend(DEMO)
    world.change_customer(customer="acme", is_active=False)
    clock.shift(6 * MINUTE)
    visit(ADA)
    world.change_customer(customer="acme", is_active=True)
    clock.shift(6 * MINUTE)
    assert visit(ADA).realized == 1


def test_the_customer_is_asked_for_at_most_every_five_minutes(world, clock):
    intend(DEMO)
    world.journal.forget()
    visit(ADA)
    visit(BEN)
    assert asked(world, "lms.customer") == 0
    clock.shift(6 * MINUTE)
    visit(ADA)
    visit(BEN)
    assert asked(world, "lms.customer") == 1


# --- Silent neighbours ---------------------------------------------------------------------------------------------

LMS_FAULTS = {
    "hang": {},
    "unreachable": {},
    "500": {"kind": "status", "status": 500},
    "403": {"kind": "status", "status": 403},
    "unauthorized": {},
    "throttled": {"seconds": 60},
    "html": {},
    "malformed_json": {},
    "truncated_json": {},
    "missing_keys": {"keys": ["results"]},
    "cut_off": {},
}


@pytest.mark.faults
@pytest.mark.parametrize(("endpoint", "fault"), cases(["lms.learners", "platform.enrollments"], LMS_FAULTS, count=3))
def test_without_the_lms_nothing_is_decided_and_everybody_waits(simulator, world, clock, endpoint, fault):
    intend(DEMO)
    simulator.faults.add(endpoint=endpoint, times=None, **{"kind": fault} | LMS_FAULTS[fault])
    summary = visit(ADA)
    assert summary.realized == 0
    assert bulk_posts(world) == []
    request = request_of(ADA)
    assert (request.waiting_for, request.failures, request.settled_at) == ("lms_unavailable", 1, None)
    assert BACKOFF[0] <= wait_of(ADA) <= BACKOFF[1]
    assert attempts_of(ADA) == []
    simulator.faults.clear()
    clock.shift(BACKOFF[1])
    assert work().realized == 1


def test_the_pauses_grow_to_an_hour_and_then_stay_there(simulator, world, clock):
    intend(DEMO)
    simulator.faults.add("hang", "lms.learners", times=None)
    ask_for(ADA)
    waits = []
    for _ in range(9):
        work()
        waits.append(wait_of(ADA))
        clock.shift(waits[-1] + timedelta(seconds=1))
    for number, wait in enumerate(waits):
        assert min(MINUTE * 2**number, HOUR) <= wait <= min(MINUTE * 2 ** (number + 1), HOUR)
    assert request_of(ADA).failures == 9
    simulator.faults.clear()
    clock.shift(HOUR)
    assert work().realized == 1
    assert (request_of(ADA).failures, request_of(ADA).waiting_for) == (0, "")


def test_learners_who_failed_together_do_not_come_back_together(simulator, world, clock):
    intend(DEMO)
    ids = add_learners(world, 20, plan_uuid=ACME_ANNUAL)
    simulator.faults.add("hang", "lms.learners", times=None)
    visit(*ids)
    assert len({request_of(lms_user_id).due_at for lms_user_id in ids}) > 10


def test_a_learner_whose_name_cannot_be_sent_waits_and_does_not_hold_up_the_others(world):
    intend(DEMO)
    world.add_learner(username="Ann Lee", customer="acme", email="ann@example.com")
    world.add_learner(username="zoë.müller+1@x", customer="acme", email="zoe@example.com")
    world.add_license(plan_uuid=ACME_ANNUAL, username="zoë.müller+1@x")
    ann, zoe = world.user("Ann Lee").id, world.user("zoë.müller+1@x").id
    summary = visit(ann, zoe, ADA, MAX)
    assert (summary.learners, summary.realized) == (4, 3)
    assert is_enrolled(world, ["ada", "max", "zoë.müller+1@x"], DEMO_RUN)
    assert request_of(ann).waiting_for == "no_license"


@pytest.mark.parametrize("kind", ["hang", "unreachable", "malformed_json", "unauthorized"])
@pytest.mark.parametrize("endpoint", ["catalog.*", "catalog.catalogs", "catalog.catalog_content"])
def test_without_the_catalog_everybody_waits_and_the_reason_says_for_whom(simulator, world, clock, endpoint, kind):
    intend(DEMO)
    cache.clear()
    simulator.faults.add(kind, endpoint, times=None)
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == [("blocked", "catalog_unavailable")]
    assert request_of(ADA).waiting_for == "catalog_unavailable"
    assert BACKOFF[0] <= wait_of(ADA) <= BACKOFF[1]
    simulator.faults.clear()
    clock.shift(BACKOFF[1])
    assert work().realized == 1


def test_a_silent_catalog_is_not_cached_as_an_answer(simulator, world):
    intend(DEMO)
    cache.clear()
    simulator.faults.add("status", "catalog.catalogs", times=1, status=500)
    visit(ADA)
    assert visit(ADA).realized == 1


def test_without_the_modes_nobody_is_enrolled_and_everybody_waits(simulator, world, clock):
    simulator.faults.add("hang", "platform.course", times=None)
    intend(DEMO)
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == [("blocked", "modes_unavailable")]
    assert request_of(ADA).waiting_for == "modes_unavailable"
    simulator.faults.clear()
    clock.shift(BACKOFF[1])
    assert work().realized == 1


def test_modes_older_than_a_day_are_not_used_for_enrolling(simulator, world, clock):
    intend(DEMO)
    visit(BEN)
    clock.shift(DAY + MINUTE)
    simulator.faults.add("hang", "platform.course", times=None)
    visit(ADA)
    assert attempts_of(ADA) == [("blocked", "modes_unavailable")]


@pytest.mark.parametrize("kind", ["hang", "unreachable", "malformed_json", "unauthorized", "throttled", "html"])
def test_without_license_manager_the_reason_is_that_and_never_that_there_is_no_license(simulator, world, clock, kind):
    intend(DEMO)
    simulator.faults.add(kind, "license_manager.*", times=None, seconds=60)
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == [("blocked", "license_manager_unavailable")]
    assert request_of(ADA).waiting_for == "license_manager_unavailable"
    assert BACKOFF[0] <= wait_of(ADA) <= BACKOFF[1]
    simulator.faults.clear()
    clock.shift(BACKOFF[1])
    assert work().realized == 1


def test_one_silent_look_up_of_licenses_does_not_hold_up_the_others(simulator, world):
    intend(DEMO)
    simulator.faults.add("status", "license_manager.admin_license_view", times=1, status=500)
    assert visit(ADA, MAX).realized == 1
    assert [attempts_of(ADA), attempts_of(MAX)].count([("blocked", "license_manager_unavailable")]) == 1


def test_silent_revocations_only_leave_the_reason_open(simulator, world):
    intend(DEMO)
    simulator.faults.add("hang", "lms.enterprise_enrollments_for_staff", times=None)
    visit(DAVE)
    assert attempts_of(DAVE) == [("blocked", "learner_unenrolled")]


def test_of_a_customer_without_consent_the_end_of_enrollments_is_known_all_the_same(world):
    intend(DEMO, customer=GLOBEX)
    world.enroll(username="heidi", run_key=DEMO_RUN, mode="verified", customer="globex")
    world.leave(username="heidi", run_key=DEMO_RUN)
    visit(2001, customer=GLOBEX)
    assert attempts_of(2001) == [("blocked", "learner_unenrolled")]
    assert EnterpriseEnrollment.objects.get().unenrolled_at is not None


def test_fetching_raises_when_the_lms_cannot_be_asked(simulator, world):
    intend(DEMO, LINUX)
    simulator.faults.add("hang", "platform.enrollments", times=None)
    with pytest.raises(UpstreamUnavailable):
        fetch_facts(customer_uuid=ACME, lms_user_ids=[ADA])
    assert world.enrollment("ada", LINUX_RUN) is None

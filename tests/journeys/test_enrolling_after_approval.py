"""A customer wants approvals to enroll: one course, one open run, one enrollment, never against the learner's will."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
import time_machine
from django.core.cache import cache
from django.core.management import call_command

from enterprise_access.apps.content_assignments.services.transitions import cancel
from enterprise_access.apps.customers.services import fetch_customer, pause_customer, resume_customer
from enterprise_access.apps.default_enrollments.services.requests.license_changes import licenses_changed
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import (
    AutoEnrollment,
    SubsidyRequest,
    SubsidyRequestCustomerConfiguration,
)
from enterprise_access.apps.subsidy_requests.services import auto_enrolling
from enterprise_access.apps.subsidy_requests.services.credit_reviewing import approve_credit
from enterprise_access.apps.subsidy_requests.services.event_schemas import LICENSE_ASSIGNED, LicenseAssignedData
from enterprise_access.apps.subsidy_requests.services.reviewing import approve_coupon_codes, decline
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    BEN,
    COUPON,
    CREDIT,
    HAL,
    LICENSE,
    LINUX,
    approve,
    grant,
    made,
    make_asked_budget,
    review,
    states,
    takes,
)
from enterprise_access.events.handling import Event, handle
from enterprise_access.lib import clock
from enterprise_access.lib.timeline import get_timeline
from enterprise_access.lib.work import leases
from simulator.seed import ACME, ACME_ANNUAL
from simulator.world import World

pytestmark = pytest.mark.django_db

DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
SCALA = "EPFLx+Scala"
ENROLL = "lms.enroll_learners"
USERNAMES = {ADA: "ada", BEN: "ben", HAL: "hal"}


@pytest.fixture(autouse=True)
def _wanted() -> None:
    takes(LICENSE, attempt_auto_enrollment=True)


def later(**about: int) -> Any:
    return time_machine.travel(clock.now() + timedelta(**about), tick=True)


def enroll() -> None:
    """Let the workers do what is due."""
    while auto_enrolling.enroll_due():
        pass


def accept(world: World, row: SubsidyRequest) -> None:
    """Let the learner accept the license that was granted."""
    row.refresh_from_db()
    assert row.license_uuid is not None
    world.activate(license_uuid=row.license_uuid, username=USERNAMES[row.lms_user_id])


def granted(world: World, lms_user_id: int = HAL, **about: Any) -> SubsidyRequest:
    """Return a request whose license was granted and accepted; nothing was looked at yet."""
    row = made(lms_user_id, email=f"{USERNAMES[lms_user_id]}@example.com", **about)
    approve(row, is_mail_wanted=True)
    grant()
    accept(world, row)
    return row


def outcome(row: SubsidyRequest) -> tuple[str, str]:
    found = AutoEnrollment.objects.get(pk=row.pk)
    return found.state, found.reason or found.waiting_for


def calls(world: World) -> int:
    return sum(call.method == "POST" and call.endpoint == ENROLL for call in world.journal.calls())


def enrolled(world: World, username: str = "hal", run: str = DEMO_RUN) -> bool:
    row = world.enrollment(username, run)
    return row is not None and row.is_active


def mails(mailoutbox: Any, kind: str) -> list[Any]:
    return [sent for sent in mailoutbox if sent.extra_headers["X-Notification-Kind"] == kind]


def test_a_learner_is_enrolled_once_in_the_only_open_run_and_told_so(world, mailoutbox):
    row = granted(world)
    enroll()
    notifications.send_due()
    assert (outcome(row), calls(world), enrolled(world)) == (("enrolled", ""), 1, True)
    assert (mails(mailoutbox, "request_granted"), len(mails(mailoutbox, "request_enrolled"))) == ([], 1)
    assert "enrolled you in it" in mailoutbox[-1].body
    events = get_timeline(customer_uuid=ACME, lms_user_id=HAL).events
    assert any(DEMO_RUN in one.text and one.kind == "auto_enrollment_enrolled" for one in events)
    assert any(one.kind == "mail" and "request_enrolled" in one.text for one in events)
    assert not any("enrolls no one" in one.text for one in events)
    with later(days=2):
        auto_enrolling.check_again(customer_uuid=ACME, lms_user_id=HAL)
        enroll()
    assert calls(world) == 1


def test_the_explanation_over_rest_and_by_command_says_what_happened_and_why(world, api_as, capsys):
    fetch_customer(customer_uuid=ACME)
    granted(world)
    refused = granted(world, ADA, course_id=SCALA)
    enroll()
    path = "/api/v1/default-enterprise-enrollment-intentions/explain/"
    (told,) = api_as("hal").get(path, {"enterprise_customer_uuid": str(ACME)}).json()["enrollments_after_approvals"]
    assert (told["outcome"], told["reason"], told["course_run_key"]) == ("enrolled", None, DEMO_RUN)
    asked = {"enterprise_customer_uuid": str(ACME), "lms_user_id": ADA}
    (told,) = api_as("amy_admin").get(path, asked).json()["enrollments_after_approvals"]
    assert (told["request"], told["outcome"], told["reason"]) == (str(refused.pk), "not_enrolled", "several_open_runs")
    call_command("explain_default_enrollments", str(ACME), str(ADA))
    assert "Several runs of the course are open, and the learner has to choose" in capsys.readouterr().out


def test_a_license_that_waits_for_its_learner_enrolls_when_it_is_accepted(world, mailoutbox):
    row = made(HAL, email="hal@example.com")
    approve(row, is_mail_wanted=True)
    enroll()
    assert AutoEnrollment.objects.get(pk=row.pk).due_at is None
    grant()
    enroll()
    notifications.send_due()
    assert (outcome(row), calls(world)) == (("waiting", "license_not_activated"), 0)
    (told,) = mails(mailoutbox, "request_granted")
    assert "once to accept your subscription" in told.body
    accept(world, row)
    licenses_changed(customer_uuid=ACME, lms_user_id=HAL)
    enroll()
    assert (outcome(row), calls(world), enrolled(world)) == (("enrolled", ""), 1, True)


def test_a_license_that_is_not_accepted_in_time_enrolls_no_one(world):
    row = made(HAL, email="hal@example.com")
    approve(row)
    grant()
    enroll()
    with later(days=15):
        enroll()
        assert outcome(row) == ("not_enrolled", "license_not_activated")
        accept(world, row)
        licenses_changed(customer_uuid=ACME, lms_user_id=HAL)
        enroll()
    assert calls(world) == 0


def unpublish(world: World) -> None:
    world.unpublish_run(run_key=DEMO_RUN)


def open_a_second(world: World) -> None:
    world.add_run(key="course-v1:edX+DemoX+2026_T2", advertise=False)


def start_late(world: World) -> None:
    world.change_run(run_key=DEMO_RUN, start=clock.now() + timedelta(days=31))


def leave(world: World) -> None:
    world.enroll(username="hal", run_key=DEMO_RUN, mode="audit")
    world.leave(username="hal", run_key=DEMO_RUN)


def leave_another_run(world: World) -> None:
    world.enroll(username="hal", run_key="course-v1:edX+DemoX+2024_T1", mode="verified")
    world.leave(username="hal", run_key="course-v1:edX+DemoX+2024_T1")


def audit(world: World) -> None:
    world.enroll(username="hal", run_key=DEMO_RUN, mode="audit")


def unlink(world: World) -> None:
    world.unlink(username="hal", customer="acme")


REASONS: dict[str, tuple[Callable[[World], object], str]] = {
    "none open": (unpublish, "no_open_run"),
    "two open": (open_a_second, "several_open_runs"),
    "late": (start_late, "run_starts_too_late"),
    "left": (leave, "learner_unenrolled"),
    "left another run": (leave_another_run, "learner_unenrolled"),
    "in it": (audit, "enrolled"),
    "unlinked": (unlink, "learner_not_linked"),
}


@pytest.mark.parametrize("name", REASONS)
def test_anything_that_is_not_certain_is_left_to_the_learner_with_the_reason(world, mailoutbox, name):
    happens, reason = REASONS[name]
    happens(world)
    row = granted(world)
    enroll()
    notifications.send_due()
    assert (outcome(row), calls(world)) == (("not_enrolled", reason), 0)
    (told,) = mails(mailoutbox, "request_granted")
    assert "choose a course run and enroll" in told.body
    events = get_timeline(customer_uuid=ACME, lms_user_id=HAL).events
    assert [one.reason for one in events if one.kind == "auto_enrollment_not_enrolled"] == [reason]


@pytest.mark.parametrize(
    ("course", "reason"),
    [
        ("AdaX+Nowhere", "content_not_found"),
        ("HarvardX+ExecEd1", None),
        ("ANUx+ASTRO1", "invitation_only"),
        (SCALA, "several_open_runs"),
        ("", "no_course"),
    ],
)
def test_the_rules_of_enrolling_hold(world, course, reason):
    row = granted(world, course_id=course)
    enroll()
    state, said = outcome(row)
    assert (state, calls(world)) == ("not_enrolled", 0)
    assert reason in (None, said)


def test_a_request_for_a_run_means_that_run(world):
    row = granted(world, course_id="course-v1:EPFLx+Scala+2026_A")
    enroll()
    assert (outcome(row), enrolled(world, run="course-v1:EPFLx+Scala+2026_A")) == (("enrolled", ""), True)


# --- Off ----------------------------------------------------------------------------------------------------------


def test_switching_it_off_stops_what_is_waiting(world):
    row = granted(world)
    SubsidyRequestCustomerConfiguration.objects.update(attempt_auto_enrollment=False)
    enroll()
    assert (outcome(row), calls(world)) == (("not_enrolled", "switched_off"), 0)


def test_what_was_approved_before_it_was_switched_on_enrolls_no_one(world):
    SubsidyRequestCustomerConfiguration.objects.update(attempt_auto_enrollment=False)
    granted(world)
    SubsidyRequestCustomerConfiguration.objects.update(attempt_auto_enrollment=True)
    enroll()
    assert (AutoEnrollment.objects.count(), calls(world)) == (0, 0)


def test_a_pause_holds_it_up(world):
    row = granted(world)
    fetch_customer(customer_uuid=ACME)
    paused_at = clock.now()
    pause_customer(customer_uuid=ACME, by="root", because="a test", now=paused_at)
    enroll()
    assert (outcome(row), calls(world)) == (("waiting", "enrolling_paused"), 0)
    resume_customer(customer_uuid=ACME, shown=paused_at)
    with later(hours=7):
        enroll()
    assert (outcome(row), calls(world)) == (("enrolled", ""), 1)


# --- Calls that fail ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "about", "sent"),
    [
        ("unreachable", {}, True),
        ("status", {"status": 503, "body": "<html>"}, True),
        ("drop", {}, True),
        ("cut_off", {}, True),
        ("status", {"status": 403, "body": "{}"}, False),
        ("throttled", {"seconds": 1}, False),
    ],
)
def test_a_call_that_fails_is_looked_at_before_it_is_made_again(simulator, world, kind, about, sent):
    row = granted(world)
    simulator.faults.add(kind, ENROLL, times=1, **about)
    enroll()
    state, _ = outcome(row)
    assert state == ("sending" if sent else "waiting")
    with later(hours=2):
        enroll()
    assert (outcome(row), enrolled(world)) == (("enrolled", ""), True)
    assert len(world.journal.changes(what="enrolled")) == 1


def test_a_learner_who_leaves_while_the_answer_is_lost_is_not_enrolled_again(simulator, world):
    row = granted(world)
    simulator.faults.add("drop", ENROLL, times=1)
    enroll()
    assert enrolled(world)
    world.leave(username="hal", run_key=DEMO_RUN)
    with later(hours=2):
        enroll()
    assert (outcome(row), enrolled(world)) == (("not_enrolled", "learner_unenrolled"), False)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_the_call_costs_no_second_enrollment(world, monkeypatch, when):
    row = granted(world)
    send = requests.adapters.HTTPAdapter.send

    def die(self: Any, request: Any, *args: Any, **about: Any) -> Any:
        if "enroll_learners_in_courses" not in request.url:
            return send(self, request, *args, **about)
        if when == "after":
            send(self, request, *args, **about)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(requests.adapters.HTTPAdapter, "send", die)
        enroll()
    assert (outcome(row)[0], enrolled(world)) == ("sending", when == "after")
    with later(hours=2):
        enroll()
    assert (outcome(row), enrolled(world)) == (("enrolled", ""), True)
    assert len(world.journal.changes(what="enrolled")) == 1


def test_a_run_that_fails_every_time_is_given_up_after_three_calls(simulator, world):
    row = granted(world)
    simulator.faults.add("status", ENROLL, times=None, status=500, body="<html>")
    for hours in range(2, 12, 2):
        enroll()
        with later(hours=hours):
            enroll()
    assert (outcome(row), calls(world)) == (("not_enrolled", "outcome_unknown"), 3)


def test_an_upstream_service_that_is_away_is_waited_for(simulator, world):
    row = granted(world)
    simulator.faults.add("status", "platform.*", times=None, status=503)
    simulator.faults.add("status", "lms.*", times=None, status=503)
    enroll()
    assert (outcome(row)[0], calls(world)) == ("waiting", 0)
    simulator.faults.clear()
    with later(hours=2):
        enroll()
    assert outcome(row) == ("enrolled", "")


def test_an_outcome_is_written_down_although_the_lease_was_lost(world):
    row = granted(world)
    lease = leases.take(auto_enrolling.QUEUE, limit=1)
    (item,) = lease.items
    answer = auto_enrolling._try(lease, item)
    AutoEnrollment.objects.update(lease_token=None, leased_until=None)
    auto_enrolling._record(lease, item, answer)
    enroll()
    assert (outcome(row), calls(world)) == (("enrolled", ""), 1)


def test_a_worker_that_lost_its_lease_does_not_call(world):
    row = granted(world)
    lease = leases.take(auto_enrolling.QUEUE, limit=1)
    (item,) = lease.items
    AutoEnrollment.objects.update(lease_token=None, leased_until=None)
    auto_enrolling._record(lease, item, auto_enrolling._try(lease, item))
    assert (outcome(row)[0], calls(world)) == ("waiting", 0)


def test_what_has_ended_is_not_tried_again_when_it_is_asked_for_in_that_moment(world):
    open_a_second(world)
    row = granted(world)
    lease = leases.take(auto_enrolling.QUEUE, limit=1)
    (item,) = lease.items
    answer = auto_enrolling._try(lease, item)
    auto_enrolling.check_again(customer_uuid=ACME, lms_user_id=HAL)
    auto_enrolling._record(lease, item, answer)
    world.unpublish_run(run_key="course-v1:edX+DemoX+2026_T2")
    cache.clear()
    enroll()
    assert (outcome(row), calls(world)) == (("not_enrolled", "several_open_runs"), 0)
    assert AutoEnrollment.objects.get().due_at is None


# --- Learner credit, coupon codes ---------------------------------------------------------------------------------


def credit(lms_user_id: int, budget: Any, **about: Any) -> SubsidyRequest:
    email = f"{USERNAMES[lms_user_id]}@example.com"
    return made(lms_user_id, kind=CREDIT, policy_uuid=budget.pk, email=email, **about)


def test_of_several_requests_the_oldest_is_redeemed_and_the_mail_lists_the_rest(world, mailoutbox):
    budget = make_asked_budget()
    oldest, newer = credit(ADA, budget), credit(ADA, budget, course_id=LINUX, course_title="Introduction to Linux")
    other = credit(BEN, budget, course_id=LINUX)
    approve_credit(review(oldest, newer, other), policy_uuid=budget.pk)
    enroll()
    assert outcome(newer) == ("not_enrolled", "one_course_per_approval")
    assert {outcome(oldest)[0], outcome(other)[0]} == {"sending"}
    work_on_attempts()
    enroll()
    notifications.send_due()
    assert (outcome(oldest), outcome(other)) == (("enrolled", ""), ("enrolled", ""))
    assert states(oldest, newer, other) == ["accepted", "approved", "accepted"]
    assert (enrolled(world, "ada"), RedemptionAttempt.objects.count()) == (True, 2)
    assert {row.trigger for row in RedemptionAttempt.objects.all()} == {"approved_request"}
    (to_ada,) = [sent for sent in mails(mailoutbox, "request_enrolled") if sent.to == ["ada@example.com"]]
    assert "    Introduction to Linux" in to_ada.body


def test_an_assignment_that_was_cancelled_is_not_redeemed(world):
    budget = make_asked_budget()
    row = credit(ADA, budget)
    approve_credit(review(row), policy_uuid=budget.pk)
    row.refresh_from_db()
    cancel([row.assignment_uuid], now=clock.now(), actor_lms_user_id=None)
    enroll()
    assert (outcome(row), RedemptionAttempt.objects.count()) == (("not_enrolled", "not_granted"), 0)


def test_a_worker_that_dies_after_the_redemption_began_begins_no_second_one(world):
    budget = make_asked_budget()
    row = credit(ADA, budget)
    approve_credit(review(row), policy_uuid=budget.pk)
    lease = leases.take(auto_enrolling.QUEUE, limit=1)
    auto_enrolling._try(lease, lease.items[0])
    assert (outcome(row)[0], RedemptionAttempt.objects.count()) == ("sending", 1)
    work_on_attempts()
    world.leave(username="ada", run_key=DEMO_RUN)
    with later(hours=2):
        enroll()
    assert (outcome(row), RedemptionAttempt.objects.count()) == (("enrolled", ""), 1)


def test_what_the_lms_refuses_is_told_and_not_tried_again(world):
    full = "UTAustinX+FULL1"
    licensed, budget = granted(world, course_id=full), make_asked_budget()
    paid = credit(ADA, budget, course_id=full)
    approve_credit(review(paid), policy_uuid=budget.pk)
    enroll()
    work_on_attempts()
    enroll()
    assert outcome(licensed) == ("not_enrolled", "refused_by_lms")
    state, reason = outcome(paid)
    assert (state, reason, states(paid)) == ("not_enrolled", RedemptionAttempt.objects.get().reason, ["approved"])
    with later(days=2):
        enroll()
    assert (calls(world), RedemptionAttempt.objects.count()) == (1, 1)


def test_coupon_codes_are_for_the_learner_to_redeem(world):
    row = made(HAL, kind=COUPON)
    approve_coupon_codes(review(row), coupon_id=7)
    enroll()
    assert (outcome(row), calls(world)) == (("not_enrolled", "coupon_code"), 0)


# --- Approved again -----------------------------------------------------------------------------------------------


def test_a_failed_grant_enrolls_when_it_is_approved_again(simulator, world):
    row = made(HAL, email="hal@example.com")
    approve(row)
    simulator.faults.add("status", "license_manager.assign", times=None, status=400, body="{}")
    grant()
    assert states(row) == ["error"]
    simulator.faults.clear()
    approve(row)
    grant()
    accept(world, row)
    enroll()
    assert (outcome(row), AutoEnrollment.objects.count()) == (("enrolled", ""), 1)


def test_a_license_that_another_service_assigned_enrolls_too(world):
    row = made(HAL, email="hal@example.com")
    approve(row)
    held = world.assign(plan_uuid=ACME_ANNUAL, username="hal")
    world.activate(license_uuid=held.uuid, username="hal")
    data = LicenseAssignedData(
        enterprise_customer_uuid=ACME, lms_user_id=HAL, license_uuid=held.uuid, subscription_plan_uuid=ACME_ANNUAL
    )
    handle([Event(id=uuid4(), type=LICENSE_ASSIGNED.event_type, at=clock.now(), data={"license": data})])
    enroll()
    assert (states(row), outcome(row), enrolled(world)) == (["fulfilled"], ("enrolled", ""), True)


def test_what_is_on_its_way_survives_another_approval(simulator, world):
    row = granted(world)
    simulator.faults.add("drop", ENROLL, times=1)
    enroll()
    before = AutoEnrollment.objects.get()
    row.refresh_from_db()
    auto_enrolling.plan_enrollments([row], now=clock.now())
    assert AutoEnrollment.objects.get().batch == before.batch
    with later(hours=2):
        enroll()
    row.refresh_from_db()
    assert outcome(row) == ("enrolled", "")
    auto_enrolling.plan_enrollments([row], now=clock.now())
    assert outcome(row) == ("waiting", "")
    auto_enrolling.start_enrollments([row], now=clock.now())
    enroll()
    assert (outcome(row), calls(world)) == (("not_enrolled", "enrolled"), 1)


def test_what_was_declined_after_an_error_enrolls_no_one(world):
    row = made(HAL, state=RequestState.ERROR)
    decline(review(row), subsidy_type=LICENSE, reason="")
    enroll()
    assert (AutoEnrollment.objects.count(), calls(world)) == (0, 0)

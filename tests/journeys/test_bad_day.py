"""A day on which everything fails once: everybody gets the course in the end, and nobody twice."""

from datetime import timedelta

import pytest

from enterprise_access.apps.customers.services import fetch_customer_by_slug
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from simulator.seed import ACME, ACME_ANNUAL

COURSES = {
    "edX+DemoX": "course-v1:edX+DemoX+2026_T1",
    "KIx+STATS1": "course-v1:KIx+STATS1+2026_T1",
    "HarvardX+CS50": "course-v1:HarvardX+CS50+2026",
}
EVERYTHING = ("lms.*", "platform.*", "catalog.*", "license_manager.*")
LEARNERS = [f"new{number:02}" for number in range(8)]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _new_learners(world):
    """Let a customer with intentions have new learners."""
    for username in LEARNERS:
        world.add_learner(username=username, customer="acme")
        world.add_license(plan_uuid=ACME_ANNUAL, username=username)
    customer = fetch_customer_by_slug(slug="acme")
    for key in COURSES:
        add_intention(customer_uuid=customer.pk, content_key=key)


def is_everything_realized() -> bool:
    return DefaultEnterpriseEnrollmentRealization.objects.count() == len(LEARNERS) * len(COURSES)


def wait(clock, work_off, *, hours: int = 6) -> None:
    """Let time pass, with a worker who looks every minute."""
    for _ in range(hours * 60):
        clock.shift(timedelta(minutes=1))
        work_off()
        if not RealizationRequest.objects.exclude(due_at=None).exists():
            return


def check(world) -> None:
    assert is_everything_realized()
    for username in LEARNERS:
        states = {row.run_key: (row.mode, row.is_active) for row in world.enrollments_of(username)}
        assert states == {run: ("audit" if "CS50" in run else "verified", True) for run in COURSES.values()}
    assert world.journal.changes(what="enrolled again") == []
    assert not RealizationRequest.objects.exclude(due_at=None).exists()


@pytest.mark.parametrize("kind", ["hang", "drop", "malformed_json", "cut_off", "unauthorized", "throttled"])
def test_one_failure_of_everybody_after_another(simulator, world, clock, sign_in, work_off, kind):
    for endpoint in EVERYTHING:
        simulator.faults.add(kind, endpoint, times=3, seconds=60)
    for username in LEARNERS:
        sign_in(username)
    work_off()
    wait(clock, work_off)
    check(world)


def test_an_outage_of_an_hour(simulator, world, clock, sign_in, work_off):
    for endpoint in EVERYTHING:
        simulator.faults.add("hang", endpoint, times=None)
    for username in LEARNERS:
        sign_in(username)
    wait(clock, work_off, hours=1)
    assert not DefaultEnterpriseEnrollmentRealization.objects.exists()
    simulator.faults.clear()
    wait(clock, work_off)
    check(world)


def test_every_answer_of_the_bulk_call_is_lost_for_a_while(simulator, world, clock, sign_in, work_off):
    simulator.faults.add("drop", "lms.enroll_learners", times=2)
    for username in LEARNERS:
        sign_in(username)
    work_off()
    wait(clock, work_off)
    check(world)
    items = [
        item for call in world.journal.calls(endpoint="lms.enroll_learners") for item in call.body["enrollments_info"]
    ]
    assert len(items) == len(LEARNERS) * len(COURSES)


def test_some_leave_in_the_middle_of_it_and_stay_away(simulator, world, clock, sign_in, work_off):
    simulator.faults.add("drop", "lms.enroll_learners", times=2)
    for username in LEARNERS:
        sign_in(username)
    work_off()
    leavers = LEARNERS[:4]
    for username in leavers:
        for run in COURSES.values():
            if world.enrollment(username, run) is not None:
                world.leave(username=username, run_key=run)
    left = {username: {row.run_key for row in world.enrollments_of(username)} for username in leavers}
    for _ in range(3):
        wait(clock, work_off)
        for username in LEARNERS:
            sign_in(username)
        work_off()
    for username in leavers:
        active = {row.run_key for row in world.enrollments_of(username) if row.is_active}
        assert active.isdisjoint(left[username])
    assert world.journal.changes(what="enrolled again") == []


def test_an_outage_is_told_to_nobody_as_a_no(simulator, world, clock, sign_in, work_off, status_of):
    sign_in("new00")
    work_off()
    status_of("new00", ACME)
    clock.shift(timedelta(minutes=10))
    for endpoint in EVERYTHING:
        simulator.faults.add("hang", endpoint, times=None)
    told = status_of("new00", ACME)
    assert {item["bucket"] for item in told.values()} == {"already_enrolled"}

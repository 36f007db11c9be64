"""Licenses: approved in one transaction, granted by a worker; one license per request, whatever fails and crashes."""

from datetime import timedelta
from uuid import uuid4

import pytest
import requests
import time_machine

from enterprise_access.apps.subsidy_requests.domain.granting import after_refusal, license_group
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.errors import NotEnoughLicenses, PlanUnknown
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services import granting, watching
from enterprise_access.apps.subsidy_requests.services.configurations import change_configuration
from enterprise_access.apps.subsidy_requests.services.granting import grant_some
from enterprise_access.apps.subsidy_requests.services.reviewing import approve_coupon_codes, decline
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    AMY,
    COUPON,
    HAL,
    IVAN,
    LICENSE,
    approve,
    grant,
    made,
    review,
    states,
    story,
    takes,
)
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamUnavailable
from enterprise_access.lib.health import HealthLevel
from enterprise_access.lib.work import leases
from enterprise_access.lib.work.watching import look_at_work
from simulator import licensing
from simulator.seed import (
    ACME,
    ACME_ANNUAL,
    ACME_LAST_YEAR,
    ACME_LEADERS,
    ACME_NEXT_YEAR,
    ACME_SWITCHED_OFF,
    GLOBEX,
    GLOBEX_PLAN,
)
from simulator.values import LicenseStatus

pytestmark = pytest.mark.django_db

ASSIGN = "license_manager.assign"
HOUR = timedelta(hours=1)


def held(world, row, plan=ACME_ANNUAL):
    """Return the licenses of the plan that are stored under the address of a request."""
    rows = world.tables.licenses.where(plan=plan)
    return [one.uuid for one in rows if (one.user_email or "").lower() == row.email_folded and one.status != "revoked"]


def later(hours=2):
    return time_machine.travel(clock.now() + timedelta(hours=hours), tick=True)


def assigns(world):
    return [call for call in world.journal.calls() if call.endpoint == ASSIGN]


def test_an_approved_request_is_granted_a_license_by_a_worker(world):
    row = made(HAL, email="Hal@Example.com")
    (changed,) = approve(row)
    assert (changed.state, changed.license_uuid) == ("pending", None)
    assert grant() == 1
    row.refresh_from_db()
    assert (row.state, [row.license_uuid], row.due_at) == ("approved", held(world, row), None)
    assert (row.plan_uuid, row.reviewer_lms_user_id) == (ACME_ANNUAL, AMY)
    assert story(row) == [("pending", ""), ("approved", "")]


def test_a_hundred_are_one_call_and_few_statements(world, django_assert_max_num_queries):
    for _ in range(100):
        world.add_license(plan_uuid=ACME_ANNUAL, username="hal", status=LicenseStatus.REVOKED)
    free = len(world.tables.licenses.where(plan_status=(ACME_ANNUAL, LicenseStatus.UNASSIGNED)))
    rows = [made(7000 + number) for number in range(free)]
    with django_assert_max_num_queries(30):
        assert len(approve(*rows)) == free
    with django_assert_max_num_queries(60):
        assert grant() == free
    assert set(states(*rows)) == {"approved"}
    assert len(assigns(world)) == 1


def test_approving_again_changes_nothing_and_asks_no_one(world):
    row = made(HAL)
    approve(row)
    for _ in range(2):
        assert approve(row) == []
        grant()
    assert (states(row), len(held(world, row)), len(assigns(world))) == (["approved"], 1, 1)


@pytest.mark.parametrize("plan", [GLOBEX_PLAN, ACME_SWITCHED_OFF, uuid4()], ids=["foreign", "off", "unknown"])
def test_a_plan_that_is_not_the_customers_does_not_exist(world, plan):
    row = made(HAL)
    with pytest.raises(PlanUnknown):
        approve(row, plan_uuid=plan)
    assert states(row) == ["requested"]


@pytest.mark.parametrize("plan", [ACME_LAST_YEAR, ACME_NEXT_YEAR])
def test_a_plan_that_is_not_current_grants_nothing(world, plan):
    with pytest.raises(NotEnoughLicenses):
        approve(made(HAL), plan_uuid=plan)


def test_more_requests_than_licenses_are_refused_and_none_is_approved(world):
    rows = [made(7000 + number, customer=GLOBEX) for number in range(4)]
    with pytest.raises(NotEnoughLicenses):
        approve(*rows, plan_uuid=GLOBEX_PLAN, customer=GLOBEX)
    assert set(states(*rows)) == {"requested"}
    # What was approved and is not granted yet counts.
    approve(*rows[:2], plan_uuid=GLOBEX_PLAN, customer=GLOBEX)
    with pytest.raises(NotEnoughLicenses):
        approve(*rows[2:], plan_uuid=GLOBEX_PLAN, customer=GLOBEX)


def test_license_manager_away_while_approving_changes_nothing(simulator):
    row = made(HAL)
    simulator.faults.add("unreachable", "license_manager.subscriptions", times=None)
    with pytest.raises(UpstreamUnavailable):
        approve(row)
    assert states(row) == ["requested"]


FAULTS = {
    "away": ("unreachable", {}),
    "error": ("status", {"status": 500, "body": "<html>"}),
    "locked": ("status", {"status": 423, "body": '"Assignment currently locked for this subscription plan."'}),
    "throttled": ("throttled", {"seconds": 1}),
    "answer lost": ("drop", {}),
    "answer cut": ("cut_off", {}),
    "unreadable": ("missing_keys", {"keys": ("license_assignments",)}),
    "no rights": ("status", {"status": 403, "body": "{}"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_call_that_fails_is_made_again_and_grants_one_license(simulator, world, name):
    kind, about = FAULTS[name]
    row = made(HAL)
    approve(row)
    simulator.faults.add(kind, ASSIGN, times=1, **about)
    grant()
    row.refresh_from_db()
    assert (row.state, row.due_at > clock.now(), row.waiting_for) == ("pending", True, "license_manager_unavailable")
    with later():
        grant()
    row.refresh_from_db()
    assert (row.state, [row.license_uuid]) == ("approved", held(world, row))


def test_a_worker_that_dies_after_the_call_costs_no_second_license(world, monkeypatch):
    row = made(HAL)
    approve(row)
    send = requests.adapters.HTTPAdapter.send

    def die_afterwards(self, request, *args, **about):
        answer = send(self, request, *args, **about)
        if "assign" in request.url:
            raise KeyboardInterrupt
        return answer

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(requests.adapters.HTTPAdapter, "send", die_afterwards)
        grant()
    assert (states(row), len(held(world, row))) == (["pending"], 1)
    with later():
        grant()
    row.refresh_from_db()
    assert (row.state, [row.license_uuid]) == ("approved", held(world, row))


def test_a_success_is_written_down_although_the_lease_was_lost(world):
    row = made(HAL)
    approve(row)
    lease = leases.take(granting.QUEUE, limit=10)
    SubsidyRequest.objects.update(lease_token=uuid4())
    granting._record_success(lease, [row], {row.email_folded: uuid4()})
    assert states(row) == ["approved"]


def test_who_holds_a_license_of_the_plan_keeps_it(world):
    row = made(ADA, email="ADA@example.com")
    approve(row)
    grant()
    row.refresh_from_db()
    assert (row.state, [row.license_uuid]) == ("approved", held(world, row))
    assert world.license(row.license_uuid).status is LicenseStatus.ACTIVATED


def test_too_few_licenses_at_the_call_go_to_the_oldest_requests(world):
    rows = [made(7000 + number) for number in range(8)]
    approve(*rows[:3], plan_uuid=ACME_LEADERS)
    # Somebody else assigns meanwhile.
    for number in range(4):
        licensing.assign(world, plan_uuid=ACME_LEADERS, email=f"other-{number}@example.com")
    grant()
    assert states(*rows[:3]) == ["approved", "error", "error"]
    assert story(rows[1])[-1] == ("error", "no_license_left")
    rows[1].refresh_from_db()
    assert (rows[1].sent_at, rows[1].learner_request_state) == (None, "failed")


def test_a_malformed_address_holds_up_no_one_else(world):
    rows = [made(7000 + number) for number in range(5)] + [made(HAL, email="no address")]
    approve(*rows)
    grant()
    assert states(*rows) == ["approved"] * 5 + ["error"]
    assert story(rows[-1])[-1] == ("error", "license_manager_refused")


def test_a_failed_request_can_be_approved_again_or_declined(world):
    again, declined = made(HAL, state=RequestState.ERROR), made(ADA, state=RequestState.ERROR)
    approve(again)
    decline(review(declined), subsidy_type=LICENSE, reason="No budget")
    grant()
    assert states(again, declined) == ["approved", "declined"]


@pytest.mark.parametrize("name", ["away", "locked", "answer lost", "unreadable", "no rights"])
def test_what_cannot_be_granted_for_a_day_fails(simulator, name):
    row = made(HAL)
    approve(row)
    kind, about = FAULTS[name]
    simulator.faults.add(kind, ASSIGN, times=None, **about)
    grant()
    with later(hours=25):
        grant()
    assert (states(row), story(row)[-1]) == (["error"], ("error", "license_manager_unavailable"))


def test_a_defect_keeps_no_request_pending_for_more_than_a_day(world, monkeypatch):
    row, fine = made(HAL), made(ADA)
    approve(row)

    def fail(*_, **__):
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(requests.adapters.HTTPAdapter, "send", fail)
        with pytest.raises(ZeroDivisionError):
            grant_some(license_group(ACME_ANNUAL), 10)
    row.refresh_from_db()
    assert (row.state, row.waiting_for, row.due_at > clock.now()) == ("pending", "unexpected_error", True)
    with later(hours=25):
        approve(fine)
        grant()
    assert states(row, fine) == ["error", "approved"]
    assert story(row)[-1] == ("error", "unexpected_error")


def test_what_was_declined_before_the_call_gets_nothing(world):
    takes(LICENSE)
    row = made(HAL)
    approve(row)
    lease = leases.take(granting.QUEUE, limit=10)
    change_configuration(customer_uuid=ACME, changes={"subsidy_type": "coupon"}, actor_lms_user_id=AMY, now=clock.now())
    granting._grant_licenses(lease)
    assert (states(row), held(world, row), assigns(world)) == (["declined"], [], [])


def test_a_coupon_code_that_does_not_come_within_a_day_is_an_error(world):
    row = made(IVAN, kind=COUPON)
    (changed,) = approve_coupon_codes(review(row), coupon_id=7)
    assert (changed.state, changed.coupon_id, grant()) == ("pending", 7, 0)
    with later(hours=25):
        grant()
    assert (states(row), story(row)[-1]) == (["error"], ("error", "coupon_code_not_assigned"))


def test_operators_see_what_has_failed_and_what_no_worker_works_on(world):
    made(HAL, state=RequestState.ERROR)
    row = made(ADA)
    approve(row)
    (failed,) = watching.read_failed(clock.now())
    assert (failed.values[("license",)], failed.values[("coupon",)]) == (1.0, 0.0)
    assert look_at_work().level is HealthLevel.OK
    with later():
        assert look_at_work().level is HealthLevel.DEGRADED


@pytest.mark.parametrize("size", range(1, 12))
def test_splitting_ends_and_loses_no_request(size):
    for unassigned in [None, *range(12)]:
        split = after_refusal(list(range(size)), unassigned=unassigned)
        parts = [*split.batches, split.left_out]
        assert sorted(one for part in parts for one in part) == list(range(size)), unassigned
        assert all(0 < len(batch) < size for batch in split.batches), unassigned
        if unassigned is not None and unassigned < size:
            assert len(split.left_out) == size - unassigned

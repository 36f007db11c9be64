"""Support sees the story of a request, approves with a plan or coupon that is chosen, and declines."""

import re

import pytest
from django.contrib.auth.models import Permission

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment, SubsidyRequestCustomerConfiguration
from enterprise_access.apps.subsidy_requests.tests.made import (
    BEN,
    COUPON,
    CREDIT,
    HAL,
    IVAN,
    approve,
    grant,
    made,
    make_asked_budget,
    states,
    takes,
)
from simulator.seed import ACME, ACME_ANNUAL, ACME_LAST_YEAR, ACME_LEADERS, GLOBEX

pytestmark = pytest.mark.django_db

LIST = "/admin/subsidy_requests/subsidyrequest/"
CONFIGURATIONS = "/admin/subsidy_requests/subsidyrequestcustomerconfiguration/"


def act(staff, action, *rows, **about):
    """Choose an action for rows; with `confirmed` what the page after it sends."""
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows], **about}
    return staff.post(LIST, body, follow=True).content.decode()


def confirm(staff, action, *rows, **about):
    return act(staff, action, *rows, confirmed="yes", **about)


def test_the_story_of_a_request(staff, world):
    row = made(HAL, email="hal@example.com")
    approve(row, is_mail_wanted=True)
    grant()
    notifications.send_due()
    page = staff.get(f"{LIST}{row.pk}/change/").content.decode()
    assert page.index("<td>pending</td>") < page.index("<td>approved</td>") < page.index("request_granted): sent")
    assert "user 5" in page
    assert "this service" in page
    for term in (str(HAL), "hal@example.com", str(row.pk), str(ACME_ANNUAL), str(row.customer_uuid)):
        assert "hal@example.com" in staff.get(LIST, {"q": term}).content.decode(), term
    assert staff.get(f"{LIST}{row.pk}/history/").status_code == 200


def test_a_license_request_is_approved_with_a_plan_that_is_chosen_from_the_customers(staff, world):
    failed, undecided = made(HAL, state=RequestState.ERROR, plan_uuid=ACME_ANNUAL), made(BEN)
    page = act(staff, "approve", failed, undecided)
    assert states(failed, undecided) == ["error", "requested"]
    offered = re.findall(r'<option value="([0-9a-f-]+)"', page)
    assert {str(ACME_ANNUAL), str(ACME_LEADERS)} <= set(offered)
    assert str(ACME_LAST_YEAR) not in offered
    assert re.search(rf'<option value="{ACME_ANNUAL}" selected', page)
    page = confirm(staff, "approve", failed, undecided, source_0=str(ACME_LEADERS), tell="on")
    assert "2 requests approved." in page
    failed.refresh_from_db()
    assert (states(failed, undecided), failed.plan_uuid) == (["pending", "pending"], ACME_LEADERS)
    assert failed.is_mail_wanted


def test_a_plan_that_is_not_the_customers_is_not_taken(staff, world):
    row = made(HAL)
    page = confirm(staff, "approve", row, source_0=str(ACME_LAST_YEAR))
    assert "Select a valid choice" in page
    assert states(row) == ["requested"]


def test_a_coupon_is_named_by_its_number(staff, world):
    row = made(IVAN, kind=COUPON)
    assert 'name="source_0"' in act(staff, "approve", row)
    assert "This field is required" in confirm(staff, "approve", row)
    assert "1 request approved." in confirm(staff, "approve", row, source_0="7")
    row.refresh_from_db()
    assert (row.state, row.coupon_id) == ("pending", 7)


def test_credit_is_approved_from_the_budget_that_was_asked(staff, world):
    row = made(HAL, kind=CREDIT, policy_uuid=make_asked_budget().pk)
    assert "Approve requests" in act(staff, "approve", row)
    assert "1 request approved." in confirm(staff, "approve", row)
    assert states(row) == ["approved"]


def test_requests_of_several_customers_and_kinds_are_decided_apart(staff, world):
    mine, foreign, code = made(HAL), made(IVAN, customer=GLOBEX), made(BEN, kind=COUPON)
    page = act(staff, "approve", mine, foreign, code)
    names = re.findall(r'name="(source_\d)"', page)
    assert len(names) == 3


def test_license_manager_away_is_said_and_nothing_changes(staff, simulator):
    simulator.faults.add("unreachable", "license_manager.*", times=None)
    row = made(HAL)
    assert "Nothing was changed" in act(staff, "approve", row)
    assert states(row) == ["requested"]


def test_declining_with_a_reason(staff, world, mailoutbox):
    row, decided = made(HAL, email="hal@example.com"), made(BEN, state=RequestState.FULFILLED)
    assert "Decline requests" in act(staff, "decline", row, decided)
    page = confirm(staff, "decline", row, decided)
    assert "not possible" in page
    assert states(row, decided) == ["requested", "fulfilled"]
    confirm(staff, "decline", row, reason="Ask again in spring.", tell="on")
    notifications.send_due()
    assert states(row) == ["declined"]
    assert "Ask again in spring." in mailoutbox[0].body


def test_what_is_decided_already_is_not_offered(staff, world):
    row = made(HAL, state=RequestState.APPROVED)
    assert "nothing was changed" in act(staff, "approve", row)


def test_the_switch_for_enrolling_after_approvals(staff, world):
    takes()
    body = {"_selected_action": [str(ACME)]}
    for action, is_on in (("enroll_after_approvals", True), ("enroll_no_one", False)):
        assert staff.post(CONFIGURATIONS, {**body, "action": action}, follow=True).status_code == 200
        assert SubsidyRequestCustomerConfiguration.objects.get().attempt_auto_enrollment is is_on
    assert SubsidyRequestCustomerConfiguration.history.count() >= 2


def test_the_page_of_enrollments_after_approvals(staff, world):
    takes(attempt_auto_enrollment=True)
    row = made(HAL)
    approve(row)
    url = "/admin/subsidy_requests/autoenrollment/"
    assert str(row.pk) in staff.get(url).content.decode()
    assert staff.get(f"{url}{row.pk}/change/").status_code == 200
    assert AutoEnrollment.objects.get().state == "waiting"


def test_who_may_only_look_has_no_actions(client, django_user_model, world):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    for table in ("subsidyrequest", "subsidyrequestcustomerconfiguration"):
        user.user_permissions.add(Permission.objects.get(codename=f"view_{table}"))
    client.force_login(user)
    takes()
    row = made(HAL)
    assert 'value="approve"' not in client.get(LIST).content.decode()
    confirm(client, "decline", row)
    client.post(CONFIGURATIONS, {"action": "enroll_after_approvals", "_selected_action": [str(ACME)]})
    assert states(row) == ["requested"]
    assert not SubsidyRequestCustomerConfiguration.objects.get().attempt_auto_enrollment

"""Support sees the story of a request, approves again what has failed, and declines."""

import pytest
from django.contrib.auth.models import Permission

from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.tests.made import (
    BEN,
    CREDIT,
    HAL,
    approve,
    grant,
    made,
    make_asked_budget,
    states,
    takes,
)
from simulator.seed import ACME_ANNUAL

pytestmark = pytest.mark.django_db

LIST = "/admin/subsidy_requests/subsidyrequest/"


def act(staff, action, *rows):
    return staff.post(LIST, {"action": action, "_selected_action": [str(row.pk) for row in rows]}, follow=True)


def test_the_story_of_a_request(staff, world):
    row = made(HAL, email="hal@example.com")
    approve(row)
    grant()
    page = staff.get(f"{LIST}{row.pk}/change/").content.decode()
    assert page.index("<td>pending</td>") < page.index("<td>approved</td>")
    assert "user 5" in page
    assert "this service" in page
    for term in (str(HAL), "hal@example.com", str(row.pk), str(ACME_ANNUAL), str(row.customer_uuid)):
        assert "hal@example.com" in staff.get(LIST, {"q": term}).content.decode(), term
    assert staff.get(f"{LIST}{row.pk}/history/").status_code == 200


def test_what_has_failed_is_approved_again_with_the_same_plan(staff, world):
    failed, other = made(HAL, state=RequestState.ERROR, plan_uuid=ACME_ANNUAL), made(BEN)
    page = act(staff, "approve", failed, other).content.decode()
    assert "1 request approved." in page
    assert "An admin of the customer chooses it in the admin portal." in page
    assert states(failed, other) == ["pending", "requested"]


def test_credit_is_approved_from_the_budget_that_was_asked(staff, world):
    row = made(HAL, kind=CREDIT, policy_uuid=make_asked_budget().pk)
    assert "1 request approved." in act(staff, "approve", row).content.decode()
    assert states(row) == ["approved"]


def test_declining(staff, world):
    row, decided = made(HAL), made(BEN, state=RequestState.FULFILLED)
    page = act(staff, "decline", row, decided).content.decode()
    assert "not possible" in page
    assert states(row, decided) == ["requested", "fulfilled"]
    act(staff, "decline", row)
    assert states(row) == ["declined"]


def test_the_pages_of_configurations(staff):
    takes()
    assert staff.get("/admin/subsidy_requests/subsidyrequestcustomerconfiguration/").status_code == 200


def test_who_may_only_look_has_no_actions(client, django_user_model, world):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_subsidyrequest"))
    client.force_login(user)
    row = made(HAL)
    assert 'value="approve"' not in client.get(LIST).content.decode()
    act(client, "decline", row)
    assert states(row) == ["requested"]

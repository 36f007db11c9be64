"""What the portal asks on every page of families that are not here yet: nothing that takes a page down."""

from typing import Any

import pytest

from simulator.seed import ACME

pytestmark = pytest.mark.django_db

LISTS = ("learner-credit-requests", "license-requests", "coupon-code-requests")
OBJECTS = (f"customer-configurations/{ACME}", "policy-redemption/credits_available")
WHO = ("ada", "frank", "heidi", "grace", "outsider", "amy_admin", "enterprise_access_worker")
EMPTY: dict[str, Any] = {
    "next": None,
    "previous": None,
    "count": 0,
    "num_pages": 1,
    "current_page": 1,
    "start": 0,
    "results": [],
}
ASKED = [
    {},
    {"enterprise_customer_uuid": str(ACME), "user__email": "ada@example.com", "state": "requested"},
    {"page": "7"},
    {"page": "x", "page_size": "-1"},
    {"enterprise_customer_uuid": "acme"},
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_an_empty_page_for_whoever_has_signed_in(world, api_as, name, asked):
    for username in WHO:
        answer = api_as(username).get(f"/api/v1/{name}/", asked)
        assert (answer.status_code, answer.json()) == (200, EMPTY), username


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_is_not_there_and_nobody_is_refused(world, api_as, name):
    for username in WHO:
        answer = api_as(username).get(f"/api/v1/{name}/", {"enterprise_customer_uuid": str(ACME)})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_available_yet"), username


def test_what_is_not_there_for_the_portal_costs_the_neighbours_nothing(world, api_as, calls):
    for name in (*LISTS, *OBJECTS):
        api_as("ada").get(f"/api/v1/{name}/")
    assert calls() == []

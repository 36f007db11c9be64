"""GET course-types/ and course-types/{slug}/."""

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.course_types.models import CourseRunType, CourseType

pytestmark = pytest.mark.django_db

TYPES = "/api/v1/course-types/"


def test_without_a_token_nothing_is_told():
    assert APIClient().get(TYPES).status_code == 401


def test_who_holds_no_role_is_refused(api_as):
    answer = api_as("outsider").get(TYPES)
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_read")


def test_all_types_come_in_the_order_in_which_they_are_tried(api_as):
    body = api_as("ada").get(TYPES).json()
    assert [row["slug"] for row in body][:3] == ["audit", "professional", "verified-audit"]
    assert len(body) == 12


def test_a_type_nests_its_run_types_and_their_tracks_with_who_is_paid(api_as):
    body = api_as("ada").get(f"{TYPES}masters-verified-audit/").json()
    assert (body["entitlement_types"], body["org_allow_list"]) == (["verified"], [])
    mva = body["course_run_types"][0]
    assert mva["slug"] == "masters-verified-audit"
    paid = {
        track["mode"]: (track["seat_type"], track["paid_to_platform"], track["paid_to_partner"])
        for track in mva["tracks"]
    }
    assert paid == {
        "masters": (None, False, True),
        "verified": ("verified", True, False),
        "audit": ("audit", False, False),
    }


@pytest.mark.parametrize("slug", ["spoc-verified-audit", "VERIFIED-AUDIT"])
def test_a_slug_that_nobody_knows_is_clearly_not_found(api_as, slug):
    answer = api_as("ada").get(f"{TYPES}{slug}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_type")
    assert answer.json()["detail"] == f"There is no course type '{slug}'."
    assert answer.json()["extra"] == {"kind": "course type", "slug": slug}


@pytest.mark.parametrize("more", [0, 20])
def test_it_costs_the_same_statements_however_many_types_there_are(api_as, more, django_assert_num_queries):
    for number in range(more):
        CourseRunType.objects.create(slug=f"more-{number}", name="More")
        CourseType.objects.create(slug=f"more-{number}", name="More", rank=100 + number)
    client = api_as("ada")
    client.get(TYPES)
    # The user of the token; modes, seat types, tracks, run types, links, course types.
    with django_assert_num_queries(7):
        assert len(client.get(TYPES).json()) == 12 + more

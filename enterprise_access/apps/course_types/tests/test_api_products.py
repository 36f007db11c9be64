"""GET typed-courses/{key}/products/."""

import pytest

from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from simulator.faults import FaultKind
from simulator.values import seat

pytestmark = pytest.mark.django_db

DEMO = "edX+DemoX"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
PATH = f"/api/v1/typed-courses/{DEMO}/products/"


@pytest.fixture(autouse=True)
def _typed():
    assign_course_type(course_key=DEMO, course_type="verified-audit")
    assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="verified-audit")


def read(api_as):
    answer = api_as("ada").get(PATH)
    assert answer.status_code == 200, answer.content
    return answer.json()


def findings(body):
    return [(row["subject"], row["kind"], row["slug"], row["run_key"]) for row in body["findings"]]


def test_a_course_that_has_what_it_should_have_shows_no_difference(simulator, api_as, lms_has):
    lms_has(DEMO_RUN, "audit", "verified")
    body = read(api_as)
    assert (body["entitlements"], body["findings"], body["is_discovery_known"]) == (["verified"], [], True)
    (run,) = body["runs"]
    assert [(seat["seat_type"], seat["lms_mode"]) for seat in run["seats"]] == [
        ("audit", "audit"),
        ("verified", "verified"),
    ]
    assert run["modes"] == [{"slug": "audit", "route": "ecommerce"}, {"slug": "verified", "route": "ecommerce"}]
    assert run["are_lms_modes_known"] is True
    assert run["seats"][1]["expires_at"] is not None


def test_every_difference_says_what_it_leads_to(simulator, world, api_as, lms_has):
    assign_course_type(course_key=DEMO, course_type="masters-verified-audit")
    assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="masters-verified-audit")
    world.change_run(run_key=DEMO_RUN, seats=(seat("verified"),))
    lms_has(DEMO_RUN, "verified")
    body = read(api_as)
    assert findings(body) == [
        ("seat", "missing", "audit", DEMO_RUN),
        ("lms_mode", "missing", "audit", DEMO_RUN),
        ("lms_mode", "missing", "masters", DEMO_RUN),
    ]
    assert "un-enrolls" in body["findings"][1]["consequence"]


def test_modes_that_were_not_asked_for_yet_are_not_compared(simulator, api_as):
    body = read(api_as)
    assert (findings(body), body["runs"][0]["are_lms_modes_known"]) == ([], False)


def test_a_silent_course_discovery_leaves_entitlements_and_seats_unknown(simulator, api_as):
    simulator.faults.add(FaultKind.STATUS, "discovery.*", status=500, times=None)
    body = read(api_as)
    assert (body["findings"], body["is_discovery_known"]) == ([], False)


def test_without_a_course_discovery_the_specification_is_told_all_the_same(simulator, api_as, settings):
    settings.DISCOVERY_BASE_URL = None
    body = read(api_as)
    assert (body["entitlements"], body["findings"], body["is_discovery_known"]) == (["verified"], [], False)


def test_of_a_course_that_nobody_has_typed_it_is_said_so(simulator, api_as):
    answer = api_as("ada").get("/api/v1/typed-courses/edX+NoSuch/products/")
    assert (answer.status_code, answer.json()["code"]) == (404, "untyped_content")

"""Which customer a page shows, and to whom: the learner's own, the one that staff look at, or none."""

from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from enterprise_access.apps.bff.tests.pages import EMPTY_SUBSCRIPTIONS, PAGES, PREFIX
from simulator.seed import ACME, GLOBEX, HOOLI

pytestmark = pytest.mark.django_db

SHAPE = {"code", "detail", "extra"}


@pytest.mark.parametrize("page", PAGES)
def test_a_learner_who_names_the_own_customer_is_shown_it(open_page, page):
    opened = open_page("ada", page)
    assert (opened.status, opened.slug, opened.missing) == (200, "acme", [])
    assert opened.body["should_update_active_enterprise_customer_user"] is False
    assert [row["active"] for row in opened.body["all_linked_enterprise_customer_users"]] == [True]
    assert ("enterprise_course_enrollments" in opened.body) == (page == "dashboard")


@pytest.mark.parametrize("wanted", [{"slug": "acme"}, {"slug": "acme/"}, {"slug": "ACME/"}, {"uuid": ACME}])
def test_the_customer_is_named_by_slug_or_by_uuid(open_page, wanted):
    assert open_page("ada", **wanted).slug == "acme"


def test_the_customer_may_be_named_in_the_query(world, api_as):
    answer = api_as("ada").post(f"{PREFIX}/search/?enterprise_customer_slug=acme")
    assert answer.json()["enterprise_customer"]["slug"] == "acme"


def test_the_portal_is_told_to_switch_when_another_customer_of_the_learner_is_active(world, open_page):
    world.change_customer(customer="globex", has_learner_portal=True)
    opened = open_page("frank", slug="acme/")
    assert (opened.slug, opened.body["active_enterprise_customer"]["slug"]) == ("acme", "globex")
    assert opened.body["should_update_active_enterprise_customer_user"] is True
    assert len(opened.body["all_linked_enterprise_customer_users"]) == 2


def test_staff_look_at_a_customer_that_they_do_not_belong_to(open_page):
    opened = open_page("enterprise_access_worker")
    assert (opened.status, opened.slug) == (200, "acme")
    assert opened.body["staff_enterprise_customer"]["slug"] == "acme"
    assert opened.body["all_linked_enterprise_customer_users"] == []
    assert opened.body["default_enterprise_enrollment_intentions"] is None
    assert opened.body["default_enterprise_enrollment_realizations"] == []
    assert opened.missing == []


def test_staff_by_uuid(open_page):
    assert open_page("enterprise_access_worker", uuid=HOOLI).slug == "hooli"


def test_who_has_no_role_for_the_customer_is_refused(api_as, world):
    for wanted in ({"enterprise_customer_uuid": str(GLOBEX)}, {"enterprise_customer_slug": "globex/"}):
        answer = api_as("ada").post(f"{PREFIX}/dashboard/", wanted, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "may_not_see_page")
        assert answer.json().keys() >= SHAPE


def test_an_admin_is_not_shown_another_customer_because_something_else_failed(simulator, api_as):
    admin = api_as("outsider")
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_admin:{ACME}"])
    admin.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    simulator.faults.add("status", "lms.learners", status=500, times=None)
    answers = {
        slug: admin.post(f"{PREFIX}/search/", {"enterprise_customer_slug": slug}, format="json")
        for slug in ("acme", "hooli", "globex")
    }
    assert {slug: answer.status_code for slug, answer in answers.items()} == {"acme": 200, "hooli": 403, "globex": 403}
    assert answers["hooli"].json()["code"] == "may_not_see_page"


def test_who_has_lost_the_role_is_shown_no_remembered_customer_either(simulator, open_page, api_as, clock):
    open_page("ada")
    clock.shift(600)
    simulator.faults.add("status", "lms.learners", status=500, times=None)
    assert open_page("ada").status == 200
    client = api_as("ada")
    client.credentials(HTTP_AUTHORIZATION=f"JWT {simulator.tokens.token_for('ada', roles=[])}")
    answer = client.post(f"{PREFIX}/dashboard/", {"enterprise_customer_slug": "acme"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_see_page")


@pytest.mark.parametrize("slug", ["no-such-customer", "no such slug ?", "x" * 250])
def test_a_slug_of_nobody_is_refused_to_learners_and_to_staff(api_as, world, slug):
    for username in ("ada", "enterprise_access_worker"):
        answer = api_as(username).post(f"{PREFIX}/search/", {"enterprise_customer_slug": slug}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "may_not_see_page"), username


@pytest.mark.parametrize(
    "body",
    [{}, {"enterprise_customer_slug": "/"}, {"enterprise_customer_uuid": "acme"}, {"enterprise_customer_slug": {}}],
)
def test_a_request_that_names_no_customer_makes_no_sense(api_as, world, body):
    answer = api_as("ada").post(f"{PREFIX}/dashboard/", body, format="json")
    assert answer.status_code == 400
    assert answer.json().keys() >= SHAPE


def test_a_body_that_is_a_list_names_no_customer(api_as, world):
    assert api_as("ada").post(f"{PREFIX}/dashboard/", ["acme"], format="json").status_code == 400


def test_without_a_token_there_is_no_page(world):
    body = {"enterprise_customer_slug": "acme"}
    assert APIClient().post(f"{PREFIX}/dashboard/", body, format="json").status_code == 401


def test_who_came_with_a_session_has_no_token_to_show_to_the_neighbours(world, admin_client):
    answer = admin_client.post(f"{PREFIX}/dashboard/", {"enterprise_customer_slug": "acme"}, "application/json")
    assert answer.status_code == 403


def test_who_belongs_nowhere_any_more_is_told_that_there_is_nothing(simulator, world, api_as, open_page):
    client: Any = APIClient()
    token = simulator.tokens.token_for("grace", roles=[f"enterprise_learner:{ACME}"])
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    answer = client.post(f"{PREFIX}/dashboard/", {"enterprise_customer_uuid": str(ACME)}, format="json")
    assert answer.status_code == 404
    assert answer.json()["enterprise_customer"] is None
    assert answer.json()["enterprise_customer_user_subsidies"]["subscriptions"] == EMPTY_SUBSCRIPTIONS
    assert len(answer.json()["errors"]) == 1


def test_a_customer_without_the_portal_is_left_out_with_a_warning(open_page):
    opened = open_page("heidi", slug="globex/")
    assert (opened.status, opened.slug) == (404, None)
    assert opened.body["all_linked_enterprise_customer_users"] == []
    assert opened.body["active_enterprise_customer"] is None
    assert "switched off for the customer globex" in opened.body["warnings"][0]["developer_message"]


def test_another_customer_without_the_portal_does_not_stop_the_page(open_page):
    opened = open_page("frank", slug="acme/")
    assert (opened.status, opened.slug) == (200, "acme")
    assert [row["enterprise_customer"]["slug"] for row in opened.body["all_linked_enterprise_customer_users"]] == [
        "acme"
    ]
    assert len(opened.body["warnings"]) == 1


def test_a_learner_who_was_just_linked_is_not_told_no_from_memory(world, open_page):
    assert open_page("peter", slug="initech/").status == 200
    world.link(username="peter", customer="acme")
    assert open_page("peter", slug="acme/").slug == "acme"


def test_search_is_off_where_people_find_courses_in_their_own_system(world, open_page):
    assert open_page("nina", slug="hooli/").body["enterprise_customer"]["disable_search"] is False
    assert open_page("ada").body["enterprise_customer"]["disable_search"] is False


# --- The LMS does not answer ---------------------------------------------------------------------------------------


def test_without_the_lms_the_page_shows_what_is_remembered_and_says_so(simulator, open_page, clock):
    assert open_page("ada").missing == []
    clock.shift(3600)
    simulator.faults.add("unreachable", "lms.*", times=None)
    opened = open_page("ada")
    assert (opened.status, opened.slug) == (200, "acme")
    assert any(text.startswith("The learner's customers") for text in opened.missing)
    assert opened.body["enterprise_customer"]["admin_users"] == []
    assert opened.license_statuses == ["activated"]


def test_without_the_lms_and_without_a_cache_the_tables_tell_whose_page_it_is(simulator, open_page):
    open_page("ada")
    cache.clear()
    simulator.faults.add("unreachable", "lms.*", times=None)
    opened = open_page("ada")
    assert (opened.status, opened.slug, opened.license_statuses) == (200, "acme", ["activated"])
    assert opened.body["enterprise_customer"]["name"] == "Acme Learning"
    assert any(text.startswith("The learner's customers") for text in opened.missing)


def test_what_is_older_than_a_day_is_not_shown(simulator, open_page, clock):
    open_page("ada")
    clock.shift(25 * 3600)
    simulator.faults.add("unreachable", "lms.*", times=None)
    assert open_page("ada").status == 503


def test_without_the_lms_and_without_memory_the_body_is_complete_and_503(simulator, open_page):
    simulator.faults.add("status", "lms.learners", status=500, times=None)
    opened = open_page("ada")
    assert (opened.status, opened.slug) == (503, None)
    assert opened.headers["Retry-After"] == "5"
    assert opened.missing == ["The learner's customers could not be loaded: lms server_error"]


def test_a_customer_that_memory_lacks_is_unknown_and_not_refused(simulator, world, open_page):
    open_page("peter", slug="initech/")
    world.link(username="peter", customer="acme")
    simulator.faults.add("status", "lms.learners", status=500, times=None)
    assert open_page("peter", slug="acme/").status == 503

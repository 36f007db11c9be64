"""Thirteen ways in which pages of the learner portal are known to have failed elsewhere, and ours do not."""

import logging

import pytest

from enterprise_access.apps.bff.selectors.remembered import note_in_vain
from enterprise_access.apps.bff.tests.pages import BUSY_SECONDS, EMPTY_SUBSCRIPTIONS
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    BULK,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    LINUX_RUN,
    MAX,
    PROJECT,
    PROJECT_RUN,
    asked,
    intend,
    request_of,
    visit,
    work,
)
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERSHIP, GLOBEX, HOOLI
from simulator.values import LicenseStatus

pytestmark = pytest.mark.django_db

AUTO_APPLY = "license_manager.auto_apply"
OWN_ENROLLMENTS = "lms.own_enrollments"
BUDGET_SECONDS = 2.5


@pytest.fixture(autouse=True)
def _short_wait(settings):
    """No worker works beside these tests, so there is nothing to wait for."""
    settings.PORTAL_BUDGET_SECONDS = BUDGET_SECONDS


def nobody_works(lms_user_id: int) -> None:
    """Spare a page the waiting for a worker, as if it had been in vain a moment ago."""
    note_in_vain(lms_user_id=lms_user_id, customer_uuid=ACME)


def test_1_a_failed_auto_apply_is_one_error_and_the_rest_of_the_page_is_there(simulator, open_page):
    intend(DEMO, customer=HOOLI)
    simulator.faults.add("status", AUTO_APPLY, status=422, body='"none left"', times=None)
    opened = open_page("nina", slug="hooli")
    assert opened.status == 200
    assert [type(text) for text in opened.missing] == [str]
    assert opened.body["default_enterprise_enrollment_intentions"]["enrollment_statuses"]
    assert opened.realizations == {DEMO: "pending"}


def test_2_of_an_enrollment_that_half_succeeded_every_item_is_told_as_it_is(world, open_page):
    intend(DEMO, LINUX)
    world.change_run(run_key=LINUX_RUN, is_full=True)
    nobody_works(ADA)
    visit(ADA)
    opened = open_page("ada")
    assert opened.realizations == {DEMO: "enrolled", LINUX: "blocked"}
    assert (opened.runs, opened.missing) == ([DEMO_RUN], [])


def test_3_a_license_that_covers_no_intention_is_no_error(world, open_page):
    world.change_plan(plan_uuid=ACME_ANNUAL, catalog_uuid=ACME_LEADERSHIP)
    world.change_catalog(catalog_uuid=ACME_LEADERSHIP, course_keys=(PROJECT,))
    intend(DEMO)
    nobody_works(ADA)
    visit(ADA)
    opened = open_page("ada")
    assert (opened.status, opened.missing) == (200, [])
    rows = opened.body["default_enterprise_enrollment_realizations"]
    assert [(row["enrollment_status"], row["reason"]) for row in rows] in (
        [("blocked", "license_not_in_catalog")],
        [("pending", "license_not_in_catalog")],
    )
    assert asked(world, BULK) == 0


@pytest.mark.parametrize(
    ("endpoint", "keys"),
    [
        ("license_manager.learner_licenses", ["net_days_until_expiration"]),
        ("license_manager.learner_licenses", ["subscription_for_auto_applied_licenses"]),
        ("lms.learners", ["site", "branding_configuration", "enterprise_notification_banner", "contact_email"]),
        ("lms.learners", ["title", "text", "learner_portal_sidebar_content", "identity_provider", "admin_users"]),
    ],
)
def test_4_nulls_neither_break_the_page_nor_get_into_the_body(simulator, open_page, endpoint, keys):
    simulator.faults.add("null_keys", endpoint, keys=keys, times=None)
    opened = open_page("nina", slug="hooli")
    assert (opened.status, opened.missing) == (200, [])
    assert opened.body["enterprise_customer"]["site"].keys() == {"domain", "name"}


def test_4_with_no_known_end_of_the_plans_nothing_is_applied(simulator, world, open_page):
    keys = ["net_days_until_expiration"]
    simulator.faults.add("null_keys", "license_manager.learner_licenses", keys=keys, times=None)
    assert open_page("nina", slug="hooli").license_statuses == []
    assert asked(world, AUTO_APPLY) == 0


def test_5_a_learner_with_two_plans_is_enrolled_through_both(world, open_page):
    intend(LINUX, PROJECT)
    nobody_works(MAX)
    open_page("max")
    assert work().realized == 2
    opened = open_page("max")
    assert opened.realizations == {LINUX: "enrolled", PROJECT: "enrolled"}
    assert sorted(opened.runs) == sorted([LINUX_RUN, PROJECT_RUN])
    assert request_of(MAX)


def test_6_pages_that_load_one_after_the_other_activate_and_enroll_once(world, open_page):
    intend(DEMO)
    nobody_works(BEN)
    for page in ("dashboard", "search", "dashboard", "search"):
        open_page("ben", page)
        work()
    assert asked(world, "license_manager.license_activation") == 1
    assert asked(world, BULK) == 1


def test_7_no_license_is_shown_twice_when_several_were_activated(world, open_page):
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal", status=LicenseStatus.ASSIGNED)
    world.add_license(plan_uuid=ACME_ANNUAL, username="ben", status=LicenseStatus.ASSIGNED)
    for username in ("hal", "ben"):
        rows = open_page(username).subscriptions["subscription_licenses"]
        assert len({row["uuid"] for row in rows}) == len(rows)
        assert "activated" in [row["status"] for row in rows]


def test_8_failed_enrollments_are_one_error_and_not_two(simulator, open_page):
    simulator.faults.add("status", OWN_ENROLLMENTS, status=500, times=None)
    opened = open_page("ada")
    assert opened.missing == ["The learner's enrollments could not be loaded: lms server_error"]
    assert opened.body["enterprise_course_enrollments"] == []
    assert all(rows == [] for rows in opened.body["all_enrollments_by_status"].values())


def test_9_without_a_search_key_there_is_still_an_object_and_a_portal(simulator, open_page):
    simulator.faults.add("status", "catalog.search_key", status=500, times=None)
    opened = open_page("ada")
    assert opened.status == 200
    assert opened.body["algolia"] == {"secured_algolia_api_key": None, "valid_until": None}
    assert opened.body["catalog_uuids_to_catalog_query_uuids"] == {}
    assert opened.missing == ["The search key could not be loaded: enterprise-catalog server_error"]
    assert opened.license_statuses == ["activated"]


def test_10_everything_follows_the_customer_that_is_shown(simulator, world, open_page, api_as):
    """Heidi's token still says acme. She belongs to globex alone: that is what she is shown, with all that is in it."""
    world.change_customer(customer="globex", has_learner_portal=True)
    intend(DEMO)
    token = simulator.tokens.token_for("heidi", roles=[f"enterprise_learner:{ACME}", f"enterprise_learner:{GLOBEX}"])
    client = api_as("heidi")
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    body = {"enterprise_customer_uuid": str(ACME)}
    shown = client.post("/api/v1/bffs/learner/dashboard/", body, format="json").json()
    assert shown["enterprise_customer"]["slug"] == "globex"
    plans = shown["enterprise_customer_user_subsidies"]["subscriptions"]["subscription_licenses"]
    assert [row["subscription_plan"]["title"] for row in plans] == ["Globex engineering plan"]
    assert shown["default_enterprise_enrollment_intentions"]["enterprise_customer_uuid"] == str(GLOBEX)
    assert shown["default_enterprise_enrollment_realizations"] == []


def test_11_after_an_enrollment_the_page_shows_it_at_once(world, open_page):
    intend(DEMO)
    nobody_works(ADA)
    open_page("ada")
    work()
    opened = open_page("ada")
    assert opened.runs == [DEMO_RUN]
    statuses = opened.body["default_enterprise_enrollment_intentions"]["enrollment_statuses"]
    assert len(statuses["already_enrolled"]) == 1


def test_11_addresses_of_certificates_and_people_are_not_logged(simulator, world, open_page, caplog):
    visited = "https://credentials.example.com/certificates/0123456789abcdef"
    intend(DEMO)
    visit(ADA)
    row = open_page("ada").body["enterprise_course_enrollments"][0]
    body = (
        f'[{{"certificate_download_url": "{visited}", "course_run_id": "{DEMO_RUN}", "course_run_status": "completed",'
        ' "created": "2026-11-21T20:04:30+00:00", "start_date": null, "end_date": null, "display_name": "Demo",'
        ' "course_run_url": null, "due_dates": [], "pacing": null, "org_name": null, "is_revoked": false,'
        ' "is_enrollment_active": true, "mode": null, "resume_course_run_url": null}]'
    )
    simulator.faults.add("status", OWN_ENROLLMENTS, status=200, body=body, times=None)
    with caplog.at_level(logging.DEBUG):
        opened = open_page("ada")
    assert opened.body["enterprise_course_enrollments"][0]["link_to_certificate"] == visited
    assert opened.body["enterprise_course_enrollments"][0]["can_unenroll"] is False
    assert row["can_unenroll"] is True
    for secret in (visited, "ada@example.com", "Lovelace", opened.body["algolia"]["secured_algolia_api_key"]):
        assert secret not in caplog.text


@pytest.mark.parametrize("endpoint", ["catalog.search_key", "catalog.*", "lms.*", "license_manager.*"])
def test_12_no_neighbour_holds_a_page_up_for_longer_than_its_budget(simulator, open_page, endpoint):
    intend(DEMO)
    simulator.faults.add("hang", endpoint, times=None)
    assert open_page("ada").seconds < BUDGET_SECONDS + BUSY_SECONDS


def test_13_a_moment_without_the_lms_is_no_no_and_is_over_at_once(simulator, open_page):
    simulator.faults.add("status", "lms.learners", status=500, times=None)
    assert open_page("ada").status == 503
    simulator.faults.clear()
    opened = open_page("ada")
    assert (opened.status, opened.slug, opened.missing) == (200, "acme", [])


def test_13_a_moment_without_the_licenses_is_no_no_and_is_over_at_once(simulator, world, open_page):
    simulator.faults.add("status", "license_manager.learner_licenses", status=500, times=None)
    opened = open_page("ben")
    assert opened.subscriptions == EMPTY_SUBSCRIPTIONS
    assert opened.missing == ["The learner's licenses could not be loaded: license-manager server_error"]
    simulator.faults.clear()
    assert open_page("ben").license_statuses == ["activated"]


def test_who_has_no_license_does_not_wait_for_what_cannot_come(open_page):
    intend(DEMO)
    opened = open_page("hal")
    assert opened.realizations == {DEMO: "pending"}
    assert opened.seconds < 0.88 * BUDGET_SECONDS
    assert request_of(HAL)

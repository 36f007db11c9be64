"""Every call of a page, and everything that a neighbour may do with it: the body is there in time, complete and valid
(`open_page` holds it to our API document), and lacks nothing but what the call was for."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.core.cache import cache

from enterprise_access.apps.bff.tests.pages import BUSY_SECONDS, Open, Opened
from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, DEMO_RUN, intend, visit
from enterprise_access.lib import breaker
from enterprise_access.upstream import connections
from simulator.app import Simulator
from tests.tally import Tally

pytestmark = [pytest.mark.django_db, pytest.mark.faults]

BUDGET_SECONDS = 3.0
# What a page says of default enrollments, and of enrollments.
DEFAULTS = {"default_enterprise_enrollment_intentions", "default_enterprise_enrollment_realizations"}
COURSES = {"enterprise_course_enrollments", "all_enrollments_by_status"}
SEARCH = {"algolia", "catalog_uuids_to_catalog_query_uuids"}
SUBSIDIES = {"enterprise_customer_user_subsidies"}

# Each call of a learner's page, with what it is for.
CALLS = {
    "lms.own_enrollments": COURSES,
    "platform.enrollments": DEFAULTS,
    "license_manager.learner_licenses": SUBSIDIES | DEFAULTS,
    "catalog.search_key": SEARCH,
    "catalog.catalogs": DEFAULTS,
    "catalog.catalog_content": DEFAULTS,
}
NULLABLE = {
    "lms.learners": [
        *("auth_org_id", "site", "branding_configuration", "identity_provider", "contact_email", "sender_alias"),
        *(
            "reply_to",
            "enterprise_notification_banner",
            "default_language",
            "country",
            "logo",
            "primary_color",
            "title",
        ),
        *("admin_users", "learner_portal_sidebar_content", "enable_pathways", "enable_programs", "enable_academies"),
        *("enterprise_features", "display_name", "created", "identity_providers"),
    ],
    "lms.own_enrollments": [
        *("certificate_download_url", "start_date", "end_date", "course_run_url", "pacing", "org_name", "mode"),
        *("resume_course_run_url", "course_key", "course_type", "enroll_by", "emails_enabled", "micromasters_title"),
    ],
    "license_manager.learner_licenses": [
        *("user_email", "activation_date", "last_remind_date", "revoked_date", "activation_key", "next"),
        *("enterprise_catalog_uuid", "should_auto_apply_licenses", "customer_agreement", "enterprise_customer_slug"),
        *("default_enterprise_catalog_uuid", "net_days_until_expiration", "subscription_for_auto_applied_licenses"),
        *("has_custom_license_expiration_messaging_v2", "modal_header_text_v2", "button_label_in_modal_v2"),
        *("expired_subscription_modal_messaging_v2", "url_for_button_in_modal_v2"),
    ],
    "catalog.catalog_content": ["advertised_course_run_uuid", "enrollment_start", "enrollment_end", "end", "seats"],
    "catalog.catalogs": ["content_last_modified"],
    "platform.enrollments": ["created"],
}
JSON = {"body": '{"detail": "No."}', "times": None}
FAULTS: dict[str, dict[str, Any]] = {
    "time-out": {"kind": "hang", "times": None},
    "500 html": {"kind": "status", "status": 500, "times": None},
    "403": {"kind": "status", "status": 403, **JSON},
    "404": {"kind": "status", "status": 404, **JSON},
    "malformed": {"kind": "malformed_json", "times": None},
    "a page for people": {"kind": "html", "times": None},
}


@pytest.fixture(autouse=True)
def _counted(tally: Tally) -> None:
    tally.of("test-faults").add(faults_of_pages=1)


@pytest.fixture(autouse=True)
def _budget(settings: Any) -> None:
    settings.PORTAL_BUDGET_SECONDS = BUDGET_SECONDS
    settings.REALIZE_WAITERS = 16


@pytest.fixture
def healthy(world: Any, open_page: Open) -> Opened:
    """Return Ada's dashboard while all is well, with one default enrollment; nothing of it is remembered."""
    intend(DEMO)
    visit(ADA)
    opened = open_page("ada")
    assert (opened.missing, opened.runs) == ([], [DEMO_RUN])
    _forget_everything()
    return opened


def _forget_everything() -> None:
    cache.clear()
    connections.forget()
    breaker._breaker_of.cache_clear()
    EnterpriseLearner.objects.all().delete()


def faults_in_turn(simulator: Simulator, endpoint: str) -> Iterator[str]:
    """Let the endpoint fail in every way, one after the other: a world of its own for each would cost a minute."""
    for name, fault in FAULTS.items():
        _forget_everything()
        simulator.faults.add(endpoint=endpoint, **fault)
        yield name
        simulator.faults.clear()


def in_time(open_page: Open, *args: Any, **wanted: Any) -> Opened:
    opened = open_page(*args, **wanted)
    assert opened.seconds < BUDGET_SECONDS + BUSY_SECONDS
    return opened


def differences(one: Opened, other: Opened) -> set[str]:
    """Return the members in which two pages differ, apart from the errors and from times of reading."""
    found = {key for key in one.body if one.body[key] != other.body[key]} - {"errors"}
    dates = {"facts_fetched_at", "stale"}
    statuses = [page.body["default_enterprise_enrollment_intentions"] for page in (one, other)]
    if all(statuses) and all(statuses[0][key] == statuses[1][key] for key in statuses[0].keys() - dates):
        found.discard("default_enterprise_enrollment_intentions")
    return found - {"algolia"} if all(page.body["algolia"]["valid_until"] for page in (one, other)) else found


@pytest.mark.parametrize("endpoint", CALLS)
def test_the_page_lacks_only_what_the_failed_call_was_for(simulator, open_page, healthy, endpoint):
    for fault in faults_in_turn(simulator, endpoint):
        opened = in_time(open_page, "ada")
        assert (opened.status, opened.slug) == (200, "acme"), fault
        assert differences(healthy, opened) <= CALLS[endpoint], fault
        # A catalog that does not answer is no error of the page: the intention says so itself.
        assert opened.missing or endpoint.startswith(("catalog.catalog", "platform.")), fault


@pytest.mark.parametrize("endpoint", ["lms.learners", "lms.access_token", "lms.*"])
def test_without_the_learners_customers_the_body_is_complete_and_says_so(simulator, open_page, endpoint):
    for fault in faults_in_turn(simulator, endpoint):
        opened = in_time(open_page, "ada")
        assert (opened.status, bool(opened.missing)) == (503, True), fault


@pytest.mark.parametrize("endpoint", NULLABLE)
def test_nulls_wherever_they_may_be_break_nothing(simulator, open_page, healthy, endpoint):
    simulator.faults.add("null_keys", endpoint, keys=NULLABLE[endpoint], times=None)
    opened = in_time(open_page, "ada")
    assert (opened.status, opened.slug, opened.missing) == (200, "acme", [])


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("endpoint", "username", "slug"),
    [("license_manager.license_activation", "ben", "acme"), ("license_manager.auto_apply", "nina", "hooli")],
)
def test_a_license_that_cannot_be_taken_is_one_error(simulator, open_page, endpoint, username, slug, fault):
    simulator.faults.add(endpoint=endpoint, **FAULTS[fault])
    opened = in_time(open_page, username, slug=slug)
    assert (opened.status, opened.slug) == (200, slug)
    assert opened.body["algolia"]["valid_until"]
    # What was done although the answer cannot be read is seen when the licenses are read once more.
    assert opened.missing or opened.license_statuses == ["activated"]


def test_staff_without_the_customer_are_told_so(simulator, open_page):
    for fault in faults_in_turn(simulator, "lms.customers"):
        opened = in_time(open_page, "enterprise_access_worker")
        assert (opened.status, bool(opened.missing)) == (503, True), fault


# --- Really waiting --------------------------------------------------------------------------------------------------


@pytest.fixture
def real_waiting(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a switch that makes a call that runs into its time limit take that time."""
    inner = requests.adapters.HTTPAdapter.send

    def send(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        try:
            return inner(self, request, *args, **kwargs)
        except requests.ReadTimeout:
            time.sleep(kwargs["timeout"][1])
            raise

    return lambda: monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)


@pytest.mark.parametrize(
    ("endpoint", "lacks"),
    [
        ("catalog.*", SEARCH | DEFAULTS),
        ("license_manager.*", SUBSIDIES | DEFAULTS),
        ("platform.*", DEFAULTS),
        ("lms.own_enrollments", COURSES),
    ],
)
def test_with_a_neighbour_that_hangs_the_page_is_there_in_time(
    simulator, open_page, healthy, real_waiting, endpoint, lacks
):
    real_waiting()
    simulator.faults.add("hang", endpoint, times=None)
    opened = in_time(open_page, "ada")
    assert (opened.status, opened.slug) == (200, "acme")
    assert differences(healthy, opened) <= lacks


def test_a_platform_that_hangs_keeps_nobody_from_a_license(simulator, open_page, real_waiting):
    intend(DEMO)
    real_waiting()
    simulator.faults.add("hang", "platform.*", times=None)
    opened = in_time(open_page, "ben")
    assert (opened.status, opened.license_statuses) == (200, ["activated"])
    # A page does not ask the platform: it shows what is stored, and waits for the workers only.
    assert opened.missing == []


@pytest.mark.parametrize("endpoint", ["lms.*", "lms.customers"])
def test_what_failed_twice_is_one_error(simulator, open_page, endpoint):
    simulator.faults.add("status", endpoint, status=500, times=None)
    assert len(open_page("enterprise_access_worker").missing) == 1


def test_with_the_lms_hanging_the_remembered_page_is_there_in_time(simulator, open_page, real_waiting, clock):
    open_page("ada")
    clock.shift(600)
    real_waiting()
    simulator.faults.add("hang", "lms.*", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    opened = in_time(open_page, "ada")
    assert (opened.status, opened.slug, opened.license_statuses) == (200, "acme", ["activated"])
    assert opened.body["algolia"]["valid_until"]

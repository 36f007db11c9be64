"""The portal's pages come with the token in two cookies: it goes on to the neighbours that answer its owner alone."""

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.bff.tests.pages import PREFIX

pytestmark = pytest.mark.django_db

AS_LEARNER = {"license_manager.learner_licenses", "catalog.search_key", "lms.own_enrollments"}


def test_a_page_of_another_origin_loads_with_cookies_and_a_csrf_token(simulator, world):
    browser = APIClient(enforce_csrf_checks=True)
    head, claims, signature = simulator.tokens.token_for("ada").split(".")
    browser.cookies["edx-jwt-cookie-header-payload"] = f"{head}.{claims}"
    browser.cookies["edx-jwt-cookie-signature"] = signature
    origin = {"origin": "https://portal.test", "use-jwt-cookie": "true"}
    token = browser.get("/csrf/api/v1/token", headers=origin).json()["csrfToken"]

    answer = browser.post(
        f"{PREFIX}/dashboard/",
        {"enterprise_customer_slug": "acme/"},
        format="json",
        headers={**origin, "x-csrftoken": token},
    )

    assert answer.status_code == 200, answer.content
    assert answer.json()["errors"] == []
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    callers = {call.endpoint: call.caller for call in world.journal.calls()}
    assert {endpoint for endpoint, caller in callers.items() if caller == "ada"} == AS_LEARNER

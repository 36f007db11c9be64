"""The portal's pages call from another origin, with the LMS's cookies: what browsers ask first, and what is refused."""

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from simulator.seed import ACME

pytestmark = pytest.mark.django_db

PORTAL = "https://portal.test"
REALIZE = "/api/v1/default-enterprise-enrollment-intentions/realize/"
TOKEN = "/csrf/api/v1/token"


@pytest.fixture
def browser(simulator):
    """A browser in which Ada has signed in at the LMS: it has the two halves of her token."""
    client = APIClient(enforce_csrf_checks=True)
    head, claims, signature = simulator.tokens.token_for("ada").split(".")
    client.cookies["edx-jwt-cookie-header-payload"] = f"{head}.{claims}"
    client.cookies["edx-jwt-cookie-signature"] = signature
    return client


def post(browser, **headers):
    return browser.post(
        REALIZE, {"enterprise_customer_uuid": str(ACME)}, format="json", headers={"origin": PORTAL, **headers}
    )


def test_a_page_of_the_portal_fetches_a_token_and_posts(browser):
    asked = browser.get(TOKEN, headers={"origin": PORTAL, "use-jwt-cookie": "true"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (200, PORTAL)
    assert asked.headers["Access-Control-Allow-Credentials"] == "true"
    answer = post(browser, **{"use-jwt-cookie": "true", "x-csrftoken": asked.json()["csrfToken"]})
    assert answer.status_code == 200, answer.content
    assert answer.headers["Access-Control-Allow-Origin"] == PORTAL
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("origin", [PORTAL, "https://support-tools.test"])
def test_browsers_that_ask_first_may_send_what_the_portals_send(browser, settings, origin, method):
    settings.CORS_ALLOWED_ORIGINS = [PORTAL, "https://support-tools.test"]
    answer = browser.options(
        REALIZE,
        headers={
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": "content-type,use-jwt-cookie,x-csrftoken,x-request-id",
        },
    )
    assert answer.status_code == 200
    allowed = {name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"content-type", "use-jwt-cookie", "x-csrftoken", "x-request-id"} <= allowed
    assert method in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == origin


def test_another_origin_gets_no_permission(browser):
    answer = browser.get(TOKEN, headers={"origin": "https://elsewhere.example.com"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_post_with_cookies_alone_is_refused_and_told_what_is_missing(browser):
    answer = post(browser, **{"use-jwt-cookie": "true"})
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert "/csrf/api/v1/token" in answer.json()["detail"]
    assert "X-CSRFToken" in answer.json()["detail"]


def test_a_token_that_was_made_up_is_refused(browser):
    browser.get(TOKEN)
    assert post(browser, **{"x-csrftoken": "a" * 32}).json()["code"] == "csrf_failed"


def test_a_post_from_another_origin_is_refused_whatever_it_brings(browser):
    token = browser.get(TOKEN).json()["csrfToken"]
    answer = post(browser, **{"origin": "https://elsewhere.example.com", "x-csrftoken": token})
    assert answer.status_code == 403
    assert set(answer.json()) == {"code", "detail", "extra", "request_id"}


def test_reading_needs_the_cookies_only(browser):
    answer = browser.get(
        f"/api/v1/default-enterprise-enrollment-intentions/learner-status/?enterprise_customer_uuid={ACME}",
        headers={"origin": PORTAL},
    )
    assert answer.status_code == 200


def test_an_expired_cookie_is_no_cookie(browser, simulator):
    from datetime import timedelta

    head, claims, signature = simulator.tokens.token_for("ada", expires_in=-timedelta(minutes=1)).split(".")
    browser.cookies["edx-jwt-cookie-header-payload"] = f"{head}.{claims}"
    browser.cookies["edx-jwt-cookie-signature"] = signature
    assert post(browser).status_code == 401


def test_while_the_database_is_away_a_cookie_is_not_taken_for_none(browser):
    def away(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    address = f"/api/v1/default-enterprise-enrollment-intentions/?enterprise_customer_uuid={ACME}"
    with connection.execute_wrapper(away):
        answer = browser.get(address)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "5")

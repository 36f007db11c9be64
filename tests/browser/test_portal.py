"""The learner portal in a browser: a page of another origin, with the LMS's cookies and a CSRF token for each POST."""

from typing import Any

import pytest
import requests
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# What the portal's own code does, word for word of the wire.
LOAD = """async ([service, page, slug]) => {
  const {csrfToken} = await (await fetch(`${service}/csrf/api/v1/token`, {credentials: "include"})).json();
  const answer = await fetch(`${service}/api/v1/bffs/learner/${page}/`, {
    method: "POST", credentials: "include",
    headers: {"Content-Type": "application/json", "use-jwt-cookie": "true", "x-csrftoken": csrfToken},
    body: JSON.stringify({enterprise_customer_slug: slug}),
  });
  return [answer.status, await answer.json()];
}"""
WITHOUT_TOKEN = """async ([service]) => (await fetch(`${service}/api/v1/bffs/learner/search/`, {
    method: "POST", credentials: "include",
    headers: {"Content-Type": "application/json", "use-jwt-cookie": "true"},
    body: JSON.stringify({enterprise_customer_slug: "acme/"}),
  })).status"""


@pytest.fixture
def portal(system: Any, visitor: Any) -> Any:
    """Return a tab of the portal's origin in which Ada has signed in."""
    page = visitor()
    page.goto(system.simulator)
    page.evaluate(
        """() => fetch("/portal/sign-in", {method: "POST", headers: {"Content-Type": "application/json"},
                                          body: JSON.stringify({username: "ada", customer: "acme"})})"""
    )
    return page


@pytest.mark.parametrize("name", ["dashboard", "search", "academy", "skills-quiz"])
def test_the_four_pages_load_from_another_origin(system, portal, name):
    status, body = portal.evaluate(LOAD, [system.web, name, "acme/"])
    assert status == 200, body
    assert body["enterprise_customer"]["slug"] == "acme"
    assert body["algolia"]["valid_until"]
    assert body["errors"] == []


def test_without_a_csrf_token_nothing_is_done(system, portal):
    assert portal.evaluate(WITHOUT_TOKEN, [system.web]) in {401, 403}


def test_a_page_that_is_loaded_again_and_says_the_same_asks_no_longer(system, visitor):
    page = visitor()
    page.goto(system.simulator)
    page.get_by_label("Learner").select_option("hal@acme")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#status")).to_contain_text("You have no license.")
    page.get_by_role("button", name="Load the page again").click()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#status-note")).to_have_text("")


def test_the_simulated_portal_shows_the_page_of_a_new_learner(system, visitor):
    """Nina has no license: the page applies one, and shows it."""
    page = visitor()
    page.goto(system.simulator)
    page.get_by_label("Learner").select_option("nina@hooli")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#subscription")).to_have_text("Your subscription: Hooli auto-apply plan.")
    log = requests.get(f"{system.simulator}/control/log", timeout=10).json()
    endpoints = [call["endpoint"] for call in log["calls"]]
    assert endpoints.count("license_manager.auto_apply") == 1

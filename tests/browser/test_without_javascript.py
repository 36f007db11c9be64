"""The pages of staff work without JavaScript: what they do is done by forms and links."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

CUSTOMER = "Hooli"
# In no catalog of Hooli's, so that it takes a second thought to save it.
COURSE = "edX+RestrictX"


@pytest.fixture
def page(staff) -> Page:
    return staff(java_script_enabled=False)


def test_a_default_enrollment_is_added_deleted_and_restored(page):
    _look_up(page)
    expect(page.locator("#preview")).to_contain_text("no learners would be enrolled")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errorlist")).to_contain_text("Tick the box")
    page.get_by_label("Save it anyway").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messagelist")).to_contain_text(f"the learners of {CUSTOMER} start with {COURSE}")

    page.get_by_role("link", name=COURSE).first.click()
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("main")).to_contain_text("You can restore it later.")
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator(".messagelist")).to_contain_text("deleted")

    _look_up(page)
    expect(page.locator("#preview")).to_contain_text("existed, and was deleted")
    page.get_by_role("button", name="Restore it").click()
    expect(page.locator(".messagelist")).to_contain_text(f"Restored: {COURSE}")


def test_the_overview_leads_to_a_customer_and_to_why(page):
    page.get_by_role("link", name="Overview").first.click()
    page.get_by_label("One customer").fill("hooli")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Overview: {CUSTOMER}")
    page.get_by_role("link", name="Why is a learner not enrolled?").click()
    page.get_by_label("LMS user id").fill("5001")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("5001")


def _look_up(page: Page) -> None:
    page.goto("/admin/default_enrollments/defaultenterpriseenrollmentintention/add/")
    page.get_by_role("combobox", name="Customer").fill(CUSTOMER)
    page.get_by_role("textbox", name="Content key").fill(COURSE)
    page.get_by_role("button", name="Look it up").click()

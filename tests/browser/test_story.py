"""The story of the README, as people see it: staff configure, a learner comes, the run is closed, and staff ask why.

Everything is real: the processes of `make run`, two browsers, and HTTP between all of them. The pictures in the docs
are taken here (make screenshots).
"""

import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.looking import look, look_wide_and_narrow

pytestmark = pytest.mark.browser

CUSTOMER, SLUG = "Acme Learning", "acme"
COURSE, TITLE, RUN = "edX+DemoX", "edX Demonstration Course", "course-v1:edX+DemoX+2026_T1"
# Both have a license. Ada comes while the run is open, Max after it was closed.
ADA, MAX = 1001, 1009
LIST = "table#result_list"


def test_staff_see_what_became_of_what_they_configured(system, staff, visitor):
    page = staff()
    look(page, "story-1-admin")

    _configure(page)

    learner = _come(system, visitor(), "ada")
    expect(_card(learner, "#courses", TITLE)).to_contain_text("Enrolled, verified")
    expect(_card(learner, "#status", TITLE)).to_contain_text("You are enrolled.")
    look(learner, "story-4-learner")

    _see_the_realization(page)
    _close_the_run(system)
    _see_the_warning(page)

    latecomer = _come(system, visitor(), "max")
    expect(_card(latecomer, "#status", TITLE)).to_contain_text("Enrollment in this course is closed.")
    expect(latecomer.locator("#courses")).not_to_contain_text(TITLE)
    look(latecomer, "story-9-latecomer")

    _ask_why(page)


def _configure(page: Page) -> None:
    """Staff choose the customer, name a course, see what that stands for, and save it."""
    page.get_by_role("link", name="Enterprise customers", exact=True).first.click()
    page.get_by_role("link", name=CUSTOMER).click()
    expect(page.locator("#intentions")).not_to_contain_text(COURSE)
    page.get_by_role("link", name="Add a default enrollment").click()

    expect(page.get_by_role("combobox", name="Customer")).to_have_value(SLUG)
    page.get_by_role("textbox", name="Content key").fill(COURSE)
    page.get_by_role("button", name="Look it up").click()
    preview = page.locator("#preview")
    expect(_told(preview, "Course")).to_contain_text(TITLE)
    expect(_told(preview, "Run")).to_have_text(RUN)
    expect(_told(preview, "Mode")).to_contain_text("verified")
    expect(_told(preview, "Enrollment")).to_contain_text("UTC")
    expect(_told(preview, "Catalogs of the customer that contain it")).to_contain_text("3")
    expect(preview).to_contain_text("A new learner would be enrolled in it.")
    look(page, "story-2-preview")

    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messagelist")).to_contain_text(f"the learners of {CUSTOMER} start with {COURSE}")
    expect(_row(page, COURSE)).to_contain_text(RUN)
    look(page, "story-3-configured")


def _come(system: Any, page: Page, username: str) -> Page:
    """A learner comes to the portal, with nothing so far."""
    page.goto(system.simulator)
    page.get_by_label("Learner").select_option(f"{username}@{SLUG}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My courses")).to_be_visible()
    return page


def _see_the_realization(page: Page) -> None:
    """Staff load the customer's page again, and follow the number to the learner."""
    page.reload()
    expect(_row(page, COURSE)).to_contain_text("Healthy.")
    _row(page, COURSE).get_by_role("link", name="1", exact=True).first.click()
    expect(page.locator(LIST)).to_contain_text(RUN)
    expect(page.locator(LIST)).to_contain_text(str(ADA))
    look(page, "story-5-realization")


def _close_the_run(system: Any) -> None:
    """The course team ends the enrollment, and nobody tells us."""
    closed = requests.post(f"{system.simulator}/control/world/close_run", json={"run_key": RUN}, timeout=10)
    assert closed.ok, closed.text


def _see_the_warning(page: Page) -> None:
    """Staff have it checked, and see everywhere that nobody new is enrolled, and since when."""
    page.goto("/admin/customers/enterprisecustomer/")
    page.get_by_role("link", name=CUSTOMER).click()
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".messagelist")).to_contain_text(f"Different from before: {COURSE}")
    expect(_row(page, COURSE)).to_contain_text("Enrollment in the run is closed.")
    expect(_row(page, COURSE)).to_contain_text("The end of enrollment is moved, or another run is advertised.")
    look(page, "story-6-warning")

    page.goto("/admin/")
    page.get_by_role("link", name="Overview").click()
    trouble = page.get_by_role("row").filter(has_text=COURSE).filter(has_text="Enrollment in the run is closed.")
    # Within the first second it reads "now".
    expect(trouble).to_contain_text(re.compile(r"UTC\s*(now|.+ago)"))
    expect(trouble).to_contain_text("another run is advertised")
    look(page, "story-7-overview")

    trouble.get_by_role("link", name=CUSTOMER).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Overview: {CUSTOMER}")
    look(page, "story-8-overview-of-customer")


def _ask_why(page: Page) -> None:
    """Support ask why one learner has the course and the other one has not."""
    page.goto("/admin/")
    page.get_by_role("link", name="Why?").click()
    look(page)
    _ask(page, MAX)
    answer = page.get_by_role("article").filter(has_text=COURSE)
    expect(answer).to_contain_text("Not enrolled")
    expect(answer).to_contain_text("Enrollment in the run is closed.")
    expect(answer).to_contain_text("another run is advertised")
    expect(page.locator("#answer")).to_contain_text("because enrollment in the run is closed.")
    page.get_by_text("Copy for ticket").click()
    expect(page.get_by_role("textbox", name="The answer as plain text")).to_have_value(re.compile("enrollment_closed"))
    page.get_by_text("Copy for ticket").click()
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".messagelist")).to_contain_text("Everything was read again just now.")
    look_wide_and_narrow(page, "story-10-why-not")

    _ask(page, ADA)
    expect(answer).to_contain_text("Enrolled")
    expect(page.locator("#answer")).to_contain_text(f"{TITLE}, paid by a license.")
    look(page, "story-11-why")


def _ask(page: Page, lms_user_id: int) -> None:
    page.get_by_label("Customer").fill(SLUG)
    page.get_by_label("LMS user id").fill(str(lms_user_id))
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(str(lms_user_id))


def _card(page: Page, where: str, title: str) -> Any:
    """Return what the portal says of one course, in the list of courses or in that of what everyone starts with."""
    return page.locator(where).get_by_role("listitem").filter(has_text=title)


def _row(page: Page, text: str) -> Any:
    """Return the row of an intention in the table of its customer."""
    return page.locator("#intentions").get_by_role("row").filter(has_text=text)


def _told(preview: Any, about: str) -> Any:
    """Return what a preview tells about one thing."""
    header = preview.page.get_by_role("rowheader", name=about, exact=True)
    return preview.get_by_role("row").filter(has=header).locator("td")

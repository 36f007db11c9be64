"""Everybody can use the pages: an accessibility engine reads each of them, wide and narrow, light and dark."""

import pytest
from playwright.sync_api import expect

from tests.browser.looking import look

pytestmark = pytest.mark.browser

ACME = "acae0000-0000-4000-8000-000000000001"
ADA = 1001
ENROLLMENTS = "/admin/default_enrollments"
INTENTIONS = f"{ENROLLMENTS}/defaultenterpriseenrollmentintention"
PAGES = (
    "/admin/",
    "/admin/overview/",
    f"/admin/overview/{ACME}/",
    "/admin/why/",
    f"/admin/why/?customer=acme&lms_user_id={ADA}",
    f"/admin/activity/{ACME}/",
    "/admin/neighbours/",
    "/admin/customers/enterprisecustomer/",
    "/admin/customers/enterprisecustomer/add/",
    f"/admin/customers/enterprisecustomer/{ACME}/change/",
    "/admin/customers/enterpriselearner/",
    f"{INTENTIONS}/",
    f"{INTENTIONS}/add/",
    f"{INTENTIONS}/import/",
    f"{INTENTIONS}/pause-everything/",
    f"{INTENTIONS}/resume-everything/",
    f"{INTENTIONS}/pause/{ACME}/",
    f"{INTENTIONS}/resume/{ACME}/",
    f"{INTENTIONS}/import-from-lms/",
    f"{INTENTIONS}/check-all/",
    f"{INTENTIONS}/backfill/{ACME}/",
    "/admin/jobs/job/",
    "/admin/provisioning/workflow/create-budget/",
    "/admin/redemption/redemptionattempt/explain/",
    f"{ENROLLMENTS}/defaultenterpriseenrollmentrealization/",
    f"{ENROLLMENTS}/realizationattempt/",
    f"{ENROLLMENTS}/realizationrequest/",
    f"{ENROLLMENTS}/realizationrequest/look/",
    f"{ENROLLMENTS}/realizationoverride/",
    f"{ENROLLMENTS}/realizationoverride/add/",
)
# Widgets of Django and waffle in these lack a label, or have one where none is allowed.
WITH_FOREIGN_WIDGETS = {
    "/admin/auth/group/add/",
    "/admin/core/accessroleassignment/add/",
    "/admin/course_types/courseruntype/add/",
    "/admin/course_types/coursetype/add/",
    "/admin/waffle/switch/add/",
}
SIZES = {"wide": {"width": 1280, "height": 800}, "narrow": {"width": 390, "height": 844}}


@pytest.fixture
def visited(system, visitor):
    """Let a learner come, so that there is something in the lists."""
    page = visitor()
    page.goto(system.simulator)
    page.get_by_label("Learner").select_option("ada@acme")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#courses")).to_contain_text("Enrolled")
    return page


@pytest.mark.parametrize(("size", "colours"), [("wide", "light"), ("narrow", "light"), ("wide", "dark")])
def test_the_pages_of_staff(visited, staff, size, colours):
    page = staff(viewport=SIZES[size], color_scheme=colours)
    for path in PAGES:
        answer = page.goto(path)
        assert answer.status == 200, path
        assert page.get_by_role("main").count() == 1, path
        assert page.get_by_role("heading", level=1).count() >= 1, path
        look(page)


@pytest.mark.parametrize("size", SIZES)
def test_every_page_that_the_start_of_the_admin_links_to(staff, size):
    page = staff(viewport=SIZES[size])
    page.goto("/admin/")
    links = page.get_by_role("main").locator("a").evaluate_all("all => all.map(one => one.pathname)")
    paths = sorted(
        {path for path in links if path.startswith("/admin/") and path.count("/") >= 4}
        - {*PAGES, *WITH_FOREIGN_WIDGETS}
    )
    assert len(paths) > 30, paths
    for path in paths:
        assert page.goto(path).status == 200, path
        look(page)


@pytest.mark.parametrize("size", SIZES)
def test_the_learner_portal(visited, visitor, size):
    look(visited)
    page = visitor(viewport=SIZES[size])
    page.goto(visited.url)
    expect(page.get_by_label("Learner")).to_be_visible()
    look(page)


@pytest.mark.parametrize("size", SIZES)
def test_the_admin_portal(system, visitor, size):
    page = visitor(viewport=SIZES[size])
    page.goto(f"{system.simulator}/admin-portal/")
    expect(page.get_by_label("Administrator")).to_be_visible()
    look(page)


def test_the_page_before_signing_in(system, visitor):
    page = visitor(base_url=system.web)
    page.goto("/admin/")
    look(page)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Username").fill("demo")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".errornote")).to_be_visible()
    look(page)


def test_a_page_that_says_what_is_wrong(staff):
    page = staff()
    page.goto(f"{INTENTIONS}/add/?customer={ACME}")
    page.get_by_role("textbox", name="Content key").fill("no key at all")
    page.get_by_role("button", name="Look it up").click()
    expect(page.locator(".errorlist").first).to_be_visible()
    look(page)

"""The story of a new customer, as its people see it: provisioned, budgets, default courses, credit, a refund, and why.

Everything is real: the processes of `make run`, a browser for each person, and HTTP between all of them. The pictures
in the docs are taken here (make screenshots).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.customer_pages import Course, budget_of, listed, open_course, reload_until
from tests.browser.customer_story import NAME, SLUG, Customer
from tests.browser.looking import look, look_wide_and_narrow

pytestmark = pytest.mark.browser

LINE_ITEM = "00k000000000002AAA"
ENGINEERS_BUDGET, ASSIGNED_BUDGET, REQUEST_BUDGET = "Engineers choose", "Given by managers", "Browse and request"


DEFAULT = Course(key="edX+DemoX", title="edX Demonstration Course")
CHOSEN = Course(key="IBM+DS0101EN", title="Introduction to Data Science")
ASSIGNED = Course(key="UBCx+HTC1", title="How to Code: Simple Data")
REQUESTED = Course(key="MicrosoftX+CLOUD1", title="Cloud Foundations")


def test_a_new_customer_from_its_first_day_to_a_refund(system: Any, staff: Callable[..., Page], visitor: Any) -> None:
    customer = _provisioned(system)
    page = staff()
    _create_budgets(page, customer)
    _add_default_enrollment(page, customer)

    lena = _come(system, visitor(), "lena")
    expect(listed(lena, DEFAULT)).to_contain_text("Enrolled, verified")
    cora = _come(system, visitor(), "cora")
    expect(listed(cora, DEFAULT)).to_contain_text("Enrolled, verified")
    _redeem_and_leave(cora)

    nora = _administer(system, visitor())
    _assign(nora, "asa@aurora.example.com")
    asa = _come(system, visitor(), "asa")
    _read_mail(system, visitor())
    _take_assignment(asa)

    rita = _come(system, visitor(), "rita")
    _request(rita)
    _approve(nora)
    _take_request(rita)
    _switch_enrolling(nora)

    _see_the_money(nora, page)
    _explain(page, customer)


def _provisioned(system: Any) -> Customer:
    """An operator makes one call; then people register at the LMS."""
    customer = Customer(system=system)
    customer.provision()
    customer.add_admin("nora", "Field")
    for username, last_name in [("lena", "Weber"), ("cora", "Silva"), ("asa", "Lind"), ("rita", "Moss")]:
        customer.add_learner(username, last_name)
    customer.add_license("lena")
    customer.add_group("cora")
    return customer


# --- staff ------------------------------------------------------------------------------------------------------------


def _create_budgets(page: Page, customer: Customer) -> None:
    """Staff create an account with three budgets, and say who may spend from which."""
    spend, assigned = "PerLearnerSpendCreditAccessPolicy", "AssignedLearnerCreditAccessPolicy"
    _create_budget(page, customer, name=ENGINEERS_BUDGET, kind=spend, picture="customer-1-create-budget")
    _create_budget(page, customer, name=ASSIGNED_BUDGET, kind=assigned, picture="")
    _create_budget(page, customer, name=REQUEST_BUDGET, kind=spend, picture="")

    _open_budget(page, ENGINEERS_BUDGET)
    page.get_by_role("link", name="Add a group").click()
    page.get_by_label("Group").fill(customer.group_uuid)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("added successfully")
    _change_budget(page, ENGINEERS_BUDGET, "Pays for default enrollments")
    _change_budget(page, REQUEST_BUDGET, "Learners may browse and request")


def _create_budget(page: Page, customer: Customer, *, name: str, kind: str, picture: str) -> None:
    page.goto("/admin/provisioning/workflow/")
    page.get_by_role("link", name="Create a budget").click()
    now = datetime.now(UTC)
    fields = {
        "customer_uuid": customer.uuid,
        "title": "Aurora learner credit",
        "reference_id": LINE_ITEM,
        "starts_at_0": f"{now - timedelta(days=1):%Y-%m-%d}",
        "starts_at_1": "00:00:00",
        "expires_at_0": f"{now + timedelta(days=365):%Y-%m-%d}",
        "expires_at_1": "00:00:00",
        "starting_balance": "3000",
        "catalog_uuid": customer.catalog_uuid,
        "display_name": name,
        "spend_limit": "1000",
    }
    for field, value in fields.items():
        page.locator(f"[name={field}]").fill(value)
    page.get_by_label("Type").select_option(kind)
    look(page, picture)
    page.get_by_role("button", name="Create the budget").click()
    reload_until(page, "#id_state, .field-explanation", re.compile("is done|finished|Done", re.IGNORECASE))
    look(page, picture and "customer-2-workflow")


def _open_budget(page: Page, name: str) -> None:
    page.goto("/admin/subsidy_access_policies/subsidyaccesspolicy/")
    page.get_by_role("link", name=name).click()


def _change_budget(page: Page, name: str, box: str) -> None:
    _open_budget(page, name)
    page.get_by_label(box).check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("changed successfully")


def _add_default_enrollment(page: Page, customer: Customer) -> None:
    """Staff let every learner of the customer, which provisioning has made known here, start with a course."""
    page.goto(f"/admin/default_enrollments/defaultenterpriseenrollmentintention/add/?customer={customer.uuid}")
    page.get_by_role("textbox", name="Content key").fill(DEFAULT.key)
    page.get_by_role("button", name="Look it up").click()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".messagelist")).to_contain_text(f"the learners of {NAME} start with {DEFAULT.key}")


# --- learners and their administrator ---------------------------------------------------------------------------------


def _come(system: Any, page: Page, username: str) -> Page:
    page.goto(system.simulator)
    page.locator("#learner").select_option(f"{username}@{SLUG}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#credit-note")).to_contain_text("learner credit", ignore_case=True)
    return page


def _administer(system: Any, page: Page) -> Page:
    page.goto(f"{system.simulator}/admin-portal/")
    page.get_by_label("Administrator").select_option(f"nora@{SLUG}")
    page.get_by_role("button", name="Sign in").click()
    expect(budget_of(page, ENGINEERS_BUDGET)).to_be_visible()
    return page


def _redeem_and_leave(page: Page) -> None:
    """Cora finds a course, redeems it, and leaves it."""
    open_course(page, CHOSEN)
    expect(page.locator("#course-says")).to_have_text("Your organization pays for this course.")
    expect(page.locator("#course-price")).to_have_text("Price: $149.00.")
    page.get_by_role("button", name=f"Enroll: {CHOSEN.title}").click()
    expect(page.locator("#message")).to_contain_text(f"You were successfully enrolled in {CHOSEN.title}.")
    expect(listed(page, CHOSEN)).to_contain_text("Enrolled, verified")
    look_wide_and_narrow(page, "customer-3-redeemed")
    page.get_by_role("button", name=f"Leave {CHOSEN.title}").click()
    expect(listed(page, CHOSEN)).to_contain_text("Left")


def _assign(page: Page, address: str) -> None:
    """Nora assigns a course to an address."""
    budget = budget_of(page, ASSIGNED_BUDGET)
    budget.get_by_label("Course to assign").select_option(ASSIGNED.key)
    budget.get_by_label("Email addresses").fill(address)
    budget.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator("#message")).to_have_text("1 assigned, 0 had this course already.")
    expect(budget).to_contain_text("Pending: $149.00")
    expect(budget.get_by_role("listitem")).to_contain_text(address)
    look_wide_and_narrow(page, "customer-4-assigned")


def _read_mail(system: Any, page: Page) -> None:
    page.goto(f"{system.simulator}/mails/")
    mail = page.locator("details").filter(has_text="asa@aurora.example.com")
    reload_until(page, "body", re.compile("asa@aurora.example.com"))
    expect(mail.first).to_contain_text(ASSIGNED.title)
    look(page, "customer-5-mail")


def _take_assignment(page: Page) -> None:
    """Asa sees what was assigned, and takes it."""
    card = page.locator("#credit").get_by_role("listitem").filter(has_text=ASSIGNED.title)
    expect(card).to_contain_text("Assigned")
    card.get_by_role("button", name="Open").click()
    look_wide_and_narrow(page, "customer-6-assignment")
    page.get_by_role("button", name=f"Enroll: {ASSIGNED.title}").click()
    expect(listed(page, ASSIGNED)).to_contain_text("Enrolled, verified")


def _request(page: Page) -> None:
    """Rita asks for a course."""
    open_course(page, REQUESTED)
    page.get_by_role("button", name=f"Request enrollment: {REQUESTED.title}").click()
    expect(page.locator("#course-says")).to_have_text("Awaiting approval.")
    look_wide_and_narrow(page, "customer-7-requested")


def _approve(page: Page) -> None:
    """Nora reads the request, and approves it."""
    page.get_by_role("button", name="Refresh").click()
    budget = budget_of(page, REQUEST_BUDGET)
    request = budget.get_by_role("listitem").filter(has_text=REQUESTED.title)
    request.get_by_role("button", name=f"Approve: {REQUESTED.title}").click()
    expect(page.locator("#message")).to_have_text("The request is approved.")
    expect(request).to_contain_text("approved")
    expect(budget).to_contain_text("Pending: $149.00")


def _switch_enrolling(page: Page) -> None:
    """Nora has approvals enroll learners, and thinks better of it."""
    page.get_by_role("button", name="Enroll learners: after an approval").click()
    expect(page.locator("#message")).to_have_text("Approvals enroll learners from now on.")
    page.get_by_role("button", name="Enroll no one: after an approval").click()
    expect(page.locator("#message")).to_have_text("Learners choose the course run from now on.")


def _take_request(page: Page) -> None:
    """Rita finds her request approved, and enrolls."""
    page.get_by_role("button", name="Load the page again").click()
    card = page.locator("#credit").get_by_role("listitem").filter(has_text=REQUESTED.title)
    expect(card).to_contain_text("Approved")
    card.get_by_role("button", name="Open").click()
    page.get_by_role("button", name=f"Enroll: {REQUESTED.title}").click()
    expect(listed(page, REQUESTED)).to_contain_text("Enrolled, verified")


# --- the money, and why -----------------------------------------------------------------------------------------------


def _see_the_money(admin: Page, page: Page) -> None:
    """Nora sees in her portal, and staff in the admin pages, what was spent and what came back."""
    budget = budget_of(admin, ENGINEERS_BUDGET)
    for _ in range(20):
        admin.get_by_role("button", name="Refresh").click()
        admin.wait_for_timeout(1500)
        if "Spent: $149.00" in budget.inner_text():
            break
    expect(budget).to_contain_text("Available: $851.00 · Pending: $0.00 · Spent: $149.00")
    expect(budget.get_by_role("listitem").filter(has_text=CHOSEN.title)).to_contain_text("refunded")
    expect(budget_of(admin, ASSIGNED_BUDGET)).to_contain_text("Available: $851.00 · Pending: $0.00 · Spent: $149.00")
    expect(budget_of(admin, REQUEST_BUDGET)).to_contain_text("Available: $851.00 · Pending: $0.00 · Spent: $149.00")
    look_wide_and_narrow(admin, "customer-8-admin-portal")

    _open_budget(page, ENGINEERS_BUDGET)
    money = page.locator("section.money")
    expect(money.get_by_role("row").filter(has_text=CHOSEN.run)).to_contain_text("reversed")
    expect(money.get_by_role("row").filter(has_text="Free")).to_contain_text("$851.00")
    look_wide_and_narrow(page, "customer-9-budget")


def _explain(page: Page, customer: Customer) -> None:
    """Support find out about each learner."""
    ids = customer.lms_user_ids
    page.goto(f"/admin/why/?customer={SLUG}&lms_user_id={ids['lena']}")
    answer = page.get_by_role("article").filter(has_text=DEFAULT.key)
    expect(answer).to_contain_text("The learner is already enrolled in a paid mode.")
    look_wide_and_narrow(page, "customer-10-why-license")

    _explain_credit(page, learner=ids["cora"], course=DEFAULT)
    expect(page.locator("#content")).to_contain_text("The learner has redeemed this run")
    look(page, "customer-11-why-credit")
    _explain_credit(page, learner=ids["cora"], course=CHOSEN)
    expect(page.locator("#content")).to_contain_text("refunded")
    look(page, "customer-12-why-refunded")

    page.goto("/admin/content_assignments/learnercontentassignment/?q=asa@aurora.example.com")
    page.locator("#result_list").get_by_role("link").filter(has_text=ASSIGNED.title).click()
    for line in ("state: accepted", "mail: "):
        expect(page.locator("#content")).to_contain_text(line)
    look(page, "customer-13-assignment")

    page.goto("/admin/subsidy_requests/subsidyrequest/?q=rita@aurora.example.com")
    page.locator("#result_list").get_by_role("link", name=str(ids["rita"])).click()
    for line in ("requested", "approved", "accepted"):
        expect(page.locator(".field-timeline")).to_contain_text(line)
    look(page, "customer-14-request")


def _explain_credit(page: Page, *, learner: int, course: Course) -> None:
    page.goto("/admin/redemption/redemptionattempt/explain/")
    page.get_by_label("Customer").fill(SLUG)
    page.get_by_label("LMS user ID").fill(str(learner))
    page.get_by_label("Run key").fill(course.run)
    page.get_by_role("button", name="Explain").click()

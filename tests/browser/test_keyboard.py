"""Everything can be done with the keyboard alone, and one always sees where one is."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

HOOLI = "b0011000-0000-4000-8000-000000000005"
ADD = "/admin/default_enrollments/defaultenterpriseenrollmentintention/add/"
# More stops than any page has before its main content is through.
MOST_STOPS = 150

# What has the focus: its role in the page, what it is called, and how it looks.
FOCUSED = """() => {
  const it = document.activeElement, style = getComputedStyle(it);
  const label = it.labels && it.labels.length ? it.labels[0].textContent : "";
  const box = it.getBoundingClientRect();
  return {
    tag: it.tagName, name: (it.getAttribute("aria-label") || label || it.value || it.textContent || "").trim(),
    look: [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow, style.borderColor,
           style.textDecorationLine, style.color, style.backgroundColor].join("|"),
    is_in_sight: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""
UNFOCUSED_LOOK = """() => {
  const it = document.activeElement;
  it.blur();
  const style = getComputedStyle(it);
  const look = [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow, style.borderColor,
                style.textDecorationLine, style.color, style.backgroundColor].join("|");
  it.focus({focusVisible: true});
  return look;
}"""


def test_the_first_stop_leads_past_the_menus(staff):
    page = staff()
    page.goto("/admin/overview/")
    page.keyboard.press("Tab")
    assert _focused(page)["name"] == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("() => document.getElementById('content').contains(document.activeElement)")
    assert inside, _focused(page)


def test_a_default_enrollment_is_looked_up_and_saved_without_a_mouse(staff):
    page = staff()
    page.goto(f"{ADD}?customer={HOOLI}")
    _go_to(page, "Content key:")
    page.keyboard.type("HarvardX+CS50")
    page.keyboard.press("Tab")
    assert _focused(page)["name"] == "Look it up", "the main action comes right after the last field"
    page.keyboard.press("Enter")
    expect(page.locator("#preview")).to_contain_text("HarvardX+CS50")
    _go_to(page, "Save")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("the learners of Hooli start with HarvardX+CS50")


@pytest.mark.parametrize("path", [f"{ADD}?customer={HOOLI}", "/admin/overview/", "/admin/why/"])
def test_one_always_sees_where_one_is(staff, path):
    page = staff()
    page.goto(path)
    stops = 0
    page.keyboard.press("Tab")
    while _focused(page)["tag"] != "BODY" and stops < MOST_STOPS:
        stops += 1
        focused = _focused(page)
        assert focused["is_in_sight"], focused
        assert focused["look"] != page.evaluate(UNFOCUSED_LOOK), focused
        page.keyboard.press("Tab")
    assert 5 < stops < MOST_STOPS


def test_a_learner_signs_in_and_out_without_a_mouse(system, visitor):
    page = visitor()
    page.goto(system.simulator)
    expect(page.get_by_label("Learner").locator("option").first).to_be_attached()
    page.keyboard.press("Tab")
    assert _focused(page)["name"] == "Skip to the content"
    _go_to(page, "Learner")
    _go_to(page, "Sign in")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My courses")).to_be_focused()
    _go_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Learner")).to_be_focused()


def _go_to(page: Page, name: str) -> None:
    """Press Tab until the focus is at what has this name."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if _focused(page)["name"] == name:
            return
    pytest.fail(f"The keyboard never reaches {name!r} on {page.url}")


def _focused(page: Page) -> dict:
    return page.evaluate(FOCUSED)

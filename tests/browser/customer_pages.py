"""What is found on the pages of the story of a new customer."""

import re
from typing import Any

from attrs import frozen
from playwright.sync_api import Page, expect


@frozen(kw_only=True)
class Course:
    key: str
    title: str

    @property
    def run(self) -> str:
        return f"course-v1:{self.key}+2026_T1"


def open_course(page: Page, course: Course) -> None:
    page.locator("#course").select_option(course.key)
    page.get_by_role("button", name="Open the course page").click()
    expect(page.locator("#course-name")).to_have_text(course.title)


def listed(page: Page, course: Course) -> Any:
    """Return what My courses says of a course."""
    return page.locator("#courses").get_by_role("listitem").filter(has_text=course.title)


def budget_of(page: Page, name: str) -> Any:
    return page.get_by_role("region", name=name)


def reload_until(page: Page, selector: str, text: re.Pattern[str]) -> None:
    """Load a page that does not renew itself until a worker has done its part."""
    for _ in range(30):
        if text.search(page.locator(selector).first.inner_text()):
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(selector).first).to_contain_text(text)

"""What is done with every page in the browser: an accessibility engine reads it, and it may become a picture."""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

IMAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "images"
# Of minor, moderate, serious and critical.
GRAVE = {"serious", "critical"}


NARROW: ViewportSize = {"width": 390, "height": 844}


def look_wide_and_narrow(page: Page, picture: str) -> None:
    """Look at a page as on a desk, and as on a phone."""
    look(page, picture)
    wide = page.viewport_size
    page.set_viewport_size(NARROW)
    look(page, f"{picture}-narrow")
    if wide:
        page.set_viewport_size(wide)


def look(page: Page, picture: str = "") -> None:
    """Fail when somebody could not read or use the page; with SCREENSHOTS=1, keep the `picture` for the docs."""
    if picture and os.environ.get("SCREENSHOTS"):
        # What sticks to the window is where it is before anybody scrolls.
        page.evaluate("() => window.scrollTo(0, 0)")
        page.screenshot(path=IMAGES / f"{picture}.png", full_page=True, animations="disabled")
    grave = [finding for finding in Axe().run(page).response["violations"] if finding["impact"] in GRAVE]
    if grave:
        pytest.fail(f"{page.url} cannot be used by everybody:\n" + "\n".join(map(_told, grave)))


def _told(finding: dict) -> str:
    lines = [f"{finding['impact']}: {finding['help']} ({finding['id']})"]
    return "\n".join([*lines, *(f"  {node['html'][:200]}\n    {node['failureSummary']}" for node in finding["nodes"])])

"""A real browser, and the whole system of `make run` for it. Left out unless asked for (make test-browser)."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from embedded_system import Differs, System, is_free  # noqa: E402

# How long a page may take to show what it should. The worker's part of the story is in there.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def system(tmp_path_factory: Any) -> Iterator[System]:
    """Start the system in a folder and on ports of its own; afterwards nothing of it is left."""
    system = System(tmp_path_factory.mktemp("system"))
    try:
        system.start()
        yield system
    except Differs as error:
        pytest.fail(f"{error}:\n{system.log()}")
    finally:
        system.stop()
    assert all(is_free(port) for port in system.ports), "something of the system is still there"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the machine's own browser (BROWSER names another one)."""
    with sync_playwright() as playwright:
        path = os.environ.get("BROWSER", "/usr/bin/chromium")
        started = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return how to open a browser of somebody's own, with cookies of its own. A script's error fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def visit(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-US"} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def staff(system: System, visitor: Callable[..., Page]) -> Callable[..., Page]:
    """Return how to open a browser in which staff have signed in to the admin pages."""

    def sign_in(**options: Any) -> Page:
        page = visitor(base_url=system.web, **options)
        page.goto("/admin/")
        page.get_by_label("Username").fill("demo")
        page.get_by_label("Password").fill(system.password)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="At a glance").wait_for()
        return page

    return sign_in

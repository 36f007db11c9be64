"""Which customer is the selected one changes at the LMS, by the portal: it is never remembered beyond that."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from enterprise_access.apps.bff.selectors.remembered import RememberedLinks, remember_links, remembered_links
from enterprise_access.apps.bff.tests.pages import PAGES, Open
from enterprise_access.apps.customers.selectors import list_active_customers
from enterprise_access.upstream import lms
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db

FRANK = 2003


@pytest.fixture
def both(world: Any) -> Any:
    """Let both customers of Frank use the portal; Globex is the selected one."""
    world.change_customer(customer="globex", has_learner_portal=True)
    return world


@pytest.fixture
def load(both: Any, open_page: Open, simulator: Any, settings: Any) -> Callable[..., tuple[str, bool]]:
    """Return a function that does what the portal does: load a page, and select the customer if told to."""

    def load(slug: str, page: str = "search", *, switches: bool = True) -> tuple[str, bool]:
        body = open_page("frank", page, slug=f"{slug}/").body
        told = body["should_update_active_enterprise_customer_user"]
        if told and switches:
            answer = requests.post(
                f"{settings.LMS_BASE_URL}/enterprise/select/active/",
                data={"enterprise": body["enterprise_customer"]["uuid"]},
                headers={"Authorization": f"JWT {simulator.tokens.token_for('frank')}"},
                timeout=5,
            )
            assert answer.status_code == 200
        return body["active_enterprise_customer"]["slug"], told

    return load


def test_a_switch_is_seen_by_the_next_page(load):
    assert load("acme") == ("globex", True)
    assert load("acme") == ("acme", False)
    assert load("acme") == ("acme", False)


@pytest.mark.parametrize("page", PAGES)
def test_switching_to_and_fro_the_portal_and_the_lms_agree_after_each_page(load, both, page):
    for slug in ("acme", "globex", "acme", "acme", "globex", "globex"):
        load(slug, page)
        (link,) = (link for link in both.links_of("frank") if link.is_active)
        assert both.customer(link.customer_uuid).slug == slug


def test_as_long_as_the_portal_has_not_switched_it_is_told_what_is_so(load):
    assert load("acme", switches=False) == ("globex", True)
    assert load("globex") == ("globex", False)
    assert load("acme", switches=False) == ("globex", True)
    assert load("acme") == ("globex", True)
    assert load("globex") == ("acme", True)


def test_a_switch_in_another_tab_while_one_page_was_loading_is_not_forgotten(load):
    before = RememberedLinks(
        links=lms.from_settings().list_portal_links(lms_user_id=FRANK), fetched_at=_long_before_now()
    )
    load("acme")
    load("acme")
    remember_links(before, lms_user_id=FRANK)
    assert load("globex") == ("acme", True)


def test_after_the_switch_the_lms_is_not_asked_for_each_page(load, calls):
    load("acme")
    load("acme")
    calls()
    load("acme")
    assert "lms.learners" not in calls()


def test_no_copy_says_which_customer_is_the_selected_one_after_the_portal_was_told(load, clock):
    load("acme", "dashboard")
    since = _long_before_now()
    assert list_active_customers(lms_user_ids=[FRANK], fetched_since=since) == {}
    clock.shift(1)
    load("acme", "dashboard")
    assert list_active_customers(lms_user_ids=[FRANK], fetched_since=since) == {FRANK: ACME}
    assert remembered_links(lms_user_id=FRANK).active.uuid == ACME


@pytest.mark.parametrize("wanted", [{"slug": "globex/"}, {"uuid": GLOBEX}])
def test_a_customer_without_the_portal_gives_way_to_the_selected_one(world, open_page, wanted):
    world.link(username="frank", customer="acme")
    opened = open_page("frank", **wanted)
    assert (opened.status, opened.slug) == (200, "acme")
    assert opened.body["should_update_active_enterprise_customer_user"] is False
    assert "switched off for the customer globex" in opened.body["warnings"][0]["developer_message"]


def _long_before_now() -> datetime:
    return timezone.now() - timedelta(seconds=1)

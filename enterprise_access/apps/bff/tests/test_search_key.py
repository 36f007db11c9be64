"""The key for the search engine: the learner's own, and never one that is all but over."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.core.models import User
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

SEARCH_KEY = "catalog.search_key"
NO_KEY = {"secured_algolia_api_key": None, "valid_until": None}


def life_of(opened):
    """Return how long the key of a page is valid."""
    return datetime.fromisoformat(opened.body["algolia"]["valid_until"]) - timezone.now()


def key_of(opened):
    return opened.body["algolia"]["secured_algolia_api_key"]


def test_a_key_is_asked_for_once_and_used_while_it_is_valid(open_page, calls, clock):
    first = open_page("ada", "search")
    clock.shift(50 * 60)
    assert key_of(open_page("ada", "search")) == key_of(first)
    assert calls().count(SEARCH_KEY) == 1


@pytest.mark.parametrize("minute", range(0, 70, 3))
def test_a_key_is_never_served_with_less_than_its_minute_and_margin(open_page, clock, minute):
    open_page("ada", "search")
    clock.shift(minute * 60)
    assert life_of(open_page("ada", "search")) >= timedelta(seconds=90)


def test_a_new_key_that_is_all_but_over_is_not_served_and_not_kept(simulator, open_page, calls):
    soon = (timezone.now() + timedelta(seconds=80)).isoformat()
    body = f'{{"algolia": {{"secured_api_key": "short", "valid_until": "{soon}"}},'
    body += ' "catalog_uuids_to_catalog_query_uuids": {}}'
    simulator.faults.add("status", SEARCH_KEY, status=200, body=body, times=1)
    opened = open_page("ada", "search")
    assert opened.body["algolia"] == NO_KEY
    assert opened.missing[0].startswith("The search key could not be loaded")
    assert key_of(open_page("ada", "search")) not in {None, "short"}


def test_the_time_has_a_z_and_no_offset_beside_it(open_page):
    text = open_page("ada").body["algolia"]["valid_until"]
    assert text.endswith("Z")
    assert "+" not in text


def test_learners_whose_local_ids_are_swapped_do_not_get_each_others_key(world, open_page):
    """Ada's row here has Ben's id at the LMS, and the other way round: only the LMS's ids may tell them apart."""
    User.objects.create(pk=1002, username="ada", lms_user_id=1001)
    User.objects.create(pk=1001, username="ben", lms_user_id=1002)
    ada, ben = open_page("ada"), open_page("ben")
    assert key_of(ada) != key_of(ben)
    assert key_of(open_page("ada")) == key_of(ada)
    assert key_of(open_page("ben")) == key_of(ben)
    assert [row["user_email"] for row in open_page("ada").subscriptions["subscription_licenses"]] == ["ada@example.com"]


def test_each_customer_has_a_key_of_its_own(world, open_page):
    world.change_customer(customer="globex", has_learner_portal=True)
    assert key_of(open_page("frank", slug="acme")) != key_of(open_page("frank", slug="globex"))


def test_the_catalogs_come_with_the_key(open_page):
    found = open_page("ada", uuid=ACME).body["catalog_uuids_to_catalog_query_uuids"]
    assert len(found) == 4

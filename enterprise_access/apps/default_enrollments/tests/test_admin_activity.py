"""The activity of a customer: who did what, when and why."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import RealizationOverride
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, HAL, LINUX, PROJECT, intend
from enterprise_access.lib import activity
from enterprise_access.lib.activity import Done, Position, get_activity
from simulator.seed import ACME, GLOBEX

PAGE = reverse("activity", args=[ACME])

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(world, django_user_model) -> Client:
    """Return a superuser."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


def text_of(answer) -> str:
    page = re.sub(r"(?s)<style>.*?</style>", "", answer.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def override(intention, lms_user_id=ADA, **facts) -> RealizationOverride:
    return RealizationOverride.objects.create(
        intention=intention, lms_user_id=lms_user_id, by="sam", reason="Asked for it, ticket SUP-12", **facts
    )


def test_what_staff_did_is_told_with_who_and_why(staff):
    (intention,) = intend(DEMO)
    override(intention, cancelled_at=timezone.now(), cancelled_by="kim", cancel_reason="By mistake")
    staff.post(reverse("admin:pause_customer", args=[ACME]), {"reason": "Wrong catalog, SUP-13"})
    staff.post(reverse("admin:pause_everything"), {"reason": "Maintenance"})
    page = text_of(staff.get(PAGE))
    for told in (
        "Added the default enrollment edX+DemoX",
        f"sam Allowed re-enrollment of learner {ADA} in edX+DemoX Asked for it, ticket SUP-12",
        f"kim Cancelled the re-enrollment of learner {ADA} in edX+DemoX By mistake",
        "root Paused enrollments Wrong catalog, SUP-13",
        "root Paused enrollments of all customers Maintenance",
    ):
        assert told in page


def test_another_customer_is_not_told_of(staff):
    (intention,) = intend(DEMO, customer=GLOBEX)
    override(intention)
    intend(LINUX)
    assert "DemoX" not in text_of(staff.get(PAGE))


def test_the_customers_page_has_the_newest_and_leads_to_all(staff):
    intend(DEMO, LINUX)
    page = staff.get(reverse("admin:customers_enterprisecustomer_change", args=[ACME]))
    assert "Added the default enrollment LinuxFoundationX+LFS101x" in text_of(page)
    assert f'href="{PAGE}"' in page.content.decode()


def test_a_reader_sees_only_what_they_may_see(world, client, django_user_model):
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    user.user_permissions.add(
        Permission.objects.get(codename="view_enterprisecustomer"),
        Permission.objects.get(codename="view_realizationoverride"),
    )
    (intention,) = intend(DEMO)
    override(intention)
    page = text_of(client.get(PAGE))
    assert "Allowed re-enrollment" in page
    assert "Added the default enrollment" not in page


def test_pages_follow_each_other_without_losing_or_repeating_an_event(staff, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    (intention,) = intend(DEMO)
    for number in range(130):
        if number % 7 == 0:
            time_machine.shift(timedelta(seconds=1))
        override(intention, lms_user_id=number + 1)
    seen = []
    address = PAGE
    while address:
        answer = staff.get(address)
        seen += re.findall(r"of learner (\d+) in", text_of(answer))
        found = re.search(r'href="(\?[^"]+)" rel="next"', answer.content.decode())
        address = PAGE + unescape(found[1]) if found else ""
    assert sorted(map(int, seen)) == list(range(1, 131))


def test_many_events_of_one_instant_are_paged_as_well():
    at = datetime(2026, 11, 28, tzinfo=UTC)
    rows = [Done(at=at, what="It", key=f"{number:05}") for number in reversed(range(25))]
    name = "a source of this test"
    activity.register(name, lambda _, before, limit: rows[:limit], permission="x")
    try:
        first = get_activity(customer_uuid=ACME, may="x".__eq__, limit=10)
        second = get_activity(customer_uuid=ACME, may="x".__eq__, start=first.next, limit=10)
        third = get_activity(customer_uuid=ACME, may="x".__eq__, start=second.next, limit=10)
    finally:
        activity._sources.pop(name)
    assert first.next == Position(at=at, skip=10)
    assert [*first.events, *second.events, *third.events] == rows
    assert third.next is None


def test_a_source_that_fails_is_named_and_the_others_are_shown(staff):
    intend(DEMO)

    def fail(*_: object) -> list[Done]:
        raise RuntimeError

    activity.register("a broken source", fail, permission="customers.view_enterprisecustomer")
    try:
        page = text_of(staff.get(PAGE))
    finally:
        activity._sources.pop("a broken source")
    assert "Not everything could be read: a broken source." in page
    assert "Added the default enrollment" in page


@pytest.mark.parametrize(
    "query", ["before=yesterday", "before=2026-11-28", "before=2026-11-28T00:00:00Z&skip=-1", "skip=x"]
)
def test_an_address_that_makes_no_sense_shows_the_newest(staff, query):
    intend(DEMO)
    assert "Added the default enrollment" in text_of(staff.get(f"{PAGE}?{query}"))


def test_the_statements_do_not_grow(staff):
    (intention, other) = intend(DEMO, LINUX)
    override(intention)
    few = statements_of(staff)
    intend(PROJECT)
    delete_intention(other)
    override(intention, lms_user_id=HAL, cancelled_at=timezone.now())
    assert statements_of(staff) == few


def statements_of(client) -> int:
    client.get(PAGE)
    with CaptureQueriesContext(connection) as statements:
        assert client.get(PAGE).status_code == 200
    return len(statements)

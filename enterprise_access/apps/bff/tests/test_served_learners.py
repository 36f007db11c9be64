"""Pages of learners for whom nothing can change: they cost no background work, and no read that the LMS throttles."""

import pytest
from celery import current_app

from enterprise_access.apps.default_enrollments.tests.stories import (
    DEMO,
    DEMO_RUN,
    ask_for,
    asked,
    intend,
    realizations_of,
    visit,
    work,
)

pytestmark = pytest.mark.django_db

THROTTLED = "platform.enrollments"
CUSTOMERS = 12


@pytest.fixture
def messages(monkeypatch):
    """Note every message for the workers, with the jobs' names."""
    sent: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, **_: sent.append(name))
    return sent


def add_customers(world, count):
    """Add customers with one learner each, who has a license for the default course; return slug, uuid and learner."""
    found = []
    for number in range(count):
        slug = f"customer{number}"
        customer = world.add_customer(slug=slug, name=slug)
        world.add_agreement(customer=slug)
        catalog = world.add_catalog(customer=slug, title=slug, courses=[DEMO])
        plan = world.add_plan(customer=slug, catalog_uuid=catalog.uuid, title=slug)
        user = world.add_learner(username=f"person{number}", customer=slug)
        world.add_license(plan_uuid=plan.uuid, username=user.username)
        found.append((slug, customer.uuid, user))
    return found


def test_pages_of_served_learners_of_many_customers_cost_no_throttled_read_and_no_message(
    world, open_page, clock, messages, django_capture_on_commit_callbacks
):
    customers = add_customers(world, CUSTOMERS)
    for _, uuid, user in customers:
        intend(DEMO, customer=uuid)
        visit(user.id, customer=uuid)
    clock.shift(121)
    reads, links = asked(world, THROTTLED), asked(world, "lms.learners")
    messages.clear()
    with django_capture_on_commit_callbacks(execute=True):
        opened = [open_page(user.username, slug=slug) for slug, _, user in customers]
    assert [page.realizations for page in opened] == [{DEMO: "enrolled"}] * CUSTOMERS
    assert all(page.runs == [DEMO_RUN] and page.missing == [] for page in opened)
    work()
    assert (asked(world, THROTTLED) - reads, messages) == (0, [])
    # Each page asks for its learner's own links, and the workers ask for nobody's.
    assert asked(world, "lms.learners") - links <= CUSTOMERS


@pytest.mark.parametrize("page", ["dashboard", "search"])
@pytest.mark.parametrize("seconds", [0, 30, 121, 3600])
def test_a_reload_of_a_served_learner_asks_nothing_new_whenever_it_comes(world, open_page, clock, page, seconds):
    intend(DEMO)
    open_page("ada", page)
    work()
    clock.shift(seconds)
    reads = asked(world, THROTTLED)
    for _ in range(5):
        open_page("ada", page)
        assert work().learners == 0
    assert asked(world, THROTTLED) == reads


@pytest.mark.parametrize("seconds", [0, 30])
@pytest.mark.parametrize("username", ["hal", "ada"])
def test_a_reload_within_a_minute_of_a_learner_whom_something_stands_in_the_way_of_asks_nothing_new(
    world, open_page, clock, username, seconds
):
    intend("MITx+6.00.1x", DEMO)  # The first resolves to no run; for the second hal has no license.
    visit(world.user(username).id)
    clock.shift(seconds)
    reads = asked(world, THROTTLED)
    for _ in range(3):
        open_page(username)
        assert work().learners == 0
    assert asked(world, THROTTLED) == reads


def test_what_stood_in_the_way_and_is_gone_is_news_within_the_minute_too(world, open_page, clock):
    intend(DEMO)
    visit(world.user("hal").id)
    clock.shift(10)
    world.add_license(plan_uuid=world.licenses_of("ada")[0].plan_uuid, username="hal")
    open_page("hal")
    assert work().realized == 1


def test_a_downgraded_learner_with_a_new_license_is_evaluated_at_once(world, open_page, clock):
    """Nothing tells us that a license was revoked, and the next comparison may be hours away."""
    intend(DEMO)
    ada = world.user("ada")
    visit(ada.id)
    (old,) = world.licenses_of("ada")
    world.revoke(license_uuid=old.uuid)
    clock.shift(600)
    # Without a license a page would change nothing, and costs no evaluation.
    for _ in range(2):
        open_page("ada")
        assert work().learners == 0
    world.add_license(plan_uuid=old.plan_uuid, username="ada")
    clock.shift(10)
    open_page("ada")
    assert work().realized == 1
    assert world.enrollment("ada", DEMO_RUN).mode == "verified"
    clock.shift(121)
    open_page("ada")
    assert work().learners == 0


def test_a_page_after_leaving_costs_one_combined_read_and_no_evaluation(
    world, open_page, clock, messages, django_capture_on_commit_callbacks
):
    intend(DEMO)
    visit(world.user("ada").id)
    clock.shift(121)
    world.leave(username="ada", run_key=DEMO_RUN)
    reads = asked(world, THROTTLED)
    messages.clear()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(5):
            opened = open_page("ada")
    assert opened.runs == []
    assert (asked(world, THROTTLED) - reads, messages) == (0, ["customers.read_wanted_enrollments"])
    current_app.tasks["customers.read_wanted_enrollments"].apply()
    open_page("ada")
    (realization,) = realizations_of(world.user("ada").id).values()
    assert realization.left_at is not None
    assert (asked(world, THROTTLED) - reads, work().learners) == (1, 0)


def test_a_newcomers_page_shows_the_enrollment_without_a_read_of_its_own(world, open_page, monkeypatch, settings):
    import time

    intend(DEMO)
    settings.REALIZE_WAITERS = 16
    monkeypatch.setattr(time, "sleep", lambda _: work())
    opened = open_page("ada")
    assert (opened.realizations, opened.runs) == ({DEMO: "enrolled"}, [DEMO_RUN])
    statuses = opened.body["default_enterprise_enrollment_intentions"]["enrollment_statuses"]
    assert len(statuses["already_enrolled"]) == 1
    # The worker's.
    assert asked(world, THROTTLED) == 1


def test_a_page_that_was_evaluated_in_vain_does_not_keep_later_pages_from_waiting(world, open_page, simulator):
    from enterprise_access.apps.bff.selectors.remembered import was_in_vain
    from simulator.seed import ACME

    simulator.faults.add("status", "lms.enroll_learners", status=500, times=None)
    intend(DEMO)
    ask_for(world.user("ada").id)
    work()
    open_page("ada")
    assert not was_in_vain(lms_user_id=world.user("ada").id, customer_uuid=ACME)

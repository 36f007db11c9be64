"""Many learners at once: through the pages of the plans, where that is cheaper. A page that fails is never "none"."""

import pytest

from enterprise_access.apps.licenses.domain import LicenseStatus
from enterprise_access.apps.licenses.services import fetch_licenses, lookup
from enterprise_access.apps.licenses.services.lookup import FEW_LEARNERS, LICENSES_PER_PAGE
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERS, ACME_OPEN

ONE_BY_ONE = "license_manager.admin_license_view"
PLANS = "license_manager.subscriptions"
PAGES = "license_manager.licenses_of_plan"


def add(world, count, *, customer="acme", plan_uuid=ACME_ANNUAL):
    """Add learners with a license of the plan; return their addresses by LMS user id."""
    emails = {}
    for number in range(count):
        user = world.add_learner(username=f"learner{number:04}", customer=customer)
        world.add_license(plan_uuid=plan_uuid, username=user.username)
        emails[user.id] = user.email
    return emails


def fetch(emails, customer=ACME):
    return fetch_licenses(customer_uuid=customer, emails=emails)


def calls(world, endpoint):
    return len(world.journal.calls(endpoint=endpoint))


@pytest.fixture
def tiny(world):
    """Add a customer whose only plan has no license yet."""
    customer = world.add_customer(slug="tiny")
    catalog = world.add_catalog(customer="tiny", title="Everything")
    return world.add_plan(customer=customer.uuid, catalog_uuid=catalog.uuid)


# --- The cheaper way -------------------------------------------------------------------------------------------------


def test_up_to_a_few_learners_the_plans_are_not_even_asked_for(world):
    fetch(add(world, FEW_LEARNERS))
    assert (calls(world, ONE_BY_ONE), calls(world, PLANS), calls(world, PAGES)) == (FEW_LEARNERS, 0, 0)


def test_one_more_is_worth_asking_what_the_pages_would_cost(world):
    emails = add(world, FEW_LEARNERS + 1)
    found = fetch(emails)
    assert calls(world, PLANS) == 1
    assert calls(world, ONE_BY_ONE) == 0
    assert all(len(rows or ()) == 1 for rows in found.values())


def test_learners_without_an_address_do_not_count(world):
    emails = add(world, FEW_LEARNERS)
    found = fetch(emails | {900_001: None, 900_002: ""})
    assert calls(world, PLANS) == 0
    assert (found[900_001], found[900_002]) == (None, None)


def test_where_the_pages_are_more_learners_are_looked_up_one_by_one(world, tiny):
    emails = add(world, FEW_LEARNERS + 2, customer="tiny", plan_uuid=tiny.uuid)
    for number in range(FEW_LEARNERS + 1):
        world.add_plan(customer="tiny", catalog_uuid=tiny.catalog_uuid, title=f"Plan {number}")
    found = fetch(emails, tiny.customer_uuid)
    assert (calls(world, ONE_BY_ONE), calls(world, PLANS), calls(world, PAGES)) == (len(emails), 1, 0)
    assert all(len(rows or ()) == 1 for rows in found.values())


def test_a_full_page_more_is_a_call_more(world, tiny):
    emails = add(world, LICENSES_PER_PAGE + 1, customer="tiny", plan_uuid=tiny.uuid)
    world.journal.forget()
    found = fetch(emails, tiny.customer_uuid)
    assert (calls(world, PLANS), calls(world, PAGES), calls(world, ONE_BY_ONE)) == (1, 2, 0)
    assert all(len(rows or ()) == 1 for rows in found.values())


def test_both_ways_tell_the_same(world):
    emails = add(world, FEW_LEARNERS + 1)
    assert fetch(emails) == {key: fetch({key: email})[key] for key, email in emails.items()}


def test_where_plans_do_not_say_how_many_they_have_learners_are_looked_up_one_by_one(world, simulator):
    emails = add(world, FEW_LEARNERS + 1)
    simulator.faults.add("null_keys", PLANS, times=None, keys=["licenses"])
    found = fetch(emails)
    assert (calls(world, ONE_BY_ONE), calls(world, PAGES)) == (len(emails), 0)
    assert all(len(rows or ()) == 1 for rows in found.values())


def test_where_plans_cannot_be_asked_for_learners_are_looked_up_one_by_one(world, simulator):
    emails = add(world, FEW_LEARNERS + 1)
    simulator.faults.add("status", PLANS, times=None, status=400)
    found = fetch(emails)
    assert calls(world, ONE_BY_ONE) == len(emails)
    assert all(len(rows or ()) == 1 for rows in found.values())


# --- What the pages tell ---------------------------------------------------------------------------------------------


def test_a_license_in_the_pages_comes_with_its_plan(world):
    emails = add(world, FEW_LEARNERS + 1)
    for rows in fetch(emails).values():
        (license_,) = rows or ()
        assert (license_.status, license_.plan.uuid) == (LicenseStatus.ACTIVATED, ACME_ANNUAL)
        assert license_.plan.catalog_uuid == ACME_OPEN
        assert license_.plan.expires_at == world.plan(ACME_ANNUAL).expires_at


def test_who_is_in_no_page_has_none(world):
    emails = add(world, FEW_LEARNERS + 1)
    assert fetch(emails | {1008: "hal@example.com"})[1008] == ()


def test_licenses_of_several_plans_are_all_told(world):
    emails = add(world, FEW_LEARNERS + 1)
    found = fetch(emails | {1009: "max@example.com"})[1009]
    assert {row.plan.uuid for row in found or ()} == {ACME_ANNUAL, ACME_LEADERS}


def test_addresses_match_in_any_letter_case_whichever_side_shouts(world):
    emails = add(world, FEW_LEARNERS)
    shouting = world.add_learner(username="shouting", customer="acme", email="Shouting@Example.COM")
    world.add_license(plan_uuid=ACME_ANNUAL, username="shouting")
    whispered = {key: email.upper() for key, email in emails.items()}
    found = fetch(whispered | {shouting.id: "shouting@example.com"})
    assert calls(world, PAGES) > 0
    assert all(len(rows or ()) == 1 for rows in found.values())


def test_others_in_the_pages_are_not_told_of(world):
    emails = add(world, FEW_LEARNERS + 5)
    wanted = dict(list(emails.items())[: FEW_LEARNERS + 1])
    assert set(fetch(wanted)) == set(wanted)


# --- A page that fails -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "about"),
    [("hang", {}), ("unreachable", {}), ("status", {"status": 502}), ("status", {"status": 403})],
)
def test_while_nobody_answers_it_is_unknown_for_everybody(world, simulator, kind, about):
    emails = add(world, FEW_LEARNERS + 1)
    simulator.faults.add(kind, PAGES, times=None, **about)
    assert fetch(emails | {1008: "hal@example.com", 1009: None}) == dict.fromkeys([*emails, 1008, 1009])
    assert calls(world, ONE_BY_ONE) == 0


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("status", {"status": 500}),
        ("html", {}),
        ("missing_keys", {"keys": ["results"]}),
        ("missing_keys", {"keys": ["user_email"]}),
    ],
)
def test_where_one_license_may_be_the_cause_learners_are_looked_up_one_by_one(world, simulator, kind, about):
    emails = add(world, FEW_LEARNERS + 1)
    simulator.faults.add(kind, PAGES, times=None, **about)
    found = fetch(emails | {1009: None})
    assert found.pop(1009) is None
    assert all(len(rows or ()) == 1 for rows in found.values())


def test_one_page_that_fails_costs_only_those_whom_no_other_page_tells_of(world, tiny, simulator):
    emails = add(world, LICENSES_PER_PAGE + 3, customer="tiny", plan_uuid=tiny.uuid)
    simulator.faults.add("status", PAGES, times=None, status=500, only_with="2")
    found = fetch(emails, tiny.customer_uuid)
    assert calls(world, ONE_BY_ONE) == 3
    assert all(len(rows or ()) == 1 for rows in found.values())


@pytest.mark.django_db
def test_when_the_list_of_plans_is_throttled_nobody_is_asked_for_before_the_time_that_is_named(
    world, simulator, settings, monkeypatch
):
    settings.LICENSE_READS_PER_MINUTE = 360
    monkeypatch.setattr(lookup, "PATIENCE_SECONDS", 0)
    emails = add(world, FEW_LEARNERS + 1)
    simulator.faults.add("throttled", PLANS, times=None, seconds=60)
    assert fetch(emails) == dict.fromkeys(emails)
    assert (calls(world, ONE_BY_ONE), calls(world, PAGES)) == (0, 0)
    assert fetch({900_001: "someone@example.com"}) == {900_001: None}
    assert calls(world, ONE_BY_ONE) == 0


def test_also_when_it_is_only_the_last_one(world, tiny, simulator, monkeypatch):
    """What the first pages told is not the whole answer, also not for those who were found there."""
    emails = add(world, FEW_LEARNERS + 1, customer="tiny", plan_uuid=tiny.uuid)
    world.add_plan(customer="tiny", catalog_uuid=tiny.catalog_uuid, title="Second plan")
    take = simulator.faults.take

    def take_and_arm(endpoint, said=""):
        """Answer the first page, and no other."""
        fault = take(endpoint, said)
        if endpoint == PAGES:
            simulator.faults.add("unreachable", PAGES, times=None)
        return fault

    monkeypatch.setattr(simulator.faults, "take", take_and_arm)
    assert fetch(emails, tiny.customer_uuid) == dict.fromkeys(emails)
    assert next(call.status for call in world.journal.calls(endpoint=PAGES)) == 200

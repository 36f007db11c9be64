"""Look-ups of learners keep a pace that all processes share, and a backlog leaves turns to those who come alone."""

import time

import pytest

from enterprise_access.apps.licenses.services import fetch_licenses, lookup
from enterprise_access.apps.licenses.services.lookup import FEW_LEARNERS
from enterprise_access.lib.http.deadline import deadline

pytestmark = pytest.mark.django_db

LOOKUP = "license_manager.admin_license_view"
LEARNERS = 2 * lookup.CALLS_AT_ONCE


@pytest.fixture
def customer(world):
    """Return a customer with more plans than learners, so that pages are not worth reading."""
    customer = world.add_customer(slug="tiny")
    catalog = world.add_catalog(customer="tiny", title="Everything")
    for number in range(LEARNERS):
        world.add_plan(customer=customer.uuid, catalog_uuid=catalog.uuid, title=f"Plan {number}")
    return customer


@pytest.fixture
def emails(world, customer):
    users = [world.add_learner(username=f"learner{number}", customer="tiny") for number in range(LEARNERS)]
    return {user.id: user.email for user in users}


def fetch(customer, emails):
    """Look up the licenses of learners, with time for the calls but not for more turns."""
    with deadline(time.monotonic() + 2):
        return list(fetch_licenses(customer_uuid=customer.uuid, emails=emails).values())


def lookups(world):
    return len(world.journal.calls(endpoint=LOOKUP))


def test_many_learners_leave_turns_to_a_few(world, settings, customer, emails):
    settings.LICENSE_READS_PER_MINUTE = 1
    many = fetch(customer, emails)
    # One of the turns went to the list of plans.
    assert lookups(world) == lookup.CALLS_AT_ONCE - lookup.LEFT_TO_FEW - 1
    # Unknown is not "none".
    assert (many.count(()), many.count(None)) == (lookups(world), LEARNERS - lookups(world))
    assert fetch(customer, dict(list(emails.items())[:FEW_LEARNERS])) == [()] * FEW_LEARNERS


def test_after_a_refusal_no_one_asks_before_the_time_that_it_names(world, simulator, settings, customer, emails):
    settings.LICENSE_READS_PER_MINUTE = 300
    simulator.faults.add("throttled", LOOKUP, seconds=60)
    assert fetch(customer, dict(list(emails.items())[:2])) == [None, None]
    assert lookups(world) == 1

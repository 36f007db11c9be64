"""The capacity calculator: its arithmetic by hand, what it says of looks by the service itself, and its page."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from attrs import evolve

from enterprise_access.apps.default_enrollments.tests.stories import (
    BULK,
    DEMO,
    LINUX,
    add_learners,
    ask_for,
    intend,
    work,
)
from enterprise_access.apps.licenses.selectors import lookup

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import capacity  # noqa: E402
import capacity_page  # noqa: E402
from capacity import Coefficients, Installation, Load, calls_of_look, forecast  # noqa: E402

# Numbers that can be reckoned in the head.
COEFFICIENTS = Coefficients(
    intentions=1,
    look_cpu_seconds=1.0,
    learner_cpu_seconds=0.0,
    look_statements=10,
    learner_statements=1,
    page_cpu_seconds=0.0,
    database_seconds_per_learner=0.0,
    check_cpu_seconds=0.0,
    check_calls=0,
    events_per_second=10,
    web_seconds=1.0,
    web_calls=0,
    rows={"requests": 1.0, "realizations": 5.0},
    bytes={"postgresql": {"requests": 100.0, "realizations": 500.0}},
    message_bytes=200,
    storm={"learners": 100, "workers": 1, "seconds": 50.0, "cpu_seconds": {"workers": 10.0}},
)
# One customer, one intention, a newcomer a second.
LOAD = Load(learners=1000, customers=1, intentions=1, logins_per_hour=7200, newcomers_per_hour=3600)
# Neighbours that take no time.
INSTALLATION = Installation(workers=1, call_seconds=0.0, enroll_seconds=0.0, reconcile_learners=100)


def limit_of(name: str, load: Load, installation: Installation) -> capacity.Limit:
    return next(limit for limit in forecast(load, installation, COEFFICIENTS).limits if limit.name == name)


# --- Arithmetic ----------------------------------------------------------------------------------------------------


def test_a_look_of_a_second_keeps_one_worker_busy_with_a_learner_a_second():
    found = forecast(LOAD, INSTALLATION, COEFFICIENTS)
    assert found.batch == 1
    assert limit_of("worker processes", LOAD, INSTALLATION).share == 1


def test_with_twice_the_learners_two_are_taken_together():
    assert forecast(evolve(LOAD, newcomers_per_hour=7200), INSTALLATION, COEFFICIENTS).batch == 2


def test_neighbours_take_their_time_in_a_look():
    slow = evolve(INSTALLATION, call_seconds=0.5, enroll_seconds=0.25)
    # Links, enrollments, a license, a bulk post of one item: 4 * 0.5 + 0.25, and the second of CPU.
    assert capacity.look_seconds(1, LOAD, slow, COEFFICIENTS) == 3.25


def test_facts_that_become_old_on_the_way_are_read_again():
    # 25 posts of 2 seconds; what was read before the first one counts for 30 seconds, so for 15 of them.
    slow = evolve(INSTALLATION, enroll_seconds=0.1)
    calls = capacity.calls_of(100, evolve(LOAD, intentions=5), slow)
    assert (calls["bulk posts"], calls["platform"], calls["lms"]) == (25, 1 + 10, 1 + 10)


def test_a_throttle_makes_learners_wait_for_each_other():
    few_calls = evolve(INSTALLATION, workers=100, license_manager_a_minute=6)
    many = evolve(LOAD, newcomers_per_hour=600)  # ten a minute
    found = forecast(many, few_calls, COEFFICIENTS)
    # Up to five learners cost a call each. From six on it is the plans and two pages, for all of them.
    assert found.batch == 6
    assert limit_of("license-manager", many, few_calls).needed == pytest.approx(10 / 6 * 3)
    assert found.wait_minutes == pytest.approx(5 / 10)


def test_learners_do_not_wait_for_each_other_longer_than_they_shall():
    few_calls = evolve(INSTALLATION, workers=100, license_manager_a_minute=6, patience_minutes=0.3)
    found = forecast(evolve(LOAD, newcomers_per_hour=600), few_calls, COEFFICIENTS)
    # Within 0.3 minutes three more come; four cost a call each, as one does.
    assert found.batch <= 4
    assert (found.first.name, found.first.share) == ("license-manager", pytest.approx(10 / 6))


def test_the_first_limit_is_the_one_that_is_used_most():
    few_webs = evolve(INSTALLATION, webs=1)
    first = forecast(LOAD, few_webs, COEFFICIENTS).first
    assert (first.name, first.share) == ("web processes", 2)
    assert "WEB_CONCURRENCY" in first.moved_by


def test_a_round_of_reconciliation_takes_its_days():
    limit = limit_of("rounds of reconciliation", evolve(LOAD, learners=7 * 14_400), INSTALLATION)
    assert (limit.needed, limit.available) == (14_400, 14_400)


def test_storage_grows_with_learners_and_with_their_courses():
    assert capacity.storage_bytes(LOAD, COEFFICIENTS, "postgresql") == 1000 * 600
    assert capacity.storage_bytes(evolve(LOAD, intentions=2), COEFFICIENTS, "postgresql") == 1000 * (100 + 2 * 500)


def test_what_the_neighbours_allow_is_found():
    most, stopped_by = capacity.most_newcomers(LOAD, INSTALLATION, COEFFICIENTS)
    # A hundred learners in a look: one call of the platform, of which reconciliation takes 0.1 a minute;
    # 1 + 2 pages of license-manager. 119.9 looks a minute are 719,400 learners an hour.
    assert most == pytest.approx(119.9 * 100 * 60, rel=0.002)
    assert stopped_by.name == "enrollments of the platform"


def test_a_bigger_storm_costs_the_same_for_each_learner_and_more_pages_of_licenses():
    found = capacity.storm_forecast(1000, 2, COEFFICIENTS)
    assert found["CPU seconds of the workers"] == 100
    assert found["calls of license-manager"] == 10 + 10 * 2 + 1
    assert found["calls of the platform"] == 11


# --- What is said of looks is what the service does ------------------------------------------------------------------


def test_the_constants_are_those_of_the_service():
    assert (capacity.FEW_LEARNERS, capacity.LICENSES_PER_PAGE) == (lookup.FEW_LEARNERS, lookup.LICENSES_PER_PAGE)


def test_the_defaults_are_those_of_the_settings(settings):
    given = Installation()
    assert (given.realize_batch, given.enroll_batch) == (settings.REALIZE_BATCH, settings.ENROLL_BATCH)
    assert (given.reconcile_learners, given.reconcile_seconds) == (
        settings.RECONCILE_LEARNERS,
        settings.RECONCILE_SECONDS,
    )
    assert given.enrollments_fresh_seconds == settings.ENROLLMENTS_FRESH_SECONDS
    assert given.check_intentions_seconds == settings.CHECK_INTENTIONS_SECONDS
    assert given.modes_per_minute == settings.MODES_PER_MINUTE
    assert given.modes_reserved_per_minute == settings.MODES_RESERVED_PER_MINUTE
    assert given.modes_fresh_hours * 3600 == settings.MODES_FRESH_SECONDS
    assert given.stream_max_len == settings.EVENT_BUS_REDIS_STREAM_MAX_LEN


@pytest.mark.django_db
@pytest.mark.parametrize("learners", [1, 5, 6, 25])
def test_a_look_costs_the_calls_that_are_forecast(world, learners):
    customer = world.add_customer(slug="northwind", name="Northwind").uuid
    world.add_agreement(customer="northwind")
    catalog = world.add_catalog(customer="northwind", title="Northwind", courses=[DEMO, LINUX])
    plan = world.add_plan(customer="northwind", catalog_uuid=catalog.uuid)
    ids = add_learners(world, learners, plan_uuid=plan.uuid, customer=customer)
    intend(DEMO, LINUX, customer=customer)
    ask_for(*ids, customer=customer)
    since = world.journal.next_number()
    assert work(customer=customer).realized == 2 * learners
    calls = Counter(call.service for call in world.journal.calls(since=since) if call.endpoint != BULK)
    expected = calls_of_look(learners, intentions=2, licenses=learners, enroll_batch=20)
    assert len(world.journal.calls(endpoint=BULK, since=since)) == expected["bulk posts"]
    assert calls["platform"] == expected["platform"]
    assert calls["license_manager"] == expected["license-manager"]


# --- The page ------------------------------------------------------------------------------------------------------


def test_the_page_is_made_from_what_was_measured():
    """`make capacity-page` writes it anew."""
    expected = capacity_page.page(Installation(), Coefficients.read(), capacity_page.read_storm())
    assert (capacity.FOLDER / "index.rst").read_text() == expected


def test_the_command_names_the_first_limit(capsys):
    assert capacity.main(["--learners", "1000", "--logins-per-hour", "100000", "--webs", "1"]) == 0
    assert "Too much for: web processes" in capsys.readouterr().out

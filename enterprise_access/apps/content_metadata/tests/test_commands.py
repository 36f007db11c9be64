"""The commands of content: what support reads at three in the morning, and asking again."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.content_metadata.tests.neighbourhood import DEMO, DEMO_RUN, SCALA, calls, fetch_one
from enterprise_access.apps.customers.services import fetch_customer
from simulator.faults import FaultKind
from simulator.seed import ACME, ACME_LEADERSHIP, ACME_MIXED, ACME_OPEN

pytestmark = pytest.mark.django_db

NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _known_customer(clock, world):
    fetch_customer(customer_uuid=ACME)


def say(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue().splitlines()


def lines(*rows):
    return [f"{name + ':':<22}{value}" for name, value in rows]


def test_resolve_says_everything_about_a_key(world, clock):
    refresh_modes(course_run_keys=[DEMO_RUN])
    clock.shift(timedelta(minutes=3))
    catalogs = fetch_one(DEMO).catalogs or ()
    assert set(catalogs) == {ACME_OPEN, ACME_LEADERSHIP, ACME_MIXED}
    clock.shift(timedelta(minutes=5))
    assert say("resolve", "EDX+demox", customer="acme") == lines(
        ("customer", f"Acme Learning ({ACME})"),
        ("key", "EDX+demox (course key)"),
        ("course", "edX+DemoX “edX Demonstration Course”, verified-audit"),
        ("run", DEMO_RUN),
        ("source", "enterprise-catalog, read 5\xa0minutes ago"),
        ("catalogs", ", ".join(map(str, catalogs))),
        ("status", "published"),
        ("enrollment", "2026-09-03 00:00 UTC (past) to no limit"),
        ("runs", "2026-11-02 12:00 UTC (past) to 2032-06-23 12:00 UTC (to come)"),
        ("modes", "audit, verified (until 2028-02-05 00:00 UTC (to come))"),
        ("modes known from", "lms, read 8\xa0minutes ago"),
        ("invitation only", "no"),
        ("the LMS would pick", "verified"),
        ("we want", "verified"),
        ("until", "2028-02-05 00:00 UTC (to come)"),
        ("without a license", "audit"),
    )


def test_resolve_says_why_there_is_no_run(world):
    said = say("resolve", "MITx+6.00.1x", customer=str(ACME))
    assert said[2:] == lines(
        ("not resolved", "no_advertised_run"),
        ("source", "enterprise-catalog, read 0\xa0minutes ago"),
        ("catalogs", "none of this customer contains it"),
    )


def test_resolve_says_what_the_seats_tell_while_the_lms_was_not_asked(world):
    said = say("resolve", DEMO_RUN, customer="acme")
    assert lines(("key", f"{DEMO_RUN} (course run key)"))[0] in said
    assert lines(("modes known from", "seats"))[0] in said


def test_resolve_says_that_a_mode_has_expired(world):
    run = "course-v1:ColumbiaX+BUS5+2026"
    refresh_modes(course_run_keys=[run])
    said = say("resolve", run, customer="acme")
    assert lines(("the LMS would pick", "verified, which is EXPIRED"))[0] in said
    assert lines(("we want", "audit"))[0] in said


def test_resolve_says_that_the_catalog_is_away(world, simulator, clock):
    fetch_one(DEMO)
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    said = say("resolve", SCALA, customer="acme")
    assert said[2:] == lines(
        ("not resolved", "catalog_unavailable"),
        ("source", "none: the catalog service could not be asked, and nothing is cached"),
        ("catalogs", "could not be asked"),
    )
    clock.shift(timedelta(hours=2))
    said = say("resolve", DEMO, customer="acme")
    stale = "enterprise-catalog, read 2\xa0hours ago, STALE: the catalog service could not be asked"
    assert lines(("source", stale))[0] in said


def test_resolve_asks_the_catalog_when_told_to(world):
    fetch_one(SCALA)
    world.advertise(course_key=SCALA, run_key="course-v1:EPFLx+Scala+2026_A")
    assert lines(("run", "course-v1:EPFLx+Scala+2026_B"))[0] in say("resolve", SCALA, customer="acme")
    assert lines(("run", "course-v1:EPFLx+Scala+2026_A"))[0] in say("resolve", SCALA, customer="acme", fresh=True)


def test_resolve_refuses_what_is_no_key_and_whom_it_does_not_know(world):
    with pytest.raises(CommandError, match="neither a course key"):
        say("resolve", "CS50", customer="acme")
    with pytest.raises(CommandError, match="nobody"):
        say("resolve", DEMO, customer="nobody")


def test_refresh_content_asks_again_and_says_what_was_found(world):
    fetch_one(SCALA)
    world.advertise(course_key=SCALA, run_key="course-v1:EPFLx+Scala+2026_A")
    before = len(calls(world))
    assert say("refresh_content", SCALA, "NoX+SUCH1", "CS50", customer="acme") == [
        "EPFLx+Scala: course-v1:EPFLx+Scala+2026_A",
        "NoX+SUCH1: content_not_found",
        "CS50: content_not_found",
    ]
    assert len(calls(world)) > before


def test_refresh_content_says_that_the_catalog_is_away(world, simulator):
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    with pytest.raises(CommandError, match="enterprise-catalog did not answer in time"):
        say("refresh_content", DEMO, customer="acme")

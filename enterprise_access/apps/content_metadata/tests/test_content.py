"""From keys to runs through the real client: what is asked, what answers a key, and what the cache makes of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import override_settings

from enterprise_access.apps.content_metadata import tasks
from enterprise_access.apps.content_metadata.domain import EXECUTIVE_EDUCATION, Resolved
from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.content_metadata.selectors.content import REFRESH_JOB, UNAVAILABLE
from enterprise_access.apps.content_metadata.tests.neighbourhood import (
    ANYWHERE,
    CONTENT,
    DEMO,
    DEMO_RUN,
    LIST,
    SCALA,
    calls,
    catalogs_of,
    fetch,
    fetch_one,
    outcome,
    outcome_of,
    resolved,
)
from enterprise_access.lib.errors import UpstreamUnavailable
from enterprise_access.lib.tests.test_caching import BROKEN
from simulator.faults import FaultKind
from simulator.seed import (
    ACME,
    ACME_CUSTOM,
    ACME_LEADERSHIP,
    ACME_MIXED,
    ACME_OPEN,
    GLOBEX,
    GLOBEX_RUNS,
    HOOLI,
    INITECH,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock():
    """Stop the clock, for us and for the neighbours; `clock.shift(...)` moves it on."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


# --- what answers a key -----------------------------------------------------------------------------------------------


def test_a_course_key_stands_for_the_advertised_run(world):
    content = fetch_one(DEMO)
    assert resolved(content).run.key == DEMO_RUN
    assert resolved(content).course.title == "edX Demonstration Course"
    assert catalogs_of(content) == {ACME_OPEN, ACME_LEADERSHIP, ACME_MIXED}
    assert not content.is_stale


def test_dates_and_price_come_with_it(world):
    resolution = resolved(fetch_one(DEMO))
    run = world.run(DEMO_RUN)
    assert resolution.run.enrollment_starts_at == run.enrollment_start
    assert resolution.run.upgrade_deadlines["verified"] == run.seats[1].upgrade_deadline
    metadata = resolution.course.metadata_of(DEMO_RUN)
    assert metadata is not None
    assert (metadata.enroll_start_date, metadata.content_price) == (run.enrollment_start, 149.0)


@pytest.mark.parametrize("key", ["EDX+demox", " edX+DemoX ", "COURSE-V1:EDX+DEMOX+2026_t1"])
def test_keys_are_found_in_any_case(world, key):
    assert outcome_of(key) == DEMO_RUN


OUTCOMES = {
    "course-v1:edX+DemoX+2024_T1": "course-v1:edX+DemoX+2024_T1",
    "course-v1:edX+DemoX+1999": "content_not_found",
    "MITx+6.00.1x": "no_advertised_run",
    "edX+NORUNS": "no_advertised_run",
    "WasedaX+JPN1": "no_advertised_run",
    "NewX+FRESH1": "content_not_ready",
    "NoX+SUCH1": "content_not_found",
    # A run without a record of its own is known inside its course only.
    "UQx+THINK101": "course-v1:UQx+THINK101+2026_T1",
    "course-v1:UQx+THINK101+2026_T1": "content_not_found",
    "edX+RestrictX": "course-v1:edX+RestrictX+2026_T2",
    "edX+RestrictOnly": "no_advertised_run",
}


@pytest.mark.parametrize("key", OUTCOMES)
def test_every_state_of_a_record_has_its_outcome(world, key):
    assert outcome_of(key) == OUTCOMES[key]


def test_a_restricted_run_is_there_only_where_the_catalog_allows_it(world):
    restricted = "course-v1:edX+RestrictX+B2B_2026"
    allowed = fetch_one(restricted)
    assert (outcome(allowed), allowed.catalogs) == (restricted, (ACME_CUSTOM,))
    # Globex has the course, and no allowance; the run is not even shown.
    assert outcome_of(restricted, customer=GLOBEX) == "run_not_found"


def test_catalogs_that_differ_in_restricted_runs_are_put_together(world):
    """The catalog that allows no restricted run is asked first, and does not hide it."""
    world.add_catalog(customer="initech", title="Plain", courses=["edX+RestrictX"])
    restricted = "course-v1:edX+RestrictX+B2B_2026"
    generous = world.add_catalog(
        customer="initech", title="Generous", courses=["edX+RestrictX"], restricted_runs=[restricted]
    )
    contents = fetch("edX+RestrictX", restricted, customer=INITECH)
    assert len(catalogs_of(contents["edX+RestrictX"])) == 2
    assert contents[restricted].catalogs == (generous.uuid,)


def test_a_catalog_that_holds_the_run_alone_contains_it(world):
    run = "course-v1:StanfordX+ML+2026_T3"
    for key in ("StanfordX+ML", run):
        content = fetch_one(key, customer=GLOBEX)
        assert (outcome(content), content.catalogs) == (run, (GLOBEX_RUNS,))


def test_a_catalog_that_holds_another_run_of_the_course_does_not_contain_it(world):
    world.add_run(key="course-v1:StanfordX+ML+2027", advertise=True)
    content = fetch_one("StanfordX+ML", customer=GLOBEX)
    assert (outcome(content), content.catalogs) == ("course-v1:StanfordX+ML+2027", ())


@pytest.mark.parametrize(("key", "customer"), [("EdinburghX+SUST1", ACME), (DEMO, INITECH), (DEMO, uuid4())])
def test_content_in_no_catalog_of_the_customer_is_known_all_the_same(world, key, customer):
    content = fetch_one(key, customer=customer)
    assert (isinstance(content.resolution, Resolved), content.catalogs) == (True, ())


def test_executive_education_is_told(world):
    resolution = resolved(fetch_one("GetSmarter+AIB"))
    assert (resolution.course.course_type, resolution.course.is_executive_education) == (EXECUTIVE_EDUCATION, True)


# --- one bad key among good ones --------------------------------------------------------------------------------------

BAD = [
    "",
    "   ",
    "nonsense",
    "edX+DemoX+2026_T1",
    "course-v1:edX+DemoX",
    "course-v1:edX+DemoX+2026_T1+branch@draft",
    "edX/DemoX/2014",
    "edX+Demo\x00X",
    "edX+Demo X",
    "x" * 300 + "+y",
    "\ud800+x",
    "12345",
    "library-v1:edX+DemoX",
]


@pytest.mark.parametrize("bad", BAD)
def test_a_key_that_no_content_can_have_does_not_spoil_the_others(world, bad):
    contents = fetch(DEMO, bad, SCALA)
    assert outcome(contents[DEMO]) == DEMO_RUN
    assert outcome(contents[bad]) == "content_not_found"
    assert outcome(contents[SCALA]).startswith("course-v1:EPFLx+Scala")


def test_bad_keys_alone_are_not_asked_for(world):
    bad = [key for key in BAD if key != "edX+DemoX+2026_T1"]
    assert {outcome(content) for content in fetch(*bad).values()} == {"content_not_found"}
    assert calls(world) == []


# --- what is asked ----------------------------------------------------------------------------------------------------


def many(world, number, *, catalogs=1):
    """Give Initech catalogs with so many courses, and return their keys."""
    keys = [f"ManyX+C{index:03}" for index in range(number)]
    for key in keys:
        world.add_open_course(key=key)
    for index in range(catalogs):
        world.add_catalog(customer="initech", title=f"Catalog {index}", courses=keys)
    return keys


@pytest.mark.parametrize(("keys", "catalogs", "asked"), [(1, 1, 1), (40, 1, 1), (41, 1, 2), (100, 1, 3), (100, 4, 12)])
def test_calls_grow_with_catalogs_and_pieces_only(world, keys, catalogs, asked):
    contents = fetch(*many(world, keys, catalogs=catalogs), customer=INITECH)
    assert {len(catalogs_of(content)) for content in contents.values()} == {catalogs}
    assert sorted(calls(world)) == [CONTENT] * asked + [LIST]


def test_long_keys_go_in_pieces_that_fit_into_an_address(world):
    keys = [f"LongX+{'c' * 200}{number}" for number in range(40)]
    for key in keys:
        world.add_open_course(key=key)
    world.add_catalog(customer="initech", title="Long", courses=keys)
    contents = fetch(*keys, customer=INITECH)
    assert all(isinstance(content.resolution, Resolved) for content in contents.values())


def test_what_no_catalog_shows_is_asked_for_once_more_together(world):
    fetch(DEMO, "EdinburghX+SUST1", "NoX+SUCH1")
    assert calls(world).count(ANYWHERE) == 1


def test_a_run_that_nothing_shows_is_asked_for_by_itself(world):
    """So that a restricted run, which some catalog somewhere allows, is told from one that does not exist."""
    contents = fetch("course-v1:edX+RestrictX+B2B_2026", "course-v1:edX+NoSuch+1", customer=INITECH)
    assert [outcome(content) for content in contents.values()] == ["run_not_found", "content_not_found"]
    assert calls(world) == [LIST, ANYWHERE, ANYWHERE]


def test_what_is_known_is_not_asked_for(world):
    fetch(DEMO, SCALA)
    before = len(calls(world))
    fetch(DEMO, SCALA)
    assert len(calls(world)) == before


def test_nothing_is_asked_for_nothing(world):
    assert fetch() == {}
    assert calls(world) == []


# --- ages -------------------------------------------------------------------------------------------------------------


def test_customers_do_not_see_each_others_answers(world):
    fetch_one("edX+RestrictX")
    assert fetch_one("edX+RestrictX", customer=GLOBEX).catalogs != fetch_one("edX+RestrictX").catalogs


def test_what_does_not_exist_is_believed_for_a_minute(world, clock):
    assert outcome_of("LateX+C1") == "content_not_found"
    world.add_open_course(key="LateX+C1")
    assert outcome_of("LateX+C1") == "content_not_found"
    clock.shift(MINUTE + timedelta(seconds=1))
    assert outcome_of("LateX+C1") == "course-v1:LateX+C1+2026_T1"


@pytest.mark.django_db
def test_older_content_is_served_and_refreshed_in_the_background(world, clock, django_capture_on_commit_callbacks):
    fetched_at = fetch_one(SCALA).fetched_at
    world.advertise(course_key=SCALA, run_key="course-v1:EPFLx+Scala+2026_B")
    clock.shift(16 * MINUTE)
    before = len(calls(world))
    with django_capture_on_commit_callbacks() as messages:
        content = fetch_one(SCALA)
    assert (content.is_stale, content.fetched_at) == (False, fetched_at)
    assert (len(messages), len(calls(world))) == (1, before)
    tasks.refresh(customer_uuid=str(ACME), keys=[SCALA.lower()])
    assert outcome_of(SCALA) == "course-v1:EPFLx+Scala+2026_B"


def test_the_job_has_the_name_that_is_enqueued():
    assert tasks.refresh.name == REFRESH_JOB


@pytest.mark.django_db
def test_a_background_refresh_that_fails_leaves_everything_as_it_was(world, simulator):
    content = fetch_one(DEMO)
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    tasks.refresh(customer_uuid=str(ACME), keys=[DEMO.lower()])
    assert fetch_one(DEMO) == content


@pytest.mark.django_db
def test_content_older_than_its_hard_age_is_asked_for(world, clock):
    fetch_one(SCALA)
    world.advertise(course_key=SCALA, run_key="course-v1:EPFLx+Scala+2026_B")
    clock.shift(61 * MINUTE)
    assert outcome_of(SCALA) == "course-v1:EPFLx+Scala+2026_B"


def test_content_is_served_as_stale_for_a_day_while_the_catalog_is_away(world, simulator, clock):
    fetched_at = fetch_one(DEMO).fetched_at
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    clock.shift(61 * MINUTE)
    content = fetch_one(DEMO)
    assert (outcome(content), content.is_stale, content.fetched_at) == (DEMO_RUN, True, fetched_at)
    clock.shift(24 * 60 * MINUTE)
    assert fetch_one(DEMO) == UNAVAILABLE
    simulator.faults.clear()
    assert (outcome_of(DEMO), fetch_one(DEMO).is_stale) == (DEMO_RUN, False)


def test_a_no_is_never_served_after_its_minute(world, simulator, clock):
    assert outcome_of("NoX+SUCH1") == "content_not_found"
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    clock.shift(MINUTE + timedelta(seconds=5))
    assert fetch_one("NoX+SUCH1") == UNAVAILABLE


def test_refreshing_asks_whatever_is_stored(world):
    fetch_one(SCALA)
    world.advertise(course_key=SCALA, run_key="course-v1:EPFLx+Scala+2026_B")
    (content,) = refresh_content(customer_uuid=ACME, content_keys=[SCALA]).values()
    assert outcome(content) == outcome_of(SCALA) == "course-v1:EPFLx+Scala+2026_B"


def test_refreshing_says_when_nobody_answers(world, simulator):
    simulator.faults.add(FaultKind.STATUS, "catalog.*", times=None, status=500)
    with pytest.raises(UpstreamUnavailable):
        refresh_content(customer_uuid=ACME, content_keys=[DEMO])


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["refused connection", "missing table"])
def test_without_a_cache_content_is_asked_for_every_time(world, broken):
    with override_settings(CACHES={"default": BROKEN[broken]}):
        for _ in range(2):
            assert outcome_of(DEMO, customer=HOOLI) == DEMO_RUN
    assert calls(world) == [LIST, CONTENT] * 2

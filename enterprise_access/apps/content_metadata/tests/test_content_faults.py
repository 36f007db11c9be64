"""Everything that can go wrong with the catalog service, at every endpoint that content comes from.

Never an exception, never a wrong "no": what is not known is unavailable, what was known before is served and marked,
and when the fault is over the right answer comes at once.
"""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache

from enterprise_access.apps.content_metadata.selectors.content import UNAVAILABLE
from enterprise_access.apps.content_metadata.tests.neighbourhood import (
    ANYWHERE,
    CONTENT,
    DEMO,
    DEMO_RUN,
    LIST,
    calls,
    fetch,
    fetch_one,
    outcome,
    outcome_of,
)
from enterprise_access.lib.keys import fold
from simulator.faults import FaultKind
from simulator.seed import ACME, HOOLI
from tests.sampling import cases
from tests.tally import Tally

pytestmark = pytest.mark.faults

# In no catalog of Acme, so that every endpoint is needed to answer for it.
ELSEWHERE, ELSEWHERE_RUN = "EdinburghX+SUST1", "course-v1:EdinburghX+SUST1+2026_T1"
ENDPOINTS = [LIST, CONTENT, ANYWHERE]
HOUR = timedelta(hours=1)

# Of these there is no answer, whatever the endpoint.
SILENCES = {
    "time-out": {"kind": FaultKind.DELAY_BEFORE, "seconds": 100},
    "time-out after the work": {"kind": FaultKind.DELAY_AFTER, "seconds": 100},
    "hang": {"kind": FaultKind.HANG},
    "unreachable": {"kind": FaultKind.UNREACHABLE},
    "dropped": {"kind": FaultKind.DROP},
    "cut off": {"kind": FaultKind.CUT_OFF},
    "500 html": {"kind": FaultKind.STATUS, "status": 500},
    "502 html": {"kind": FaultKind.STATUS, "status": 502},
    "503 json": {"kind": FaultKind.STATUS, "status": 503, "body": '{"detail": "away"}'},
    "403": {"kind": FaultKind.STATUS, "status": 403, "body": '{"detail": "MISSING: catalog.has_learner_access"}'},
    "404": {"kind": FaultKind.STATUS, "status": 404, "body": '{"detail": "Not found."}'},
    "404 html": {"kind": FaultKind.STATUS, "status": 404},
    "429": {"kind": FaultKind.THROTTLED, "seconds": 60},
    "401 always": {"kind": FaultKind.UNAUTHORIZED},
    "a page for people": {"kind": FaultKind.HTML},
    "malformed": {"kind": FaultKind.MALFORMED_JSON},
    "truncated": {"kind": FaultKind.TRUNCATED_JSON},
    "null": {"kind": FaultKind.MALFORMED_JSON, "body": "null"},
    "empty list": {"kind": FaultKind.MALFORMED_JSON, "body": "[]"},
    "empty object": {"kind": FaultKind.MALFORMED_JSON, "body": "{}"},
    "no results": {"kind": FaultKind.MISSING_KEYS, "keys": ["results"]},
    "null results": {"kind": FaultKind.NULL_KEYS, "keys": ["results"]},
    "no next": {"kind": FaultKind.MISSING_KEYS, "keys": ["next"]},
    "enormous": {"kind": FaultKind.HUGE, "size_bytes": 20_000_001},
    "a drip that takes too long": {"kind": FaultKind.SLOW_DRIP, "seconds": 100},
}
LINUX = "LinuxFoundationX+LFS101x"
# Of records, these members must be there.
RECORD_FAULTS = {
    f"{how} {key}": {"kind": kind, "keys": [key]}
    for how, kind in (("no", FaultKind.MISSING_KEYS), ("null", FaultKind.NULL_KEYS))
    for key in ("content_type", "key", "type", "upgrade_deadline", "content_price")
    if (how, key) != ("null", "upgrade_deadline")
}
# These do no harm.
ANSWERED = {
    "401 once": {"kind": FaultKind.UNAUTHORIZED, "times": 1},
    "502 once": {"kind": FaultKind.STATUS, "status": 502, "times": 1},
    "large": {"kind": FaultKind.HUGE, "size_bytes": 1_000_000},
    "slow": {"kind": FaultKind.DELAY_BEFORE, "seconds": 1},
    "a drip in time": {"kind": FaultKind.SLOW_DRIP, "seconds": 0.1},
}


@pytest.fixture(autouse=True)
def _counted(tally: Tally) -> None:
    tally.of("test-faults").add(faults_of_content=1)


@pytest.fixture(autouse=True)
def _never_opening_breaker(settings):
    """The breaker has tests of its own; here every call is to meet its fault."""
    settings.BREAKER_FAILURES = 1_000_000


def arm(simulator, endpoint, fault):
    simulator.faults.add(**({"times": None} | fault | {"endpoint": endpoint}))


def assert_right_at_once():
    contents = fetch(DEMO, ELSEWHERE)
    assert [outcome(content) for content in contents.values()] == [DEMO_RUN, ELSEWHERE_RUN]
    assert not any(content.is_stale for content in contents.values())


# What one key may be the cause of: the others are asked for without it.
MAY_BE_OF_ONE_KEY = {
    "500 html",
    "404 html",
    "a page for people",
    "malformed",
    "truncated",
    "null",
    "empty list",
    "empty object",
    "no results",
    "null results",
    "no next",
    "enormous",
}


@pytest.mark.parametrize(("endpoint", "fault"), cases(ENDPOINTS, SILENCES, count=6))
def test_without_an_answer_nothing_is_known_and_nothing_stays(simulator, fault, endpoint):
    arm(simulator, endpoint, SILENCES[fault])
    contents = fetch(DEMO, ELSEWHERE)
    assert contents[ELSEWHERE] == UNAVAILABLE
    if endpoint == ANYWHERE and fault in MAY_BE_OF_ONE_KEY:
        # Only this key is asked for there, and an answer that fails because of it is believed for a minute.
        assert outcome(contents[DEMO]) == DEMO_RUN
        cache.clear()
    else:
        assert contents[DEMO] == UNAVAILABLE
    simulator.faults.clear()
    assert_right_at_once()


@pytest.mark.parametrize("endpoint", [CONTENT, ANYWHERE])
@pytest.mark.parametrize("fault", RECORD_FAULTS)
def test_a_record_that_we_do_not_understand_is_no_answer(simulator, fault, endpoint):
    arm(simulator, endpoint, RECORD_FAULTS[fault])
    assert fetch_one(ELSEWHERE if endpoint == ANYWHERE else DEMO) == UNAVAILABLE
    simulator.faults.clear()
    # That a record cannot be read is believed for a minute.
    cache.clear()
    assert_right_at_once()


ODD_RECORDS = {
    "a null price": ("content_price", None),
    "a bare date": ("enrollment_end", "2030-01-01"),
    "a date without offset": ("start", "2020-01-01T00:00:00"),
    "a number for a date": ("end", 5),
    "text with a NUL": ("title", "a\x00b"),
    "half a character": ("course_type", "\ud83d"),
    "a run without key": ("course_runs", [{"title": "Run"}]),
    "a run that is null": ("course_runs", [None]),
    "no content type": ("content_type", None),
    "a uuid that is none": ("uuid", "x"),
}


@pytest.mark.parametrize("odd", ODD_RECORDS)
def test_an_odd_record_makes_its_own_key_unknown_and_no_other(simulator, odd):
    key, value = ODD_RECORDS[odd]
    simulator.faults.add(FaultKind.ODD_ROW, "catalog.*", row_of=DEMO, keys=[key], value=value, times=None)
    contents = fetch(DEMO, DEMO_RUN, LINUX, ELSEWHERE)
    assert contents[DEMO] == contents[DEMO_RUN] == UNAVAILABLE
    assert outcome(contents[ELSEWHERE]) == ELSEWHERE_RUN
    assert contents[LINUX].run is not None


def test_a_record_without_a_key_leaves_unknown_only_what_no_catalog_is_found_to_hold(simulator):
    keys = ["key", "course_runs", "aggregation_key", "parent_content_key"]
    simulator.faults.add(FaultKind.ODD_ROW, "catalog.*", row_of=DEMO, keys=keys, times=None)
    contents = fetch(DEMO, LINUX, "edX+Nothing")
    assert contents[DEMO] == contents["edX+Nothing"] == UNAVAILABLE
    assert contents[LINUX].run is not None


def test_an_odd_record_is_not_asked_for_by_every_page(simulator, world):
    simulator.faults.add(FaultKind.ODD_ROW, "catalog.*", row_of=DEMO, keys=["content_price"], times=None)
    fetch(DEMO)
    before = calls(world)
    assert fetch(DEMO)[DEMO] == UNAVAILABLE
    assert calls(world) == before


def test_a_catalog_that_fails_because_of_one_key_is_asked_for_the_others_without_it(simulator):
    simulator.faults.add(FaultKind.STATUS, "catalog.*content*", status=500, only_with=fold(DEMO), times=None)
    contents = fetch(DEMO, LINUX)
    assert contents[DEMO] == UNAVAILABLE
    assert contents[LINUX].run is not None


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("fault", ["hang", "500 html", "429", "malformed", "no results"])
def test_without_an_answer_what_was_known_is_served_and_marked(simulator, fault, endpoint):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        before = fetch(DEMO, ELSEWHERE)
        clock.shift(HOUR + timedelta(minutes=1))
        arm(simulator, endpoint, SILENCES[fault])
        after = fetch(DEMO, ELSEWHERE)
        for key, content in after.items():
            assert (content.resolution, content.catalogs) == (before[key].resolution, before[key].catalogs)
            if endpoint == ANYWHERE and fault in MAY_BE_OF_ONE_KEY and key == DEMO:
                assert not content.is_stale
            else:
                assert (content.is_stale, content.fetched_at) == (True, before[key].fetched_at)
        cache.clear()
        simulator.faults.clear()
        assert_right_at_once()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("fault", ANSWERED)
def test_what_does_no_harm_is_not_noticed(simulator, fault, endpoint):
    arm(simulator, endpoint, ANSWERED[fault])
    assert_right_at_once()


@pytest.mark.parametrize("key", ["advertised_course_run_uuid", "course_runs", "status", "course_type"])
def test_what_a_record_does_not_say_is_not_ready(simulator, key):
    arm(simulator, "catalog.*", {"kind": FaultKind.MISSING_KEYS, "keys": [key]})
    assert outcome_of(DEMO) == "content_not_ready"


@pytest.mark.parametrize("kind", [FaultKind.MISSING_KEYS, FaultKind.NULL_KEYS])
def test_a_run_of_a_course_that_does_not_say_which_runs_it_has_is_not_ready(simulator, kind):
    arm(simulator, "catalog.*", {"kind": kind, "keys": ["course_runs"]})
    assert outcome_of(DEMO_RUN) == "content_not_ready"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_was_not_ready_is_believed_for_a_minute_only(simulator, endpoint):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        arm(simulator, "catalog.*", {"kind": FaultKind.MISSING_KEYS, "keys": ["course_runs"]})
        fetch(DEMO, ELSEWHERE)
        simulator.faults.clear()
        clock.shift(61)
        assert_right_at_once()


def test_one_catalog_of_several_that_does_not_answer_is_no_answer(simulator):
    """Without it, "not in the catalogs" would be a guess."""
    arm(simulator, CONTENT, {"kind": FaultKind.HANG, "times": 1})
    assert fetch_one(DEMO, customer=ACME) == UNAVAILABLE
    assert outcome_of(DEMO, customer=ACME) == DEMO_RUN


def test_a_fault_of_one_customer_is_not_that_of_another(simulator, world):
    assert outcome_of(DEMO, customer=HOOLI) == DEMO_RUN
    arm(simulator, "catalog.*", {"kind": FaultKind.HANG})
    assert fetch_one(DEMO) == UNAVAILABLE
    before = len(calls(world))
    assert outcome_of(DEMO, customer=HOOLI) == DEMO_RUN
    assert len(calls(world)) == before

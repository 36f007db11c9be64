"""The modes of runs: asked for within what the LMS allows, kept, and known with their age and origin."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import Evidence, list_modes, with_seats
from enterprise_access.apps.content_metadata.services import refresh_aging_modes, refresh_modes
from enterprise_access.apps.content_metadata.tests.neighbourhood import DEMO, DEMO_RUN, fetch_one
from simulator.faults import FaultKind

pytestmark = pytest.mark.django_db

MODES = "platform.course"
FOLDED = DEMO_RUN.lower()
DAY = timedelta(days=1)


@pytest.fixture
def clock():
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def asked(world):
    return len(world.journal.calls(endpoint=MODES))


def add_runs(world, number):
    return [world.add_open_course(key=f"ManyX+C{index:03}").key for index in range(number)]


def test_modes_are_asked_for_once_and_kept(world):
    known = refresh_modes(course_run_keys=[DEMO_RUN])[FOLDED]
    assert known.modes.keys() == {"audit", "verified"}
    assert known.modes["verified"] == world.run(DEMO_RUN).modes[1].expires_at
    assert (known.is_invitation_only, known.evidence) == (False, Evidence.LMS)
    assert refresh_modes(course_run_keys=[DEMO_RUN, DEMO_RUN])[FOLDED] == known
    assert asked(world) == 1


def test_modes_of_yesterday_are_asked_for_again(world, clock):
    refresh_modes(course_run_keys=[DEMO_RUN])
    clock.shift(DAY + timedelta(seconds=1))
    assert list_modes(course_run_keys=[DEMO_RUN], now=timezone.now()) == {}
    world.expire_mode(run_key=DEMO_RUN, mode="verified")
    known = refresh_modes(course_run_keys=[DEMO_RUN])[FOLDED]
    assert known.modes["verified"] == world.run(DEMO_RUN).modes[1].expires_at
    assert known.fetched_at == timezone.now()


def test_a_run_that_the_lms_does_not_know_is_absent_and_asked_for_again_after_a_minute(world, clock):
    ghost = "course-v1:OxfordX+GHOST1+2026_T1"
    for _ in range(3):
        assert refresh_modes(course_run_keys=[ghost]) == {}
    assert asked(world) == 1
    clock.shift(timedelta(seconds=63))
    refresh_modes(course_run_keys=[ghost])
    assert asked(world) == 2


def test_a_run_that_the_lms_has_forgotten_is_forgotten(world, clock):
    refresh_modes(course_run_keys=[DEMO_RUN])
    world.change_run(run_key=DEMO_RUN, is_in_lms=False)
    clock.shift(DAY)
    refresh_aging_modes()
    assert not RunModes.objects.exists()


@pytest.mark.parametrize("fault", [FaultKind.HANG, FaultKind.STATUS, FaultKind.MALFORMED_JSON, FaultKind.HTML])
def test_modes_that_cannot_be_asked_for_are_absent_and_come_at_once_afterwards(world, simulator, fault):
    simulator.faults.add(fault, MODES, times=None)
    assert refresh_modes(course_run_keys=[DEMO_RUN]) == {}
    simulator.faults.clear()
    assert refresh_modes(course_run_keys=[DEMO_RUN]).keys() == {FOLDED}


def test_seats_tell_readers_what_the_lms_has_not_yet_told(world):
    resolution = fetch_one(DEMO).resolution
    known = with_seats({}, [resolution])[FOLDED]
    assert (known.modes.keys(), known.evidence, known.fetched_at) == ({"audit", "verified"}, Evidence.SEATS, None)
    stored = refresh_modes(course_run_keys=[DEMO_RUN])
    assert with_seats(stored, [resolution]) == stored


# --- the rate --------------------------------------------------------------------------------------------------------


def test_no_more_is_asked_than_the_lms_allows_a_minute(world, clock, settings):
    world.quirks.has_throttles = True
    runs = add_runs(world, 60)
    known = refresh_modes(course_run_keys=runs)
    assert len(known) == asked(world) == settings.MODES_PER_MINUTE
    assert len(refresh_modes(course_run_keys=runs)) == settings.MODES_PER_MINUTE
    assert asked(world) == settings.MODES_PER_MINUTE
    clock.shift(timedelta(seconds=63))
    assert len(refresh_modes(course_run_keys=runs)) == 60
    assert {call.status for call in world.journal.calls(endpoint=MODES)} == {200}


def test_keeping_modes_young_leaves_some_of_the_rate_to_those_who_wait(world, clock, settings):
    runs = add_runs(world, settings.MODES_PER_MINUTE)
    refresh_modes(course_run_keys=runs)
    clock.shift(DAY * 0.75)
    spent = settings.MODES_PER_MINUTE - settings.MODES_RESERVED_PER_MINUTE
    assert [refresh_aging_modes(), refresh_aging_modes()] == [spent, 0]
    assert len(refresh_modes(course_run_keys=[DEMO_RUN])) == 1
    clock.shift(timedelta(seconds=63))
    assert refresh_aging_modes() == settings.MODES_PER_MINUTE - spent


def test_the_oldest_modes_are_refreshed_first_and_young_ones_not_at_all(world, clock):
    older, younger = add_runs(world, 2)
    refresh_modes(course_run_keys=[older])
    clock.shift(DAY / 2 + timedelta(minutes=1))
    refresh_modes(course_run_keys=[younger])
    assert refresh_aging_modes() == 1
    assert RunModes.objects.get(course_run_key=older).fetched_at == timezone.now()
    assert refresh_aging_modes() == 0

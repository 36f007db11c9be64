"""The modes of runs: asked for within what the LMS allows, kept, and known with their age and origin."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import ModesSource, list_modes, with_other_evidence
from enterprise_access.apps.content_metadata.selectors.modes import _read_of
from enterprise_access.apps.content_metadata.services import refresh_aging_modes, refresh_modes
from enterprise_access.apps.content_metadata.tests.neighbourhood import DEMO, DEMO_RUN, fetch_one
from enterprise_access.apps.course_types.models import CourseRunType
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from simulator.faults import FaultKind
from simulator.values import seat, uuid_for

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
    assert (known.is_invitation_only, known.evidence) == (False, ModesSource.LMS)
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


def test_few_statements_do_for_any_number_of_runs(world):
    runs = add_runs(world, 8)
    refresh_modes(course_run_keys=runs)
    _read_of.cache_clear()
    for number in range(3, 9):
        known = list_modes(course_run_keys=runs[:number], now=timezone.now())
        assert known.keys() == {key.lower() for key in runs[:number]}
    assert _read_of.cache_info().currsize <= 3


def test_that_the_lms_does_not_know_a_run_is_an_answer_and_asked_for_again_after_an_hour(world, clock):
    ghost = "course-v1:OxfordX+GHOST1+2026_T1"
    for _ in range(3):
        (known,) = refresh_modes(course_run_keys=[ghost]).values()
        assert known.is_unknown
        assert not known.modes
    assert asked(world) == 1
    clock.shift(timedelta(seconds=3601))
    refresh_modes(course_run_keys=[ghost])
    assert asked(world) == 2


def test_a_run_that_the_lms_has_forgotten_is_unknown_to_it(world, clock):
    refresh_modes(course_run_keys=[DEMO_RUN])
    world.change_run(run_key=DEMO_RUN, is_in_lms=False)
    clock.shift(DAY)
    refresh_aging_modes()
    row = RunModes.objects.get()
    assert (row.is_unknown, row.modes) == (True, {})


def test_who_can_wait_leaves_the_reserve_to_learners_and_savers(world, settings):
    settings.MODES_PER_MINUTE, settings.MODES_RESERVED_PER_MINUTE = 3, 2
    ghosts = [f"course-v1:OxfordX+GHOST{number}+2026_T1" for number in range(5)]
    assert len(refresh_modes(course_run_keys=ghosts, can_wait=True)) == 1
    assert len(refresh_modes(course_run_keys=ghosts)) == 3


@pytest.mark.parametrize("fault", [FaultKind.HANG, FaultKind.STATUS, FaultKind.MALFORMED_JSON, FaultKind.HTML])
def test_modes_that_cannot_be_asked_for_are_absent_and_come_at_once_afterwards(world, simulator, fault):
    simulator.faults.add(fault, MODES, times=None)
    assert refresh_modes(course_run_keys=[DEMO_RUN]) == {}
    simulator.faults.clear()
    assert refresh_modes(course_run_keys=[DEMO_RUN]).keys() == {FOLDED}


def test_seats_tell_readers_what_the_lms_has_not_yet_told(world):
    resolution = fetch_one(DEMO).resolution
    known = with_other_evidence({}, [resolution])[FOLDED]
    assert (known.modes.keys(), known.evidence, known.fetched_at) == ({"audit", "verified"}, ModesSource.SEATS, None)
    stored = refresh_modes(course_run_keys=[DEMO_RUN])
    assert with_other_evidence(stored, [resolution]) == stored


class TestTypes:
    """What a run is for is stronger evidence than what is sold of it, and weaker than the LMS's answer."""

    def known(self):
        known = with_other_evidence({}, [fetch_one(DEMO).resolution])[FOLDED]
        return known.evidence, set(known.modes)

    def test_the_catalog_names_course_discoverys_type_of_the_run(self, world):
        world.change_run(run_key=DEMO_RUN, seats=(seat("audit"),))
        assert self.known() == (ModesSource.SEATS, {"audit"})
        types = CourseRunType.objects.filter(slug="verified-audit")
        types.update(discovery_uuid=uuid_for("run type", "audit"))
        assert self.known() == (ModesSource.RUN_TYPE, {"audit", "verified"})

    def test_what_was_said_here_goes_before_it(self, world):
        types = CourseRunType.objects.filter(slug="professional")
        types.update(discovery_uuid=uuid_for("run type", "verified-audit"))
        assert self.known() == (ModesSource.RUN_TYPE, {"professional"})
        assign_course_type(course_key=DEMO, course_type="masters-verified-audit")
        assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="masters-verified-audit")
        assert self.known() == (ModesSource.TYPED_RUN, {"audit", "masters", "verified"})

    def test_a_type_that_means_not_known_yet_says_nothing(self, world):
        assign_course_type(course_key=DEMO, course_type="verified-audit")
        assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="empty")
        assert self.known() == (ModesSource.SEATS, {"audit", "verified"})

    def test_the_lms_goes_before_everything(self, world):
        assign_course_type(course_key=DEMO, course_type="masters")
        assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="masters")
        stored = refresh_modes(course_run_keys=[DEMO_RUN])
        assert with_other_evidence(stored, [fetch_one(DEMO).resolution]) == stored

    def test_nothing_but_the_lms_is_ever_asked_for_enrolling(self, world, simulator):
        assign_course_type(course_key=DEMO, course_type="verified-audit")
        assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="verified-audit")
        simulator.faults.add(FaultKind.STATUS, MODES, times=None)
        assert refresh_modes(course_run_keys=[DEMO_RUN]) == {}

    def test_it_costs_a_statement_only_where_the_lms_was_not_asked(self, world, django_assert_num_queries):
        resolution = fetch_one(DEMO).resolution
        with django_assert_num_queries(1):
            with_other_evidence({}, [resolution, resolution])
        stored = refresh_modes(course_run_keys=[DEMO_RUN])
        with django_assert_num_queries(0):
            with_other_evidence(stored, [resolution])


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

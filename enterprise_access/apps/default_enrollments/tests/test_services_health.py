"""The content sweep: it notices what changed about an intention, and wakes the learners who waited for that."""

from datetime import timedelta

import pytest

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import fetch_content, refresh_content
from enterprise_access.apps.default_enrollments import tasks
from enterprise_access.apps.default_enrollments.models import IntentionHealth, RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.health.verdicts import (
    check_intentions,
    list_customers_with_intentions,
)
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    MAX,
    attempts_of,
    intend,
    realizations_of,
    request_of,
    visit,
    work,
)
from enterprise_access.lib.errors import UpstreamUnavailable
from simulator.faults import FaultKind
from simulator.seed import ACME, ACME_CUSTOM, ACME_LEADERSHIP, ACME_MIXED, ACME_OPEN

pytestmark = pytest.mark.django_db

SCALA, SCALA_A, SCALA_B = "EPFLx+Scala", "course-v1:EPFLx+Scala+2026_A", "course-v1:EPFLx+Scala+2026_B"
CLOSED = "BerkeleyX+CS188.1x"
CLOSED_RUN = "course-v1:BerkeleyX+CS188.1x+2026"
NOT_ADVERTISED = "edX+OLD101"
OUTSIDE = "EdinburghX+SUST1"
OUTSIDE_RUN = "course-v1:EdinburghX+SUST1+2026_T1"
EXPIRED, EXPIRED_RUN = "ColumbiaX+BUS5", "course-v1:ColumbiaX+BUS5+2026"


@pytest.fixture(autouse=True)
def _stopped(clock):
    """Time passes only when a test says so."""


def sweep():
    """Let the sweep come round; return the keys of the intentions that changed."""
    return [intention.content_key for intention in check_intentions(customer_uuid=ACME)]


def is_due(lms_user_id):
    return request_of(lms_user_id).due_at is not None


def health_of(key):
    row = IntentionHealth.objects.get(intention__content_key=key)
    return row.reason, row.is_healthy, row.course_run_key


def waiting_for(key, reason, *learners):
    """Let learners be looked at, and be blocked by the content of an intention that the sweep has seen."""
    intend(key)
    visit(*learners or [ADA])
    for learner in learners or [ADA]:
        assert attempts_of(learner)[-1] == ("blocked", reason)
    sweep()
    work()
    assert not any(is_due(learner) for learner in learners or [ADA])
    assert sweep() == []


def test_it_writes_down_what_a_newcomer_would_get(world):
    intend(DEMO, CLOSED, "MITx+6.00.1x")
    assert sorted(sweep()) == sorted([DEMO, CLOSED, "MITx+6.00.1x"]), "everything is news at first"
    assert health_of(DEMO) == ("needs_enrollment", True, DEMO_RUN)
    assert health_of(CLOSED) == ("enrollment_closed", False, CLOSED_RUN)
    assert health_of("MITx+6.00.1x") == ("no_advertised_run", False, "")


def test_when_nothing_changed_nobody_is_woken(world, clock):
    waiting_for(CLOSED, "enrollment_closed")
    for _ in range(3):
        clock.shift(HOUR)
        assert sweep() == []
    assert not is_due(ADA)


def test_a_window_that_opens_wakes_who_waits(world):
    waiting_for(CLOSED, "enrollment_closed")
    world.change_run(run_key=CLOSED_RUN, enrollment_end=None)
    assert sweep() == [CLOSED]
    assert is_due(ADA)
    assert request_of(ADA).trigger == Trigger.CONTENT
    work()
    assert realizations_of(ADA).keys() == {CLOSED_RUN}


def test_a_window_that_closes_is_noticed(world, clock):
    intend(DEMO)
    sweep()
    world.close_run(run_key=DEMO_RUN)
    clock.shift(timedelta(minutes=15))
    assert sweep() == [DEMO]
    assert health_of(DEMO) == ("enrollment_closed", False, DEMO_RUN)


def test_the_cache_knows_it_at_once(world):
    intend(DEMO)
    world.close_run(run_key=DEMO_RUN)
    sweep()
    resolution = fetch_content(customer_uuid=ACME, content_keys=[DEMO])[DEMO.lower()].resolution
    assert isinstance(resolution, Resolved)
    assert resolution.run.enrollment_ends_at == world.run(DEMO_RUN).enrollment_end


def test_time_that_opens_a_window_is_a_change(world, clock):
    intend("DelftX+WATER1")
    sweep()
    clock.shift(31 * DAY)
    assert sweep() == ["DelftX+WATER1"]
    assert health_of("DelftX+WATER1")[0] == "needs_enrollment"


def test_another_advertised_run_wakes_who_waits(world):
    world.close_run(run_key=SCALA_B)
    world.advertise(course_key=SCALA, run_key=SCALA_B)
    waiting_for(SCALA, "enrollment_closed")
    world.advertise(course_key=SCALA, run_key=SCALA_A)
    assert sweep() == [SCALA]
    work()
    assert realizations_of(ADA).keys() == {SCALA_A}


def test_a_first_advertised_run_wakes_who_waits(world):
    waiting_for(NOT_ADVERTISED, "no_advertised_run")
    world.add_run(key="course-v1:edX+OLD101+2027")
    assert sweep() == [NOT_ADVERTISED]
    work()
    assert realizations_of(ADA).keys() == {"course-v1:edX+OLD101+2027"}


def test_a_course_that_comes_into_a_catalog_wakes_who_waits(world):
    waiting_for(OUTSIDE, "not_in_customer_catalogs")
    courses = world.tables.catalogs.get(ACME_OPEN).course_keys
    world.change_catalog(catalog_uuid=ACME_OPEN, course_keys=(*courses, OUTSIDE))
    assert sweep() == [OUTSIDE]
    work()
    assert realizations_of(ADA).keys() == {OUTSIDE_RUN}


def test_a_course_that_leaves_every_catalog_is_noticed(world):
    intend(DEMO)
    sweep()
    for catalog in (ACME_OPEN, ACME_LEADERSHIP, ACME_MIXED, ACME_CUSTOM):
        world.change_catalog(catalog_uuid=catalog, course_keys=(), run_keys=())
    assert sweep() == [DEMO]
    assert health_of(DEMO) == ("not_in_customer_catalogs", False, DEMO_RUN)


def test_modes_that_change_wake_who_waits(world, clock):
    waiting_for(EXPIRED, "mode_expired")
    world.change_run(run_key=EXPIRED_RUN, modes=world.run(DEMO_RUN).modes)
    assert sweep() == [], "the modes that are kept are a day young"
    clock.shift(DAY + HOUR)
    assert sweep() == [EXPIRED]
    work()
    assert realizations_of(ADA).keys() == {EXPIRED_RUN}


def test_modes_that_nobody_has_asked_for_yet_are_asked_for(world):
    intend(SCALA)
    sweep()
    world.advertise(course_key=SCALA, run_key=SCALA_A)
    sweep()
    assert RunModes.objects.filter(course_run_key=SCALA_A).exists()
    assert health_of(SCALA) == ("needs_enrollment", True, SCALA_A)


def test_modes_that_cannot_be_asked_for_are_no_change(world, simulator, clock):
    waiting_for(EXPIRED, "mode_expired")
    clock.shift(DAY + HOUR)
    simulator.faults.add(FaultKind.HANG, "platform.course", times=None)
    assert sweep() == []
    assert health_of(EXPIRED)[0] == "modes_unavailable"
    assert not is_due(ADA)
    simulator.faults.clear()
    assert sweep() == []
    assert health_of(EXPIRED)[0] == "mode_expired"


def test_while_the_catalog_is_away_nothing_changes(world, simulator, clock):
    waiting_for(CLOSED, "enrollment_closed")
    before = IntentionHealth.objects.get()
    world.change_run(run_key=CLOSED_RUN, enrollment_end=None)
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=None)
    clock.shift(HOUR)
    with pytest.raises(UpstreamUnavailable):
        sweep()
    tasks.check_intentions(customer_uuid=str(ACME))
    after = IntentionHealth.objects.get()
    assert (after.checked_at, after.reason) == (before.checked_at, before.reason)
    assert not is_due(ADA)


def test_only_those_are_woken_whom_the_content_kept_back_last(world):
    """Max has been enrolled since; Ben's license keeps him back, and not the content."""
    waiting_for(CLOSED, "enrollment_closed", ADA, MAX)
    world.change_run(run_key=CLOSED_RUN, enrollment_end=None)
    refresh_content(customer_uuid=ACME, content_keys=[CLOSED])
    visit(MAX, BEN)
    assert attempts_of(MAX)[-1][0] == "realized"
    assert sweep() == [CLOSED]
    assert is_due(ADA)
    assert request_of(ADA).trigger == Trigger.CONTENT
    assert not is_due(MAX)
    assert request_of(BEN).trigger != Trigger.CONTENT


def test_what_changed_before_the_first_check_wakes_who_waits(world):
    intend(CLOSED)
    visit(ADA)
    world.change_run(run_key=CLOSED_RUN, enrollment_end=None)
    sweep()
    assert is_due(ADA)


def test_deleted_intentions_are_left_alone(world):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    assert sweep() == []
    assert list_customers_with_intentions() == []
    assert not RealizationRequest.objects.exists()

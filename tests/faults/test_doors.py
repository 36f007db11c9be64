"""Behind every door, every call fails in every way: what is missing has the right reason, and nothing else is wrong.

Which calls there are behind a door is not written down: the simulator's journal says it, so one that is added is tried
at once. FAULT_KINDS=all tries every fault that the clients are tried with, at each call behind each door; otherwise a
few of those that differ most are tried, others at the next call and at the next commit.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction

from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO_RUN,
    LINUX_RUN,
    intend,
    realizations_of,
    work,
)
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import enroll_due
from enterprise_access.lib import breaker
from enterprise_access.lib.http import transport
from enterprise_access.upstream import connections
from simulator.app import Simulator
from simulator.faults import FaultKind
from tests.contracts.calls import CALLS
from tests.contracts.test_faults import FAULTS, Fault
from tests.faults.doors import DOORS, INTENDED, Caller, Said
from tests.sampling import some
from tests.tally import Tally

pytestmark = [pytest.mark.django_db, pytest.mark.faults]

TOKEN = "lms.access_token"
# What a customer or learner that was never met costs is asked once.
MOST_DIFFERENT = (
    "late, after the work",
    "breaks after the work",
    "500 html",
    "429",
    "403 json",
    "404 without a word",
    "html",
    "keys missing",
    "huge",
)
AT_EACH_CALL = 2
NEEDED = {call.endpoint: call.needed for call in CALLS} | {TOKEN: ("access_token",)}
# Which reason is the right one while a call fails; the longest beginning counts. Without a token nobody answers.
RIGHT: Mapping[str, frozenset[str]] = {
    TOKEN: frozenset({"lms_unavailable", "catalog_unavailable", "license_manager_unavailable", "modes_unavailable"}),
    "lms.": frozenset({"lms_unavailable"}),
    # What may have happened is in doubt until it is read back; a 500 for one item alone is a refusal of that item.
    "lms.enroll_learners": frozenset({"outcome_unknown", "lms_unavailable", "refused_by_lms"}),
    "platform.enrollments": frozenset({"lms_unavailable"}),
    "platform.course": frozenset({"modes_unavailable"}),
    "catalog.": frozenset({"catalog_unavailable"}),
    "license_manager.": frozenset({"license_manager_unavailable"}),
}
# Who may be named where there is no answer.
NEIGHBOURS = {
    "lms": frozenset({"lms"}),
    "platform": frozenset({"lms"}),
    "catalog": frozenset({"enterprise-catalog"}),
    "license_manager": frozenset({"license-manager"}),
}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nobody_really_waits(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Pauses between two attempts take no time, and the breaker, which has tests of its own, stays closed. A busy
    machine is no silent neighbour: the budget of a page has tests of its own, too."""
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))
    settings.BREAKER_FAILURES = 1_000_000
    settings.PORTAL_BUDGET_SECONDS = 60


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def caller(simulator: Simulator, staff: Any) -> Caller:
    """Return who calls; Acme intends two courses, and nothing else is known."""
    intend(*INTENDED)
    return Caller(simulator, staff)


def forget_everything() -> None:
    cache.clear()
    connections.forget()
    breaker._breaker_of.cache_clear()
    EnterpriseLearner.objects.all().delete()


def enter(door: str, caller: Caller, then: Callable[[], object] = bool) -> tuple[Said, set[str]]:
    """Go through a door with nothing remembered, and undo what came of it here and there; say which calls were made."""
    world = caller.simulator.world
    since = world.journal.next_number()
    with transaction.atomic():
        forget_everything()
        said = DOORS[door](caller)
        asked = {call.endpoint for call in world.journal.calls(since=since)}
        then()
        transaction.set_rollback(True)
    if world.journal.changes(since=since):
        world.reset()
    caller.simulator.faults.clear()
    return said, asked


def arm(simulator: Simulator, endpoint: str, fault: Fault) -> None:
    about = dict(fault.about)
    if "KEYS" in fault.kind.name:
        about["keys"] = NEEDED[endpoint]
    if fault.kind is FaultKind.HUGE:
        about["size_bytes"] = transport.MAX_BODY_BYTES
    simulator.faults.add(fault.kind, endpoint, times=None, **about)


def tried_at(door: str, endpoint: str) -> Mapping[str, Fault]:
    """Return the faults that are tried there."""
    if os.environ.get("FAULT_KINDS") == "all":
        return FAULTS
    return {name: FAULTS[name] for name in some(dict.fromkeys(MOST_DIFFERENT), door + endpoint, count=AT_EACH_CALL)}


def right_for(endpoint: str) -> frozenset[str]:
    return RIGHT[max((start for start in RIGHT if endpoint.startswith(start)), key=len)]


def neighbours_of(endpoint: str) -> frozenset[str]:
    """Return who may be named when a call fails."""
    return frozenset().union(*NEIGHBOURS.values()) if endpoint == TOKEN else NEIGHBOURS[endpoint.partition(".")[0]]


def wrongs(said: Said, healthy: Said, endpoint: str) -> list[str]:
    """Return what is neither as it should be nor missing for the right reason, while calls of an endpoint fail."""
    if said.missing:
        strangers = said.missing - neighbours_of(endpoint)
        return [f"{name} is said to be missing" for name in sorted(strangers)]
    right = right_for(endpoint)
    if said.told.keys() != healthy.told.keys():
        return [f"{sorted(healthy.told)} became {sorted(said.told)}"]
    changed = [name for name in healthy.told if said.told[name] != healthy.told[name]]
    return [
        f"{name}: {said.told[name]}, {said.reasons.get(name)!r}"
        for name in changed
        if not right & set(said.reasons.get(name, "").split(","))
    ]


@pytest.mark.parametrize("door", DOORS)
def test_whatever_fails_behind_a_door_the_answer_is_right_or_missing_for_the_right_reason(
    door: str, caller: Caller, tally: Tally
) -> None:
    healthy, endpoints = enter(door, caller)
    assert not healthy.missing
    assert endpoints - NEEDED.keys() == set(), "These have no row in tests/contracts/calls.py."
    problems, counted = [], tally.of("test-faults")
    for endpoint in sorted(endpoints):
        for name, fault in tried_at(door, endpoint).items():
            arm(caller.simulator, endpoint, fault)
            said, _ = enter(door, caller)
            counted.add(faults_behind_doors=1)
            problems += [f"{endpoint}, {name}: {wrong}" for wrong in wrongs(said, healthy, endpoint)]
    counted.add(doors=1)
    tally.lose(wrong_answers=len(problems))
    assert not problems, "\n".join([f"{len(problems)} wrong answers:", *problems])


def test_once_a_fault_is_over_everything_is_enrolled_once(caller: Caller, clock: Any, tally: Tally) -> None:
    simulator, world = caller.simulator, caller.simulator.world
    _, endpoints = enter("worker", caller)
    problems: list[str] = []
    counted = tally.of("test-faults")
    for endpoint in sorted(endpoints):
        for name, fault in tried_at("recovery", endpoint).items():
            arm(simulator, endpoint, fault)
            counted.add(recoveries=1)

            def lift(what: str = f"{endpoint}, {name}") -> None:
                simulator.faults.clear()
                simulator.faults.finish_late_work()
                for _ in range(8):
                    clock.shift(HOUR)
                    work()
                runs = sorted(row.course_run_key for row in realizations_of(ADA).values())
                enrolled = [
                    row for key in (DEMO_RUN, LINUX_RUN) if (row := world.enrollment("ada", key)) and row.is_active
                ]
                if runs != sorted([DEMO_RUN, LINUX_RUN]) or len(enrolled) != 2:
                    problems.append(f"{what}: realized {runs}, enrolled {enrolled}")

            enter("worker", caller, lift)
    tally.lose(enrollments_lost=len(problems))
    assert not problems, "\n".join([f"{len(problems)} lost:", *problems])


def test_once_a_fault_is_over_an_approval_enrolls_once(caller: Caller, clock: Any, tally: Tally) -> None:
    """What the LMS refuses for this learner alone stays with the learner; everything else is enrolled, once."""
    door, simulator, world = "after an approval", caller.simulator, caller.simulator.world
    _, endpoints = enter(door, caller)
    problems: list[str] = []
    counted = tally.of("test-faults")
    for endpoint in sorted(endpoints):
        for name, fault in tried_at("recovery after an approval", endpoint).items():
            arm(simulator, endpoint, fault)
            counted.add(recoveries=1)

            def lift(what: str = f"{endpoint}, {name}") -> None:
                simulator.faults.clear()
                simulator.faults.finish_late_work()
                for _ in range(4):
                    clock.shift(HOUR)
                    while enroll_due():
                        pass
                row, made = AutoEnrollment.objects.get(), world.enrollment("ada", DEMO_RUN)
                is_enrolled = made is not None and made.is_active
                if row.state != ("enrolled" if is_enrolled else "not_enrolled"):
                    problems.append(f"{what}: {row.state} {row.reason} {row.waiting_for}, enrolled: {is_enrolled}")
                if not is_enrolled and row.reason != "refused_by_lms":
                    problems.append(f"{what}: not enrolled, {row.reason}")

            enter(door, caller, lift)
    tally.lose(enrollments_lost=len(problems))
    assert not problems, "\n".join([f"{len(problems)} lost:", *problems])


def test_a_wrong_no_would_be_noticed(caller: Caller) -> None:
    healthy, _ = enter("learner-status", caller)
    name = next(iter(healthy.told))
    lie = Said({**healthy.told, name: ("not_enrollable", None, "no_license")}, {**healthy.reasons, name: "no_license"})
    assert wrongs(lie, healthy, "license_manager.learner_licenses")
    assert wrongs(Said({}, {}), healthy, "lms.learners")
    assert not wrongs(healthy, healthy, "lms.learners")
    assert wrongs(Said(missing=frozenset({"lms"})), healthy, "catalog.catalogs")
    assert not wrongs(Said(missing=frozenset({"lms"})), healthy, "platform.course")

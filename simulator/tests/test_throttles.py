"""Rate limits, where the world's throttles are switched on."""

from __future__ import annotations

import json

from simulator.seed import ACME
from simulator.world import World

from .conftest import Ask, Clock
from .recorded_cases import RECORDINGS

ENROLLMENTS = "/lms/api/enrollment/v1/enrollments?username=ada"
MODES = "/lms/api/enrollment/v1/course/course-v1:edX+DemoX+2026_T1"
PLANS = f"/license-manager/api/v1/subscriptions/?enterprise_customer_uuid={ACME}"


def calls_until_refused(ask: Ask, path: str, **about: str | None) -> int:
    for number in range(1000):
        if ask("GET", path, **about).status_code == 429:
            return number
    raise AssertionError("never refused")


def test_nothing_is_throttled_unless_switched_on(ask: Ask) -> None:
    assert {ask("GET", PLANS).status_code for _ in range(30)} == {200}


def test_license_manager_allows_18_calls_a_second_for_each_user(world: World, ask: Ask, clock: Clock) -> None:
    world.quirks.has_throttles = True
    assert calls_until_refused(ask, PLANS) == 18
    refused = ask("GET", PLANS)
    recorded = json.loads((RECORDINGS / "license-manager/throttled-burst.json").read_text())["response"]
    assert (refused.headers["Retry-After"], refused.json()) == ("1", recorded["body"])
    assert ask("GET", PLANS, caller="amy_admin").status_code == 200
    clock.move(seconds=1)
    assert ask("GET", PLANS).status_code == 200


def test_license_manager_allows_360_calls_a_minute(world: World, ask: Ask, clock: Clock) -> None:
    world.quirks.has_throttles = True
    for _ in range(20):
        assert calls_until_refused(ask, PLANS) == 18
        clock.move(seconds=1)
    refused = ask("GET", PLANS)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "40")


def test_the_platform_allows_120_reads_a_minute_to_staff(world: World, ask: Ask, clock: Clock) -> None:
    world.quirks.has_throttles = True
    assert calls_until_refused(ask, ENROLLMENTS) == 120
    clock.move(seconds=43)
    refused = ask("GET", ENROLLMENTS)
    recorded = json.loads((RECORDINGS / "edx-platform/enrollments-429.json").read_text())["response"]
    assert (refused.headers["Retry-After"], refused.json()) == ("17", recorded["body"])


def test_modes_are_limited_to_40_a_minute_for_each_address(world: World, ask: Ask) -> None:
    world.quirks.has_throttles = True
    assert calls_until_refused(ask, MODES, caller=None) == 40
    assert ask("GET", MODES).status_code == 429

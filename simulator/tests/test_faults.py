"""Every fault, as a caller inside the process meets it; nothing sleeps."""

from __future__ import annotations

import json

import pytest
import requests

from simulator.faults import FaultKind, Faults
from simulator.in_process import SimulatorAdapter, WaitsForever
from simulator.seed import ACME
from simulator.values import uuid_for
from simulator.world import World

from .conftest import Ask

ENROLL = f"/lms/enterprise/api/v1/enterprise-customer/{ACME}/enroll_learners_in_courses/"
RUN = "course-v1:UBCx+HTC1+2026_T1"
BODY = {"enrollments_info": [{"user_id": 1001, "course_run_key": RUN, "license_uuid": str(uuid_for("a license"))}]}
ENDPOINT = "lms.enroll_learners"


def enroll(ask: Ask, **about: object) -> requests.Response:
    return ask("POST", ENROLL, json=BODY, **about)


def is_enrolled(world: World) -> bool:
    return world.enrollment("ada", RUN) is not None


@pytest.mark.parametrize(
    ("kind", "about", "status", "content_type", "is_done"),
    [
        (FaultKind.STATUS, {"status": 502}, 502, "text/html", False),
        (FaultKind.STATUS, {"status": 503, "body": '{"detail": "Later."}'}, 503, "application/json", False),
        (FaultKind.HTML, {}, 200, "text/html", True),
        (FaultKind.UNAUTHORIZED, {}, 401, "application/json", False),
        (FaultKind.THROTTLED, {"seconds": 17}, 429, "application/json", False),
    ],
)
def test_faults_that_answer(
    world: World,
    ask: Ask,
    faults: Faults,
    kind: FaultKind,
    about: dict[str, object],
    status: int,
    content_type: str,
    is_done: bool,
) -> None:
    faults.add(kind, ENDPOINT, **about)
    response = enroll(ask)
    assert response.status_code == status
    assert response.headers["Content-Type"].startswith(content_type)
    assert is_enrolled(world) is is_done
    assert enroll(ask).status_code == 201


def test_a_429_says_when_to_come_back(ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.THROTTLED, ENDPOINT, seconds=17)
    response = enroll(ask)
    assert response.headers["Retry-After"] == "17"
    assert response.json() == {"detail": "Request was throttled. Expected available in 17 seconds."}


@pytest.mark.parametrize("kind", [FaultKind.MALFORMED_JSON, FaultKind.TRUNCATED_JSON])
def test_json_that_cannot_be_read_comes_after_the_work(world: World, ask: Ask, faults: Faults, kind: FaultKind) -> None:
    faults.add(kind, ENDPOINT)
    response = enroll(ask)
    assert response.headers["Content-Type"] == "application/json"
    with pytest.raises(ValueError):
        response.json()
    assert is_enrolled(world)


def test_keys_can_be_missing_or_null_wherever_they_are(ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.MISSING_KEYS, ENDPOINT, keys=["user_id", "pending"])
    faults.add(FaultKind.NULL_KEYS, ENDPOINT, keys=["user_id"])
    missing, null = enroll(ask).json(), enroll(ask).json()
    assert set(missing) == {"successes", "failures"}
    assert "user_id" not in missing["successes"][0]
    assert null["successes"][0]["user_id"] is None


def test_a_huge_answer_is_still_right(ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.HUGE, ENDPOINT, size_bytes=3_000_000)
    response = enroll(ask)
    assert len(response.content) > 3_000_000
    assert len(response.json()["successes"]) == 1


@pytest.mark.parametrize(
    ("kind", "is_done"), [(FaultKind.DROP, True), (FaultKind.UNREACHABLE, False), (FaultKind.CUT_OFF, True)]
)
def test_connections_that_break(world: World, ask: Ask, faults: Faults, kind: FaultKind, is_done: bool) -> None:
    faults.add(kind, ENDPOINT)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        enroll(ask)
    assert is_enrolled(world) is is_done


def test_a_delay_after_the_work_loses_the_answer_only(world: World, ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.DELAY_AFTER, ENDPOINT, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        enroll(ask, timeout=(1, 10))
    assert is_enrolled(world)


def test_a_delay_before_the_work_lets_it_happen_after_the_caller_gave_up(
    world: World, ask: Ask, faults: Faults
) -> None:
    faults.add(FaultKind.DELAY_BEFORE, ENDPOINT, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        enroll(ask, timeout=10)
    assert not is_enrolled(world)
    assert faults.finish_late_work() == 1
    assert is_enrolled(world)
    assert faults.finish_late_work() == 0


def test_a_delay_that_is_short_enough_is_only_counted(ask: Ask, faults: Faults, adapter: SimulatorAdapter) -> None:
    faults.add(FaultKind.DELAY_BEFORE, ENDPOINT, seconds=4)
    assert enroll(ask, timeout=5).status_code == 201
    assert adapter.waited_seconds == 4


def test_hanging_ends_with_the_callers_patience(
    world: World, ask: Ask, faults: Faults, adapter: SimulatorAdapter
) -> None:
    faults.add(FaultKind.HANG, ENDPOINT, times=None)
    with pytest.raises(requests.ReadTimeout):
        enroll(ask, timeout=5)
    assert adapter.waited_seconds == 5
    with pytest.raises(WaitsForever):
        enroll(ask, timeout=None)
    assert not is_enrolled(world)


def test_a_slow_drip_passes_every_single_wait(ask: Ask, faults: Faults, adapter: SimulatorAdapter) -> None:
    faults.add(FaultKind.SLOW_DRIP, ENDPOINT, seconds=4, times=2)
    assert enroll(ask, timeout=5).status_code == 201
    assert adapter.waited_seconds == 40
    with pytest.raises(requests.ConnectionError, match="timed out"):
        enroll(ask, timeout=3)


def test_a_caller_that_streams_can_stop_a_slow_drip(ask: Ask, faults: Faults, adapter: SimulatorAdapter) -> None:
    faults.add(FaultKind.SLOW_DRIP, ENDPOINT, seconds=4)
    response = enroll(ask, timeout=5, stream=True)
    next(response.iter_content(10))
    assert adapter.waited_seconds == 4
    response.close()


def test_waits_can_move_the_clock_of_a_test(ask: Ask, faults: Faults, adapter: SimulatorAdapter) -> None:
    waited: list[float] = []
    adapter.on_wait = waited.append
    faults.add(FaultKind.DELAY_AFTER, ENDPOINT, seconds=2)
    enroll(ask)
    assert waited == [2]


def test_a_fault_hits_so_many_calls_of_its_endpoint_and_no_other(ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.STATUS, "lms.*", status=503, times=2)
    path = "/lms/enterprise/api/v1/enterprise-learner/?username=ada"
    assert ask("GET", "/catalog/health/").status_code == 200
    assert [ask("GET", path).status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_until_told_stays_until_told(ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.STATUS, "catalog.health", status=503, times=None)
    assert {ask("GET", "/catalog/health/").status_code for _ in range(5)} == {503}
    faults.clear("catalog.health")
    assert ask("GET", "/catalog/health/").status_code == 200


def test_the_log_tells_what_the_neighbour_saw(world: World, ask: Ask, faults: Faults) -> None:
    faults.add(FaultKind.DROP, ENDPOINT)
    with pytest.raises(requests.ConnectionError):
        enroll(ask, headers={"X-Request-ID": "abc"})
    call = world.journal.calls(service="lms")[-1]
    assert (call.endpoint, call.method, call.status, call.fault) == (ENDPOINT, "POST", None, "drop")
    assert (call.caller, call.request_id) == ("enterprise_access_worker", "abc")
    assert call.body == json.loads(json.dumps(BODY))
    assert call.path == f"/enterprise/api/v1/enterprise-customer/{ACME}/enroll_learners_in_courses/"


def test_unknown_kinds_are_refused(faults: Faults) -> None:
    with pytest.raises(ValueError):
        faults.add("explode", ENDPOINT)

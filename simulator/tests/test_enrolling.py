"""The bulk enrollment call: what it does, whatever it answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask

from simulator.app import simulator_of
from simulator.in_process import SimulatorAdapter
from simulator.seed import ACME, ACME_ANNUAL
from simulator.values import uuid_for
from simulator.world import World

from .conftest import BASE, WORKER, Ask

DEMO = "course-v1:edX+DemoX+2026_T1"
OPEN = "course-v1:UBCx+HTC1+2026_T1"
OTHER = "course-v1:KIx+STATS1+2026_T1"
LICENSE, ANOTHER = uuid_for("a license"), uuid_for("another license")


def item(username: str, world: World, run: str = OPEN, license_uuid: UUID | str = LICENSE) -> dict[str, Any]:
    return {"user_id": world.user(username).id, "course_run_key": run, "license_uuid": str(license_uuid)}


def enroll(ask: Ask, *items: dict[str, Any]) -> requests.Response:
    path = f"/lms/enterprise/api/v1/enterprise-customer/{ACME}/enroll_learners_in_courses/"
    return ask("POST", path, json={"enrollments_info": list(items)})


def mode_of(world: World, username: str, run: str) -> tuple[str, bool] | None:
    row = world.enrollment(username, run)
    return (row.mode, row.is_active) if row else None


def test_a_repeat_answers_the_same_fulfillment_and_created_true_again(world: World, ask: Ask) -> None:
    first, second = (enroll(ask, item("ada", world)).json()["successes"][0] for _ in range(2))
    assert first == second
    assert first["created"] is True
    assert mode_of(world, "ada", OPEN) == ("verified", True)


def test_a_repeat_of_a_transaction_answers_the_same_fulfillment(world: World, ask: Ask) -> None:
    body = {"user_id": 1001, "course_run_key": OPEN, "transaction_id": str(uuid_for("a transaction"))}
    first, second = (enroll(ask, body).json()["successes"][0] for _ in range(2))
    assert first["enterprise_fulfillment_source_uuid"] == second["enterprise_fulfillment_source_uuid"]


def test_an_expired_mode_is_picked_and_then_refused(world: World, ask: Ask) -> None:
    response = enroll(ask, item("ada", world, "course-v1:ColumbiaX+BUS5+2026"))
    assert response.status_code == 409
    assert len(response.json()["failures"]) == 1
    assert mode_of(world, "ada", "course-v1:ColumbiaX+BUS5+2026") is None


@pytest.mark.parametrize(
    ("run", "mode"),
    [
        ("course-v1:HarvardX+CS50+2026", "audit"),
        ("course-v1:WhartonX+FIN1+2026", "professional"),
        ("course-v1:GTx+CSE6040+2026", "no-id-professional"),
        ("course-v1:TsinghuaX+ENG1+2026", "honor"),
        ("course-v1:PurdueX+MIX1+2026", "audit"),
        ("course-v1:MichiganX+PY101+2026", "verified"),
        (DEMO, "verified"),
    ],
)
def test_the_lms_picks_the_mode(world: World, ask: Ask, run: str, mode: str) -> None:
    assert enroll(ask, item("ada", world, run)).status_code == 201
    assert mode_of(world, "ada", run) == (mode, True)


def test_another_license_on_the_same_run_fails_although_it_upgraded(world: World, ask: Ask) -> None:
    assert mode_of(world, "kim", DEMO) == ("audit", True)
    response = enroll(ask, item("kim", world, DEMO, ANOTHER))
    assert response.status_code == 409
    assert response.json()["successes"] == []
    assert mode_of(world, "kim", DEMO) == ("verified", True)


def test_a_partial_failure_keeps_the_successes(world: World, ask: Ask) -> None:
    closed = "course-v1:BerkeleyX+CS188.1x+2026"
    response = enroll(ask, item("ada", world), item("ada", world, closed))
    assert response.status_code == 409
    assert [row["course_run_key"] for row in response.json()["failures"]] == [closed]
    assert mode_of(world, "ada", OPEN) == ("verified", True)


@pytest.mark.parametrize(
    "poison",
    [
        {"course_run_key": "course-v1:OxfordX+GHOST1+2026_T1"},
        {"course_run_key": "course-v1:No+SUCH+RUN"},
        {"course_run_key": "not a run key"},
        {"license_uuid": "not-a-uuid"},
    ],
)
def test_one_poisonous_item_is_a_500_for_the_whole_call(world: World, ask: Ask, poison: dict[str, str]) -> None:
    response = enroll(ask, item("ada", world), item("ben", world) | poison)
    assert response.status_code == 500
    assert response.headers["Content-Type"].startswith("text/html")
    assert mode_of(world, "ada", OPEN) is None


def test_a_500_keeps_the_items_before_it_where_requests_are_not_atomic(world: World, ask: Ask) -> None:
    world.quirks.keeps_work_before_crash = True
    enroll(ask, item("ada", world), item("ben", world, "course-v1:No+SUCH+RUN"))
    assert mode_of(world, "ada", OPEN) == ("verified", True)


def test_it_enrolls_again_who_had_left(world: World, ask: Ask) -> None:
    old = world.enterprise_enrollment("dave", "acme", DEMO)
    assert old is not None
    assert (old.unenrolled, old.is_revoked) == (True, True)
    assert enroll(ask, item("dave", world, DEMO, old.license_uuid or "")).status_code == 201
    new = world.enterprise_enrollment("dave", "acme", DEMO)
    assert new is not None
    assert (new.unenrolled, new.unenrolled_at, new.is_revoked) == (False, None, True)
    assert mode_of(world, "dave", DEMO) == ("verified", True)


def test_it_links_again_and_selects_the_customer(world: World, ask: Ask) -> None:
    enroll(ask, item("grace", world), item("frank", world))
    assert [link.is_linked for link in world.links_of("grace")] == [True]
    active = {link.customer_uuid for link in world.links_of("frank") if link.is_active}
    assert active == {ACME}


def test_a_row_that_exists_is_enrolled_again_although_the_window_is_closed(world: World, ask: Ask) -> None:
    world.close_run(run_key=DEMO)
    old = world.enterprise_enrollment("dave", "acme", DEMO)
    assert enroll(ask, item("dave", world, DEMO, old.license_uuid or "" if old else "")).status_code == 201
    assert enroll(ask, item("ada", world, DEMO)).status_code == 409


def test_invitation_only_is_refused_unless_forced(world: World, ask: Ask) -> None:
    run = "course-v1:ANUx+ASTRO1+2026"
    assert enroll(ask, item("ada", world, run)).status_code == 409
    assert enroll(ask, item("ada", world, run) | {"force_enrollment": True}).status_code == 201


def test_a_malformed_address_is_reported_beside_the_rest(world: World, ask: Ask) -> None:
    response = enroll(
        ask, item("ada", world), {"email": "nobody", "course_run_key": OPEN, "license_uuid": str(LICENSE)}
    )
    assert response.status_code == 409
    assert response.json()["invalid_email_addresses"] == ["nobody"]


def test_leaving_marks_the_enterprise_row_or_deletes_it(world: World) -> None:
    world.leave(username="erin", run_key=DEMO)
    row = world.enterprise_enrollment("erin", "acme", DEMO)
    assert row is not None
    assert row.unenrolled_at is not None
    assert row.is_revoked
    world.enroll(username="ada", run_key=DEMO, customer="acme", license_uuid=LICENSE, mode="verified")
    world.leave(username="ada", run_key=DEMO, delete_enterprise_row=True)
    assert world.enterprise_enrollment("ada", "acme", DEMO) is None
    assert mode_of(world, "ada", DEMO) == ("verified", False)


def test_revoking_moves_to_audit_where_the_run_has_it_and_out_where_not(world: World) -> None:
    only_verified = "course-v1:ImperialX+MATH1+2026"
    row = world.licenses_of("ada")[0]
    for run in (DEMO, only_verified):
        world.enroll(username="ada", run_key=run, customer="acme", license_uuid=row.uuid, mode="verified")
    world.revoke(license_uuid=row.uuid)
    assert mode_of(world, "ada", DEMO) == ("audit", True)
    assert mode_of(world, "ada", only_verified) == ("verified", False)
    assert world.license(row.uuid).status == "revoked"
    assert world.tables.licenses.first(plan_status=(ACME_ANNUAL, "unassigned")) is not None


def test_every_enrollment_is_written_down(world: World, ask: Ask) -> None:
    enroll(ask, item("ada", world), item("ben", world))
    enrolled = world.journal.changes(what="enrolled")
    assert [change.row.user_id for change in enrolled] == [1001, 1002]
    assert [call.caller for call in world.journal.calls(endpoint="lms.enroll_learners")] == ["enterprise_access_worker"]


def test_a_learner_leaves_through_the_platform(world: World, ask: Ask) -> None:
    body = {"course_details": {"course_id": DEMO}, "is_active": False}
    response = ask("POST", "/lms/api/enrollment/v1/enrollment", caller="erin", json=body)
    assert response.json()["is_active"] is False
    assert mode_of(world, "erin", DEMO) == ("verified", False)
    assert (
        ask("POST", "/lms/api/enrollment/v1/enrollment", caller="ada", json=body | {"user": "erin"}).status_code == 404
    )


def test_parallel_calls_for_one_learner_leave_one_enrollment(world: World, app: Flask) -> None:
    def call(_: int) -> int:
        session = requests.Session()
        session.mount(BASE, SimulatorAdapter(app))
        headers = {"Authorization": f"JWT {simulator_of(app).tokens.token_for(WORKER)}"}
        path = f"{BASE}/lms/enterprise/api/v1/enterprise-customer/{ACME}/enroll_learners_in_courses/"
        body = {"enrollments_info": [item("ada", world)]}
        return session.post(path, json=body, headers=headers, timeout=5).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(24))) == {201}
    assert len(world.journal.changes(what="enrolled")) == 1
    assert len(world.journal.calls(endpoint="lms.enroll_learners")) == 24

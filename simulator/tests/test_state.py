"""What is kept over a restart, and over a reset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.app import create_app, simulator_of
from simulator.seed import ACME_ANNUAL, seed
from simulator.values import LicenseStatus
from simulator.world import UnknownName, World

from .conftest import Clock

Open = Callable[[Path], World]
DEMO = "course-v1:edX+DemoX+2026_T1"


@pytest.fixture
def open_world(clock: Clock) -> Iterator[Callable[[Path], World]]:
    """Start a program on a state file; files are closed in the end."""
    worlds: list[World] = []

    def open_world(path: Path) -> World:
        worlds.append(World(now=clock, seed=seed))
        worlds[-1].keep_in(path)
        return worlds[-1]

    yield open_world
    for world in worlds:
        world.journal.close()


def everything_in(world: World) -> dict[str, list[object]]:
    names = [name for name in vars(world.tables) if not name.startswith("_") and name != "catalogs"]
    return {name: list(world.tables.named(name)) for name in names}


def test_a_restart_keeps_every_change_and_the_dates_of_the_seed(open_world: Open, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "state" / "world.jsonl"
    world = open_world(path)
    clock.move(days=3)
    world.enroll(username="ada", run_key=DEMO, mode="verified", customer="acme")
    world.leave(username="ada", run_key=DEMO, delete_enterprise_row=True)
    world.revoke(license_uuid=world.licenses_of("max")[0].uuid)
    world.add_learner(username="newcomer", customer="hooli")
    world.close_run(run_key=DEMO)
    world.journal.close()
    clock.move(days=4)
    again = open_world(path)
    assert again.seeded_at == world.seeded_at
    assert everything_in(again) == everything_in(world)


def test_what_a_crash_tore_off_is_left_out_and_the_rest_goes_on(open_world: Open, tmp_path: Path) -> None:
    path = tmp_path / "world.jsonl"
    world = open_world(path)
    world.enroll(username="ada", run_key=DEMO)
    world.journal.close()
    path.write_text(path.read_text() + '{"at": "2026-11')
    again = open_world(path)
    again.enroll(username="ben", run_key=DEMO)
    again.journal.close()
    last = open_world(path)
    assert last.enrollment("ada", DEMO) is not None
    assert last.enrollment("ben", DEMO) is not None


def test_a_reset_goes_back_to_the_seed_for_good(open_world: Open, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "world.jsonl"
    world = open_world(path)
    world.enroll(username="ada", run_key=DEMO)
    clock.move(days=1)
    world.quirks.has_throttles = True
    world.reset()
    assert world.enrollment("ada", DEMO) is None
    assert not world.quirks.has_throttles
    world.enroll(username="ben", run_key=DEMO)
    world.journal.close()
    again = open_world(path)
    assert again.enrollment("ada", DEMO) is None
    assert again.enrollment("ben", DEMO) is not None
    assert again.seeded_at == clock.at


def test_the_state_file_is_only_appended_to(open_world: Open, tmp_path: Path) -> None:
    path = tmp_path / "world.jsonl"
    world = open_world(path)
    world.enroll(username="ada", run_key=DEMO)
    before = path.read_bytes()
    world.leave(username="ada", run_key=DEMO)
    assert path.read_bytes().startswith(before)


def test_two_programs_seed_the_same_uuids(clock: Clock) -> None:
    first, second = World(now=clock, seed=seed), World(now=clock, seed=seed)
    assert everything_in(first) == everything_in(second)


def test_a_program_can_be_built_around_a_state_file(tmp_path: Path) -> None:
    app = create_app(state_file=tmp_path / "world.jsonl")
    body = {"username": "erin", "course_run_key": DEMO}
    assert app.test_client().post("/portal/leave", json=body).status_code == 200
    simulator_of(app).world.journal.close()
    again = create_app(state_file=tmp_path / "world.jsonl")
    rows = again.test_client().get("/portal/courses?username=erin").get_json()
    assert {row["is_active"] for row in rows if row["course_run_key"] == DEMO} == {False}
    simulator_of(again).world.journal.close()


def test_an_empty_world_is_filled_by_verbs(clock: Clock) -> None:
    world = World(now=clock)
    world.add_customer(slug="tiny")
    run = world.add_open_course(key="edX+Tiny")
    catalog = world.add_catalog(customer="tiny", title="All", courses=["edX+Tiny"])
    plan = world.add_plan(customer="tiny", catalog_uuid=catalog.uuid)
    world.add_learner(username="tim", customer="tiny")
    row = world.add_license(plan_uuid=plan.uuid, username="tim")
    assert (row.status, world.course("EDX+tiny").advertised_run_uuid) == (LicenseStatus.ACTIVATED, run.uuid)
    with pytest.raises(UnknownName):
        world.run("course-v1:edX+Tiny+NONE")


def test_changes_are_numbered_and_can_be_read_from_a_point(world: World) -> None:
    world.enroll(username="ada", run_key=DEMO)
    since = world.journal.changes()[-1].number
    world.leave(username="ada", run_key=DEMO)
    assert [change.what for change in world.journal.changes(since=since)] == ["learner left"]


def test_a_plan_is_current_to_its_very_last_instant(world: World) -> None:
    plan = world.plan(ACME_ANNUAL)
    assert plan.is_current(plan.expires_at)
    assert not plan.is_current(plan.expires_at + timedelta(microseconds=1))
    assert plan.days_left(plan.expires_at - timedelta(hours=1)) == 0


def test_a_catalog_of_unknown_content_is_refused(world: World) -> None:
    with pytest.raises(UnknownName):
        world.add_catalog(customer="acme", title="Ghosts", courses=["No+SUCH"])


def test_a_renamed_user_is_the_same_person_and_frees_the_username(clock):
    world = World(now=clock, seed=seed)
    ada = world.user("ada")
    world.rename_user(username="ada", new_username="ada_lovelace")
    other = world.add_learner(username="ada", customer="acme", email="other.ada@example.com")
    assert world.user("ada_lovelace").id == ada.id != other.id
    assert world.links_of("ada_lovelace")[0].user_id == ada.id
    with pytest.raises(ValueError, match="taken"):
        world.rename_user(username="ada", new_username="Ada_Lovelace")

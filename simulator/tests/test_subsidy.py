"""The traps of enterprise-subsidy: what its answers do not tell, and what a key is good for."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import ledger
from simulator.faults import Faults
from simulator.ledger_rows import LedgerTransaction, TransactionState
from simulator.seed import ACME
from simulator.world import World

from .conftest import Ask, Clock
from .recorded_subsidy_cases import ADA, BEN, MAIN, POLICY, RUN, SMALL, accounts

PATH = f"/subsidy/api/v2/subsidies/{MAIN}/admin/transactions/"
EXECUTIVE = "course-v1:GetSmarter+AIB+2026_B"


@pytest.fixture(autouse=True)
def _accounts(world: World) -> None:
    accounts(world)


def redeem(ask: Ask, *, key: str = "K", learner: int | None = ADA, run: str = RUN, **more: Any) -> Any:
    body = {"lms_user_id": learner, "content_key": run, "subsidy_access_policy_uuid": str(POLICY)}
    return ask("POST", PATH, json=body | {"idempotency_key": key} | more)


def rows(world: World) -> list[LedgerTransaction]:
    return [row for row in ledger.transactions_of(world, MAIN) if row.quantity <= 0]


def spent(world: World) -> int:
    return 2_000_000 - ledger.balance_of(world, MAIN)


def is_enrolled(world: World, username: str = "ada") -> bool:
    row = world.enrollment(username, RUN)
    return row is not None and row.is_active and row.mode == "verified"


def test_a_redemption_enrolls_with_the_transactions_uuid_and_charges_once(world: World, ask: Ask) -> None:
    first = redeem(ask).json()
    assert is_enrolled(world)
    row = world.enterprise_enrollment("ada", "acme", RUN)
    assert row is not None
    assert str(row.transaction_id) == first["uuid"]
    assert str(row.fulfillment_uuid) == first["fulfillment_identifier"]
    again = redeem(ask, key="another")
    assert (again.status_code, again.json()) == (200, first)
    assert spent(world) == 14_900


@pytest.mark.parametrize("how", ["slow", "lost", "500"])
def test_failed_says_nothing_about_the_enrollment_and_the_same_key_charges_once(
    world: World, ask: Ask, how: str
) -> None:
    world.quirks.ledger_lms_answers.append(how)
    refused = redeem(ask)
    assert refused.status_code == 422
    assert refused.json()["code"] == ("enrollment_error" if how == "500" else "transaction_creation_error")
    assert is_enrolled(world) == (how == "slow")
    assert spent(world) == 0
    assert redeem(ask).status_code == 201
    assert [row.state for row in rows(world)] == [TransactionState.COMMITTED]
    assert spent(world) == 14_900


@pytest.mark.parametrize("how", ["stuck", "stuck_created"])
def test_a_dead_worker_leaves_a_transaction_that_counts_and_a_lock_that_vanishes(
    world: World, ask: Ask, clock: Clock, how: str
) -> None:
    world.quirks.ledger_lms_answers.append(how)
    assert redeem(ask).status_code == 500
    assert spent(world) == 14_900
    assert redeem(ask).status_code == 429
    clock.move(seconds=301)
    assert redeem(ask).status_code == 201
    assert spent(world) == 14_900


def test_another_key_while_one_is_stuck_pays_twice(world: World, ask: Ask, clock: Clock) -> None:
    world.quirks.ledger_lms_answers.append("stuck")
    redeem(ask)
    clock.move(seconds=301)
    assert redeem(ask, key="other").status_code == 201
    assert spent(world) == 2 * 14_900


def test_a_key_of_another_learner_enrolls_without_a_charge(world: World, ask: Ask) -> None:
    first = redeem(ask).json()
    answer = redeem(ask, learner=BEN)
    assert (answer.status_code, answer.json()["uuid"], answer.json()["lms_user_id"]) == (201, first["uuid"], ADA)
    assert is_enrolled(world, "ben")
    assert spent(world) == 14_900


def test_the_key_of_a_reversed_transaction_enrolls_without_a_charge(world: World, ask: Ask) -> None:
    redeem(ask)
    ledger.reverse(world, rows(world)[0])
    assert spent(world) == 0
    answer = redeem(ask)
    assert (answer.status_code, answer.json()["reversal"]["state"]) == (201, "committed")
    assert spent(world) == 0
    assert redeem(ask, key="new").status_code == 201
    assert spent(world) == 14_900


def test_a_locked_ledger_still_answers_what_is_redeemed(world: World, ask: Ask) -> None:
    redeem(ask)
    world.ledger_locks.hold(MAIN, now=world.now())
    assert redeem(ask).status_code == 200
    locked = redeem(ask, learner=BEN)
    assert (locked.status_code, locked.json()) == (429, {"detail": ledger.LOCKED})
    assert "Retry-After" not in locked.headers


def test_a_caller_that_gave_up_finds_the_transaction_in_the_list(world: World, ask: Ask, faults: Faults) -> None:
    faults.add("drop", "subsidy.redeem")
    with pytest.raises(OSError, match="Connection"):
        redeem(ask)
    [found] = ask("GET", PATH, params={"lms_user_id": ADA, "content_key": RUN}).json()["results"]
    assert (found["state"], found["idempotency_key"]) == ("committed", "K")


def test_executive_education_without_its_data_is_a_failed_transaction(world: World, ask: Ask) -> None:
    catalog = next(row for row in world.tables.catalogs.where(customer=ACME))
    world.change_catalog(catalog_uuid=catalog.uuid, course_keys=(*catalog.course_keys, "GetSmarter+AIB"))
    refused = redeem(ask, run=EXECUTIVE)
    assert (refused.status_code, refused.json()["code"]) == (422, "fulfillment_error")
    assert refused.json()["detail"].startswith("Missing variant_id needed for GEAG transaction Transaction object (")
    assert [row.state for row in rows(world)] == [TransactionState.FAILED]


def test_a_requested_price_of_0_is_ignored_and_a_learner_of_null_is_charged(world: World, ask: Ask) -> None:
    assert redeem(ask, requested_price_cents=0).json()["quantity"] == -14_900
    assert redeem(ask, learner=None, key="nobody").status_code == 201
    assert spent(world) == 2 * 14_900


def test_a_deposit_is_not_idempotent(world: World, ask: Ask) -> None:
    path = f"/subsidy/api/v2/subsidies/{SMALL}/admin/deposits/"
    body = {"desired_deposit_quantity": 700, "idempotency_key": "D"}
    assert [ask("POST", path, json=body).status_code for _ in range(2)] == [201, 422]
    assert ledger.balance_of(world, SMALL) == 5_700


def test_reset_forgets_locks(world: World) -> None:
    world.ledger_locks.hold(MAIN, now=world.now())
    world.reset()
    assert not world.ledger_locks.is_held(MAIN, now=world.now())

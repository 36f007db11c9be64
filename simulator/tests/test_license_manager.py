"""The traps of license-manager."""

from __future__ import annotations

from uuid import UUID

from simulator.seed import ACME, ACME_ANNUAL, GLOBEX, HOOLI, HOOLI_AUTO_APPLY
from simulator.values import LicenseStatus, uuid_for
from simulator.world import World

from .conftest import Ask, Clock

API = "/license-manager/api/v1"
EVERYTHING = {"include_revoked": "true", "current_plans_only": "false"}
AUTO_APPLY = f"{API}/customer-agreement/{uuid_for('agreement', HOOLI)}/auto-apply/"


def own(ask: Ask, caller: str, customer: object = ACME, **query: str) -> list[dict[str, object]]:
    response = ask(
        "GET", f"{API}/learner-licenses/", caller=caller, params={"enterprise_customer_uuid": customer} | query
    )
    results: list[dict[str, object]] = response.json()["results"]
    return results


def by_address(ask: Ask, email: str) -> int:
    query = {"enterprise_customer_uuid": str(ACME), "user_email": email}
    return int(ask("GET", f"{API}/admin-license-view/", params=query).json()["count"])


def test_the_staff_look_up_knows_the_old_address_until_the_learner_reads_own_licenses(ask: Ask) -> None:
    assert (by_address(ask, "judy.kim@example.com"), by_address(ask, "judy@example.com")) == (0, 1)
    assert len(own(ask, "judy")) == 1
    assert (by_address(ask, "judy.kim@example.com"), by_address(ask, "judy@example.com")) == (1, 0)


def test_licenses_come_by_status_then_latest_expiration(world: World, ask: Ask) -> None:
    rows = own(ask, "max", **EVERYTHING)
    titles = [world.plan(world.license(UUID(str(row["uuid"]))).plan_uuid).title for row in rows]
    assert titles == ["Acme leadership plan", "Acme annual plan"]
    assert [row["status"] for row in own(ask, "dee", **EVERYTHING)] == ["activated", "revoked"]


def test_a_switched_off_plan_hides_its_licenses(ask: Ask) -> None:
    assert own(ask, "gus", **EVERYTHING) == []
    assert len(own(ask, "gus", active_plans_only="false")) == 1


def test_a_list_of_another_customer_is_empty_not_forbidden(ask: Ask) -> None:
    assert own(ask, "ada", customer=GLOBEX) == []
    query = {"enterprise_customer_uuid": str(GLOBEX)}
    assert ask("GET", f"{API}/subscriptions/", params=query, caller="amy_admin").json()["count"] == 0


def test_a_malformed_customer_is_a_500_here_and_a_400_there(ask: Ask) -> None:
    query = {"enterprise_customer_uuid": "nope", "user_email": "ada@example.com"}
    assert ask("GET", f"{API}/learner-licenses/", params=query, caller="ada").status_code == 500
    assert ask("GET", f"{API}/admin-license-view/", params=query).status_code == 500
    assert ask("GET", f"{API}/customer-agreement/", params=query).status_code == 400


def test_the_trailing_slash_is_optional(ask: Ask) -> None:
    query = {"enterprise_customer_uuid": str(ACME)}
    assert ask("GET", f"{API}/subscriptions", params=query).status_code == 200


def test_activation_works_once_and_repeats_unchanged(world: World, ask: Ask, clock: Clock) -> None:
    row = world.licenses_of("ben")[0]
    path = f"{API}/license-activation/?activation_key={row.activation_key}"
    first = ask("POST", path, caller="ben").json()
    clock.move(minutes=1)
    assert ask("POST", path, caller="ben").json()["activation_date"] == first["activation_date"]
    assert world.license(row.uuid).user_id == world.user("ben").id


def test_activation_needs_a_current_and_active_plan(world: World, ask: Ask) -> None:
    row = world.licenses_of("ben")[0]
    world.change_plan(plan_uuid=ACME_ANNUAL, is_active=False)
    response = ask("POST", f"{API}/license-activation/?activation_key={row.activation_key}", caller="ben")
    assert (response.status_code, response.json()) == (404, {"detail": "No License matches the given query."})


def test_auto_apply_gives_everybody_a_license_of_their_own(world: World, ask: Ask) -> None:
    given = [ask("POST", AUTO_APPLY, caller=name).json()["uuid"] for name in ("nina", "omar", "nina")]
    assert given[0] == given[2] != given[1]
    assert world.licenses_of("nina")[0].status is LicenseStatus.ACTIVATED


def test_two_learners_are_told_the_same_license_and_only_the_last_keeps_it(world: World, ask: Ask) -> None:
    world.quirks.auto_apply_collisions = 1
    given = [ask("POST", AUTO_APPLY, caller=name).json() for name in ("nina", "omar")]
    assert given[0]["uuid"] == given[1]["uuid"]
    assert own(ask, "nina", customer=HOOLI) == []
    assert len(own(ask, "omar", customer=HOOLI)) == 1


def test_auto_apply_returns_a_license_that_may_still_be_assigned(world: World, ask: Ask) -> None:
    world.assign(plan_uuid=HOOLI_AUTO_APPLY, username="nina")
    assert ask("POST", AUTO_APPLY, caller="nina").json()["status"] == "assigned"


def test_a_worker_uses_a_license_up_for_itself(world: World, ask: Ask) -> None:
    ask("POST", AUTO_APPLY)
    assert len(world.licenses_of("enterprise_access_worker")) == 1


def test_assigning_again_gives_no_second_license(world: World) -> None:
    first = world.assign(plan_uuid=ACME_ANNUAL, username="hal")
    assert world.assign(plan_uuid=ACME_ANNUAL, username="hal") == first
    assert first.user_id is None


def test_a_plan_expires_by_the_clock_and_its_licenses_stay_activated(ask: Ask, clock: Clock) -> None:
    clock.move(days=336)
    assert own(ask, "ada") == []
    row = own(ask, "ada", **EVERYTHING)[0]
    plan = row["subscription_plan"]
    assert isinstance(plan, dict)
    assert (row["status"], plan["is_current"], plan["days_until_expiration"]) == ("activated", False, -1)


def test_plans_are_listed_newest_start_first_without_switched_off_ones(ask: Ask) -> None:
    rows = ask("GET", f"{API}/subscriptions/", params={"enterprise_customer_uuid": str(ACME)}).json()["results"]
    assert [row["start_date"] for row in rows] == sorted((row["start_date"] for row in rows), reverse=True)
    assert {row["is_active"] for row in rows} == {True}


def test_the_licenses_of_a_plan_come_in_pages_of_a_hundred(world: World, ask: Ask) -> None:
    plan = world.add_plan(customer="acme", catalog_uuid=None, title="Large plan", licenses=620)
    path = f"{API}/subscriptions/{plan.uuid}/licenses/"
    first = ask("GET", path).json()
    assert (first["count"], len(first["results"]), first["num_pages"]) == (620, 100, 7)
    assert len(ask("GET", path, params={"page_size": 5000}).json()["results"]) == 500
    found = ask("GET", f"{API}/subscriptions/{ACME_ANNUAL}/licenses/", params={"search": "ADA@"}).json()
    assert [row["user_email"] for row in found["results"]] == ["ada@example.com"]


def test_a_revoked_license_counts_apart_and_a_fresh_one_takes_its_place(world: World, ask: Ask) -> None:
    def counts() -> dict[str, int]:
        body: dict[str, dict[str, int]] = ask("GET", f"{API}/subscriptions/{ACME_ANNUAL}/").json()
        return body["licenses"]

    before = counts()
    world.revoke(license_uuid=world.licenses_of("ada")[0].uuid)
    after = counts()
    assert after["total"] == before["total"]
    assert after["revoked"] == before["revoked"] + 1
    assert after["unassigned"] == before["unassigned"] + 1


def test_staff_look_an_address_up_at_all_customers_and_learn_no_uuid(ask: Ask) -> None:
    rows = ask("POST", f"{API}/staff_lookup_licenses/", json={"user_email": "Frank@Example.com"}).json()
    assert {row["subscription_plan_title"] for row in rows} == {"Acme annual plan", "Globex engineering plan"}
    assert not any("uuid" in name for row in rows for name in row)
    nothing: list[object] = [{}, [], {"user_email": ""}]
    for body in nothing:
        assert ask("POST", f"{API}/staff_lookup_licenses/", json=body).status_code == 400
    mine = {"user_email": "ada@example.com"}
    assert ask("POST", f"{API}/staff_lookup_licenses/", json=mine, caller="worker_without_staff").status_code == 403

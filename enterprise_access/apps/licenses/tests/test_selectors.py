"""Which licenses learners hold, as license-manager tells: one by one or in pages; silence is never "none"."""

import pytest

from enterprise_access.apps.licenses.domain import License, LicenseRefusal, LicenseStatus, choose_license
from enterprise_access.apps.licenses.domain.usable import is_usable
from enterprise_access.apps.licenses.services import fetch_licenses, fetch_licenses_with_revoked
from enterprise_access.lib import unreadable
from simulator.faults import FaultKind
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERS, ACME_OPEN, GLOBEX

# By LMS user id; what they hold is told in `simulator`.
EMAILS = {
    1001: "ada@example.com",
    1002: "ben@example.com",
    1003: "cyd@example.com",
    1004: "dee@example.com",
    1005: "eli@example.com",
    1006: "fay@example.com",
    1007: "gus@example.com",
    1008: "hal@example.com",
    1009: "max@example.com",
    1010: "lea@example.com",
}
ADA, BEN, HAL, MAX = 1001, 1002, 1008, 1009


def fetch(*ids, customer=ACME):
    return fetch_licenses(customer_uuid=customer, emails={key: EMAILS[key] for key in ids})


def calls(world):
    return [call.endpoint for call in world.journal.calls(service="license_manager")]


def test_a_learners_licenses_come_with_their_plans(world):
    (license_,) = fetch(ADA)[ADA]
    assert license_.status is LicenseStatus.ACTIVATED
    assert is_usable(license_)
    assert (license_.plan.uuid, license_.plan.catalog_uuid) == (ACME_ANNUAL, ACME_OPEN)
    assert license_.plan.expires_at == world.plan(ACME_ANNUAL).expires_at


def test_several_licenses_are_all_told(world):
    assert {row.plan.uuid for row in fetch(MAX)[MAX]} == {ACME_ANNUAL, ACME_LEADERS}


def test_who_has_none_has_an_empty_tuple_and_not_nothing(world):
    assert fetch(HAL) == {HAL: ()}


def test_licenses_of_another_customer_are_not_told(world):
    assert fetch(ADA, customer=GLOBEX) == {ADA: ()}


def test_an_address_matches_in_any_letter_case(world):
    found = fetch_licenses(customer_uuid=ACME, emails={ADA: "Ada@Example.COM"})
    assert len(found[ADA]) == 1


@pytest.mark.parametrize("address", [None, "", "no address", "a,b@example.com"])
def test_without_a_usable_address_it_is_unknown_and_not_none(world, address):
    assert fetch_licenses(customer_uuid=ACME, emails={ADA: address}) == {ADA: None}
    assert calls(world) == []


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("hang", {}),
        ("unreachable", {}),
        ("status", {"status": 500}),
        ("status", {"status": 403}),
        ("throttled", {"seconds": 60}),
        ("unauthorized", {}),
        ("html", {}),
        ("malformed_json", {}),
        ("missing_keys", {"keys": ["results"]}),
        ("missing_keys", {"keys": ["status"]}),
        ("null_keys", {"keys": ["is_current"]}),
    ],
)
@pytest.mark.parametrize("ids", [(ADA, HAL), tuple(EMAILS)])
def test_a_silent_license_manager_is_unknown_for_everybody_and_never_none(world, simulator, ids, kind, about):
    simulator.faults.add(kind, "license_manager.*", times=None, **about)
    found = fetch(*ids)
    assert set(found) == set(ids)
    assert not [rows for rows in found.values() if rows]
    assert found[ADA] is None


def test_a_few_learners_are_looked_up_one_by_one(world):
    fetch(ADA, BEN, HAL)
    assert calls(world) == ["license_manager.admin_license_view"] * 3


def test_many_learners_are_found_in_the_pages_of_the_plans(world):
    for number in range(40):
        world.add_learner(username=f"learner{number:03}", customer="acme")
        world.add_license(plan_uuid=ACME_ANNUAL, username=f"learner{number:03}")
    emails = {world.user(f"learner{number:03}").id: f"learner{number:03}@example.com" for number in range(40)}
    found = fetch_licenses(customer_uuid=ACME, emails=emails | EMAILS)
    assert len(calls(world)) < 10
    assert all(len(found[key] or ()) == 1 for key in emails)
    assert {row.plan.uuid for row in found[MAX] or ()} == {ACME_ANNUAL, ACME_LEADERS}


def test_both_ways_find_the_same_license_to_pay_with(world):
    catalogs = [ACME_OPEN, world.plan(ACME_LEADERS).catalog_uuid]
    one_by_one = {key: fetch(key)[key] for key in EMAILS}
    in_pages = fetch(*EMAILS)
    for key in EMAILS:
        singly = choose_license(one_by_one[key], catalogs=catalogs)
        together = choose_license(in_pages[key], catalogs=catalogs)
        if not isinstance(singly, LicenseRefusal):
            assert singly == together
        else:
            assert isinstance(together, LicenseRefusal)


def test_nobody_is_nothing_to_ask_for(world):
    assert fetch_licenses(customer_uuid=ACME, emails={}) == {}
    assert calls(world) == []


# --- One odd license ------------------------------------------------------------------------------------------------


def spoil(world, simulator, plan_uuid):
    """Make MAX's license of this plan unreadable."""
    (odd,) = [row.uuid for row in world.licenses_of("max") if row.plan_uuid == plan_uuid]
    simulator.faults.add(FaultKind.ODD_ROW, "license_manager.*", row_of=str(odd), keys=["status"], value=5, times=None)


@pytest.mark.parametrize("ids", [(MAX,), tuple(EMAILS)])
@pytest.mark.parametrize("plan_uuid", [ACME_ANNUAL, ACME_LEADERS])
def test_beside_an_odd_license_the_good_one_is_used(world, simulator, ids, plan_uuid):
    catalogs = {world.plan(ACME_ANNUAL).catalog_uuid, world.plan(ACME_LEADERS).catalog_uuid}
    spoil(world, simulator, plan_uuid)
    found = fetch(*ids)[MAX]
    assert isinstance(choose_license(found, catalogs=catalogs), License)
    # For what only the odd one would open, it is not known whether there is a license.
    only = [world.plan(plan_uuid).catalog_uuid]
    assert choose_license(found, catalogs=only) is LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE


def test_an_odd_license_alone_is_unknown_and_not_none(world, simulator):
    email = EMAILS[MAX]
    simulator.faults.add(FaultKind.ODD_ROW, "license_manager.*", row_of=email, keys=["status"], value=5, times=None)
    assert fetch(MAX) == {MAX: None}


def test_whether_a_license_was_revoked_is_not_concluded_from_some_of_them(world, simulator):
    spoil(world, simulator, ACME_ANNUAL)
    assert fetch_licenses_with_revoked(customer_uuid=ACME, emails={MAX: EMAILS[MAX]}) == {MAX: None}


def test_an_odd_license_is_counted_and_shown_without_saying_whose_it_is(world, simulator):
    unreadable.forget()
    spoil(world, simulator, ACME_ANNUAL)
    fetch(MAX)
    (shown,) = unreadable.list_unreadable_rows()
    assert (shown.service, shown.rows, shown.problem) == ("license-manager", 1, "expected text, got a number")

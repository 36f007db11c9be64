"""A learner's own licenses: asked for with their token, once for many requests, and never "none" when unknown."""

from datetime import timedelta

import pytest

from enterprise_access.apps.licenses.domain import LicenseStatus
from enterprise_access.apps.licenses.selectors import (
    fetch_own_licenses,
    forget_own_licenses,
    read_own_licenses_again,
)
from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamRefused, UpstreamUnavailable
from simulator.faults import FaultKind
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERS, ACME_OPEN, GLOBEX, HOOLI, HOOLI_AUTO_APPLY

READ = "license_manager.learner_licenses"
SOON, LATER = timedelta(seconds=4), timedelta(seconds=6)


@pytest.fixture
def fetch(simulator):
    def fetch_as(username, *, customer=ACME, budget_seconds=3.0):
        return fetch_own_licenses(
            learner_token=simulator.tokens.token_for(username),
            customer_uuid=customer,
            lms_user_id=simulator.world.user(username).id,
            budget_seconds=budget_seconds,
        )

    return fetch_as


def reads(world):
    return world.journal.calls(endpoint=READ)


def test_a_license_comes_with_all_that_the_portal_shows(world, fetch, clock):
    found = fetch("ben")
    (license_,) = found.licenses
    row, plan = world.licenses_of("ben")[0], world.plan(ACME_ANNUAL)
    assert (license_.uuid, license_.status) == (row.uuid, LicenseStatus.ASSIGNED)
    assert (license_.activation_key, license_.user_email) == (row.activation_key, row.user_email)
    assert (license_.plan.uuid, license_.plan.title, license_.plan.catalog_uuid) == (plan.uuid, plan.title, ACME_OPEN)
    assert (license_.plan.starts_at, license_.plan.expires_at) == (plan.starts_at, plan.expires_at)
    assert license_.plan.days_until_expiration == plan.days_left(world.now())
    assert license_.plan.is_open
    assert found.fetched_at == world.now()


def test_the_agreement_comes_with_them(world, fetch):
    agreement = fetch("nina", customer=HOOLI).agreement
    assert agreement is not None
    assert agreement.auto_apply_plan_uuid == HOOLI_AUTO_APPLY
    assert agreement.enable_auto_applied_subscriptions_with_universal_link


def test_revoked_licenses_and_those_of_expired_plans_are_told_too(fetch):
    assert [row.status for row in fetch("cyd").licenses] == [LicenseStatus.REVOKED]
    assert [row.plan.is_current for row in fetch("eli").licenses] == [False]


def test_who_has_none_has_an_empty_tuple(fetch):
    assert fetch("hal").licenses == ()


def test_license_manager_hears_the_learner_and_not_our_own_account(world, fetch):
    fetch("ben")
    assert [call.caller for call in reads(world)] == ["ben"]


def test_what_was_read_a_moment_ago_serves_other_requests_of_the_learner(world, fetch, clock):
    first = fetch("ben")
    clock.shift(SOON)
    assert fetch("ben") == first
    assert len(reads(world)) == 1


def test_what_was_read_longer_ago_does_not(world, fetch, clock):
    fetch("ben")
    clock.shift(LATER)
    fetch("ben")
    assert len(reads(world)) == 2


def test_another_learner_and_another_customer_are_asked_for_themselves(world, fetch):
    assert fetch("frank") != fetch("frank", customer=GLOBEX)
    assert fetch("hal").licenses != fetch("frank").licenses
    assert len(reads(world)) == 3


def test_what_was_forgotten_is_asked_for(world, fetch):
    fetch("ben")
    forget_own_licenses(customer_uuid=ACME, lms_user_id=1002)
    fetch("ben")
    assert len(reads(world)) == 2


def test_reading_again_asks_and_serves_others_afterwards(world, simulator, fetch, clock):
    fetch("ben")
    world.activate(license_uuid=world.licenses_of("ben")[0].uuid, username="ben")
    read_own_licenses_again(
        learner_token=simulator.tokens.token_for("ben"), customer_uuid=ACME, lms_user_id=1002, ends_at=float("inf")
    )
    assert fetch("ben").licenses[0].is_activated
    assert len(reads(world)) == 2


@pytest.mark.parametrize(
    ("kind", "about", "error"),
    [
        ("hang", {}, UpstreamUnavailable),
        ("unreachable", {}, UpstreamUnavailable),
        ("status", {"status": 500}, UpstreamUnavailable),
        ("throttled", {"seconds": 60}, UpstreamUnavailable),
        ("status", {"status": 403}, UpstreamRefused),
        ("status", {"status": 404}, UpstreamChanged),
        ("unauthorized", {}, UpstreamRefused),
        ("html", {}, UpstreamChanged),
        ("malformed_json", {}, UpstreamChanged),
        ("missing_keys", {"keys": ["results"]}, UpstreamChanged),
        ("null_keys", {"keys": ["is_current"]}, UpstreamChanged),
    ],
)
def test_a_silent_license_manager_is_an_error_and_never_none(simulator, fetch, kind, about, error):
    simulator.faults.add(kind, READ, times=None, **about)
    with pytest.raises(error):
        fetch("hal" if kind != "null_keys" else "ben")


def test_what_is_too_old_is_not_served_instead_of_an_answer(simulator, fetch, clock):
    fetch("ben")
    clock.shift(LATER)
    simulator.faults.add("status", READ, times=None, status=500)
    with pytest.raises(UpstreamError):
        fetch("ben")


def test_an_error_is_not_remembered(simulator, fetch):
    simulator.faults.add("status", READ, status=500)
    with pytest.raises(UpstreamError):
        fetch("ben")
    assert len(fetch("ben").licenses) == 1


def spoil(world, simulator, plan_uuid):
    """Make max's license of this plan unreadable."""
    (odd,) = [row.uuid for row in world.licenses_of("max") if row.plan_uuid == plan_uuid]
    simulator.faults.add(FaultKind.ODD_ROW, READ, row_of=str(odd), keys=["status"], value=5, times=None)


def test_beside_an_odd_license_the_good_one_is_shown(world, simulator, fetch):
    spoil(world, simulator, ACME_ANNUAL)
    assert [row.plan.uuid for row in fetch("max").licenses] == [ACME_LEADERS]


def test_when_only_the_odd_one_could_be_used_it_is_an_error_and_never_none(world, simulator, fetch):
    email = world.user("max").email
    simulator.faults.add(FaultKind.ODD_ROW, READ, row_of=email, keys=["status"], value=5, times=None)
    with pytest.raises(UpstreamChanged):
        fetch("max")


def test_beside_an_odd_license_a_revoked_one_is_not_the_whole_truth(world, simulator, fetch):
    (good,) = [row for row in world.licenses_of("max") if row.plan_uuid == ACME_LEADERS]
    world.revoke(license_uuid=good.uuid)
    spoil(world, simulator, ACME_ANNUAL)
    with pytest.raises(UpstreamChanged):
        fetch("max")

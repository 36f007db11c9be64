"""What the client refuses to send, and what it makes of the recorded answers."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.upstream import subsidy
from enterprise_access.upstream.replay.result import Failure
from enterprise_access.upstream.subsidy.client import SubsidyClient
from enterprise_access.upstream.tests.recorded import RECORDINGS, names_in_use, replayed, value_of

SERVICE = "enterprise-subsidy"

REFUSALS = {
    "redeem-content-not-in-catalog": "content_not_found",
    "redeem-expired-subsidy": "inactive_subsidy_creation_error",
    "redeem-not-started-subsidy": "inactive_subsidy_creation_error",
    "redeem-requested-price-out-of-bounds": "invalid_requested_price",
    "redeem-lms-400": "enrollment_error",
    "redeem-lms-409": "enrollment_error",
    "redeem-lms-500": "enrollment_error",
    "redeem-lms-503-first-attempt": "enrollment_error",
    "redeem-catalog-down": "enrollment_error",
    "redeem-executive-education": "fulfillment_error",
    "redeem-not-enough-value": "transaction_creation_error",
    "redeem-nothing-left": "transaction_creation_error",
}


def failure_of(name: str) -> Any:
    found = replayed(SERVICE, name)
    outcome = found.answer or found.outcome
    assert isinstance(outcome, Failure)
    return outcome.error


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_keeps_its_code(name):
    answer = value_of(SERVICE, name)
    assert (answer.status, answer.code, answer.transaction) == (422, REFUSALS[name], None)


@pytest.mark.parametrize(
    ("name", "status", "state", "is_reversed"),
    [
        ("redeem-created", 201, "committed", False),
        ("redeem-repeat-other-key", 200, "committed", False),
        ("redeem-retry-same-key-after-failure", 201, "committed", False),
        ("redeem-ledger-locked-already-redeemed", 200, "committed", False),
    ],
)
def test_a_redemption_is_a_transaction(name, status, state, is_reversed):
    answer = value_of(SERVICE, name)
    assert (answer.status, answer.transaction.state, answer.transaction.reversal is not None) == (
        status,
        state,
        is_reversed,
    )
    assert answer.transaction.quantity_cents < 0


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("redeem-ledger-locked", UpstreamUnavailable, UpstreamReason.THROTTLED),
        ("redeem-unknown-subsidy", UpstreamRefused, UpstreamReason.FORBIDDEN),
        ("redeem-missing-fields", UpstreamRefused, UpstreamReason.BAD_REQUEST),
        ("redeem-no-token", UpstreamRefused, UpstreamReason.AUTHENTICATION),
        ("deposit-repeat-same-key", UpstreamRefused, UpstreamReason.BAD_REQUEST),
        ("subsidies-retrieve-unknown", UpstreamRefused, UpstreamReason.FORBIDDEN),
        ("timeout-1-client-gives-up", UpstreamUnavailable, UpstreamReason.TIMEOUT),
    ],
)
def test_a_failure_is_of_one_of_three_kinds(name, kind, reason):
    error = failure_of(name)
    assert (type(error), error.reason) == (kind, reason)
    assert error.may_have_happened == (reason is UpstreamReason.TIMEOUT)


def test_a_list_holds_every_state_and_reversals():
    [row] = value_of(SERVICE, "transactions-admin-list-reversed")
    assert (row.state, row.reversal.state, row.reversal.quantity_cents) == (
        "committed",
        "committed",
        -row.quantity_cents,
    )
    assert [row.state for row in value_of(SERVICE, "transactions-admin-list-failed-and-committed")] == [
        "committed",
        "failed",
    ]


def test_an_account_has_its_dates_its_balance_and_its_deposits():
    found = value_of(SERVICE, "subsidies-retrieve")
    assert (found.balance_cents, found.deposits_cents) == (1_905_500, 2_000_000)
    assert found.starts_at < found.expires_at


def test_every_recording_of_an_endpoint_in_use_is_understood():
    assert names_in_use(SERVICE)
    for name in names_in_use(SERVICE):
        assert replayed(SERVICE, name).is_typed, name


@pytest.mark.parametrize(
    "change",
    [
        {"lms_user_id": None},
        {"lms_user_id": 0},
        {"content_key": "edX+DemoX"},
        {"idempotency_key": ""},
        {"idempotency_key": "k" * 256},
        {"requested_price_cents": -1},
        {"requested_price_cents": True},
        {"policy_uuid": "zz"},
    ],
)
def test_what_the_ledger_would_misunderstand_is_not_sent(change):
    client = subsidy.from_settings()
    assert isinstance(client, SubsidyClient)
    asked = {
        "subsidy_uuid": UUID(int=1),
        "policy_uuid": UUID(int=2),
        "lms_user_id": 7,
        "content_key": "course-v1:edX+DemoX+2026_T1",
        "idempotency_key": "key",
    }
    with pytest.raises(UpstreamRefused) as caught:
        client.redeem(**{**asked, **change})
    assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY


def test_an_unknown_state_is_not_asked_for():
    client = subsidy.from_settings()
    assert client is not None
    with pytest.raises(UpstreamRefused):
        client.list_transactions(subsidy_uuid=UUID(int=1), states=["bogus"])


def test_an_installation_without_enterprise_subsidy_has_no_client():
    with override_settings(SUBSIDY_BASE_URL=None):
        assert subsidy.from_settings() is None


def test_the_recordings_are_there():
    assert len(list(Path(RECORDINGS / SERVICE).glob("*.json"))) > 90

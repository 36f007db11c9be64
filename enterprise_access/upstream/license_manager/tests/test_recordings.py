"""Every recorded answer of a license-manager endpoint that we use becomes the value, or the failure, that it is."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from enterprise_access.upstream.license_manager.types import AgreementRecord, LicenseRecord, PlanRecord, StaffLicense
from enterprise_access.upstream.tests.recorded import (
    DIFFERENT,
    EQUAL,
    REFUSED,
    failure_of,
    names_in_use,
    replayed,
    said,
    understood,
)
from enterprise_access.upstream.tests.recorded import value_of as recorded_value

LOCAL = "UpstreamRefused refused_locally"
UNKNOWN_TOKEN = "UpstreamRefused authentication 401"
FORBIDDEN = "UpstreamRefused forbidden 403"
NOT_FOUND = "UpstreamRefused not_found 404"
BAD_REQUEST = "UpstreamRefused bad_request 400"
NOT_POSSIBLE = "UpstreamRefused bad_request 422"

AGREEMENT = "17a16da9"
ADA = "2284ab5f activated 9549efae current active"
DEE = ["29f94c9b activated 9549efae current active", "8241b311 revoked 9549efae current active"]
JON = "7fd9a3cd activated 9549efae current active"
CYD = "cdebfc72 revoked 9549efae current active"

AS_WORKER = {
    "admin-license-view-activated": ("list_licenses_of", EQUAL, [ADA]),
    "admin-license-view-after-email-refresh": ("list_licenses_of", EQUAL, [JON]),
    "admin-license-view-assigned": ("list_licenses_of", EQUAL, ["db93cd4b assigned 9549efae current active"]),
    "admin-license-view-customer-admin": ("list_licenses_of", EQUAL, FORBIDDEN),
    "admin-license-view-missing-customer": ("list_licenses_of", REFUSED, BAD_REQUEST),
    "admin-license-view-missing-email": ("list_licenses_of", REFUSED, BAD_REQUEST),
    "admin-license-view-no-token": ("list_licenses_of", DIFFERENT, UNKNOWN_TOKEN),
    "admin-license-view-none": ("list_licenses_of", EQUAL, []),
    "admin-license-view-operator-not-staff": ("list_licenses_of", EQUAL, FORBIDDEN),
    "admin-license-view-revoked-and-activated": ("list_licenses_of", EQUAL, DEE),
    "customer-agreement-list": ("get_agreement", EQUAL, "75c52d9b 354 days, 0622a35e"),
    "customer-agreement-list-all-plans": ("get_agreement", DIFFERENT, "17a16da9 499 days, None"),
    "customer-agreement-list-none": ("get_agreement", EQUAL, "none"),
    "licenses-assign": ("assign_licenses", EQUAL, "1 held, sol@acme.example 1d867664"),
    "licenses-assign-after-revocation": ("assign_licenses", EQUAL, "0 held, cyd@acme.example 2d426287"),
    "licenses-assign-empty": ("assign_licenses", DIFFERENT, BAD_REQUEST),
    "licenses-assign-invalid-email": ("assign_licenses", REFUSED, BAD_REQUEST),
    "licenses-assign-learner": ("assign_licenses", EQUAL, FORBIDDEN),
    "licenses-assign-locked": ("assign_licenses", EQUAL, "UpstreamUnavailable locked 423"),
    "licenses-assign-not-enough": ("assign_licenses", EQUAL, BAD_REQUEST),
    "licenses-assign-repeat": ("assign_licenses", EQUAL, "1 held, "),
    "licenses-assign-unknown-plan": ("assign_licenses", EQUAL, FORBIDDEN),
    "licenses-assign-with-notification": ("assign_licenses", DIFFERENT, "0 held, tia@acme.example 4908d61a"),
    "licenses-list-by-status": (
        "list_plan_licenses",
        DIFFERENT,
        ["2284ab5f activated 9549efae", "473356af activated 9549efae", "29f94c9b activated 9549efae"],
    ),
    "licenses-list-learner": ("list_plan_licenses", DIFFERENT, FORBIDDEN),
    "licenses-list-revoked": (
        "list_plan_licenses",
        DIFFERENT,
        ["cdebfc72 revoked 9549efae", "8241b311 revoked 9549efae"],
    ),
    "licenses-list-unassigned": (
        "list_plan_licenses",
        DIFFERENT,
        ["1d867664 unassigned 9549efae", "4908d61a unassigned 9549efae"],
    ),
    "staff-lookup-licenses": ("staff_lookup", EQUAL, ["activated Acme annual plan"]),
    "staff-lookup-licenses-none": ("staff_lookup", EQUAL, []),
    "subscriptions-list": (
        "list_plans",
        EQUAL,
        [
            "65172ac0 active",
            "0ff98ceb active",
            "11d75bab current active",
            "9549efae current active",
            "0a4a921c current active",
            "2b2e581c active",
        ],
    ),
    "subscriptions-list-current": ("list_plans", DIFFERENT, ["0a4a921c current active"]),
    "subscriptions-list-current-without-customer": ("list_plans", REFUSED, BAD_REQUEST),
    "subscriptions-list-learner": ("list_plans", EQUAL, FORBIDDEN),
    "subscriptions-list-malformed-customer-uuid": ("list_plans", REFUSED, BAD_REQUEST),
    "subscriptions-list-no-plans": ("list_plans", EQUAL, []),
    "throttled-burst": ("list_plans", EQUAL, "UpstreamUnavailable throttled 429"),
}
AS_LEARNER = {
    "auto-apply-no-token": ("auto_apply", DIFFERENT, UNKNOWN_TOKEN),
    "auto-apply-none-left": ("auto_apply", EQUAL, NOT_POSSIBLE),
    "auto-apply-not-configured": ("auto_apply", EQUAL, NOT_POSSIBLE),
    "auto-apply-ok": ("auto_apply", EQUAL, "4597d1ed activated 0622a35e current active"),
    "auto-apply-other-customer": ("auto_apply", EQUAL, FORBIDDEN),
    "auto-apply-repeat": ("auto_apply", EQUAL, "4597d1ed activated 0622a35e current active"),
    "auto-apply-revoked": ("auto_apply", EQUAL, NOT_POSSIBLE),
    "auto-apply-unknown-agreement": ("auto_apply", EQUAL, FORBIDDEN),
    "learner-licenses-activated": ("list_own_licenses", DIFFERENT, [AGREEMENT, ADA]),
    "learner-licenses-activated-portal-params": ("list_own_licenses", EQUAL, [AGREEMENT, ADA]),
    "learner-licenses-after-revocation": (
        "list_own_licenses",
        EQUAL,
        [AGREEMENT, "9543ecbd revoked 9549efae current active"],
    ),
    "learner-licenses-assigned": (
        "list_own_licenses",
        EQUAL,
        [AGREEMENT, "db93cd4b assigned 9549efae current active"],
    ),
    "learner-licenses-bad-token": ("list_own_licenses", DIFFERENT, UNKNOWN_TOKEN),
    "learner-licenses-email-changed": ("list_own_licenses", DIFFERENT, [AGREEMENT, JON]),
    "learner-licenses-expired-plan": ("list_own_licenses", EQUAL, [AGREEMENT, "6b186c2f activated 2b2e581c active"]),
    "learner-licenses-expired-plan-hidden-by-default": ("list_own_licenses", DIFFERENT, [AGREEMENT]),
    "learner-licenses-expired-token": ("list_own_licenses", DIFFERENT, UNKNOWN_TOKEN),
    "learner-licenses-future-plan": ("list_own_licenses", EQUAL, [AGREEMENT, "46a34cff activated 65172ac0 active"]),
    "learner-licenses-jwt-without-email": ("list_own_licenses", DIFFERENT, BAD_REQUEST),
    "learner-licenses-missing-customer": ("list_own_licenses", REFUSED, BAD_REQUEST),
    "learner-licenses-no-customer-agreement": ("list_own_licenses", EQUAL, ["no agreement"]),
    "learner-licenses-no-role": ("list_own_licenses", DIFFERENT, FORBIDDEN),
    "learner-licenses-no-token": ("list_own_licenses", DIFFERENT, UNKNOWN_TOKEN),
    "learner-licenses-none": ("list_own_licenses", EQUAL, [AGREEMENT]),
    "learner-licenses-page-out-of-range": ("list_own_licenses", DIFFERENT, NOT_FOUND),
    "learner-licenses-revoked-hidden-by-default": ("list_own_licenses", DIFFERENT, [AGREEMENT]),
    "learner-licenses-revoked-included": ("list_own_licenses", EQUAL, [AGREEMENT, CYD]),
    "learner-licenses-revoked-then-reassigned": ("list_own_licenses", EQUAL, [AGREEMENT, *DEE]),
    "learner-licenses-two-current-plans": (
        "list_own_licenses",
        EQUAL,
        [
            AGREEMENT,
            "ea216940 activated 9549efae current active",
            "f0e78eaf activated 11d75bab current active",
        ],
    ),
    "license-activation-key-of-other-learner": ("activate", EQUAL, NOT_FOUND),
    "license-activation-malformed-key": ("activate", REFUSED, BAD_REQUEST),
    "license-activation-missing-key": ("activate", REFUSED, BAD_REQUEST),
    "license-activation-no-token": ("activate", DIFFERENT, UNKNOWN_TOKEN),
    "license-activation-ok": ("activate", EQUAL, "db93cd4b activated 9549efae current active"),
    "license-activation-repeat": ("activate", EQUAL, "db93cd4b activated 9549efae current active"),
    "license-activation-revoked": ("activate", EQUAL, NOT_POSSIBLE),
    "license-activation-wrong-customer-role": ("activate", EQUAL, FORBIDDEN),
}
ALL = AS_WORKER | AS_LEARNER


@pytest.mark.parametrize("name", ALL)
def test_recording(name):
    method, verdict, made_of_it = ALL[name]
    result = replayed("license-manager", name)
    assert result.method == f"LicenseManagerClient.{method}"
    assert (result.verdict, understood(result)) == (verdict, made_of_it)
    if verdict is REFUSED:
        assert said(result.outcome) == LOCAL


def test_the_last_of_several_pages():
    result = replayed("license-manager", "licenses-list-last-page")
    rows = understood(result)
    assert (result.method, result.verdict) == ("LicenseManagerClient.list_plan_licenses", DIFFERENT)
    assert (len(rows), rows[0]) == (30, "f1b64223 activated 62c7ab85")


def test_the_table_has_every_recording_of_an_endpoint_in_use():
    assert names_in_use("license-manager") == {*ALL, "licenses-list-last-page"}


# --- member by member, once per kind of value -------------------------------------------------------------------------

PLAN = PlanRecord(
    uuid=UUID("9549efae-19fb-49a2-837c-d4da6a4af143"),
    title="Acme annual plan",
    customer_uuid=UUID("8ff3d0c2-fa6d-4be2-913d-6ae5294fcf18"),
    catalog_uuid=UUID("d2432ca1-e849-47eb-9381-68804ad3a5a1"),
    is_active=True,
    is_current=True,
    starts_at=datetime(2026, 9, 22, 20, 18, 47, tzinfo=UTC),
    expires_at=datetime(2027, 9, 17, 20, 18, 47, tzinfo=UTC),
    days_until_expiration=299,
    days_until_expiration_including_renewals=299,
    should_auto_apply_licenses=False,
)
LICENSE = LicenseRecord(
    uuid=UUID("2284ab5f-b191-48ad-9e57-f316fca82fdc"),
    status="activated",
    plan=PLAN,
    user_email="ada@acme.example",
    activated_at=datetime(2026, 10, 17, 20, 18, 47, tzinfo=UTC),
    revoked_at=None,
    last_reminded_at=datetime(2026, 10, 12, 20, 18, 47, tzinfo=UTC),
    activation_key=None,
)


def value_of(name):
    return recorded_value("license-manager", name)


def test_members_of_a_license_and_its_plan():
    assert value_of("admin-license-view-activated") == (LICENSE,)


def test_a_learner_also_sees_the_key():
    (own,) = value_of("learner-licenses-activated").licenses
    assert own.activation_key == UUID("a6880dfe-ebc5-40a2-a41d-f365a1f3a620")
    assert own.plan == PLAN


def test_a_license_that_nobody_has_yet():
    free, _ = value_of("licenses-list-unassigned")
    assert (free.user_email, free.activation_key, free.activated_at) == (None, None, None)
    assert free.plan_uuid == PLAN.uuid


def test_members_of_an_agreement():
    catalog_uuid = UUID("ba9b90ea-bcfc-4378-bb71-25089b18f360")
    assert value_of("customer-agreement-list") == AgreementRecord(
        uuid=UUID("75c52d9b-b4d2-4a9e-a366-57d199ddd852"),
        customer_uuid=UUID("bff37f8e-8885-434a-b588-c993743fd35d"),
        customer_slug="beta-inc",
        default_catalog_uuid=catalog_uuid,
        available_catalog_uuids=(catalog_uuid,),
        net_days_until_expiration=354,
        auto_apply_plan_uuid=UUID("0622a35e-12dc-4662-a53b-6ce9a1376089"),
        enable_auto_applied_subscriptions_with_universal_link=True,
        disable_expiration_notifications=False,
        has_custom_license_expiration_messaging_v2=None,
        modal_header_text_v2=None,
        expired_subscription_modal_messaging_v2=None,
        button_label_in_modal_v2=None,
        url_for_button_in_modal_v2=None,
    )


def test_members_of_a_license_in_the_look_up():
    assert value_of("staff-lookup-licenses") == (
        StaffLicense(
            status="activated",
            plan_title="Acme annual plan",
            plan_expires_at=datetime(2027, 9, 17, 20, 18, 47, tzinfo=UTC),
            assigned_at=datetime(2026, 10, 12, 20, 18, 47, tzinfo=UTC),
            activated_at=datetime(2026, 10, 17, 20, 18, 47, tzinfo=UTC),
            revoked_at=None,
        ),
    )


def test_nobodys_address_or_key_is_shown_by_accident():
    shown = repr(value_of("learner-licenses-activated"))
    assert "ada@acme.example" not in shown
    assert "a6880dfe" not in shown


def test_the_throttle_says_when_to_come_back():
    assert failure_of("license-manager", "throttled-burst").retry_after_seconds == 1

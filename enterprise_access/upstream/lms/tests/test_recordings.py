"""Every recorded answer of an LMS endpoint that we use becomes the value, or the failure, that it is."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from enterprise_access.upstream.lms.types import (
    EnrollSuccess,
    EnterpriseEnrollmentDetail,
    EnterpriseEnrollmentRecord,
    ModeRecord,
    PlatformEnrollmentRecord,
    RunModesRecord,
)
from enterprise_access.upstream.tests.recorded import (
    DIFFERENT,
    EQUAL,
    REFUSED,
    failure_of,
    names_in_use,
    replayed,
    said,
    understood,
    value_of,
)

ACME = "acme active 2 catalogs"
LOCAL = "UpstreamRefused refused_locally"
UNKNOWN_TOKEN = "UpstreamRefused authentication 401"
FORBIDDEN = "UpstreamRefused forbidden 403"
NOT_FOUND = "UpstreamRefused not_found 404"
BAD_REQUEST = "UpstreamRefused bad_request 400"
THROTTLED = "UpstreamUnavailable throttled 429"

# name of the recording: method, how our request compares, what is made of the recorded answer
LMS = {
    "customer-200": ("get_customer", EQUAL, ACME),
    "customer-200-linked-learner": ("get_customer", EQUAL, ACME),
    "customer-401-expired-token": ("get_customer", EQUAL, UNKNOWN_TOKEN),
    "customer-401-garbage-token": ("get_customer", EQUAL, UNKNOWN_TOKEN),
    "customer-401-no-token": ("get_customer", DIFFERENT, UNKNOWN_TOKEN),
    "customer-404-inactive": ("get_customer", EQUAL, "none"),
    "customer-404-not-a-uuid": ("get_customer", REFUSED, "none"),
    "customer-404-unknown": ("get_customer", EQUAL, "none"),
    "customer-list-200": ("find_customer", REFUSED, ACME),
    "enroll-201-batch": (
        "enroll",
        DIFFERENT,
        ("ok 1002 VER+R1 076d3f55", "ok 1002 AUDO+R1 2b64b50b", "ok 1002 UNV+R1 5aee5cc8"),
    ),
    "enroll-201-by-email": ("enroll", REFUSED, ("ok 1103 INACT+R1 e1aee28e",)),
    "enroll-201-closed-forced": ("enroll", DIFFERENT, ("ok 1002 SHUT+R1 0df799d6",)),
    "enroll-201-default-flag-no-intention": ("enroll", DIFFERENT, ("ok 1103 RUNX+R2 0a94462c",)),
    "enroll-201-legacy-licenses-info": ("enroll", DIFFERENT, ("ok 1104 ENR+R1 10b38f02",)),
    "enroll-201-license-default": ("enroll", DIFFERENT, ("ok 1002 ENR+R1 55577ade",)),
    "enroll-201-repeat-same-request": ("enroll", DIFFERENT, ("ok 1002 ENR+R1 55577ade",)),
    "enroll-201-transaction-default": ("enroll", DIFFERENT, ("ok 1008 ENR+R1 57c25e6f",)),
    "enroll-201-transaction-repeat-same": ("enroll", DIFFERENT, ("ok 1008 ENR+R1 57c25e6f",)),
    "enroll-201-two-learners": ("enroll", DIFFERENT, ("ok 1101 ENR+R1 dd1abe09", "ok 1102 ENR+R1 c7c0ae57")),
    "enroll-201-upgrade-audit": ("enroll", DIFFERENT, ("ok 1001 AUD+R1 7f9e1eac",)),
    "enroll-201-user-id-email-mismatch": ("enroll", DIFFERENT, ("ok 1108 ENR+R1 7a04428a",)),
    "enroll-202-pending": ("enroll", REFUSED, ("pending ENR+R1",)),
    "enroll-202-pending-and-success": ("enroll", REFUSED, ("ok 1105 ENR+R1 23459112", "pending ENR+R1")),
    "enroll-400-both-lists": ("enroll", DIFFERENT, BAD_REQUEST),
    "enroll-400-both-subsidies": ("enroll", REFUSED, BAD_REQUEST),
    "enroll-400-empty": ("enroll", REFUSED, BAD_REQUEST),
    "enroll-400-no-run": ("enroll", REFUSED, BAD_REQUEST),
    "enroll-400-no-subsidy": ("enroll", REFUSED, BAD_REQUEST),
    "enroll-400-no-user": ("enroll", REFUSED, BAD_REQUEST),
    "enroll-401": ("enroll", DIFFERENT, UNKNOWN_TOKEN),
    "enroll-403-learner": ("enroll", DIFFERENT, FORBIDDEN),
    "enroll-403-staff-without-role": ("enroll", DIFFERENT, FORBIDDEN),
    "enroll-404-inactive-customer": ("enroll", DIFFERENT, NOT_FOUND),
    "enroll-404-unknown-customer": ("enroll", DIFFERENT, NOT_FOUND),
    "enroll-409-closed": ("enroll", DIFFERENT, ("failed 1002 SHUT+R1",)),
    "enroll-409-full": ("enroll", DIFFERENT, ("failed 1002 FULL+R1",)),
    "enroll-409-invalid-user-id": ("enroll", DIFFERENT, ("invalid 999999",)),
    "enroll-409-invalid-user-id-mixed": ("enroll", DIFFERENT, ("ok 1107 ENR+R1 fd8d39ff", "invalid 999999")),
    "enroll-409-no-mode": ("enroll", DIFFERENT, ("failed 1002 NOMODE+R1",)),
    "enroll-409-partial": ("enroll", DIFFERENT, ("ok 1106 ENR+R1 d3c68be7", "failed 1106 SHUT+R1")),
    "learner-backfill-drift-2-enroll": ("enroll", DIFFERENT, ("ok 1111 ENR+R1 5e1ff30e",)),
    "enrollment-read-after-cancel": ("list_enterprise_enrollments", DIFFERENT, ["5 VER+R1 verified unenrolled"]),
    "enrollment-read-after-enroll": ("list_enterprise_enrollments", DIFFERENT, ["2 ENR+R1 verified"]),
    "enrollment-read-after-license-revoke": ("list_enterprise_enrollments", DIFFERENT, ["5 ENR+R1 audit unenrolled"]),
    "enrollment-read-after-partial": ("list_enterprise_enrollments", DIFFERENT, ["14 ENR+R1 verified"]),
    "enrollments-200-after-expiration": (
        "list_enterprise_enrollments",
        DIFFERENT,
        [f"2 {run}+R1 audit unenrolled" for run in ("ENR", "VER", "AUDO", "UNV", "SHUT")],
    ),
    "enrollments-200-all-page-1": (
        "list_enterprise_enrollments",
        REFUSED,
        ["1 VER+R1 verified", "1 AUD+R1 verified", "1 AUDX+R1 audit", "1 AUDO+R1 audit", "1 UNV+R1 verified"],
    ),
    "enrollments-200-none": ("list_enterprise_enrollments", DIFFERENT, []),
    "enrollments-200-one-learner": (
        "list_enterprise_enrollments",
        DIFFERENT,
        [
            "1 VER+R1 verified",
            "1 AUD+R1 verified",
            "1 AUDX+R1 audit",
            "1 AUDO+R1 audit",
            "1 UNV+R1 verified",
            "1 UNA+R1 audit unenrolled",
            "1 UNAO+R1 audit unenrolled",
            "1 REVK+R1 verified",
            "1 REVNA+R1 verified unenrolled",
            "1 INACT+R1 verified",
        ],
    ),
    "enrollments-200-one-learner-one-run": ("list_enterprise_enrollments", DIFFERENT, ["1 UNA+R1 audit unenrolled"]),
    "enrollments-200-own": ("list_enterprise_enrollments", REFUSED, ["4 MULTU+A verified unenrolled"]),
    "enrollments-400-unknown-ecu": ("list_enterprise_enrollments", DIFFERENT, BAD_REQUEST),
    "enrollments-admin-200": (
        "list_enterprise_enrollments_admin",
        EQUAL,
        [
            "VER+R1 verified active",
            "AUD+R1 verified active",
            "AUDX+R1 audit active",
            "AUDO+R1 audit active",
            "UNV+R1 verified active revoked",
            "REVK+R1 verified active revoked",
            "INACT+R1 verified",
            "UNA+R1 audit revoked unenrolled",
            "UNAO+R1 audit revoked unenrolled",
            "REVNA+R1 verified revoked unenrolled",
        ],
    ),
    "enrollments-admin-400": ("list_enterprise_enrollments_admin", REFUSED, BAD_REQUEST),
    "enrollments-admin-403": ("list_enterprise_enrollments_admin", DIFFERENT, FORBIDDEN),
    "enrollments-admin-404": ("list_enterprise_enrollments_admin", DIFFERENT, NOT_FOUND),
    "intentions-list-200-learner": (
        "list_default_intentions",
        DIFFERENT,
        ("8 of 18", "NOADV no run None", "REVK REVK+R1 verified open"),
    ),
    "intentions-list-200-page-1": (
        "list_default_intentions",
        EQUAL,
        ("10 of 18", "VER VER+R1 verified open", "AUD AUD+R1 verified open"),
    ),
    "intentions-list-200-page-2": (
        "list_default_intentions",
        DIFFERENT,
        ("8 of 18", "NOADV no run None", "REVK REVK+R1 verified open"),
    ),
    "intentions-list-200-page-size-ignored": (
        "list_default_intentions",
        DIFFERENT,
        ("2 of 2", "GX+ONE course-v1:GX+ONE+R1 verified open", "GX+TWO course-v1:GX+TWO+R1 audit open"),
    ),
    "intentions-list-200-unknown-customer": ("list_default_intentions", EQUAL, ("0 of 0",)),
    "intentions-list-400-bad-uuid": ("list_default_intentions", REFUSED, BAD_REQUEST),
    "intentions-list-400-no-customer": ("list_default_intentions", REFUSED, BAD_REQUEST),
    "learner-200-backfill-ordered": (
        "list_learner_links",
        DIFFERENT,
        ["3 1003 carol acme active", "4 1004 dave acme active", "5 1005 erin acme active"],
    ),
    "learner-200-backfill-page-1": (
        "list_learner_links",
        DIFFERENT,
        [
            "31 5 amy_admin acme active",
            *(f"{8 + number} {1100 + number} learner{number:02} acme active" for number in range(22, 11, -1)),
        ],
    ),
    "learner-200-backfill-page-3": (
        "list_learner_links",
        DIFFERENT,
        [
            "5 1005 erin acme active",
            "4 1004 dave acme active",
            "3 1003 carol acme active",
            "2 1002 bob acme active",
            "1 1001 alice acme active",
            "6 1006 frank acme",
        ],
    ),
    "learner-200-empty-unknown": ("list_learner_links", DIFFERENT, []),
    "learner-200-empty-unlinked": ("list_learner_links", DIFFERENT, []),
    "learner-200-two-customers": (
        "list_learner_links",
        DIFFERENT,
        ["32 1006 frank globex active", "6 1006 frank acme"],
    ),
    "learner-200-unknown-customer-uuid-param": ("list_learner_links", DIFFERENT, []),
    "learner-200-user-ids": ("list_learner_links", DIFFERENT, ["2 1002 bob acme active", "1 1001 alice acme active"]),
    "learner-200-username-customer": ("list_learner_links", DIFFERENT, ["1 1001 alice acme active"]),
    "learner-400-unknown-customer": ("list_learner_links", DIFFERENT, BAD_REQUEST),
    "learner-401-no-token": ("list_learner_links", DIFFERENT, UNKNOWN_TOKEN),
    "learner-404-page-beyond": ("list_learner_links", DIFFERENT, NOT_FOUND),
    "learner-backfill-drift-1-page-1": (
        "list_learner_links",
        DIFFERENT,
        [
            "2 1002 bob acme active",
            "3 1003 carol acme active",
            "1 1001 alice acme active",
            "6 1006 frank acme active",
            "7 1007 grace acme active",
            *(f"{8 + number} {1100 + number} learner{number:02} acme active" for number in (10, 9, 8, 7, 6)),
        ],
    ),
    "learner-backfill-drift-3-page-2": (
        "list_learner_links",
        DIFFERENT,
        [
            *(f"{8 + number} {1100 + number} learner{number:02} acme active" for number in (6, 5, 4, 3, 1, 2)),
            "8 1008 judy acme active",
            "31 5 amy_admin acme active",
            "30 1122 learner22 acme active",
            "29 1121 learner21 acme active",
        ],
    ),
    "portal-enrollments-200-self": (
        "list_portal_enrollments",
        EQUAL,
        [
            "VER+R1 verified in_progress active",
            "AUD+R1 verified in_progress active",
            "AUDX+R1 audit in_progress active",
            "AUDO+R1 audit in_progress active",
            "UNV+R1 verified in_progress active revoked",
            "UNA+R1 audit saved_for_later revoked",
            "UNAO+R1 audit saved_for_later revoked",
            "REVK+R1 verified in_progress active revoked",
            "REVNA+R1 verified saved_for_later revoked",
            "INACT+R1 verified in_progress",
        ],
    ),
    "portal-enrollments-200-self-active": (
        "list_portal_enrollments",
        EQUAL,
        [
            "VER+R1 verified in_progress active",
            "AUD+R1 verified in_progress active",
            "AUDX+R1 audit in_progress active",
            "AUDO+R1 audit in_progress active",
            "UNV+R1 verified in_progress active revoked",
            "REVK+R1 verified in_progress active revoked",
        ],
    ),
    "portal-enrollments-400": ("list_portal_enrollments", REFUSED, BAD_REQUEST),
    "portal-enrollments-404-worker": ("list_portal_enrollments", DIFFERENT, NOT_FOUND),
    "throttled-429": ("list_learner_links", DIFFERENT, THROTTLED),
}
PLATFORM = {
    "course-200-include-expired": ("get_run_modes", EQUAL, "ENR+R1 audit,verified"),
    "course-200-invite-only": ("get_run_modes", EQUAL, "INV+R1 audit invited_only"),
    "course-400-unknown-run": ("get_run_modes", EQUAL, "none"),
    "enrollments-200-first-of-two-pages": (
        "list_platform_enrollments",
        EQUAL,
        ["alice C000+R1 audit active", "alice C001+R1 audit active", "alice C002+R1 audit active"],
    ),
    "enrollments-200-two-learners": (
        "list_platform_enrollments",
        EQUAL,
        [
            "alice ENR+R1 verified active",
            "alice UNA+R1 audit",
            "alice REV+R1 audit active",
            "bob course-v1:GX+OTHER+R1 honor active",
        ],
    ),
    "enrollments-200-unknown-users": ("list_platform_enrollments", EQUAL, []),
    "enrollments-403-not-staff": ("list_platform_enrollments", EQUAL, FORBIDDEN),
    "enrollments-429": ("list_platform_enrollments", EQUAL, THROTTLED),
}
ALL = [("lms", name, *expected) for name, expected in LMS.items()]
ALL += [("edx-platform", name, *expected) for name, expected in PLATFORM.items()]


@pytest.mark.parametrize(("service", "name", "method", "verdict", "made_of_it"), ALL, ids=lambda value: str(value)[:60])
def test_recording(service, name, method, verdict, made_of_it):
    result = replayed(service, name)
    assert result.method == f"LmsClient.{method}"
    assert (result.verdict, understood(result)) == (verdict, made_of_it)
    if verdict is REFUSED:
        assert said(result.outcome) == LOCAL


@pytest.mark.parametrize(("service", "table"), [("lms", LMS), ("edx-platform", PLATFORM)])
def test_the_table_has_every_recording_of_an_endpoint_in_use(service, table):
    assert names_in_use(service) == set(table)


# --- member by member, once per kind of value -------------------------------------------------------------------------


def test_members_of_a_customer():
    customer = value_of("lms", "customer-200")
    assert customer.uuid == UUID("7ae10000-0000-4000-8000-000000000001")
    assert (customer.slug, customer.name, customer.active) == ("acme", "Acme Learning", True)
    assert (customer.enable_learner_portal, customer.enable_data_sharing_consent) == (True, True)
    assert customer.identity_provider is None
    assert (customer.primary_color, customer.language) == ("#2D494E", "")
    assert customer.catalog_uuids == (
        UUID("ca7a0000-0000-4000-8000-0000000000a1"),
        UUID("ca7a0000-0000-4000-8000-0000000000a2"),
    )


def test_members_of_a_link():
    globex, acme = value_of("lms", "learner-200-two-customers")
    assert (globex.enterprise_customer_user_id, globex.lms_user_id) == (32, 1006)
    assert (globex.username, globex.email) == ("frank", "frank@example.com")
    assert (globex.is_active_link, acme.is_active_link) == (True, False)
    assert globex.customer.uuid == UUID("7ae10000-0000-4000-8000-000000000002")


def test_links_of_one_customer_share_its_value():
    first, *others = value_of("lms", "learner-200-backfill-page-1")
    assert all(link.customer is first.customer for link in others)


def test_nobodys_name_is_shown_by_accident():
    shown = repr(value_of("lms", "learner-200-two-customers")) + repr(
        value_of("edx-platform", "enrollments-200-two-learners")
    )
    assert "frank" not in shown
    assert "alice" not in shown


def test_members_of_an_enroll_answer():
    answer = value_of("lms", "enroll-409-partial")
    assert answer.successes == (
        EnrollSuccess(
            lms_user_id=1106,
            course_run_key="course-v1:AX+ENR+R1",
            fulfillment_uuid=UUID("d3c68be7-8653-408d-ab63-454262fd15de"),
        ),
    )
    assert answer.invalid_user_ids == ()


def test_members_of_platform_enrollments():
    _, left, *_ = value_of("edx-platform", "enrollments-200-two-learners")
    assert left == PlatformEnrollmentRecord(
        username="alice",
        course_run_key="course-v1:AX+UNA+R1",
        mode="audit",
        is_active=False,
        created_at=datetime(2026, 9, 14, 10, 21, 11, 482915, tzinfo=UTC),
    )


def test_members_of_run_modes():
    assert value_of("edx-platform", "course-200-include-expired") == RunModesRecord(
        course_run_key="course-v1:AX+ENR+R1",
        modes=(
            ModeRecord(slug="audit", expires_at=None),
            ModeRecord(slug="verified", expires_at=datetime(2027, 6, 20, 23, 59, 59, tzinfo=UTC)),
        ),
        is_invitation_only=False,
        enrollment_start=datetime(2026, 9, 1, tzinfo=UTC),
        enrollment_end=None,
    )


def test_members_of_enterprise_enrollments():
    assert value_of("lms", "enrollments-200-one-learner-one-run") == (
        EnterpriseEnrollmentRecord(
            enterprise_customer_user_id=1,
            course_run_key="course-v1:AX+UNA+R1",
            mode="audit",
            created_at=datetime(2026, 11, 21, 20, 4, 30, tzinfo=UTC),
            unenrolled_at=datetime(2026, 11, 21, 20, 4, 31, tzinfo=UTC),
        ),
    )


def test_members_of_enterprise_enrollments_as_staff_sees_them():
    *_, last = value_of("lms", "enrollments-admin-200")
    assert last == EnterpriseEnrollmentDetail(
        enterprise_customer_user_id=1,
        course_run_key="course-v1:AX+REVNA+R1",
        mode="verified",
        is_active=False,
        is_revoked=True,
        is_unenrolled=True,
        unenrolled_at=datetime(2026, 11, 21, 20, 4, 31, tzinfo=UTC),
        created_at=datetime(2026, 11, 21, 20, 4, 31, 94265, tzinfo=UTC),
    )


def test_the_throttle_says_when_to_come_back():
    assert failure_of("lms", "throttled-429").retry_after_seconds == 60
    assert failure_of("edx-platform", "enrollments-429").retry_after_seconds == 17

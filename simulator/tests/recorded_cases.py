"""The recorded states that the simulator reproduces in its named world: a request for each, and what must be so before.

The other recordings are listed at the end, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import field, frozen

from simulator.seed import (
    ACME,
    ACME_ANNUAL,
    ACME_CUSTOM,
    ACME_LAST_YEAR,
    ACME_MIXED,
    ACME_OPEN,
    ACME_SWITCHED_OFF,
    DORMANT,
    GLOBEX,
    GLOBEX_EMPTY,
    HOOLI,
    HOOLI_AUTO_APPLY,
    INITECH,
)
from simulator.seed_content import PROGRAM
from simulator.values import LicenseStatus, uuid_for
from simulator.world import World

RECORDINGS = Path(__file__).parents[2] / "tests" / "recordings"
NOBODY = "00000000-0000-4000-8000-0000000000ff"
DEMO = "course-v1:edX+DemoX+2026_T1"
CUSTOMER = "/lms/enterprise/api/v1/enterprise-customer"
LEARNER = "/lms/enterprise/api/v1/enterprise-learner/"
ENROLLMENT = "/lms/enterprise/api/v1/enterprise-course-enrollment/"
FOR_ADMINS = "/lms/enterprise/api/v1/enterprise-course-enrollment-admin/"
PORTAL = "/lms/enterprise_learner_portal/api/v1/enterprise_course_enrollments/"
INTENTIONS = "/lms/enterprise/api/v1/default-enterprise-enrollment-intentions/"
PLATFORM = "/lms/api/enrollment/v1"
CATALOG = "/catalog/api/v1"
LICENSES = "/license-manager/api/v1"


@frozen
class Case:
    """How to get, in the named world, the answer that the recording shows."""

    recording: str
    method: str
    path: str
    query: Any = field(factory=dict)
    body: Any = None
    caller: str | None = "enterprise_access_worker"
    prepare: Callable[[World], Any] | None = None
    headers: dict[str, str] = field(factory=dict)


def enroll(recording: str, *items: dict[str, Any], customer: Any = ACME, **about: Any) -> Case:
    body = about.pop("body", {"enrollments_info": list(items)})
    path = f"{CUSTOMER}/{customer}/enroll_learners_in_courses/"
    return Case(f"lms/enroll-{recording}", "POST", path, body=body, **about)


def item(user_id: int | None = 1001, run: str | None = "course-v1:UBCx+HTC1+2026_T1", **about: Any) -> dict[str, Any]:
    about = {"user_id": user_id, "course_run_key": run, "license_uuid": str(uuid_for("a license"))} | about
    return {name: value for name, value in about.items() if value is not None}


def eighteen_intentions(world: World) -> None:
    """Let the LMS intend more than there is room for on one page: courses with an end of enrollment, as recorded."""
    intend_instead(world, 18)


def two_intentions(world: World) -> None:
    intend_instead(world, 2)


def intend_instead(world: World, count: int) -> None:
    for row in world.tables.default_intentions.where(customer=ACME):
        world.drop_default_intention(customer="acme", content_key=row.content_key)
    for number in range(count):
        run = world.add_open_course(key=f"SevX+N{number}")
        world.change_run(run_key=run.key, enrollment_start=None, enrollment_end=world.now() + timedelta(days=30))
        world.add_default_intention(customer="acme", content_key=run.course_key)
    world.add_default_intention(customer="acme", content_key="MITx+6.00.1x")


CLOSED = "course-v1:BerkeleyX+CS188.1x+2026"
EXPIRED = {"Authorization": "JWT expired"}  # replaced by a real expired token
GARBAGE = {"Authorization": "JWT not.a.token"}

LMS = [
    Case("lms/customer-200", "GET", f"{CUSTOMER}/{ACME}/"),
    Case("lms/customer-200-linked-learner", "GET", f"{CUSTOMER}/{ACME}/", caller="ada"),
    Case("lms/customer-401-no-token", "GET", f"{CUSTOMER}/{ACME}/", caller=None),
    Case("lms/customer-401-garbage-token", "GET", f"{CUSTOMER}/{ACME}/", caller=None, headers=GARBAGE),
    Case("lms/customer-401-expired-token", "GET", f"{CUSTOMER}/{ACME}/", caller=None, headers=EXPIRED),
    Case("lms/customer-404-inactive", "GET", f"{CUSTOMER}/{DORMANT}/"),
    Case("lms/customer-404-not-a-uuid", "GET", f"{CUSTOMER}/not-a-uuid/"),
    Case("lms/customer-404-unknown", "GET", f"{CUSTOMER}/{NOBODY}/"),
    Case("lms/customer-list-200", "GET", f"{CUSTOMER}/", {"page_size": 1}),
    Case("lms/learner-200-username-customer", "GET", LEARNER, {"username": "ada", "enterprise_customer": ACME}),
    Case("lms/learner-200-two-customers", "GET", LEARNER, {"username": "frank"}),
    Case("lms/learner-200-user-ids", "GET", LEARNER, {"user_ids": "1001,1002,1003", "enterprise_customer": ACME}),
    Case("lms/learner-200-empty-unknown", "GET", LEARNER, {"username": "nobody"}),
    Case("lms/learner-200-empty-unlinked", "GET", LEARNER, {"username": "grace", "enterprise_customer": ACME}),
    Case("lms/learner-200-unknown-customer-uuid-param", "GET", LEARNER, {"enterprise_customer_uuid": NOBODY}),
    Case("lms/learner-200-backfill-page-1", "GET", LEARNER, {"enterprise_customer": ACME, "page_size": 7}),
    Case("lms/learner-200-backfill-page-3", "GET", LEARNER, {"enterprise_customer": ACME, "page_size": 7, "page": 3}),
    Case(
        "lms/learner-200-backfill-ordered",
        "GET",
        LEARNER,
        {"enterprise_customer": ACME, "ordering": "user_id", "page_size": 3, "page": 2},
    ),
    Case("lms/learner-400-unknown-customer", "GET", LEARNER, {"enterprise_customer": NOBODY}),
    Case("lms/learner-401-no-token", "GET", LEARNER, {"username": "ada"}, caller=None),
    Case("lms/learner-404-page-beyond", "GET", LEARNER, {"enterprise_customer": ACME, "page": 99}),
    Case(
        "lms/intentions-list-200-page-1",
        "GET",
        INTENTIONS,
        {"enterprise_customer_uuid": ACME},
        prepare=eighteen_intentions,
    ),
    Case(
        "lms/intentions-list-200-page-2",
        "GET",
        INTENTIONS,
        {"enterprise_customer_uuid": ACME, "page": 2},
        prepare=eighteen_intentions,
    ),
    Case(
        "lms/intentions-list-200-learner",
        "GET",
        INTENTIONS,
        {"enterprise_customer_uuid": ACME, "page": 2},
        caller="ada",
        prepare=eighteen_intentions,
    ),
    Case(
        "lms/intentions-list-200-page-size-ignored",
        "GET",
        INTENTIONS,
        {"enterprise_customer_uuid": ACME, "page_size": 1},
        prepare=two_intentions,
    ),
    Case("lms/intentions-list-200-unknown-customer", "GET", INTENTIONS, {"enterprise_customer_uuid": NOBODY}),
    Case("lms/intentions-list-400-bad-uuid", "GET", INTENTIONS, {"enterprise_customer_uuid": "abc"}),
    Case("lms/intentions-list-400-no-customer", "GET", INTENTIONS),
    enroll("201-license-default", item(is_default_auto_enrollment=True)),
    enroll("201-batch", item(), item(run="course-v1:HarvardX+CS50+2026"), item(run="course-v1:KIx+STATS1+2026_T1")),
    enroll("201-by-email", item(user_id=None, email="ben@example.com")),
    enroll("201-closed-forced", item(run=CLOSED, force_enrollment=True)),
    enroll("201-default-flag-no-intention", item(is_default_auto_enrollment=True)),
    enroll("201-legacy-licenses-info", body={"licenses_info": [item()]}),
    enroll("201-transaction-default", item(license_uuid=None, transaction_id=str(uuid_for("a transaction")))),
    enroll("201-two-learners", item(), item(user_id=1002)),
    enroll("201-user-id-email-mismatch", item(email="ben@example.com")),
    enroll(
        "201-upgrade-audit",
        item(user_id=1013, run="course-v1:KIx+STATS1+2026_T1"),
    ),
    enroll("202-pending", item(user_id=None, email="newcomer@example.com")),
    enroll("202-pending-and-success", item(), item(user_id=None, email="newcomer@example.com")),
    enroll("400-both-lists", body={"enrollments_info": [item()], "licenses_info": [item()]}),
    enroll("400-both-subsidies", item(transaction_id=str(uuid_for("a transaction")))),
    enroll("400-empty"),
    enroll("400-no-run", item(run=None), item()),
    enroll("400-no-subsidy", item(license_uuid=None)),
    enroll("400-no-user", item(user_id=None)),
    enroll("401", item(), caller=None),
    enroll("403-learner", item(), caller="ben"),
    enroll("403-staff-without-role", item(), caller="staff_without_role"),
    enroll("404-inactive-customer", item(), customer=DORMANT),
    enroll("404-unknown-customer", item(), customer=NOBODY),
    enroll("409-closed", item(run=CLOSED)),
    enroll("409-full", item(run="course-v1:UTAustinX+FULL1+2026")),
    enroll("409-no-mode", item(run="course-v1:CaltechX+NOMODE+2026")),
    enroll("409-partial", item(), item(run=CLOSED)),
    enroll("409-invalid-user-id", item(user_id=999_999)),
    enroll("409-invalid-user-id-mixed", item(user_id=999_999), item()),
    Case(
        "lms/enrollments-200-one-learner",
        "GET",
        ENROLLMENT,
        {"enterprise_customer_user": "<dave>"},
        prepare=lambda world: world.enroll(username="dave", run_key=CLOSED, customer="acme"),
    ),
    Case(
        "lms/enrollments-200-one-learner-one-run",
        "GET",
        ENROLLMENT,
        {"enterprise_customer_user": "<dave>", "course_id": DEMO},
    ),
    Case(
        "lms/enrollment-read-after-enroll", "GET", ENROLLMENT, {"enterprise_customer_user": "<erin>", "course_id": DEMO}
    ),
    Case("lms/enrollment-read-after-license-revoke", "GET", ENROLLMENT, {"enterprise_customer_user": "<kim>"}),
    Case("lms/enrollments-200-none", "GET", ENROLLMENT, {"enterprise_customer_user": "<ada>"}),
    Case("lms/enrollments-200-own", "GET", ENROLLMENT, caller="dave"),
    Case("lms/enrollments-200-all-page-1", "GET", ENROLLMENT, {"page_size": 1}),
    Case("lms/enrollments-400-unknown-ecu", "GET", ENROLLMENT, {"enterprise_customer_user": 1001}),
    Case(
        "lms/enrollments-admin-200",
        "GET",
        FOR_ADMINS,
        {"lms_user_id": 1012, "enterprise_uuid": ACME},
        prepare=lambda world: [
            world.enroll(username="dave", run_key="course-v1:UBCx+HTC1+2026_T1", customer="acme", mode="verified"),
            world.revoke_enrollments(username="dave", customer="acme"),
            world.enroll(
                username="dave",
                run_key="course-v1:KIx+STATS1+2026_T1",
                customer="acme",
                license_uuid=uuid_for("a license"),
            ),
            world.revoke_enrollments(username="dave", customer="acme"),
            world.enroll(
                username="dave",
                run_key="course-v1:KIx+STATS1+2026_T1",
                customer="acme",
                license_uuid=uuid_for("a license"),
            ),
        ],
    ),
    Case("lms/enrollments-admin-400", "GET", FOR_ADMINS, {"lms_user_id": 1001}),
    Case(
        "lms/enrollments-admin-403",
        "GET",
        FOR_ADMINS,
        {"lms_user_id": 1001, "enterprise_uuid": ACME},
        caller="amy_admin",
    ),
    Case("lms/enrollments-admin-404", "GET", FOR_ADMINS, {"lms_user_id": 2001, "enterprise_uuid": ACME}),
    Case("lms/portal-enrollments-200-self", "GET", PORTAL, {"enterprise_id": ACME}, caller="dave"),
    Case(
        "lms/portal-enrollments-200-self-active",
        "GET",
        PORTAL,
        {"enterprise_id": ACME, "is_active": "true"},
        caller="erin",
    ),
    Case("lms/portal-enrollments-400", "GET", PORTAL, caller="ada"),
    Case("lms/portal-enrollments-404-worker", "GET", PORTAL, {"enterprise_id": ACME, "lms_user_id": 1001}),
    Case(
        "lms/license-revoke-200",
        "POST",
        "/lms/enterprise/api/v1/licensed-enterprise-course-enrollment/license_revoke/",
        body={"user_id": 1013, "enterprise_id": str(ACME)},
    ),
    Case(
        "lms/license-revoke-400",
        "POST",
        "/lms/enterprise/api/v1/licensed-enterprise-course-enrollment/license_revoke/",
        body={"enterprise_id": str(ACME)},
    ),
    Case(
        "lms/license-revoke-403",
        "POST",
        "/lms/enterprise/api/v1/licensed-enterprise-course-enrollment/license_revoke/",
        body={"user_id": 1013, "enterprise_id": str(ACME)},
        caller="ben",
    ),
    Case(
        "lms/license-revoke-404",
        "POST",
        "/lms/enterprise/api/v1/licensed-enterprise-course-enrollment/license_revoke/",
        body={"user_id": 2001, "enterprise_id": str(ACME)},
    ),
]


def many_enrollments(world: World) -> None:
    for number in range(101):
        run = world.add_open_course(key=f"BulkX+C{number:03d}")
        world.enroll(username="ada", run_key=run.key)


EDX_PLATFORM = [
    Case(
        "edx-platform/course-200-include-expired",
        "GET",
        f"{PLATFORM}/course/{DEMO}",
        {"include_expired": "1"},
        prepare=lambda world: world.change_run(run_key=DEMO, modes=(*world.run(DEMO).modes,)),
    ),
    Case(
        "edx-platform/course-200-invite-only",
        "GET",
        f"{PLATFORM}/course/course-v1:ANUx+ASTRO1+2026",
        {"include_expired": "1"},
        caller=None,
        prepare=lambda world: world.change_run(run_key="course-v1:ANUx+ASTRO1+2026", end=None),
    ),
    Case("edx-platform/course-400-unknown-run", "GET", f"{PLATFORM}/course/course-v1:AX+NONE+R1"),
    Case("edx-platform/enrollments-200-two-learners", "GET", f"{PLATFORM}/enrollments", {"username": "dave,erin"}),
    Case("edx-platform/enrollments-200-unknown-users", "GET", f"{PLATFORM}/enrollments", {"username": "nobody"}),
    Case(
        "edx-platform/enrollments-200-first-of-two-pages",
        "GET",
        f"{PLATFORM}/enrollments",
        {"username": "ada"},
        prepare=many_enrollments,
    ),
    Case(
        "edx-platform/enrollments-403-not-staff",
        "GET",
        f"{PLATFORM}/enrollments",
        {"username": "ada"},
        caller="worker_without_staff",
    ),
]


def lookup(recording: str, kind: str, key: str, *, customer: Any = ACME, version: str = "v1", **about: Any) -> Case:
    path = f"/catalog/api/{version}/enterprise-customer/{customer}/content-metadata/{key}/"
    return Case(f"enterprise-catalog/{kind}-{recording}", "GET", path, **about)


def contains(recording: str, *keys: str, customer: Any = ACME, version: str = "v1", **about: Any) -> Case:
    path = f"/catalog/api/{version}/enterprise-customer/{customer}/contains_content_items/"
    query = [("course_run_ids", key) for key in keys]
    if about.pop("lists", True):
        query.append((about.pop("flag", "get_catalogs_containing_specified_content_ids"), "true"))
    query += about.pop("more", [])
    return Case(f"enterprise-catalog/customer-contains-{recording}", "GET", path, query, **about)


def within(
    recording: str, *query: tuple[str, str], catalog: Any = ACME_OPEN, version: str = "v1", **about: Any
) -> Case:
    action = about.pop("action", "get_content_metadata")
    path = f"/catalog/api/{version}/enterprise-catalogs/{catalog}/{action}/"
    method = about.pop("method", "GET")
    return Case(f"enterprise-catalog/catalog-{recording}", method, path, list(query), **about)


def bulk(recording: str, *query: tuple[str, str], **about: Any) -> Case:
    method = about.pop("method", "GET")
    path = f"{CATALOG}/content-metadata/"
    return Case(f"enterprise-catalog/content-metadata-list-{recording}", method, path, list(query), **about)


def held(recording: str, *keys: str, **about: Any) -> Case:
    """`contains_content_items` of one catalog."""
    query = [("course_run_ids", key) for key in keys]
    return within(f"contains-{recording}", *query, action="contains_content_items", **about)


RESTRICTED = "course-v1:edX+RestrictX+B2B_2026"
ENTERPRISE_CATALOG = [
    Case(
        "enterprise-catalog/auth-content-metadata-any-user-200",
        "GET",
        f"{CATALOG}/content-metadata/HarvardX+CS50/",
        caller="outsider",
    ),
    Case(
        "enterprise-catalog/auth-content-metadata-no-credentials-401",
        "GET",
        f"{CATALOG}/content-metadata/edX+DemoX/",
        caller=None,
    ),
    Case(
        "enterprise-catalog/auth-expired-token-401",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        caller=None,
        headers=EXPIRED,
    ),
    Case(
        "enterprise-catalog/auth-garbage-token-401",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        caller=None,
        headers=GARBAGE,
    ),
    Case(
        "enterprise-catalog/auth-no-credentials-401",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        caller=None,
    ),
    Case(
        "enterprise-catalog/auth-no-roles-403",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        caller="outsider",
    ),
    Case(
        "enterprise-catalog/auth-staff-without-role-403",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        caller="staff_without_role",
    ),
    Case(
        "enterprise-catalog/auth-learner-of-this-customer-200",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        {"course_run_ids": "edX+DemoX"},
        caller="ada",
    ),
    lookup("403", "auth-learner-of-other-customer", "edX+DemoX", caller="heidi"),
    Case(
        "enterprise-catalog/auth-learner-catalog-detail-needs-admin-403",
        "GET",
        f"{CATALOG}/enterprise-catalogs/{ACME_OPEN}/",
        caller="ada",
    ),
    held("true-with-cache-headers", "edX+DemoX"),
    held("false", "GetSmarter+AIB"),
    held("run-key", "course-v1:HarvardX+CS50+2026"),
    held("several-keys-is-any-of", "No+SUCH", "edX+DemoX"),
    held("bad-catalog-uuid-404", "edX+DemoX", catalog="not-a-uuid"),
    held("unknown-catalog-404", "edX+DemoX", catalog=NOBODY),
    held("catalog-without-query", "edX+DemoX", catalog=GLOBEX_EMPTY),
    held("no-parameters-400"),
    held("restricted-run-v1-false", RESTRICTED, catalog=ACME_CUSTOM),
    held("restricted-run-v2-true", RESTRICTED, catalog=ACME_CUSTOM, version="v2"),
    within("content-metadata-bad-catalog-uuid-500-html", catalog="not-a-uuid"),
    within("content-metadata-unknown-catalog-404", catalog=NOBODY),
    within("content-metadata-catalog-without-query", catalog=GLOBEX_EMPTY),
    within(
        "content-metadata-bulk-keys-one-page",
        ("content_keys", "edX+DemoX"),
        ("content_keys", "No+SUCH"),
        ("content_keys", "course-v1:HarvardX+CS50+2026"),
        ("traverse_pagination", "true"),
    ),
    within("content-metadata-filter-paginated-envelope", ("content_keys", "HarvardX+CS50")),
    within("content-metadata-inactive-course-by-key", ("content_keys", "BerkeleyX+CS188.1x")),
    within("content-metadata-invalid-page-404", ("page", "99")),
    within("content-metadata-more-than-100-keys-400", *[("content_keys", f"X+{it:03d}") for it in range(101)]),
    within(
        "content-metadata-one-key-many-records",
        ("content_keys", "edX+DemoX"),
        ("traverse_pagination", "1"),
        catalog=ACME_MIXED,
    ),
    within("content-metadata-post-405", method="POST", body={}),
    within("content-metadata-restricted-v1", ("content_keys", "edX+RestrictX"), catalog=ACME_CUSTOM),
    within(
        "content-metadata-restricted-v2",
        ("content_keys", "edX+RestrictX"),
        ("content_keys", RESTRICTED),
        catalog=ACME_CUSTOM,
        version="v2",
    ),
    within("content-metadata-unfiltered-page-1", ("page_size", "10")),
    within("content-metadata-unfiltered-page-2", ("page_size", "10"), ("page", "2")),
    bulk(
        "bulk-coerced",
        ("content_identifiers", DEMO),
        ("content_identifiers", "GetSmarter+AIB"),
        ("content_identifiers", "course-v1:HarvardX+CS50+2026"),
        ("coerce_to_parent_course", "true"),
    ),
    bulk(
        "course-and-run", ("content_identifiers", "edX+DemoX"), ("content_identifiers", "course-v1:HarvardX+CS50+2026")
    ),
    bulk(
        "default-page-is-ten",
        *[
            ("content_identifiers", key)
            for key in (
                "AdelaideX+Project101x",
                "LinuxFoundationX+LFS101x",
                "WageningenX+NUTR101x",
                "TUMx+AUTO1",
                "BUx+SUPPLY1",
                "KIx+STATS1",
                "IBM+DS0101EN",
                "MicrosoftX+CLOUD1",
                "UBCx+HTC1",
                "CornellX+HOSP1",
                "StanfordX+ML",
            )
        ],
    ),
    bulk("invalid-page-404", ("content_identifiers", "edX+DemoX"), ("page", "2")),
    bulk("post-405", method="POST", body={}),
    bulk("unknown-is-empty", ("content_identifiers", "No+SUCH")),
    Case(
        "enterprise-catalog/content-metadata-list-raw-plus-is-empty",
        "GET",
        f"{CATALOG}/content-metadata/?content_identifiers=edX+DemoX",
    ),
    Case("enterprise-catalog/content-metadata-retrieve-course", "GET", f"{CATALOG}/content-metadata/edX+DemoX/"),
    Case(
        "enterprise-catalog/content-metadata-retrieve-course-uuid",
        "GET",
        f"{CATALOG}/content-metadata/{uuid_for('course', 'harvardx+cs50')}/",
    ),
    Case(
        "enterprise-catalog/content-metadata-retrieve-course-not-fully-synced",
        "GET",
        f"{CATALOG}/content-metadata/NewX+FRESH1/",
    ),
    Case(
        "enterprise-catalog/content-metadata-retrieve-in-no-catalog",
        "GET",
        f"{CATALOG}/content-metadata/EdinburghX+SUST1/",
    ),
    Case("enterprise-catalog/content-metadata-retrieve-run-raw-record", "GET", f"{CATALOG}/content-metadata/{DEMO}/"),
    Case(
        "enterprise-catalog/content-metadata-retrieve-run-coerced-to-course",
        "GET",
        f"{CATALOG}/content-metadata/course-v1:HarvardX+CS50+2026/",
        {"coerce_to_parent_course": "true"},
    ),
    Case("enterprise-catalog/content-metadata-retrieve-unknown-404", "GET", f"{CATALOG}/content-metadata/No+SUCH/"),
    Case(
        "enterprise-catalog/content-metadata-retrieve-missing-slash-301",
        "GET",
        f"{CATALOG}/content-metadata/{DEMO}",
        {"coerce_to_parent_course": "True"},
    ),
    Case(
        "enterprise-catalog/content-metadata-v2-does-not-exist-404-html",
        "GET",
        "/catalog/api/v2/content-metadata/edX+DemoX/",
    ),
    contains("archived-run-true", "course-v1:edX+DemoX+2024_T1"),
    contains("bad-customer-uuid-400", "edX+DemoX", customer="not-a-uuid"),
    contains("course-key-in-two-catalogs", "edX+DemoX"),
    contains("course-key-of-run-only-catalog", "StanfordX+ML", customer=GLOBEX),
    contains("course-uuid-false", str(uuid_for("course", "edx+demox"))),
    contains("customer-without-catalogs", "edX+DemoX", customer=INITECH),
    contains("echoes-request-id", "edX+DemoX", lists=False, headers={"X-Request-ID": "abc"}),
    contains("no-parameters-400", lists=False),
    contains("old-list-flag", "edX+DemoX", flag="get_catalog_list"),
    contains("program", more=[("program_uuids", str(PROGRAM))]),
    contains("restricted-run-v1-false", RESTRICTED),
    contains("restricted-run-v2-true", RESTRICTED, version="v2"),
    contains("run-key-in-two-catalogs", DEMO),
    contains("several-keys-is-any-of", "No+SUCH", "GetSmarter+AIB", "HarvardX+CS50"),
    contains("unknown-customer-is-false", "edX+DemoX", customer=NOBODY),
    contains("unknown-key", "No+SUCH"),
    contains("without-list-flag", "edX+DemoX", lists=False),
    Case(
        "enterprise-catalog/customer-contains-post-405",
        "POST",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        body={},
    ),
    Case(
        "enterprise-catalog/customer-contains-missing-slash-301",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items",
        {"course_run_ids": "edX+DemoX"},
    ),
    lookup("course-key", "customer-content-metadata", "edX+DemoX"),
    lookup("course-uuid", "customer-content-metadata", str(uuid_for("course", "edx+demox"))),
    lookup("run-key-returns-parent-course", "customer-content-metadata", "course-v1:HarvardX+CS50+2026"),
    lookup("all-runs-archived", "customer-content-metadata", "edX+OLD101"),
    lookup("course-whose-run-has-no-record", "customer-content-metadata", "UQx+THINK101"),
    lookup("course-without-runs", "customer-content-metadata", "edX+NORUNS"),
    lookup("courserun-shaped-answer", "customer-content-metadata", "course-v1:StanfordX+ML+2026_T3", customer=GLOBEX),
    lookup("customer-without-catalogs-404", "customer-content-metadata", "edX+DemoX", customer=INITECH),
    lookup("enrollment-ended", "customer-content-metadata", "BerkeleyX+CS188.1x"),
    lookup("enrollment-not-started", "customer-content-metadata", "DelftX+WATER1"),
    lookup("exec-ed-course", "customer-content-metadata", "GetSmarter+AIB"),
    lookup("exec-ed-run-key", "customer-content-metadata", "course-v1:GetSmarter+AIB+2026_B"),
    lookup("known-but-in-no-catalog-404", "customer-content-metadata", "EdinburghX+SUST1"),
    lookup("legacy-enrollment-url", "customer-content-metadata", "IBM+DS0101EN", customer=GLOBEX),
    lookup("no-advertised-run", "customer-content-metadata", "MITx+6.00.1x"),
    lookup("other-customers-content-404", "customer-content-metadata", "StanfordX+ML"),
    lookup("program-uuid", "customer-content-metadata", str(PROGRAM)),
    lookup("restricted-course-v1", "customer-content-metadata", "edX+RestrictX"),
    lookup("restricted-course-v2", "customer-content-metadata", "edX+RestrictX", version="v2"),
    lookup("restricted-run-key-v1-404", "customer-content-metadata", RESTRICTED),
    lookup("restricted-run-key-v2", "customer-content-metadata", RESTRICTED, version="v2"),
    lookup("skip-customer-fetch", "customer-content-metadata", "edX+DemoX", query={"skip_customer_fetch": "0"}),
    lookup("unknown-key-404", "customer-content-metadata", "No+SUCH"),
    lookup("upgrade-deadline-passed", "customer-content-metadata", "MichiganX+PY101"),
    Case(
        "enterprise-catalog/customer-content-metadata-post-405",
        "POST",
        f"{CATALOG}/enterprise-customer/{ACME}/content-metadata/edX+DemoX/",
        body={},
    ),
    Case(
        "enterprise-catalog/customer-content-metadata-missing-slash-301",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/content-metadata/edX+DemoX",
    ),
    Case("enterprise-catalog/enterprise-catalog-detail", "GET", f"{CATALOG}/enterprise-catalogs/{ACME_OPEN}/"),
    Case(
        "enterprise-catalog/enterprise-catalogs-list-by-customer",
        "GET",
        f"{CATALOG}/enterprise-catalogs/",
        {"enterprise_customer": ACME},
    ),
    Case(
        "enterprise-catalog/enterprise-catalogs-list-customer-without-catalogs",
        "GET",
        f"{CATALOG}/enterprise-catalogs/",
        {"enterprise_customer": INITECH},
    ),
    Case(
        "enterprise-catalog/filter-content-items-all-catalogs-of-customer",
        "POST",
        f"{CATALOG}/enterprise-customer/{ACME}/filter_content_items/",
        body={"content_keys": ["edX+DemoX", "No+X"]},
    ),
    Case(
        "enterprise-catalog/filter-content-items-one-catalog",
        "POST",
        f"{CATALOG}/enterprise-customer/{ACME}/filter_content_items/",
        body={"content_keys": ["edX+DemoX", "GetSmarter+AIB"], "catalog_uuids": [str(ACME_MIXED)]},
    ),
    Case(
        "enterprise-catalog/filter-content-items-bad-catalog-uuid-500-html",
        "POST",
        f"{CATALOG}/enterprise-customer/{ACME}/filter_content_items/",
        body={"content_keys": ["edX+DemoX"], "catalog_uuids": ["not-a-uuid"]},
    ),
    Case(
        "enterprise-catalog/filter-content-items-empty-body",
        "POST",
        f"{CATALOG}/enterprise-customer/{ACME}/filter_content_items/",
        body={},
    ),
    Case(
        "enterprise-catalog/filter-content-items-get-405",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/filter_content_items/",
    ),
    Case("enterprise-catalog/health", "GET", "/catalog/health/", caller=None),
    Case("enterprise-catalog/health-missing-slash-301", "GET", "/catalog/health", caller=None),
    Case(
        "enterprise-catalog/negotiation-xml-406",
        "GET",
        f"{CATALOG}/enterprise-customer/{ACME}/contains_content_items/",
        {"course_run_ids": "edX+DemoX"},
        headers={"Accept": "application/xml"},
    ),
    Case("enterprise-catalog/unknown-path-404-html", "GET", f"{CATALOG}/no-such-endpoint/"),
]

PORTAL_QUERY = {"include_revoked": "true", "current_plans_only": "false", "page_size": 100}


def own(recording: str, caller: str | None, *, customer: Any = ACME, portal: bool = True, **about: Any) -> Case:
    query = {"enterprise_customer_uuid": customer} | (PORTAL_QUERY if portal else {})
    query = about.pop("query", query)
    return Case(
        f"license-manager/learner-licenses-{recording}",
        "GET",
        f"{LICENSES}/learner-licenses/",
        query,
        caller=caller,
        **about,
    )


def staff_view(
    recording: str, email: str | None, *, caller: str | None = "enterprise_access_worker", customer: Any = ACME
) -> Case:
    query = {"enterprise_customer_uuid": customer, "user_email": email}
    query = {name: value for name, value in query.items() if value}
    path = f"{LICENSES}/admin-license-view/"
    return Case(f"license-manager/admin-license-view-{recording}", "GET", path, query, caller=caller)


def apply(recording: str, caller: str | None, *, agreement: Any = None, **about: Any) -> Case:
    path = f"{LICENSES}/customer-agreement/{agreement or uuid_for('agreement', HOOLI)}/auto-apply/"
    return Case(f"license-manager/auto-apply-{recording}", "POST", path, caller=caller, **about)


def key_of(username: str) -> str:
    """A placeholder for the activation key of a learner's license."""
    return f"<key:{username}>"


def activation(recording: str, caller: str | None, key: str | None, **about: Any) -> Case:
    query = {"activation_key": key} if key else {}
    return Case(
        f"license-manager/license-activation-{recording}",
        "POST",
        f"{LICENSES}/license-activation/",
        query,
        caller=caller,
        **about,
    )


LICENSE_MANAGER = [
    own("activated", "ada", portal=False),
    own("activated-portal-params", "ada"),
    own("assigned", "ben"),
    own("revoked-included", "cyd"),
    own("revoked-hidden-by-default", "cyd", portal=False),
    own("after-revocation", "cyd"),
    own("revoked-then-reassigned", "dee"),
    own("expired-plan", "eli"),
    own("expired-plan-hidden-by-default", "eli", portal=False),
    own("future-plan", "fay"),
    own("two-current-plans", "max"),
    own("none", "hal"),
    own("no-customer-agreement", "peter", customer=INITECH),
    own("email-changed", "judy", portal=False),
    own("missing-customer", "ada", query={}),
    own("no-role", "outsider", portal=False),
    own("no-token", None, portal=False),
    own("bad-token", None, portal=False, headers=GARBAGE),
    own("expired-token", None, portal=False, headers=EXPIRED),
    own("page-out-of-range", "ada", query={"enterprise_customer_uuid": ACME, "page": 2}),
    own("jwt-without-email", "<ada without e-mail>", portal=False),
    staff_view("activated", "ada@example.com"),
    staff_view("assigned", "ben@example.com"),
    staff_view("revoked-and-activated", "dee@example.com"),
    staff_view("none", "hal@example.com"),
    staff_view("customer-admin", "ada@example.com", caller="amy_admin"),
    staff_view("operator-not-staff", "ada@example.com", caller="worker_without_staff"),
    staff_view("no-token", "ada@example.com", caller=None),
    staff_view("missing-email", None),
    staff_view("missing-customer", "ada@example.com", customer=None),
    apply("ok", "nina"),
    apply("repeat", "nina", prepare=lambda world: world.auto_apply(username="nina", customer="hooli")),
    apply(
        "none-left",
        "nina",
        prepare=lambda world: [
            world.assign(plan_uuid=HOOLI_AUTO_APPLY, username=name)
            for name in ("ada", "ben", "cyd", "dee", "eli", "fay", "gus", "hal", "max", "lea")
        ],
    ),
    apply("not-configured", "ada", agreement=uuid_for("agreement", ACME)),
    apply("other-customer", "ada"),
    apply("unknown-agreement", "nina", agreement=NOBODY),
    apply("no-token", None),
    apply(
        "revoked",
        "nina",
        prepare=lambda world: world.add_license(
            plan_uuid=HOOLI_AUTO_APPLY, username="nina", status=LicenseStatus.REVOKED
        ),
    ),
    activation("ok", "ben", key_of("ben")),
    activation("repeat", "ada", key_of("ada")),
    activation("revoked", "cyd", key_of("cyd")),
    activation("key-of-other-learner", "ada", key_of("ben")),
    activation("malformed-key", "ben", "abc"),
    activation("missing-key", "ben", None),
    activation("no-token", None, key_of("ben")),
    activation(
        "wrong-customer-role",
        "ben",
        key_of("ben"),
        prepare=lambda world: [
            world.unlink(username="ben", customer="acme"),
            world.link(username="ben", customer="globex"),
        ],
    ),
    Case(
        "license-manager/staff-lookup-licenses",
        "POST",
        f"{LICENSES}/staff_lookup_licenses/",
        body={"user_email": "ADA@example.com"},
    ),
    Case(
        "license-manager/staff-lookup-licenses-none",
        "POST",
        f"{LICENSES}/staff_lookup_licenses/",
        body={"user_email": "nobody@example.com"},
    ),
    Case(
        "license-manager/customer-agreement-list",
        "GET",
        f"{LICENSES}/customer-agreement/",
        {"enterprise_customer_uuid": HOOLI},
    ),
    Case(
        "license-manager/customer-agreement-list-all-plans",
        "GET",
        f"{LICENSES}/customer-agreement/",
        {"enterprise_customer_uuid": ACME, "active_plans_only": "false"},
    ),
    Case(
        "license-manager/customer-agreement-list-none",
        "GET",
        f"{LICENSES}/customer-agreement/",
        {"enterprise_customer_uuid": INITECH},
    ),
    Case(
        "license-manager/customer-agreement-retrieve",
        "GET",
        f"{LICENSES}/customer-agreement/{uuid_for('agreement', HOOLI)}/",
        caller="nina",
    ),
    Case(
        "license-manager/customer-agreement-retrieve-other-customer",
        "GET",
        f"{LICENSES}/customer-agreement/{uuid_for('agreement', HOOLI)}/",
        caller="ada",
    ),
    Case("license-manager/customer-agreement-retrieve-unknown", "GET", f"{LICENSES}/customer-agreement/{NOBODY}/"),
    Case("license-manager/subscriptions-list", "GET", f"{LICENSES}/subscriptions/", {"enterprise_customer_uuid": ACME}),
    Case(
        "license-manager/subscriptions-list-current",
        "GET",
        f"{LICENSES}/subscriptions/",
        {"enterprise_customer_uuid": ACME, "current": "true"},
    ),
    Case(
        "license-manager/subscriptions-list-current-without-customer",
        "GET",
        f"{LICENSES}/subscriptions/",
        {"current": "true"},
    ),
    Case(
        "license-manager/subscriptions-list-learner",
        "GET",
        f"{LICENSES}/subscriptions/",
        {"enterprise_customer_uuid": ACME},
        caller="ada",
    ),
    Case(
        "license-manager/subscriptions-list-malformed-customer-uuid",
        "GET",
        f"{LICENSES}/subscriptions/",
        {"enterprise_customer_uuid": "nope"},
    ),
    Case(
        "license-manager/subscriptions-list-no-plans",
        "GET",
        f"{LICENSES}/subscriptions/",
        {"enterprise_customer_uuid": INITECH},
    ),
    Case("license-manager/subscriptions-retrieve", "GET", f"{LICENSES}/subscriptions/{ACME_ANNUAL}/"),
    Case("license-manager/subscriptions-retrieve-expired", "GET", f"{LICENSES}/subscriptions/{ACME_LAST_YEAR}/"),
    Case("license-manager/subscriptions-retrieve-inactive", "GET", f"{LICENSES}/subscriptions/{ACME_SWITCHED_OFF}/"),
    Case("license-manager/subscriptions-retrieve-unknown", "GET", f"{LICENSES}/subscriptions/{NOBODY}/"),
    Case(
        "license-manager/licenses-list-by-status",
        "GET",
        f"{LICENSES}/subscriptions/{ACME_ANNUAL}/licenses/",
        {"status": "assigned,activated", "page_size": 3},
    ),
    Case(
        "license-manager/licenses-list-last-page",
        "GET",
        f"{LICENSES}/subscriptions/{ACME_ANNUAL}/licenses/",
        {"status": "activated", "page_size": 5, "page": 2, "ignore_null_emails": 1},
    ),
    Case(
        "license-manager/licenses-list-learner",
        "GET",
        f"{LICENSES}/subscriptions/{ACME_ANNUAL}/licenses/",
        caller="ada",
    ),
    Case(
        "license-manager/licenses-list-revoked",
        "GET",
        f"{LICENSES}/subscriptions/{ACME_ANNUAL}/licenses/",
        {"status": "revoked"},
    ),
    Case(
        "license-manager/licenses-list-unassigned",
        "GET",
        f"{LICENSES}/subscriptions/{ACME_ANNUAL}/licenses/",
        {"status": "unassigned", "page_size": 2},
    ),
]
CASES = [*LMS, *EDX_PLATFORM, *ENTERPRISE_CATALOG, *LICENSE_MANAGER]


# Endpoints that the simulator does not speak: their recordings are only parsed by clients.
NOT_SPOKEN = (
    "lms/bulk-expiration",
    "lms/fulfillment",
    "lms/intentions-retrieve",
    "lms/intentions-write",
    "lms/learner-status",
    "lms/members",
    "lms/support-users",
    "lms/unenrolled",
    "enterprise-catalog/catalog-generate-diff",
    "license-manager/bulk-license-enrollment",
    "license-manager/learner-subscriptions",
    "license-manager/license-own-in-plan",
    "license-manager/license-subsidy",
    "license-manager/licenses-assign",
    "license-manager/licenses-overview",
    "license-manager/licenses-retrieve",
    "license-manager/licenses-revoke",
)
# States of endpoints that it does speak, tested elsewhere or left out.
ELSEWHERE = {
    "lms/enroll-201-repeat-same-request": "test_enrolling",
    "lms/enroll-201-transaction-repeat-same": "test_enrolling",
    "lms/learner-backfill-drift-1-page-1": "test_lms",
    "lms/learner-backfill-drift-2-enroll": "test_lms",
    "lms/learner-backfill-drift-3-page-2": "test_lms",
    "lms/enrollment-read-after-partial": "as enrollment-read-after-enroll",
    "lms/enrollment-read-after-cancel": "cancel-fulfillment is not spoken",
    "lms/enrollments-200-after-expiration": "bulk expiration is not spoken; revocation leaves the same rows",
    "license-manager/admin-license-view-after-email-refresh": "test_license_manager",
    "lms/throttled-429": "a fault answers it: test_faults",
    "edx-platform/enrollments-429": "test_throttles",
    "license-manager/throttled-burst": "test_throttles",
    "enterprise-catalog/lms-answers-html-skip-customer-fetch-200": "the catalog never loses the LMS here",
}

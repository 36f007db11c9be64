"""Every recorded answer of an enterprise-catalog endpoint that we use becomes the value, or the failure, that it is."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from enterprise_access.upstream.catalog.types import Catalog, Owner, RunMetadata, RunRecord, Seat, read_content
from enterprise_access.upstream.tests.recorded import (
    DIFFERENT,
    EQUAL,
    REFUSED,
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
SERVER_ERROR = "UpstreamUnavailable server_error 500"
MOVED = "UpstreamChanged unexpected_status 301"

DEMO = "course edX+DemoX 3 runs advertises 6ecd0ece"
CS50 = "course HarvardX+CS50 1 runs advertises 4ba61b53"
BERKELEY = "course BerkeleyX+CS188.1x 1 runs advertises 9a58d963"
EXEC_ED = "course GetSmarter+AIB 2 runs advertises 3331592f"
EDINBURGH = "course EdinburghX+SUST1 1 runs advertises 72bd3b46"
PYTHON = "course MichiganX+PY101 2 runs advertises 2f115452"
THINK = "course UQx+THINK101 1 runs advertises 804c3a02"
RESTRICTED = "course edX+RestrictX 2 runs advertises 257ed597"
UNRESTRICTED = "course edX+RestrictX 1 runs advertises 257ed597"
PROGRAM = "program 9b6f1e0c-2d47-4c55-a3d8-41c7e95f0a61"
DEMO_RUNS = [f"courserun course-v1:edX+DemoX+{run}" for run in ("2024_T1", "2026_T1", "2036_T1")]
BULK_ADVERTISED = {
    "BulkX+C001": "e4dbb5b9",
    "BulkX+C002": "7a06aae2",
    "BulkX+C003": "c13c24ee",
    "BulkX+C004": "86bad2d7",
    "BulkX+C005": "6b7fdfdf",
    "BulkX+C006": "cde8d3dc",
    "BulkX+C007": "b6af1873",
    "BulkX+C008": "734f95ab",
    "BulkX+C009": "726bd730",
    "BulkX+C010": "daeec7e9",
}
BULK = [f"course {key} 2 runs advertises {advertised}" for key, advertised in BULK_ADVERTISED.items()]

CONTENT = {
    "auth-content-metadata-any-user-200": ("get_content", EQUAL, CS50),
    "auth-content-metadata-no-credentials-401": ("get_content", DIFFERENT, UNKNOWN_TOKEN),
    "content-metadata-retrieve-course": ("get_content", EQUAL, DEMO),
    "content-metadata-retrieve-course-not-fully-synced": ("get_content", EQUAL, "course NewX+FRESH1 1 runs"),
    "content-metadata-retrieve-course-uuid": ("get_content", EQUAL, CS50),
    "content-metadata-retrieve-in-no-catalog": ("get_content", EQUAL, EDINBURGH),
    "content-metadata-retrieve-missing-slash-301": ("get_content", DIFFERENT, MOVED),
    "content-metadata-retrieve-run-coerced-to-course": ("get_content", EQUAL, CS50),
    "content-metadata-retrieve-run-raw-record": ("get_content", EQUAL, DEMO_RUNS[1]),
    "content-metadata-retrieve-unknown-404": ("get_content", EQUAL, "none"),
    "content-metadata-list-bulk-coerced": ("list_content", EQUAL, [EDINBURGH, DEMO, EXEC_ED, CS50]),
    "content-metadata-list-course-and-run": (
        "list_content",
        DIFFERENT,
        ["courserun course-v1:HarvardX+CS50+2026", DEMO],
    ),
    "content-metadata-list-default-page-is-ten": ("list_content", DIFFERENT, BULK),
    "content-metadata-list-invalid-page-404": ("list_content", DIFFERENT, NOT_FOUND),
    "content-metadata-list-raw-plus-is-empty": ("list_content", REFUSED, []),
    "content-metadata-list-unknown-is-empty": ("list_content", DIFFERENT, []),
    "catalog-content-metadata-bad-catalog-uuid-500-html": ("list_catalog_content", REFUSED, SERVER_ERROR),
    "catalog-content-metadata-bulk-keys-one-page": ("list_catalog_content", DIFFERENT, [DEMO, CS50]),
    "catalog-content-metadata-catalog-without-query": ("list_catalog_content", REFUSED, []),
    "catalog-content-metadata-filter-paginated-envelope": ("list_catalog_content", DIFFERENT, [CS50]),
    "catalog-content-metadata-inactive-course-by-key": ("list_catalog_content", DIFFERENT, [BERKELEY]),
    "catalog-content-metadata-invalid-page-404": ("list_catalog_content", REFUSED, NOT_FOUND),
    "catalog-content-metadata-more-than-100-keys-400": ("list_catalog_content", DIFFERENT, BAD_REQUEST),
    "catalog-content-metadata-one-key-many-records": ("list_catalog_content", DIFFERENT, [DEMO, *DEMO_RUNS]),
    "catalog-content-metadata-restricted-v1": ("list_catalog_content", DIFFERENT, [UNRESTRICTED]),
    "catalog-content-metadata-restricted-v2": ("list_catalog_content", DIFFERENT, [RESTRICTED]),
    "catalog-content-metadata-unfiltered-page-1": ("list_catalog_content", REFUSED, [PROGRAM, PYTHON, DEMO]),
    "catalog-content-metadata-unfiltered-page-2": (
        "list_catalog_content",
        REFUSED,
        [CS50, THINK, "course PennX+DANGLE 1 runs advertises 9d08ed43"],
    ),
    "catalog-content-metadata-unknown-catalog-404": ("list_catalog_content", DIFFERENT, NOT_FOUND),
}
CUSTOMER_CONTENT = {
    "auth-learner-of-other-customer-403": (DIFFERENT, FORBIDDEN),
    "customer-content-metadata-all-runs-archived": (DIFFERENT, "course edX+OLD101 1 runs advertises None"),
    "customer-content-metadata-course-key": (DIFFERENT, DEMO),
    "customer-content-metadata-course-uuid": (DIFFERENT, DEMO),
    "customer-content-metadata-course-whose-run-has-no-record": (DIFFERENT, THINK),
    "customer-content-metadata-course-without-runs": (DIFFERENT, "course edX+NORUNS 0 runs advertises None"),
    "customer-content-metadata-courserun-shaped-answer": (DIFFERENT, "courserun course-v1:StanfordX+ML+2026_T3"),
    "customer-content-metadata-customer-without-catalogs-404": (DIFFERENT, "none"),
    "customer-content-metadata-enrollment-ended": (DIFFERENT, BERKELEY),
    "customer-content-metadata-enrollment-not-started": (
        DIFFERENT,
        "course DelftX+WATER1 1 runs advertises 830ead4b",
    ),
    "customer-content-metadata-exec-ed-course": (DIFFERENT, EXEC_ED),
    "customer-content-metadata-exec-ed-run-key": (DIFFERENT, EXEC_ED),
    "customer-content-metadata-known-but-in-no-catalog-404": (DIFFERENT, "none"),
    "customer-content-metadata-legacy-enrollment-url": (DIFFERENT, "course IBM+DS0101EN 1 runs advertises aa9c6271"),
    "customer-content-metadata-missing-slash-301": (DIFFERENT, MOVED),
    "customer-content-metadata-no-advertised-run": (DIFFERENT, "course MITx+6.00.1x 2 runs advertises None"),
    "customer-content-metadata-other-customers-content-404": (DIFFERENT, "none"),
    "customer-content-metadata-program-uuid": (DIFFERENT, PROGRAM),
    "customer-content-metadata-restricted-course-v1": (DIFFERENT, UNRESTRICTED),
    "customer-content-metadata-restricted-course-v2": (EQUAL, RESTRICTED),
    "customer-content-metadata-restricted-run-key-v1-404": (DIFFERENT, "none"),
    "customer-content-metadata-restricted-run-key-v2": (EQUAL, RESTRICTED),
    "customer-content-metadata-run-key-returns-parent-course": (DIFFERENT, CS50),
    "customer-content-metadata-skip-customer-fetch": (DIFFERENT, DEMO),
    "customer-content-metadata-unknown-key-404": (DIFFERENT, "none"),
    "customer-content-metadata-upgrade-deadline-passed": (DIFFERENT, PYTHON),
    "lms-answers-html-skip-customer-fetch-200": (DIFFERENT, CS50),
}
CONTAINS = {
    "auth-expired-token-401": (DIFFERENT, UNKNOWN_TOKEN),
    "auth-garbage-token-401": (DIFFERENT, UNKNOWN_TOKEN),
    "auth-learner-of-this-customer-200": (DIFFERENT, "True"),
    "auth-no-credentials-401": (DIFFERENT, UNKNOWN_TOKEN),
    "auth-no-roles-403": (DIFFERENT, FORBIDDEN),
    "auth-staff-without-role-403": (DIFFERENT, FORBIDDEN),
    "customer-contains-archived-run-true": (DIFFERENT, "True in 11a6 4be0"),
    "customer-contains-bad-customer-uuid-400": (REFUSED, BAD_REQUEST),
    "customer-contains-course-key-in-two-catalogs": (DIFFERENT, "True in 11a6 4be0"),
    "customer-contains-course-key-of-run-only-catalog": (DIFFERENT, "True in 0c92"),
    "customer-contains-course-uuid-false": (REFUSED, "False in"),
    "customer-contains-customer-without-catalogs": (DIFFERENT, "False in"),
    "customer-contains-echoes-request-id": (DIFFERENT, "True"),
    "customer-contains-missing-slash-301": (DIFFERENT, MOVED),
    "customer-contains-no-parameters-400": (REFUSED, BAD_REQUEST),
    "customer-contains-old-list-flag": (DIFFERENT, "True in 11a6 4be0"),
    "customer-contains-program": (REFUSED, "True in 11a6"),
    "customer-contains-restricted-run-v1-false": (DIFFERENT, "False in"),
    "customer-contains-restricted-run-v2-true": (EQUAL, "True in 8d35"),
    "customer-contains-run-key-in-two-catalogs": (DIFFERENT, "True in 11a6 4be0"),
    "customer-contains-several-keys-is-any-of": (DIFFERENT, "True in 11a6 4be0"),
    "customer-contains-unknown-customer-is-false": (DIFFERENT, "False in"),
    "customer-contains-unknown-key": (DIFFERENT, "False in"),
    "customer-contains-without-list-flag": (DIFFERENT, "True"),
    "negotiation-xml-406": (DIFFERENT, "UpstreamRefused bad_request 406"),
}
OTHERS = {
    "enterprise-catalogs-list-by-customer": ("list_catalogs", DIFFERENT, ["11a6", "4be0", "8d35"]),
    "enterprise-catalogs-list-customer-without-catalogs": ("list_catalogs", DIFFERENT, []),
    "filter-content-items-all-catalogs-of-customer": (
        "filter_content_keys",
        DIFFERENT,
        ["GetSmarter+AIB", "HarvardX+CS50", "edX+DemoX"],
    ),
    "filter-content-items-bad-catalog-uuid-500-html": ("filter_content_keys", REFUSED, SERVER_ERROR),
    "filter-content-items-empty-body": ("filter_content_keys", DIFFERENT, []),
    "filter-content-items-one-catalog": ("filter_content_keys", DIFFERENT, ["GetSmarter+AIB", "edX+DemoX"]),
}
ALL = {
    **CONTENT,
    **OTHERS,
    **{name: ("get_customer_content", *expected) for name, expected in CUSTOMER_CONTENT.items()},
    **{name: ("contains", *expected) for name, expected in CONTAINS.items()},
}


@pytest.mark.parametrize("name", ALL)
def test_recording(name):
    method, verdict, made_of_it = ALL[name]
    result = replayed("enterprise-catalog", name)
    assert result.method == f"CatalogClient.{method}"
    assert (result.verdict, understood(result)) == (verdict, made_of_it)
    if verdict is REFUSED:
        assert said(result.outcome) in (LOCAL, [])


def test_the_table_has_every_recording_of_an_endpoint_in_use():
    assert names_in_use("enterprise-catalog") == set(ALL)


def test_what_differs_from_a_recording_of_v1_is_only_the_version():
    result = replayed("enterprise-catalog", "customer-contains-run-key-in-two-catalogs")
    (difference,) = result.differences
    assert difference.startswith("path: we send ")
    assert difference.replace("/api/v2/", "/api/v1/", 1).count("/api/v1/") == 2


# --- member by member, once per kind of value -------------------------------------------------------------------------


def value_of(name):
    return recorded_value("enterprise-catalog", name)


def test_members_of_a_catalog():
    first, *_ = value_of("enterprise-catalogs-list-by-customer")
    assert first == Catalog(
        uuid=UUID("11a6e2f0-3c58-4d7b-92e1-0f4b8c6d2a11"),
        customer_uuid=UUID("2f6d5c1a-8a0b-4a4e-9a57-6d1b1c2f7e01"),
    )


def test_members_of_a_course():
    course = value_of("customer-content-metadata-upgrade-deadline-passed")
    assert (course.content_type, course.key, course.parent_key) == ("course", "MichiganX+PY101", None)
    assert course.course_type == "verified-audit"
    assert (course.has_advertised_run_key, course.run) == (True, None)
    assert course.advertised_course_run_uuid == UUID("2f115452-d4b0-4ed5-8885-cbf1c2a06acb")
    by_run = course.normalized_metadata_by_run
    assert by_run["course-v1:MichiganX+PY101+2026_T1"] == RunMetadata(
        start_date=datetime(2026, 1, 10, tzinfo=UTC),
        end_date=datetime(2035, 8, 31, 23, 59, tzinfo=UTC),
        enroll_start_date=None,
        enroll_by_date=datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC),
        content_price=0.0,
    )
    assert set(by_run) == {
        "course-v1:MichiganX+PY101+2026_T1",
        "course-v1:MichiganX+PY101+2026_T3",
    }


def test_an_owner_that_cannot_be_read_is_left_out_and_the_course_is_not():
    owner = {"name": "Org X", "logo_image_url": None}
    record = {"content_type": "course", "key": "OrgX+BIO1", "owners": [{"name": 7}, None, owner]}
    assert read_content(record).owners == (Owner(name="Org X"),)
    assert [read_content({**record, "owners": owners}).owners for owners in (None, "x", {}, [None])] == [None] * 4
    assert read_content({**record, "owners": []}).owners == ()


def test_members_of_a_nested_run():
    _, run = value_of("customer-content-metadata-upgrade-deadline-passed").course_runs
    assert run == RunRecord(
        key="course-v1:MichiganX+PY101+2026_T3",
        uuid=UUID("770a1136-ce62-4a75-9e99-bb20c73f47d0"),
        title="Python Basics",
        status="published",
        start=datetime(2026, 9, 1, tzinfo=UTC),
        end=datetime(2035, 12, 20, 23, 59, tzinfo=UTC),
        enrollment_start=None,
        enrollment_end=datetime(2035, 11, 1, 23, 59, 59, tzinfo=UTC),
        has_dates=True,
        is_enrollable=True,
        seats=(
            Seat("audit", None, None),
            Seat(
                "verified",
                datetime(2026, 10, 1, 23, 59, 59, tzinfo=UTC),
                datetime(2035, 10, 15, 23, 59, 59, tzinfo=UTC),
            ),
        ),
        run_type=UUID("59551a29-9a5b-4236-ad6e-c8ef3f46f46d"),
    )


def test_members_of_a_record_of_a_run():
    record = value_of("customer-content-metadata-courserun-shaped-answer")
    assert (record.key, record.parent_key) == ("course-v1:StanfordX+ML+2026_T3", "StanfordX+ML")
    assert (record.course_runs, record.has_advertised_run_key) == (None, False)
    run = record.run
    assert (run.key, run.uuid, run.status, run.seats) == (record.key, None, None, None)
    assert (run.start, run.has_dates) == (datetime(2026, 9, 1, tzinfo=UTC), True)


def test_what_is_not_synced_yet_is_not_taken_for_null():
    course = value_of("content-metadata-retrieve-course-not-fully-synced")
    assert (course.has_advertised_run_key, course.advertised_course_run_uuid) == (False, None)
    assert course.normalized_metadata_by_run is None
    (run,) = course.course_runs
    assert (run.uuid, run.seats, run.run_type, run.title) == (None, None, None, None)
    assert (run.status, run.has_dates) == ("published", True)


def test_no_advertised_run_is_told_from_an_unknown_one():
    course = value_of("customer-content-metadata-no-advertised-run")
    assert (course.has_advertised_run_key, course.advertised_course_run_uuid) == (True, None)


def test_executive_education_is_told_by_its_course_type():
    course = value_of("customer-content-metadata-exec-ed-course")
    assert course.course_type == "executive-education-2u"
    assert [seat.type for run in course.course_runs for seat in run.seats] == ["unpaid-executive-education"] * 2

"""What is said about a recording, whatever small ways its folder has."""

import inspect
import json

import pytest

from enterprise_access.upstream.replay import Comparison, NotARecording, find_recordings, read_recording, replay
from enterprise_access.upstream.replay.routes import ROUTES

CUSTOMER = "7ae10000-0000-4000-8000-000000000001"
CATALOG = "11a6e2f0-3c58-4d7b-92e1-0f4b8c6d2a11"
JWT = {"Authorization": "JWT <redacted>", "Accept": "application/json"}
NO_ROWS: dict[str, object] = {"results": [], "next": None}


@pytest.fixture
def replayed(tmp_path):
    """Return a function that writes a recording, reads it back and replays it."""

    def write_and_replay(service="lms-edx-enterprise", *, path, method="GET", response=None, folder="lms", **rest):
        request = {"method": method, "path": path, "query": {}, "headers": JWT, "body": None} | rest
        found = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": {}} | (response or {})
        content = {"service": service, "request": request, "response": found}
        file = tmp_path / folder / "a.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
        return replay(read_recording(file, folder=tmp_path))

    return write_and_replay


ENROLLMENTS = "/api/enrollment/v1/enrollments"
CONTENT = f"/api/v2/enterprise-catalogs/{CATALOG}/get_content_metadata/"


@pytest.mark.parametrize(
    "query",
    [
        {"query": {"username": "alice,bob"}},
        {"query": {"username": ["alice,bob"]}},
        {"query": {"__raw__": "username=alice%2Cbob"}},
        {"query": {}, "query_string": "username=alice%2Cbob"},
        {"query": "username=alice,bob"},
        {"query": None, "query_string": "username=alice,bob"},
        {"query": "?username=alice,bob"},
        {"query": {}, "path": f"{ENROLLMENTS}?username=alice,bob"},
        {"query": None, "path": f"https://lms.example.com{ENROLLMENTS}?username=alice,bob"},
        {"query": [["username", "alice,bob"]]},
        {"query": {"username": "alice,bob", "course_id": None}},
        {"query": {"__raw__": None, "username": "alice,bob"}},
        {"query": {"username": ["alice,bob"]}, "query_string": None, "body": None},
    ],
)
def test_the_query_is_read_wherever_it_stands(replayed, query):
    result = replayed("edx-platform", **{"path": ENROLLMENTS, "response": {"body": NO_ROWS}} | query)
    assert (result.method, result.verdict) == ("LmsClient.list_platform_enrollments", Comparison.EQUAL)
    assert result.outcome.value == ()


def test_numbers_in_the_query_are_what_is_sent(replayed):
    query = {"enterprise_customer_user": 1, "page_size": 100}
    result = replayed(path="/enterprise/api/v1/enterprise-course-enrollment/", query=query, response={"body": NO_ROWS})
    assert result.verdict is Comparison.EQUAL


def test_a_raw_plus_is_a_space_and_such_a_run_is_refused(replayed):
    query = {"__raw__": "enterprise_customer_user=1&course_id=course-v1:AX+UNA+R1"}
    result = replayed(path="/enterprise/api/v1/enterprise-course-enrollment/", query=query, response={"body": NO_ROWS})
    assert result.verdict is Comparison.REFUSED_LOCALLY
    assert result.differences == ("not sent to lms: course_run_key is not the key of a course run",)
    assert result.outcome.error.reason == "refused_locally"
    assert result.answer.value == ()


def test_each_difference_is_named(replayed):
    result = replayed(
        "enterprise-catalog",
        path=CONTENT.replace("v2", "v1"),
        query={"content_keys": ["edX+DemoX", "edX+B"], "page": "2"},
        headers={"Accept": "application/xml"},
        response={"body": NO_ROWS},
    )
    assert result.verdict is Comparison.DIFFERENT
    assert result.differences == (
        f'path: we send "{CONTENT}", recorded is "{CONTENT.replace("v2", "v1")}"',
        'query page: we send nothing, recorded is "2"',
        'query traverse_pagination: we send "true", recorded is nothing',
        'header Accept: we send "application/json", recorded is "application/xml"',
        'header Authorization: we send "JWT ...", recorded is nothing',
    )


def test_differences_in_the_body_are_named_by_their_place(replayed):
    license_uuid = "11ce0000-0000-4000-8000-000000000021"
    item = {
        "user_id": 1002,
        "course_run_key": "course-v1:AX+ENR+R1",
        "license_uuid": license_uuid,
        "force_enrollment": True,
    }
    result = replayed(
        path=f"/enterprise/api/v1/enterprise-customer/{CUSTOMER}/enroll_learners_in_courses/",
        method="POST",
        body={"enrollments_info": [item]},
        response={"status": 409, "body": {"successes": [], "pending": [], "failures": []}},
    )
    assert result.differences == (
        "body.enrollments_info[0].force_enrollment: we send nothing, recorded is true",
        "body.notify: we send false, recorded is nothing",
    )
    assert result.is_typed


@pytest.mark.parametrize("body", [None, [], "text", {"enrollments_info": None}, {"enrollments_info": [None]}])
def test_a_body_that_makes_no_sense_is_refused_and_does_not_break_the_replay(replayed, body):
    result = replayed(
        path=f"/enterprise/api/v1/enterprise-customer/{CUSTOMER}/enroll_learners_in_courses/",
        method="POST",
        body=body,
        response={"status": 400, "body": {"enrollments_info": ["This field is required."]}},
    )
    assert result.verdict is Comparison.REFUSED_LOCALLY
    assert result.answer.error.reason == "bad_request"


@pytest.mark.parametrize(
    ("client_error", "reason"),
    [
        ("ReadTimeout", "timeout"),
        ("ReadTimeout: HTTPSConnectionPool(host='lms.example.com', port=443): Read timed out.", "timeout"),
        ({"type": "requests.exceptions.ConnectTimeout"}, "timeout"),
        ("JSONDecodeError", "connection"),
        ("ChunkedEncodingError", "connection"),
        ("ConnectionError", "connection"),
        ("SomethingElse", "connection"),
        (None, "connection"),
    ],
)
def test_an_answer_that_never_came(replayed, client_error, reason):
    response = {"status": None, "headers": {}, "body": None, "client_error": client_error}
    result = replayed("edx-platform", path=ENROLLMENTS, query={"username": "alice"}, response=response)
    assert (type(result.outcome.error).__name__, result.outcome.error.reason) == ("UpstreamUnavailable", reason)
    assert result.is_typed


@pytest.mark.parametrize(
    ("response", "outcome", "is_typed"),
    [
        ({"body": NO_ROWS}, "value", True),
        ({"status": 500, "headers": {"Content-Type": "text/html"}, "body": "<h1>"}, "server_error", True),
        ({"status": 404, "headers": {"Content-Type": "text/html"}, "body": "<h1>"}, "not_json", True),
        ({"status": 301, "headers": {"location": "/x/", "Content-Length": "0"}, "body": ""}, "unexpected_status", True),
        ({"status": 403, "body": {"detail": "no"}}, "forbidden", True),
        ({"status": 429, "headers": {"Content-Type": "application/json", "Retry-After": "1"}}, "throttled", True),
        ({"status": 204, "headers": {}, "body": None}, "unexpected_status", False),
        ({"headers": {"Content-Type": "text/html"}, "body": "<h1>"}, "not_json", False),
        ({"headers": {}, "body": None}, "not_json", False),
        ({"body": {"rows": []}}, "unknown_shape", False),
        ({"body": {"results": [{}], "next": None}}, "unknown_shape", False),
        ({"body": None}, "unknown_shape", False),
        ({"body": "a JSON string"}, "unknown_shape", False),
        (
            {"headers": {"content-type": "application/json", "Content-Encoding": "gzip"}, "body": [1]},
            "unknown_shape",
            False,
        ),
    ],
)
def test_what_is_typed_and_what_is_not(replayed, response, outcome, is_typed):
    result = replayed("edx-platform", path=ENROLLMENTS, query={"username": "alice"}, response=response)
    found = result.outcome.as_json()
    assert (found.get("reason", found["kind"]), result.is_typed) == (outcome, is_typed)


def test_an_answer_has_to_suit_every_method_that_reads_it(replayed):
    lean = {"uuid": CUSTOMER, "slug": "acme", "name": "Acme", "active": True, "enterprise_customer_catalogs": []}
    lean |= {"enable_learner_portal": True, "enable_data_sharing_consent": True, "identity_provider": None}
    path = f"/enterprise/api/v1/enterprise-customer/{CUSTOMER}/"
    result = replayed(path=path, response={"body": lean})
    assert type(result.outcome.value).__name__ == "Customer"
    assert result.also["LmsClient.get_portal_customer"].error.reason == "unknown_shape"
    assert not result.is_typed
    refused = replayed(path=path, response={"status": 403, "body": {"detail": "no"}})
    assert (refused.also, refused.is_typed) == ({}, True)


def test_only_one_page_is_replayed(replayed):
    link = "https://lms.example.com/api/enrollment/v1/enrollments?cursor=abc&username=alice"
    row = {"user": "alice", "course_id": "course-v1:AX+R+1", "mode": "audit", "is_active": True, "created": None}
    body = {"next": link, "previous": None, "results": [row]}
    result = replayed("edx-platform", path=ENROLLMENTS, query={"username": "alice"}, response={"body": body})
    assert len(result.outcome.value) == 1


@pytest.mark.parametrize(
    ("service", "method", "path"),
    [
        ("enterprise-subsidy", "GET", "/api/v1/content-metadata/edX+DemoX/"),
        ("enterprise-catalog", "GET", "/health/"),
        ("enterprise-catalog", "POST", CONTENT),
        ("enterprise-catalog", "GET", f"/api/v2/enterprise-catalogs/{CATALOG}/get_content_metadata/more/"),
        ("enterprise-catalog", "GET", "/api/v2/content-metadata/edX+DemoX/"),
        ("enterprise-catalog", "GET", f"/api/v1/enterprise-customer/{CUSTOMER}/content-metadata/edX/DemoX/"),
        ("license-manager", "GET", f"/api/v1/customer-agreement/{CUSTOMER}/"),
        ("lms-edx-enterprise", "POST", "/enterprise/api/v1/default-enterprise-enrollment-intentions/"),
        ("some-other-service", "GET", "/api/v1/subscriptions/"),
    ],
)
def test_what_we_do_not_use_is_said_to_be_so(replayed, service, method, path):
    result = replayed(service, path=path, method=method)
    assert (result.method, result.verdict, result.outcome, result.is_typed) == (None, None, None, True)
    assert result.as_json()["in_use"] is False


def test_without_a_service_the_folder_names_it(replayed):
    result = replayed(
        None,
        path="/api/v1/subscriptions/",
        query={"enterprise_customer_uuid": CUSTOMER},
        response={"body": NO_ROWS},
        folder="license-manager",
    )
    assert (result.method, result.verdict) == ("LicenseManagerClient.list_plans", Comparison.EQUAL)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("license_manager", "LicenseManagerClient.list_plans"),
        ("License Manager", "LicenseManagerClient.list_plans"),
        ("edx-license-manager", "LicenseManagerClient.list_plans"),
        ("edx-enterprise-catalog", None),
        ("edx-enterprise-subsidy", None),
        ("something", None),
        (None, "LicenseManagerClient.list_plans"),
    ],
)
def test_services_are_known_by_several_names_and_without_one_by_their_paths(replayed, name, method):
    path, query = "/api/v1/subscriptions/", {"enterprise_customer_uuid": CUSTOMER}
    result = replayed(name, path=path, query=query, response={"body": NO_ROWS}, folder="some-folder/deeper")
    assert result.method == method


@pytest.mark.parametrize(
    "headers",
    [
        {"CONTENT-TYPE": "application/json"},
        {"content-type": "application/json; charset=utf-8", "Content-Length": "7", "CONTENT-ENCODING": "br"},
        [["Content-Type", "application/json"], ["Vary", "Accept"], ["Vary", "Cookie"]],
        {"Content-Type": ["application/json"], "Retry-After": 5},
        {},
        None,
    ],
)
def test_headers_come_in_any_case_and_form_or_were_not_recorded(replayed, headers):
    response = {"headers": headers, "body": NO_ROWS, "status": "200"}
    result = replayed("edx-platform", path=ENROLLMENTS, query={"username": "alice"}, response=response)
    assert result.outcome.value == ()


def test_a_body_that_was_recorded_as_text_is_read_as_the_json_it_is(replayed):
    path = f"/api/v2/enterprise-customer/{CUSTOMER}/filter_content_items/"
    result = replayed(
        "enterprise-catalog",
        method="POST",
        path=path,
        headers={**JWT, "content-type": "application/json"},
        body='{"content_keys": ["edX+DemoX"]}',
        response={"body": {"filtered_content_keys": []}},
    )
    assert (result.verdict, result.outcome.value) == (Comparison.EQUAL, frozenset())


@pytest.mark.parametrize("ids", ["9" * 5_000, "\u0663", "1,x", "-1", "0"])
def test_ids_that_are_none_are_refused_and_do_not_break_the_replay(replayed, ids):
    path = "/enterprise/api/v1/enterprise-learner/"
    result = replayed(path=path, query={"user_ids": ids}, response={"body": NO_ROWS})
    assert (result.verdict, result.is_typed) == (Comparison.REFUSED_LOCALLY, True)


def test_half_a_character_in_a_page_for_people_is_no_obstacle(replayed):
    response = {"status": 500, "headers": {"Content-Type": "text/html"}, "body": "<h1>\ud800"}
    result = replayed("edx-platform", path=ENROLLMENTS, query={"username": "alice"}, response=response)
    assert result.outcome.error.reason == "server_error"


def test_a_percent_encoded_path_is_the_same_path(replayed):
    result = replayed(
        "edx-platform",
        path="/api/enrollment/v1/course/course-v1%3AAX%2BENR%2BR1",
        query={"include_expired": "1"},
        response={"status": 400, "body": {"message": "No course found for course ID"}},
    )
    assert (result.verdict, result.outcome.value) == (Comparison.EQUAL, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"request": {"method": "GET"}, "response": {"status": 200}}',
        b'{"request": {"method": "GET", "path": "/x/", "headers": 5}, "response": {"status": 200}}',
        b'{"request": {"method": "GET", "path": "/x/", "headers": [["a"]]}, "response": {"status": 200}}',
        b'{"request": {"method": "GET", "path": "/x/"}, "response": {"status": "ok"}}',
        b'{"request": {"method": "GET", "path": "/x/"}, "response": {"status": true}}',
        b'{"request": {"method": "GET", "path": "/x/"}, "response": {"status": 99}}',
        b'{"request": {"method": "GET", "path": "/x/"}, "response": {}}',
        b'{"request": {"method": "GET", "path": "/x/", "query": 5}, "response": {"status": 200}}',
        b'[{"request": {"method": "GET", "path": "/x/"}, "response": {"status": 200}}]',
        b"[" * 100_000,
        b"9" * 5_000,
        b'{"request": {"method": "GET", "path": "/x/", "query": ["a"]}, "response": {"status": 200}}',
    ],
)
def test_other_files_are_not_recordings(tmp_path, content):
    file = tmp_path / "a.json"
    file.write_bytes(content)
    with pytest.raises(NotARecording):
        read_recording(file, folder=tmp_path)


def test_folders_are_searched_to_their_depth(tmp_path):
    (tmp_path / "lms" / "more").mkdir(parents=True)
    for name in ("lms/b.json", "lms/more/a.json", "lms/README.md"):
        (tmp_path / name).write_text("{}")
    assert [path.name for path in find_recordings(tmp_path)] == ["b.json", "a.json"]


# These ask nothing of their own: nothing at all, or what another method asks and understands. (The answer to pending
# learners and to unlinking was never recorded, and is not read.)
ASKS_NOTHING_NEW = {
    "create_pending_learners",
    "unlink_learners",
    "within",
    "is_content_key",
    "is_learner_visible",
    "iterate_learner_links",
    "iterate_transactions",
    "list_learner_links_page",
}


def test_every_endpoint_that_a_client_knows_has_a_route():
    routed = {route.name_of(call) for route in ROUTES for call in (route.call, *route.also)}
    clients = {route.client for route in ROUTES}
    methods = {
        f"{client.__name__}.{name}"
        for client in clients
        for name, _ in inspect.getmembers(client, callable)
        if not name.startswith("_") and name not in ASKS_NOTHING_NEW
    }
    assert routed == methods

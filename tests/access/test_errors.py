"""Whatever goes wrong under the API, the answer has one shape, and says under which id it can be looked up."""

import json
import logging

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from django.urls import path
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from enterprise_access import urls as real_urls
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

INTENTIONS = "/api/v1/default-enterprise-enrollment-intentions/"
REALIZE = f"{INTENTIONS}realize/"
PAGE = "/api/v1/bffs/learner/dashboard/"
STATUS = f"/api/v1/default-enterprise-enrollment-intentions/learner-status/?enterprise_customer_uuid={ACME}"


def assert_shaped(answer, *, status, code):
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    body = json.loads(answer.content)
    assert set(body) == {"code", "detail", "extra", "request_id"}
    assert (body["code"], body["request_id"]) == (code, answer.headers["X-Request-ID"])
    assert body["detail"]
    assert int(answer.headers.get("Content-Length", len(answer.content))) == len(answer.content)


@pytest.fixture
def anybody():
    return APIClient(raise_request_exception=False)


@pytest.mark.parametrize("address", ["/api/", "/api/v1/nothing/", "/api/v2/", "/csrf/", "/csrf/api/v1/tokens"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_route_is_said_to_be_unknown(anybody, address, method):
    assert_shaped(getattr(anybody, method)(address), status=404, code="not_found")


def test_outside_of_the_api_pages_are_for_people(anybody):
    answer = anybody.get("/nothing/")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Request-ID"]


def test_a_method_that_a_route_does_not_know(api_as):
    answer = api_as("ada").get(REALIZE)
    assert_shaped(answer, status=405, code="method_not_allowed")
    assert answer.headers["Allow"] == "POST, OPTIONS"


def test_a_body_that_is_no_json(api_as):
    answer = api_as("ada").post(REALIZE, data="{", content_type="application/json")
    assert_shaped(answer, status=400, code="parse_error")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"\\ud800": 1}',
        b'{"content_key": "a\\udfff"}',
        b'{"lms_user_id": ' + b"9" * 5000 + b"}",
        b"\xff",
        b'{"lms_user_id": NaN}',
    ],
    ids=["lists in lists", "objects in objects", "half a key", "half a value", "a long number", "no text", "no number"],
)
@pytest.mark.parametrize("address", [REALIZE, INTENTIONS, PAGE])
def test_a_body_that_cannot_be_read_or_said_again(api_as, address, body):
    answer = api_as("ada").generic("POST", address, body, content_type="application/json")
    assert_shaped(answer, status=400, code="parse_error")


@pytest.mark.parametrize("charset", ["zlib", "idna", "undefined", "utf-16", "utf-8", "nonsense", "*=utf-8''hex"])
def test_everything_is_taken_for_utf_8_whatever_its_sender_says(api_as, charset):
    """The test client makes requests of its own, so the entry point of the process is called as a server calls it."""
    from enterprise_access.wsgi import application

    named = json.dumps({"enterprise_customer_slug": "acme"}).encode()
    environ = APIRequestFactory().generic("POST", f"{PAGE}?a=%41%FF", named).environ
    environ["CONTENT_TYPE"] = f"application/json; charset{charset if charset[0] == '*' else '=' + charset}"
    environ["HTTP_AUTHORIZATION"] = api_as("ada")._credentials["HTTP_AUTHORIZATION"]
    heard = []
    body = b"".join(application(environ, lambda status, headers: heard.append(status)))
    assert heard == ["200 OK"]
    assert json.loads(body)["enterprise_customer"]["slug"] == "acme"


def test_a_body_of_another_kind(api_as):
    answer = api_as("ada").post(REALIZE, data="a=1", content_type="application/x-www-form-urlencoded")
    assert_shaped(answer, status=415, code="unsupported_media_type")


def test_an_answer_of_another_kind_is_not_to_be_had(api_as):
    assert_shaped(api_as("ada").get(STATUS, HTTP_ACCEPT="text/html"), status=406, code="not_acceptable")


def test_fields_that_make_no_sense_are_named(api_as):
    answer = api_as("ada").post(REALIZE, data={"enterprise_customer_uuid": "no"}, format="json")
    assert_shaped(answer, status=400, code="invalid")
    assert "enterprise_customer_uuid" in answer.json()["extra"]["fields"]


def test_a_body_that_is_too_large_is_not_read(api_as, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = api_as("ada").post(REALIZE, data="x" * 1001, content_type="application/json")
    assert_shaped(answer, status=413, code="too_large")


def test_a_host_that_is_not_ours(anybody):
    assert_shaped(anybody.get("/api/v1/nothing/", HTTP_HOST="elsewhere.example.com"), status=400, code="bad_request")


def test_who_brings_no_token_is_told_how_to(anybody):
    answer = anybody.get(STATUS)
    assert_shaped(answer, status=401, code="not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'JWT realm="api"'


def test_a_token_that_is_no_token(anybody, simulator):
    anybody.credentials(HTTP_AUTHORIZATION="JWT nonsense")
    assert_shaped(anybody.get(STATUS), status=401, code="authentication_failed")


class _Crash(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request):
        raise ZeroDivisionError("what only we should know")


def _crash(request):
    raise ZeroDivisionError("what only we should know")


urlpatterns = [
    path("api/v1/crash/", _Crash.as_view()),
    path("api/v1/plain-crash/", _crash),
    *real_urls.urlpatterns,
]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("address", ["/api/v1/crash/", "/api/v1/plain-crash/"])
def test_a_crash_says_nothing_but_its_id(anybody, address, caplog):
    with caplog.at_level(logging.CRITICAL, logger="django.request"):
        answer = anybody.get(address)
    assert_shaped(answer, status=500, code="error")
    assert b"only we" not in answer.content


def test_while_the_database_is_away_nobody_is_taken_for_a_stranger(api_as):
    """The library answers 401 then; a client would throw away a token that is good."""

    def away(execute, sql, params, many, context):
        raise OperationalError("the database is away")

    client = api_as("ada")
    with connection.execute_wrapper(away):
        answer = client.get(STATUS)
    assert_shaped(answer, status=503, code="unavailable")
    assert answer.headers["Retry-After"] == "5"

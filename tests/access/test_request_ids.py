"""One id for what is done because of one request: in the answer, the log, calls to neighbours and messages."""

import json
import logging

import pytest
import requests
from celery import current_app
from celery.signals import before_task_publish

from enterprise_access.lib import request_ids
from enterprise_access.lib.logs import JsonLine, PlainLine
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

STATUS = f"/api/v1/default-enterprise-enrollment-intentions/learner-status/?enterprise_customer_uuid={ACME}"


def test_an_id_that_the_caller_names_is_kept(client):
    assert (
        client.get("/health/live/", HTTP_X_REQUEST_ID="from-the-proxy.1").headers["X-Request-ID"] == "from-the-proxy.1"
    )


@pytest.mark.parametrize(
    "named", ["", "short", "a" * 65, "ada@example.com", "two\nlines", "with space", "-leading-dash"]
)
def test_what_does_not_look_like_an_id_is_replaced(client, named):
    given = client.get("/health/live/", HTTP_X_REQUEST_ID=named).headers["X-Request-ID"]
    assert given != named
    assert len(given) == 32


def test_every_request_has_an_id_of_its_own(client):
    assert len({client.get("/health/live/").headers["X-Request-ID"] for _ in range(3)}) == 3
    assert request_ids.current() is None


def test_the_neighbours_are_told(api_as, world, monkeypatch):
    sent = []
    inner = requests.adapters.HTTPAdapter.send

    def send(self, request, *args, **kwargs):
        sent.append(request)
        return inner(self, request, *args, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    api_as("ada").get(STATUS, HTTP_X_REQUEST_ID="asked-by-ada")
    calls = [request for request in sent if "access_token" not in request.url]
    assert calls
    assert {request.headers.get("X-Request-ID") for request in calls} == {"asked-by-ada"}


def test_a_task_works_under_the_id_of_who_asked():
    seen = []

    @current_app.task(name="tests.look")
    def look():
        seen.append(request_ids.current())

    with request_ids.working_on("asked-by-ada"):
        look.apply()
    look.apply(task_id="a-task-of-the-schedule")
    assert seen == ["asked-by-ada", "a-task-of-the-schedule"]
    assert request_ids.current() is None


def test_a_message_carries_the_id_to_the_worker(db):
    with request_ids.working_on("asked-by-ada"):
        headers = {}
        before_task_publish.send(sender="tests.look", headers=headers, body=())
    assert headers == {"asked_by_request": "asked-by-ada"}


def record(message, *args, error=None):
    return logging.LogRecord(
        "some.logger", logging.WARNING, __file__, 1, message, args, (type(error), error, None) if error else None
    )


def test_a_line_has_the_id():
    line = record("Looked at %s.", "something")
    with request_ids.working_on("asked-by-ada"):
        request_ids.AddRequestId().filter(line)
    written = json.loads(JsonLine().format(line))
    assert written.pop("at").endswith("+00:00")
    assert written == {
        "level": "WARNING",
        "logger": "some.logger",
        "message": "Looked at something.",
        "request_id": "asked-by-ada",
    }


@pytest.mark.parametrize("formatter", [JsonLine(), PlainLine()])
def test_what_a_library_says_too_much_is_struck_out(formatter):
    error = ValueError(
        "Key (email)=(ada@example.com) already exists: eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    )
    line = formatter.format(record("Failed for %s", "ben%40example.com", error=error))
    assert "example.com" not in line
    assert "eyJ" not in line
    assert "[address]" in line
    assert "already exists" in line

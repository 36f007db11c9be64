"""What is said is looked through for people; this shows that they would be found."""

import logging

import django
import pytest

from tests.access.personal_data import Listener, found_in


@pytest.mark.parametrize(
    "text",
    [
        "Enrolled ada@example.com.",
        "GET /enterprise-learner/?email=ben%40example.com",
        "token=eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "Enrolled Ada Lovelace.",
        "user=ada course=edX+DemoX",
        "for user 'carol': refused",
        "GET /api/user/v1/accounts/grace",
        "amy_admin has signed in",
    ],
)
def test_a_person_is_found(text):
    assert found_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "Looked at learners of a customer. customer=acae0000-0000-4000-8000-000000000001 learners=1",
        "max_retries=3 Cache-Control: max-age=60 settings.max is 5",
        "Bad request (Unable to parse request body): /admin/. Request max total header size exceeded.",
        "redis://127.0.0.1:6379/0 is away",
        "lms_user_id=1001",
        "enterprise_access_worker lacks a right",
        "course-v1:edX+DemoX+2026_T1",
    ],
)
def test_what_names_nobody_is_let_through(text):
    assert found_in(text) == []


@pytest.mark.names_people
def test_a_line_of_any_logger_is_heard(listener):
    logging.getLogger("some.library").warning("Refused. user=%s", "ada")
    (heard,) = listener.heard
    assert "some.library" in heard


@pytest.mark.names_people
def test_setting_up_logging_anew_silences_nobody(listener):
    django.setup()
    logging.getLogger("some.library").warning("Refused. user=%s", "ada")
    assert len(listener.heard) == 1


def test_an_error_behind_an_error_is_heard():
    listener = Listener()
    try:
        try:
            raise KeyError("ada@example.com")
        except KeyError as error:
            raise ValueError("refused") from error
    except ValueError as error:
        listener.hear(logging.LogRecord("x", logging.ERROR, "x.py", 1, "Failed.", (), (ValueError, error, None)))
    assert len(listener.take()) == 1
    assert listener.take() == []

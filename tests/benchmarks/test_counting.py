"""The statements of a measured request."""

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from benchmarks.api_floor import count_statements
from benchmarks.api_world import COUNT
from enterprise_access.lib import clock


@pytest.mark.django_db
def test_the_question_for_the_database_s_time_is_not_a_statement_of_the_request(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(clock.QUESTIONS, connection.vendor, "SELECT 3")

    def ask(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.execute("SELECT 3")
            cursor.execute("SELECT %s", [2])
        return HttpResponse()

    assert count_statements(ask)(rf.get("/", headers={COUNT: "1"})).headers[COUNT] == "2"

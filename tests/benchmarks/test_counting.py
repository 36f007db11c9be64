"""The statements of a measured request."""

from contextlib import suppress

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from benchmarks.api_floor import count_statements
from benchmarks.api_world import COUNT
from enterprise_access.lib import clock


@pytest.mark.django_db
def test_the_question_for_the_database_s_time_is_not_a_statement_of_the_request(rf: RequestFactory) -> None:
    def ask(request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            with suppress(OperationalError):  # SQLite does not know it
                cursor.execute(clock.QUESTIONS["mysql"])
            cursor.execute("SELECT %s", [2])
        return HttpResponse()

    assert count_statements(ask)(rf.get("/", headers={COUNT: "1"})).headers[COUNT] == "2"

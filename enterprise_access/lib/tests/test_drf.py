"""Errors of the database: a full disk or a server that is away is no fault of the request."""

import pytest
from django.db import DataError, InterfaceError, OperationalError

from enterprise_access.lib.drf import exception_handler


@pytest.mark.parametrize("error", [OperationalError("database or disk is full"), InterfaceError("closed")])
def test_a_database_that_cannot_be_used_is_a_503_that_quotes_nothing(error):
    answer = exception_handler(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (503, "unavailable", "5")
    assert str(error) not in str(answer.data)


def test_another_error_of_the_database_is_ours():
    assert exception_handler(DataError("out of range"), {}) is None

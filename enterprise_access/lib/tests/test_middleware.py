"""Pages asked for with what no column can hold, and database errors that have another cause."""

import pytest
from django.db import DataError
from django.http import HttpResponse
from django.test import RequestFactory

from enterprise_access.lib.middleware import ImpossibleLookupMiddleware

MIDDLEWARE = ImpossibleLookupMiddleware(lambda _: HttpResponse())


@pytest.mark.parametrize("path", ["/admin/x/?q=a%00b", "/admin/x/99999999999999999999/", "/admin/x/?id=9999999999"])
def test_an_impossible_identifier_is_a_bad_request(path):
    response = MIDDLEWARE.process_exception(RequestFactory().get(path), DataError("out of range"))
    assert (response.status_code, response.content) == (400, b"Invalid identifier.")


@pytest.mark.parametrize("path", ["/admin/x/", "/admin/x/1001/?q=ada"])
def test_an_error_that_the_address_does_not_explain_is_raised(path):
    assert MIDDLEWARE.process_exception(RequestFactory().get(path), DataError("out of range")) is None

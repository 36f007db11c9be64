"""What every answer has in common: an id, and under the API one shape of whatever went wrong."""

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.http.response import HttpResponseBase

from enterprise_access.lib import request_ids

API_PREFIXES: Final = ("/api/", "/csrf/")

# What is said where no one has said anything better: an unknown route, a crash, a refusal by Django itself.
_SAID: Final = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "The request cannot be understood."),
    HTTPStatus.FORBIDDEN: ("forbidden", "This is not allowed."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "This address does not know that method."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too_large", "The body is larger than any that makes sense here."),
    HTTPStatus.REQUEST_URI_TOO_LONG: ("uri_too_long", "The address is too long. Send long lists in several requests."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "headers_too_large",
        "A header is larger than 16 KiB. If it is the token: request one with fewer roles.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("error", "Something went wrong on our side; the request id says what, to us."),
}

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def error_body(*, code: str, detail: str, extra: dict[str, object] | None = None) -> dict[str, object]:
    """Return the one body of an error."""
    return {"code": code, "detail": detail, "extra": extra or {}, "request_id": request_ids.current()}


class RequestIdMiddleware:
    """Gives the request its id, and says it in the answer. Has to be the first of all."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_ids.sane_or_new(request.headers.get(request_ids.HEADER))
        with request_ids.working_on(request_id):
            response = self.get_response(request)
        response[request_ids.HEADER] = request_id
        return response


class ApiErrorsMiddleware:
    """Gives every error under the API its shape, whoever answered; never a page for people, and never nothing.

    Views answer in that shape by themselves (`lib.drf`). This is for the rest: routes that are not there, hosts that
    are not ours, what crashed. Has to come right after the id, so that nothing answers outside of it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(API_PREFIXES) and isinstance(response, HttpResponse) and _is_shapeless(response):
            _give_shape(response)
        return response


class BodyLimitMiddleware:
    """Refuses bodies that are too large before anybody reads them (Django's own limit is not kept by JSON parsers)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(API_PREFIXES) and _length_of(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            code, detail = _SAID[HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return JsonResponse(error_body(code=code, detail=detail), status=status)
        return self.get_response(request)


class ImpossibleLookupMiddleware:
    """Answers 400 to pages whose address holds what no database column can: a NUL in a text, a number too large.

    Django's lists pass both on, from the address into the statement. An error of the database that the address does not
    explain is a fault of ours, and is raised as one.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        is_page = not request.path.startswith(API_PREFIXES)
        is_read = request.method in {"GET", "HEAD"}
        if is_page and is_read and isinstance(exception, DataError | OverflowError) and _is_impossible(request):
            return HttpResponseBadRequest("Invalid identifier.", content_type="text/plain")
        return None


# A number of ten digits may be beyond the smallest of our integer columns.
_TOO_LONG_A_NUMBER: Final = re.compile(r"\d{10}")


def _is_impossible(request: HttpRequest) -> bool:
    texts = [request.path, *(text for _, texts in request.GET.lists() for text in texts)]
    return any("\x00" in text or _TOO_LONG_A_NUMBER.search(text) for text in texts)


def _is_shapeless(response: HttpResponse) -> bool:
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    return response.status_code >= HTTPStatus.BAD_REQUEST and not (is_json and response.content)


def said_of(status: HTTPStatus) -> tuple[str, str]:
    """Return the code and the sentence for a status of which nothing better is known."""
    return _SAID.get(status, (status.name.lower(), f"{status.phrase}."))


def _give_shape(response: HttpResponse) -> None:
    """Replace the body, and keep the headers that others have set."""
    status = HTTPStatus(response.status_code)
    code, detail = said_of(status)
    response.content = json.dumps(error_body(code=code, detail=detail)).encode()
    response.headers["Content-Type"] = "application/json"
    response.headers["Content-Length"] = str(len(response.content))


def _length_of(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0

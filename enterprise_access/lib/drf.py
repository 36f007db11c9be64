"""What all views share: how an error becomes an HTTP answer, and how a list is cut into pages."""

import logging
import math
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from edx_rest_framework_extensions.paginators import DefaultPagination
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound, Refused, ServiceError, UpstreamError
from enterprise_access.lib.middleware import error_body

log = logging.getLogger(__name__)

STATUS_OF_KIND: dict[type[ServiceError], int] = {
    Invalid: status.HTTP_400_BAD_REQUEST,
    Forbidden: status.HTTP_403_FORBIDDEN,
    NotFound: status.HTTP_404_NOT_FOUND,
    Conflict: status.HTTP_409_CONFLICT,
    Refused: status.HTTP_422_UNPROCESSABLE_ENTITY,
    UpstreamError: status.HTTP_503_SERVICE_UNAVAILABLE,
}


class Pagination(DefaultPagination):
    """Pages of 10, or of `page_size` up to 100, in the envelope that clients of Open edX know."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe the envelope, for the API document."""
        link = {"type": "string", "format": "uri", "nullable": True}
        number = {"type": "integer", "minimum": 0}
        properties = {
            "next": {**link, "description": "The address of the next page; null on the last one."},
            "previous": {**link, "description": "The address of the page before; null on the first one."},
            "count": {**number, "description": "How many there are on all pages."},
            "num_pages": {**number, "minimum": 1},
            "current_page": {**number, "minimum": 1},
            "start": {**number, "description": "How many there are on the pages before."},
            "results": schema,
        }
        return {"type": "object", "required": list(properties), "properties": properties}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer with `{"code", "detail", "extra", "request_id"}` whatever went wrong.

    None lets an unexpected error be a 500, which gets the same shape from `lib.middleware`.
    """
    if isinstance(error, ServiceError):
        return Response(
            error_body(code=error.code, detail=error.detail, extra=error.extra),
            status=_status_of(error),
            headers=_retry_headers(error),
        )
    if isinstance(error, OperationalError | InterfaceError):
        # Away, or out of space, memory or connections. (No traceback: the statement may name a person.)
        log.error("The database cannot be used. error=%s", type(error).__name__)
        body = error_body(code="unavailable", detail="The database cannot be used at the moment. Try again soon.")
        return Response(body, status=status.HTTP_503_SERVICE_UNAVAILABLE, headers={"Retry-After": "5"})
    error = _as_framework_error(error)
    response = drf_exception_handler(error, context)
    if response is not None and isinstance(error, exceptions.APIException):
        response.data = _shaped(error, response.data)
    return response


def _as_framework_error(error: Exception) -> Exception:
    """Return the REST framework's error in place of Django's own, so that it has a code."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    return error


def _status_of(error: ServiceError) -> int:
    return next((code for kind, code in STATUS_OF_KIND.items() if isinstance(error, kind)), status.HTTP_400_BAD_REQUEST)


def _retry_headers(error: ServiceError) -> dict[str, str]:
    seconds = getattr(error, "retry_after_seconds", None)
    return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}


def _shaped(error: exceptions.APIException, data: Any) -> dict[str, Any]:
    """Give the framework's own errors our shape; what was wrong with each field goes into `extra`."""
    if isinstance(error, exceptions.ValidationError):
        return error_body(code="invalid", detail=_first_sentence(data), extra={"fields": data})
    code = error.get_codes()
    return error_body(code=code if isinstance(code, str) else error.default_code, detail=str(data["detail"]))


def _first_sentence(data: Any) -> str:
    """Return the first complaint in a tree of them, with the path of the field that it is about."""
    return next(_sentences(data), "The request makes no sense as it stands.")


def _sentences(data: Any, field: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        for name, inner in data.items():
            path = [field] if name == "non_field_errors" else [field, str(name)]
            yield from _sentences(inner, ".".join(filter(None, path)))
    elif isinstance(data, list):
        for inner in data:
            yield from _sentences(inner, field)
    else:
        yield f"{field}: {data}" if field else str(data)

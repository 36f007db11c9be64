"""The one place where an error becomes an HTTP answer."""

from typing import Any

from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound, ServiceError, UpstreamError

STATUS_OF_KIND: dict[type[ServiceError], int] = {
    Invalid: status.HTTP_400_BAD_REQUEST,
    Forbidden: status.HTTP_403_FORBIDDEN,
    NotFound: status.HTTP_404_NOT_FOUND,
    Conflict: status.HTTP_409_CONFLICT,
    UpstreamError: status.HTTP_503_SERVICE_UNAVAILABLE,
}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer with `{"code", "detail", "extra"}` whatever went wrong; None lets an unexpected error be a 500."""
    if isinstance(error, ServiceError):
        return Response(
            {"code": error.code, "detail": error.detail, "extra": error.extra},
            status=_status_of(error),
            headers=_retry_headers(error),
        )
    response = drf_exception_handler(error, context)
    if response is not None and isinstance(error, exceptions.APIException):
        response.data = _shaped(error, response.data)
    return response


def _status_of(error: ServiceError) -> int:
    return next((code for kind, code in STATUS_OF_KIND.items() if isinstance(error, kind)), status.HTTP_400_BAD_REQUEST)


def _retry_headers(error: ServiceError) -> dict[str, str]:
    seconds = getattr(error, "retry_after_seconds", None)
    return {} if seconds is None else {"Retry-After": str(int(seconds))}


def _shaped(error: exceptions.APIException, data: Any) -> dict[str, Any]:
    """Give the framework's own errors our shape; what was wrong with each field goes into `extra`."""
    if isinstance(error, exceptions.ValidationError):
        return {"code": "invalid", "detail": _first_sentence(data), "extra": {"fields": data}}
    code = error.get_codes()
    return {"code": code if isinstance(code, str) else error.default_code, "detail": data["detail"], "extra": {}}


def _first_sentence(data: Any, field: str = "") -> str:
    """Return the first complaint in a tree of them, with the field it is about."""
    if isinstance(data, dict):
        name, inner = next(iter(data.items()))
        return _first_sentence(inner, "" if name == "non_field_errors" else str(name))
    if isinstance(data, list):
        return _first_sentence(data[0], field)
    return f"{field}: {data}" if field else str(data)

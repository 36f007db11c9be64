"""What the API document says of every route alike: who may come in, and how it says no. Imported once, by core."""

from collections.abc import Iterator
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

_HEADER_OF_ID: Final = {
    "X-Request-ID": {
        "description": "The id of this request, in our logs too. Taken from the request if it has a sensible one.",
        "schema": {"type": "string"},
    }
}
_HEADERS_BY_STATUS: Final[dict[str, dict[str, Any]]] = {
    "401": {"WWW-Authenticate": {"description": "How to come in.", "schema": {"type": "string"}}},
    "429": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
}
# What every route can answer, whatever it is for: code, and a sentence as an example.
_COMMON: Final = {
    "401": ("not_authenticated", "Authentication credentials were not provided."),
    "403": ("permission_denied", "You do not have permission to perform this action."),
    "405": ("method_not_allowed", 'Method "PUT" not allowed.'),
    "406": ("not_acceptable", "Could not satisfy the request Accept header."),
    "429": ("throttled", "Request was throttled. Expected available in 12 seconds."),
    "500": ("error", "Something went wrong on our side; the request id says what, to us."),
    "503": ("unavailable", "We cannot tell who is calling at the moment. Try again soon."),
}
_WITH_INPUT: Final = {"400": ("invalid", "enterprise_customer_uuid: Must be a valid UUID.")}
_WITH_BODY: Final = {
    "413": ("too_large", "The body is larger than any that makes sense here."),
    "415": ("unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
}
_WHAT_IT_MEANS: Final = {
    "400": "The request makes no sense; `extra.fields` says of each field why.",
    "401": "No token, or none that is good for this service.",
    "403": "The caller's roles do not allow this.",
    "405": "The address does not know that method.",
    "406": "There is nothing but JSON.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "429": "Too many calls.",
    "500": "A mistake of ours.",
    "503": "Something that is needed for this is away.",
}


class JwtScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The LMS's token, in a header or in the LMS's cookies."""

    target_class = "enterprise_access.apps.core.api.authentication.LmsTokenAuthentication"
    name = ["jwt", "jwtCookie"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`JWT <token>`: the word JWT, a space, and a token that the LMS has signed.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "edx-jwt-cookie-header-payload",
                "description": "The token in the two cookies that the LMS sets (the other one is "
                "`edx-jwt-cookie-signature`). Whoever writes that way needs the token of `GET /csrf/api/v1/token` in "
                "the header `X-CSRFToken`, and sends `USE-JWT-COOKIE: true` as the portal's pages do.",
            },
        ]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the admin pages."""

    target_class = "edx_rest_framework_extensions.auth.session.authentication.SessionAuthenticationAllowInactiveUser"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class CsrfToken(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    """A library's view, which says nothing of itself."""

    target_class = "csrf.api.v1.views.CsrfTokenView"

    def view_replacement(self) -> Any:
        answer = inline_serializer("CsrfToken", {"csrfToken": serializers.CharField()})

        class Described(self.target_class):  # type: ignore[name-defined]
            @extend_schema(operation_id="csrf_token", tags=["csrf"], responses=answer)
            def get(self, request: Any) -> Any:
                """Return the token that a page needs in order to write with the LMS's cookies."""

        return Described


def add_common_answers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Complete the document: each operation gets the refusals that all have in common, and each answer its headers.

    What an operation says of itself stays.
    """
    result["components"]["schemas"].setdefault("Error", _ERROR)
    for path, operation in _operations(result):
        if path.startswith("/api/v1/"):
            for status, (code, detail) in _answers_of(operation).items():
                operation["responses"].setdefault(status, _error(status, code, detail))
        for status, response in operation["responses"].items():
            response["headers"] = {**_HEADER_OF_ID, **_HEADERS_BY_STATUS.get(status, {}), **response.get("headers", {})}
            response["description"] = response["description"] or _WHAT_IT_MEANS.get(status, "")
        operation["responses"] = dict(sorted(operation["responses"].items()))
    return result


_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Whatever went wrong.",
    "properties": {
        "code": {"type": "string", "description": "Stable; may be relied upon."},
        "detail": {"type": "string", "description": "For people."},
        "extra": {"type": "object", "additionalProperties": {}, "description": "Further facts about the error."},
        "request_id": {"type": "string", "description": "Also in the header X-Request-ID, and in our logs."},
    },
    "required": ["code", "detail", "extra", "request_id"],
}


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in result["paths"].items():
        for operation in methods.values():
            yield path, operation


def _answers_of(operation: dict[str, Any]) -> dict[str, tuple[str, str]]:
    has_body = "requestBody" in operation
    with_input = _WITH_INPUT if has_body or operation.get("parameters") else {}
    return {**_COMMON, **with_input, **(_WITH_BODY if has_body else {})}


def _error(status: str, code: str, detail: str) -> dict[str, Any]:
    example = {"code": code, "detail": detail, "extra": {}, "request_id": "6b0e3e4c2f0c4f0e9d3a3c1b5a7f8e21"}
    content = {"schema": {"$ref": "#/components/schemas/Error"}, "examples": {code: {"value": example}}}
    return {"description": _WHAT_IT_MEANS[status], "content": {"application/json": content}}

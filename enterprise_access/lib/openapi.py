"""What the API document says of every route alike: who may come in, and how it says no. Imported once, by core."""

import re
from collections.abc import Iterator
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers

_HEADER_OF_ID: Final = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
_HEADERS_BY_STATUS: Final[dict[str, dict[str, Any]]] = {
    "401": {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}},
    "429": {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
}
# Every error in one shape: the name of the shared answer, what it means, and an example's code and sentence.
_ERRORS: Final = {
    "400": (
        "Invalid",
        "Invalid request. `extra.fields` names each invalid field of the body, with the reason.",
        "invalid",
        "enterprise_customer_uuid: Must be a valid UUID.",
    ),
    "401": (
        "NotAuthenticated",
        "Authentication required: no token, or one that this service does not accept.",
        "not_authenticated",
        "Authentication credentials were not provided.",
    ),
    "403": (
        "PermissionDenied",
        "The caller's roles do not allow this.",
        "permission_denied",
        "You do not have permission to perform this action.",
    ),
    "404": ("NotFound", "Does not exist, or the caller may not see it.", "not_found", "Not found."),
    "405": (
        "MethodNotAllowed",
        "The route does not support this method.",
        "method_not_allowed",
        'Method "PUT" not allowed.',
    ),
    "406": (
        "NotAcceptable",
        "Only JSON is available.",
        "not_acceptable",
        "Could not satisfy the request Accept header.",
    ),
    "409": (
        "Conflict",
        "The request conflicts with the current state. `code` says how.",
        "conflict",
        "The record has changed.",
    ),
    "413": ("TooLarge", "The body is too large.", "too_large", "The body is larger than any that makes sense here."),
    "415": (
        "UnsupportedMediaType",
        "The body is not JSON.",
        "unsupported_media_type",
        'Unsupported media type "text/plain" in request.',
    ),
    "422": (
        "Refused",
        "The request is valid, but a rule refuses it. `code` names the rule.",
        "refused",
        "The budget has no credit left.",
    ),
    "429": (
        "Throttled",
        "Too many requests. Wait as long as `Retry-After` says.",
        "throttled",
        "Request was throttled. Expected available in 12 seconds.",
    ),
    "500": (
        "ServerError",
        "Internal error. Report the request id.",
        "error",
        "Something went wrong on our side; the request id says what, to us.",
    ),
    "502": (
        "UpstreamFailed",
        "An upstream service refused or failed.",
        "upstream_error",
        "enterprise-subsidy refused.",
    ),
    "503": (
        "Unavailable",
        "An upstream service that this request needs is unavailable. Retry later.",
        "unavailable",
        "We cannot tell who is calling at the moment. Try again soon.",
    ),
}
# What every route can answer, whatever it is for; with parameters or a body; with a body.
_COMMON: Final = ("401", "403", "405", "406", "429", "500", "503")
_WITH_INPUT: Final = ("400",)
_WITH_BODY: Final = ("413", "415")


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
                "`edx-jwt-cookie-signature`). Send `USE-JWT-COOKIE: true` with them. Writes also need a CSRF token "
                "from `GET /csrf/api/v1/token` in the header `X-CSRFToken`.",
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
                """Return the CSRF token for writes with the LMS's cookies."""

        return Described


def add_common_answers(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Complete the document: tags, summaries, and the errors that operations have in common, each described once.

    What an operation says of itself stays.
    """
    components = result["components"]
    components["schemas"].setdefault("Error", _ERROR)
    components["headers"] = {"RequestId": _REQUEST_ID}
    components["responses"] = {name: _shared_error(status) for status, (name, *_) in _ERRORS.items()}
    for path, operation in _operations(result):
        operation["tags"] = _tags_of(path) or operation["tags"]
        operation.setdefault("summary", _first_sentence(operation.get("description", "")))
        if path.startswith("/api/v1/"):
            for status in _answers_of(operation):
                operation["responses"].setdefault(status, _reference(status))
        operation["responses"] = {
            status: _answer(status, response) for status, response in sorted(operation["responses"].items())
        }
    return result


_REQUEST_ID: Final[dict[str, Any]] = {
    "description": "The id of this request, which is also in the logs. Taken from the request if it sends a valid one.",
    "schema": {"type": "string"},
}
_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An error.",
    "properties": {
        "code": {"type": "string", "description": "Stable: clients may rely on it."},
        "detail": {"type": "string", "description": "A sentence for people. It may change."},
        "extra": {"type": "object", "additionalProperties": {}, "description": "Further facts about the error."},
        "request_id": {"type": "string", "description": "Also in the header X-Request-ID, and in the logs."},
    },
    "required": ["code", "detail", "extra", "request_id"],
}


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in result["paths"].items():
        for operation in methods.values():
            yield path, operation


def _tags_of(path: str) -> list[str]:
    """Return the resource of a path under /api/v1/ as its tag; none where the path begins with a parameter."""
    resource = path.removeprefix("/api/v1/").split("/")[0]
    return [resource] if resource and "{" not in resource else []


def _first_sentence(description: str) -> str:
    return re.split(r"[.;:](?:\s|$)", description.strip(), maxsplit=1)[0]


def _answers_of(operation: dict[str, Any]) -> tuple[str, ...]:
    has_body = "requestBody" in operation
    with_input = _WITH_INPUT if has_body or operation.get("parameters") else ()
    return (*_COMMON, *with_input, *(_WITH_BODY if has_body else ()))


def _answer(status: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return the shared error where an operation adds nothing to it; else its own answer, completed."""
    if "$ref" in response:
        return response
    if status in _ERRORS and response.get("content") == _ERROR_CONTENT:
        return _reference(status)
    headers = {**_HEADER_OF_ID, **_HEADERS_BY_STATUS.get(status, {}), **response.get("headers", {})}
    description = response["description"] or (_ERRORS[status][1] if status in _ERRORS else "Success.")
    return {**response, "headers": headers, "description": description}


_ERROR_CONTENT: Final = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _reference(status: str) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}


def _shared_error(status: str) -> dict[str, Any]:
    _, meaning, code, detail = _ERRORS[status]
    example = {"code": code, "detail": detail, "extra": {}, "request_id": "6b0e3e4c2f0c4f0e9d3a3c1b5a7f8e21"}
    content = {"application/json": {**_ERROR_CONTENT["application/json"], "examples": {code: {"value": example}}}}
    headers = {**_HEADER_OF_ID, **_HEADERS_BY_STATUS.get(status, {})}
    return {"description": meaning, "content": content, "headers": headers}

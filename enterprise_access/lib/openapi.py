"""What the API document says of the ways to authenticate. Imported once, by core."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class JwtScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The LMS's token in a header."""

    target_class = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"
    name = "jwt"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`JWT <token>`: the word JWT, a space, and a token that the LMS has signed.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the admin pages."""

    target_class = "edx_rest_framework_extensions.auth.session.authentication.SessionAuthenticationAllowInactiveUser"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}

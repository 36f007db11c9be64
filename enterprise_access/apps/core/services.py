"""Who calls."""

from typing import TYPE_CHECKING

from edx_rest_framework_extensions.auth.jwt.authentication import get_decoded_jwt_from_auth

from enterprise_access.apps.core.domain import Caller, parse_grants

if TYPE_CHECKING:
    from rest_framework.request import Request


def get_caller(request: "Request") -> Caller:
    """Return who calls, from the verified token that let the request in (header or cookie).

    A person who came in with a session only, as in the admin, holds no role here.
    """
    claims = get_decoded_jwt_from_auth(request) or {}
    user_id = claims.get("user_id")
    roles = claims.get("roles")
    return Caller(
        lms_user_id=user_id if isinstance(user_id, int) else None,
        email=claims.get("email") or None,
        grants=parse_grants(roles if isinstance(roles, list) else []),
    )

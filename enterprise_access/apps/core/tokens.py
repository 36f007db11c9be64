"""Reading the tokens that the LMS signs."""

from typing import Any

from edx_rest_framework_extensions.auth.jwt.decoder import get_asymmetric_only_jwt_decode_handler


def decode(token: str) -> dict[str, Any]:
    """Return the claims of a token signed with one of the LMS's private keys; a shared secret is never accepted."""
    claims: dict[str, Any] = get_asymmetric_only_jwt_decode_handler(token)
    return claims

"""Reading the tokens that the LMS signs."""

import logging
from contextvars import ContextVar
from typing import Any, Final

import jwt
from edx_rest_framework_extensions.auth.jwt.decoder import get_asymmetric_only_jwt_decode_handler

log = logging.getLogger(__name__)


def decode(token: str) -> dict[str, Any]:
    """Return the claims of a token signed with one of the LMS's private keys; a shared secret is never accepted.

    Raises jwt.InvalidTokenError.
    """
    try:
        claims: dict[str, Any] = get_asymmetric_only_jwt_decode_handler(token)
    except jwt.PyJWTError:
        raise
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError) as error:
        # The library takes the kinds of some claims (version, iss) for granted.
        log.warning("A token cannot be read. error=%s", type(error).__name__)
        raise jwt.InvalidTokenError from None
    _verified.set((token, claims))
    return claims


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token that has let the request in. They need not be verified once more: who lets a request
    in calls `decode` for it, in the same thread."""
    verified = _verified.get()
    return verified[1] if verified is not None and verified[0] == token else decode(token)


# The token that this thread has verified last, and its claims.
_verified: Final[ContextVar[tuple[str, dict[str, Any]] | None]] = ContextVar("verified", default=None)

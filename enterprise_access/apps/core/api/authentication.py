"""Who a request comes from, by the LMS's token: in a header, or in the LMS's two cookies.

The library's own class finds people by username, and answers 401 for whatever went wrong while it did.
"""

import logging
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest
from edx_rest_framework_extensions.auth.jwt.authentication import JwtAuthentication
from rest_framework import status
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework_jwt.authentication import JSONWebTokenAuthentication

from enterprise_access.apps.core.domain import read_identity
from enterprise_access.apps.core.errors import ClaimMalformed
from enterprise_access.apps.core.models import User
from enterprise_access.apps.core.services.people import get_person

log = logging.getLogger(__name__)

_HOW_TO_WRITE = (
    "Writing with the LMS's cookies needs a CSRF token, and an origin that is allowed to write: send the token of"
    " GET /csrf/api/v1/token in the header X-CSRFToken."
)


class CsrfFailed(PermissionDenied):
    """A request with cookies could have been made by another site's page."""

    default_code = "csrf_failed"


class CallersUnavailable(APIException):
    """The database is away. (A 401 would make a client throw away a token that is good.)"""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = "We cannot tell who is calling at the moment. Try again soon."
    wait = 5


class TokenMalformed(AuthenticationFailed):
    """The token was signed properly, and says something that the LMS does not say."""

    default_code = "token_malformed"


class LmsTokenAuthentication(JwtAuthentication):
    """Lets in whom the token names, by LMS user id. A cookie with a token that is not good any more is no token."""

    def authenticate(self, request: HttpRequest) -> tuple[User, str] | None:
        """Return the user and the token; None where there is no token."""
        is_by_cookie = bool(self.is_authenticating_with_jwt_cookie(request))
        try:
            # Not the library's own method: it takes every failure of a cookie, of our database for one, for a reason
            # to let the next class try, which then knows no one.
            found: tuple[User, str] | None = JSONWebTokenAuthentication.authenticate(self, request)
        except AuthenticationFailed as error:
            if is_by_cookie and not isinstance(error, TokenMalformed):
                return None
            raise
        if found is not None and is_by_cookie:
            self.enforce_csrf(request)
        return found

    def authenticate_credentials(self, payload: dict[str, Any]) -> User:
        """Return the user whom the verified claims name."""
        try:
            identity = read_identity(payload)
        except ClaimMalformed as error:
            raise TokenMalformed(str(error)) from None
        try:
            return get_person(lms_user_id=identity.lms_user_id, username=identity.username)
        except DatabaseError as error:
            # No traceback: the statement names whom it looked for.
            log.error("Callers cannot be looked up. error=%s", type(error).__name__)
            raise CallersUnavailable from None

    def enforce_csrf(self, request: HttpRequest) -> None:
        """Refuse what another site's page could have sent."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied:
            raise CsrfFailed(_HOW_TO_WRITE) from None

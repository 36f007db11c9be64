"""The two kinds of session: as the service's own worker account, and as a learner with the learner's own token.

Neither follows redirects, and neither keeps cookies: a session serves many calls, and what an upstream service sets
during one of them must not travel with the next.
"""

import json
import logging
import re
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import jwt
import requests
from django.core.cache import cache
from edx_rest_api_client.auth import SuppliedJwtAuth
from edx_rest_api_client.client import (
    ACCESS_TOKEN_EXPIRED_THRESHOLD_SECONDS,
    OAuthAPIClient,
    get_request_id,
)

from enterprise_access.lib.http.broken import LIBRARY_ERRORS
from enterprise_access.lib.structure import Fields, ShapeError, number, text

log = logging.getLogger(__name__)

TOKEN_PATH = "/oauth2/access_token"  # noqa: S105 (a path)
MAX_TOKEN_BYTES = 100_000
_SENDABLE_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


class NoToken(Exception):
    """No access token is to be had. `is_refused`: the credentials are wrong, so trying again does not help."""

    def __init__(self, detail: str, *, is_refused: bool = False) -> None:
        super().__init__(detail)
        self.is_refused = is_refused


def is_sendable_token(token: object) -> bool:
    """Say whether `token` can stand in a header without changing its meaning."""
    return isinstance(token, str) and _SENDABLE_TOKEN.fullmatch(token) is not None


class WorkerSession(OAuthAPIClient):
    """OAuthAPIClient whose token can be dropped, and is fetched with bounds over the session's own adapters.

    The parent fetches tokens with a session of its own: without a limit to time or size, following redirects with the
    client secret, and out of reach of what a test mounts here. A token is looked for in this session first, then in the
    cache that all processes share, and then fetched. A broken cache costs a call, nothing else.
    """

    def __init__(self, base_url: str, client_id: str, client_secret: str, **kwargs: Any) -> None:
        super().__init__(base_url, client_id, client_secret, **kwargs)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._token_expires_at = 0.0

    def forget_token(self) -> None:
        """Drop the token that was refused, here and in the shared cache unless somebody has renewed it there."""
        if (self._cached() or (None, 0))[0] == self.auth.token:
            self._cache(None)
        self._token_expires_at = 0.0

    def claims(self) -> dict[str, Any]:
        """Return what the present token says of our account; nothing when it says nothing that we can read.

        The signature is not looked at: the token is ours, and those who rely on it check it themselves.
        """
        try:
            found: dict[str, Any] = jwt.decode(self.auth.token or "", options={"verify_signature": False})
        except jwt.PyJWTError:
            return {}
        return found

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that nothing is followed, not even in thought (the parent would read the whole body)."""
        return

    def _ensure_authentication(self) -> None:
        if not self._is_fresh(self._token_expires_at):
            token, expires_at = self._cached() or self._fetch()
            self.auth.token, self._token_expires_at = token, expires_at

    @staticmethod
    def _is_fresh(expires_at: float) -> bool:
        threshold: float = ACCESS_TOKEN_EXPIRED_THRESHOLD_SECONDS
        return time.time() < expires_at - threshold

    @property
    def token_url(self) -> str:
        base_url: str = self._base_url
        return base_url.removesuffix(TOKEN_PATH).removesuffix("/oauth2") + TOKEN_PATH

    @property
    def _cache_key(self) -> str:
        return f"enterprise_access.access_token.{self._client_id}.{self.token_url}"

    def _cached(self) -> tuple[str, float] | None:
        try:
            token, expires_at = cache.get(self._cache_key) or (None, 0)
        except Exception:  # noqa: BLE001 (every cache has its own; without it we ask for a token)
            log.warning("the cache of access tokens cannot be read")
            return None
        return (token, expires_at) if token is not None and self._is_fresh(expires_at) else None

    def _cache(self, entry: tuple[str, float] | None) -> None:
        try:
            if entry is None:
                cache.delete(self._cache_key)
            else:
                cache.set(self._cache_key, entry, max(1, int(entry[1] - time.time())))
        except Exception:  # noqa: BLE001 (see above)
            log.warning("the cache of access tokens cannot be written")

    def _fetch(self) -> tuple[str, float]:
        asked_at = time.time()
        try:
            with self._ask_for_token() as response:
                token, lifetime_seconds = self._read_token(response)
        except LIBRARY_ERRORS:
            raise NoToken("the token endpoint did not answer") from None
        entry = token, asked_at + lifetime_seconds
        self._cache(entry)
        return entry

    def _ask_for_token(self) -> requests.Response:
        return requests.Session.request(
            self,
            "POST",
            self.token_url,
            data={
                "grant_type": "client_credentials",
                "client_id": self._client_id,
                "client_secret": self._client_secret,
                "token_type": "jwt",
            },
            headers={"Accept": "application/json"},
            auth=lambda request: request,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        )

    @staticmethod
    def _read_token(response: requests.Response) -> tuple[str, float]:
        if response.status_code != requests.codes.ok:
            refused = response.status_code in {400, 401, 403}
            raise NoToken(f"the token endpoint answered {response.status_code}", is_refused=refused)
        body = next(response.iter_content(MAX_TOKEN_BYTES), b"")
        try:
            fields = Fields(json.loads(body))
            token, lifetime_seconds = fields.need("access_token", text), fields.need("expires_in", number)
        except (ShapeError, ValueError, RecursionError):
            raise NoToken("the token endpoint answered something else than a token") from None
        if not is_sendable_token(token):
            raise NoToken("the token endpoint answered something else than a token")
        return token, lifetime_seconds


class LearnerSession(requests.Session):
    """Calls as one learner, with the token that the learner sent us. It cannot be renewed."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.auth = SuppliedJwtAuth(token)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, so that nothing is followed."""
        return

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Pass on the id of the request that we are serving, as OAuthAPIClient does."""
        request_id = get_request_id()
        if request_id is not None:
            request.headers = {"X-Request-ID": request_id, **(request.headers or {})}
        return super().prepare_request(request)

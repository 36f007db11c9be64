"""JWTs as an LMS issues them: RS512, with the claims the services read."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from attrs import frozen
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from .tables import fold
from .values import User
from .world import World

ISSUER = "https://lms.example.com/oauth2"
AUDIENCE = "openedx"
SCOPES = ("user_id", "email", "profile")
LIFETIME = timedelta(hours=1)


class BadToken(Exception):
    """The token cannot be trusted: garbage, a foreign signature, another issuer or audience."""


class ExpiredToken(BadToken):
    """The token was good once."""


@frozen(kw_only=True)
class Tokens:
    """Signs and verifies. `signing_jwk` is a private RSA JWK."""

    world: World
    signing_jwk: Mapping[str, Any]
    issuer: str = ISSUER
    audience: str = AUDIENCE

    def token_for(
        self,
        username: str,
        *,
        expires_in: timedelta = LIFETIME,
        grant_type: str = "password",
        **claims: Any,
    ) -> str:
        """Return a JWT for the user; a negative `expires_in` makes an expired one, a claim of None is left out."""
        user, now = self.world.user(username), self.world.now()
        everything = self._claims(user, now=now, expires_at=now + expires_in, grant_type=grant_type) | claims
        return jwt.encode(
            {name: value for name, value in everything.items() if value is not None},
            _private_key(json.dumps(dict(self.signing_jwk), sort_keys=True)),
            algorithm="RS512",
            headers={"kid": self.signing_jwk.get("kid", "simulator")},
        )

    def claims_of(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of ours. Raises ExpiredToken, BadToken."""
        try:
            signing_jwk = json.dumps(dict(self.signing_jwk), sort_keys=True)
            claims = dict(_claims_of(token, signing_jwk, audience=self.audience, issuer=self.issuer))
        except jwt.PyJWTError as error:
            raise BadToken from error
        if claims["exp"] <= self.world.now().timestamp():
            raise ExpiredToken
        return claims

    def public_jwk_set(self) -> str:
        """Return the JWK set with which services verify our tokens, as JSON text."""
        public = {name: self.signing_jwk[name] for name in ("kty", "n", "e")}
        kid = self.signing_jwk.get("kid", "simulator")
        return json.dumps({"keys": [public | {"kid": kid, "use": "sig", "alg": "RS512"}]})

    def _claims(self, user: User, *, now: datetime, expires_at: datetime, grant_type: str) -> dict[str, Any]:
        roles = roles_of(self.world, user)
        return {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": f"{user.id:032x}",
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "grant_type": grant_type,
            "scopes": list(SCOPES),
            "version": "1.2.0",
            "filters": ["user:me"],
            "is_restricted": False,
            "preferred_username": user.username,
            "user_id": user.id,
            "email": user.email,
            "email_verified": True,
            "name": f"{user.first_name} {user.last_name}",
            "family_name": user.last_name,
            "given_name": user.first_name,
            "administrator": user.is_staff,
            "superuser": False,
            # Left out of the token of a user without any.
            **({"roles": roles} if roles else {}),
        }


def roles_of(world: World, user: User) -> list[str]:
    """Return `role:context` entries: the learner role for every linked customer, the active one first."""
    links = [link for link in world.tables.links.where(user=user.id) if link.is_linked]
    links.sort(key=lambda link: (not link.is_active, link.id))
    return [*user.extra_roles, *(f"enterprise_learner:{link.customer_uuid}" for link in links)]


def username_of_client(world: World, *, client_id: str, client_secret: str) -> str | None:
    """Return whose tokens an OAuth application gets; None when id and secret do not belong together."""
    client = world.tables.clients.get(client_id)
    if client is None or client.client_secret != client_secret:
        return None
    return client.username if world.tables.users.get(fold(client.username)) else None


@functools.cache
def throwaway_jwk() -> dict[str, Any]:
    """Make a private key for this process, where none was given."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": "simulator"}


@functools.lru_cache(maxsize=8)
def _private_key(signing_jwk: str) -> rsa.RSAPrivateKey:
    key = RSAAlgorithm.from_jwk(signing_jwk)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("The signing key must be a private RSA key.")
    return key


@functools.lru_cache(maxsize=8)
def _public_key(signing_jwk: str) -> rsa.RSAPublicKey:
    return _private_key(signing_jwk).public_key()


@functools.lru_cache(maxsize=512)
def _claims_of(token: str, signing_jwk: str, *, audience: str, issuer: str) -> Mapping[str, Any]:
    """Return the claims of a token that is well signed, whether or not it has expired. Raises jwt.PyJWTError."""
    claims: dict[str, Any] = jwt.decode(
        token,
        _public_key(signing_jwk),
        algorithms=["RS512"],
        audience=audience,
        issuer=issuer,
        options={"verify_exp": False, "verify_iat": False, "require": ["exp", "preferred_username"]},
    )
    return claims

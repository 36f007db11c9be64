"""Reading tokens: signed by the LMS, for us, and not expired; nothing else is one."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from enterprise_access.apps.core.tokens import decode
from simulator.tokens import Tokens


def test_a_token_of_the_lms_gives_its_claims(simulator):
    claims = decode(simulator.tokens.token_for("ada"))
    assert (claims["preferred_username"], claims["user_id"], claims["email"]) == ("ada", 1001, "ada@example.com")


def test_an_expired_token_is_refused(simulator):
    with pytest.raises(jwt.PyJWTError):
        decode(simulator.tokens.token_for("ada", expires_in=timedelta(seconds=-5)))


@pytest.mark.parametrize(
    "claims",
    [{"aud": "somebody-else"}, {"aud": None}, {"iss": "https://evil.test"}, {"iss": None}, {"exp": None}],
)
def test_a_token_for_or_from_somebody_else_is_refused(simulator, claims):
    with pytest.raises(jwt.PyJWTError):
        decode(simulator.tokens.token_for("ada", **claims))


def test_a_foreign_key_is_refused_even_under_the_name_of_ours(simulator):
    jwk = RSAAlgorithm.to_jwk(rsa.generate_private_key(public_exponent=65537, key_size=2048), as_dict=True)
    ours = simulator.tokens
    foreign = Tokens(
        world=ours.world, signing_jwk=jwk | {"kid": "simulator"}, issuer=ours.issuer, audience=ours.audience
    )
    with pytest.raises(jwt.PyJWTError):
        decode(foreign.token_for("ada"))


@pytest.mark.parametrize("secret", [b"", b"None", b"secret"])
def test_a_shared_secret_is_never_accepted(simulator, secret):
    claims = simulator.tokens.token_for("ada").split(".")[1]
    with pytest.raises(jwt.PyJWTError):
        decode(signed_with_a_secret(claims, secret))


def test_the_public_key_is_not_a_shared_secret(simulator, settings):
    claims = simulator.tokens.token_for("ada").split(".")[1]
    with pytest.raises(jwt.PyJWTError):
        decode(signed_with_a_secret(claims, settings.JWT_AUTH["JWT_PUBLIC_SIGNING_JWK_SET"].encode()))


def test_without_a_public_key_nothing_is_accepted(simulator, settings):
    token = simulator.tokens.token_for("ada")
    settings.JWT_AUTH = settings.JWT_AUTH | {"JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": []}'}
    with pytest.raises(jwt.PyJWTError):
        decode(token)


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "garbage", "e30.e30.", "e30.e30.e30"])
def test_garbage_is_refused(simulator, text):
    with pytest.raises(jwt.PyJWTError):
        decode(text)


def signed_with_a_secret(claims: str, secret: bytes) -> str:
    header = json.dumps({"alg": "HS256", "typ": "JWT"}).encode()
    signed = f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.{claims}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

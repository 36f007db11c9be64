"""People, tokens, and which origins browsers may call from."""

from corsheaders.defaults import default_headers

from enterprise_access.settings.reading import Environment

env = Environment()

# --- People and tokens ------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Tokens are signed by the LMS with a private key; only its public half is known here, so there is no shared secret.
JWT_AUTH = {
    "JWT_ALGORITHM": "RS512",
    "JWT_AUTH_HEADER_PREFIX": "JWT",
    "JWT_AUTH_COOKIE": "edx-jwt-cookie",
    "JWT_AUTH_COOKIE_HEADER_PAYLOAD": "edx-jwt-cookie-header-payload",
    "JWT_AUTH_COOKIE_SIGNATURE": "edx-jwt-cookie-signature",
    "JWT_DECODE_HANDLER": "enterprise_access.apps.core.tokens.decode",
    "JWT_ISSUERS": [
        {
            # Issuer (`iss`) of accepted tokens: the LMS.
            "ISSUER": env.str("JWT_ISSUER"),
            # Audience (`aud`) of accepted tokens.
            "AUDIENCE": env.str("JWT_AUDIENCE"),
            "SECRET_KEY": None,
        },
    ],
    # Public keys to verify tokens with, as a JSON Web Key Set.
    "JWT_PUBLIC_SIGNING_JWK_SET": env.str("JWT_PUBLIC_SIGNING_JWK_SET"),
    "JWT_VERIFY_AUDIENCE": True,
    "JWT_LEEWAY": 1,
}

# Where a browser goes after signing in that brought no `next`, or one that is refused.
LOGIN_REDIRECT_URL = "admin:index"
# Whether staff sign in to the admin pages through the LMS (docs/how-to/sign-in.rst); production says so.
SIGN_IN_THROUGH_LMS = False

# Which role of the LMS's tokens is which role here (edx-rbac).
SYSTEM_TO_FEATURE_ROLE_MAPPING = {
    "enterprise_learner": ["enterprise_learner"],
    "enterprise_admin": ["enterprise_admin"],
    "enterprise_openedx_operator": ["enterprise_openedx_operator"],
    "enterprise_provisioning_admin": ["enterprise_provisioning_admin"],
}
# A cookie with an old token is no token, and no error.
RBAC_IGNORE_INVALID_JWT_COOKIE = True

# Origins from which browsers may call the API, for example the learner portal: `https://portal.example.com`
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = True
# What the portal's pages send besides the usual, and what they may read of our answers.
CORS_ALLOW_HEADERS = [*default_headers, "use-jwt-cookie", "x-request-id"]
CORS_EXPOSE_HEADERS = ["x-request-id", "retry-after"]
# Origins from which browsers may write with cookies.
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=CORS_ALLOWED_ORIGINS)

"""Signing in to the admin pages through the LMS. Only read where the LMS knows us (docs/how-to/sign-in.rst)."""

from enterprise_access.settings.base import LMS_BASE_URL, env

# Client id of this service's OAuth application at the LMS. Setting it turns on sign-in through the LMS.
SOCIAL_AUTH_EDX_OAUTH2_KEY = env.str("SOCIAL_AUTH_EDX_OAUTH2_KEY")
# Secret of that application. It has no default, so the service does not start without it.
SOCIAL_AUTH_EDX_OAUTH2_SECRET = env.str("SOCIAL_AUTH_EDX_OAUTH2_SECRET")
# Address at which this service reaches the LMS.
SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT = env.str("SOCIAL_AUTH_EDX_OAUTH2_URL_ROOT", default=LMS_BASE_URL)
# Address at which browsers reach the LMS, if it is another one.
SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT = env.str("SOCIAL_AUTH_EDX_OAUTH2_PUBLIC_URL_ROOT", default="") or None
# Where the LMS sends browsers that have signed out there too.
SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL = env.str("SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL", default="") or None

# No e-mail address is requested: none is kept.
SOCIAL_AUTH_EDX_OAUTH2_IGNORE_DEFAULT_SCOPE = True
SOCIAL_AUTH_EDX_OAUTH2_SCOPE = ["user_id", "profile"]
# People are known by the LMS's user id: a username can pass to somebody else.
SOCIAL_AUTH_EDX_OAUTH2_ID_KEY = "user_id"
SOCIAL_AUTH_STRATEGY = "auth_backends.strategies.EdxDjangoStrategy"
# The libraries' own pipeline without the steps that would store tokens, an e-mail address and names.
SOCIAL_AUTH_PIPELINE = (
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "enterprise_access.apps.core.services.signing_in.find_person",
    "social_core.pipeline.social_auth.associate_user",
    "enterprise_access.apps.core.services.signing_in.keep_person",
)
AUTHENTICATION_BACKENDS = [
    "auth_backends.backends.EdXOAuth2",
    # For the rights that groups have in the admin pages. (Its password form is not mounted.)
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "login"
# The library compares it with addresses, so it cannot be the name of a route.
SOCIAL_AUTH_LOGIN_REDIRECT_URL = "/admin/"

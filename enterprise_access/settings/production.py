"""Settings of a real installation: everything secret comes from the environment, and nothing secret has a default."""

import os

from django.core.exceptions import ImproperlyConfigured

from enterprise_access.settings.checking import problems_with

REQUIRED = (
    "ALLOWED_HOSTS",
    "CACHE_URL",
    "CATALOG_BASE_URL",
    "CELERY_BROKER_URL",
    "DATABASE_URL",
    "JWT_AUDIENCE",
    "JWT_ISSUER",
    "JWT_PUBLIC_SIGNING_JWK_SET",
    "LICENSE_MANAGER_BASE_URL",
    "LMS_BASE_URL",
    "OAUTH2_CLIENT_ID",
    "OAUTH2_CLIENT_SECRET",
    "SECRET_KEY",
)
# Empty counts as missing: an orchestrator passes on as "" what no one has set.
if missing := [name for name in REQUIRED if not os.environ.get(name, "").strip()]:
    raise ImproperlyConfigured(f"Missing or empty in the environment: {', '.join(missing)}.")
if problems := problems_with(os.environ):
    raise ImproperlyConfigured(" ".join(problems))

from enterprise_access.settings.base import *  # noqa: E402, F403
from enterprise_access.settings.base import INSTALLED_APPS, LOGGING, ROOT, env  # noqa: E402

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")

# TLS ends at the proxy in front, which must set this header and strip it from what comes from outside.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Whether plain HTTP is redirected to HTTPS.
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# Asked from inside, without the proxy: the container's own health check, and the orchestrator's probes.
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
# How long browsers use HTTPS only (HSTS).
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
# Whether browsers send this service's cookies over HTTPS only. Set it to false only if there is no TLS at all;
# otherwise no one could sign in.
SECURE_COOKIES = env.bool("SECURE_COOKIES", default=True)
SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_SECURE = SECURE_COOKIES
# Where `manage.py collectstatic` puts the static files of the admin; the web process serves them from there.
STATIC_ROOT = env.str("STATIC_ROOT", default=str(ROOT / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# One JSON object a line, for whatever collects them; "line" for people.
LOGGING["handlers"]["console"]["formatter"] = env.str("LOG_FORMAT", default="json")  # type: ignore[index]

# Staff sign in to the admin pages through the LMS once it knows us (docs/how-to/sign-in.rst).
SIGN_IN_THROUGH_LMS = bool(os.environ.get("SOCIAL_AUTH_EDX_OAUTH2_KEY", "").strip())
if SIGN_IN_THROUGH_LMS:
    from enterprise_access.settings.sign_in import *  # noqa: F403

    INSTALLED_APPS += ["social_django"]

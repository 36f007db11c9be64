"""Mail, what is watched, and what is logged."""

from enterprise_access.settings.reading import Environment

env = Environment()

# --- Email and monitoring -----------------------------------------------------------------------------------------

# Address of the mail server: `smtp://...`, `smtp+tls://user:password@host:port`, `consolemail://`.
globals().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
# Timeout of the mail server.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT_SECONDS", default=10)
# Sender address of emails.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="enterprise-access@localhost")
# How long /health/ready/ waits for checks over the network. (Database and cache have their own timeouts.)
HEALTH_TIMEOUT_SECONDS = env.float("HEALTH_TIMEOUT_SECONDS", default=2)
# The overview in the admin is computed for each view, unless that takes longer than this: then the result is shown for
# a minute, with its time.
OVERVIEW_SLOW_SECONDS = env.float("OVERVIEW_SLOW_SECONDS", default=0.2)
# Secret that Prometheus sends as `Authorization: Bearer ...` to /metrics. Empty: that page does not exist.
METRICS_CREDENTIALS = env.str("METRICS_CREDENTIALS", default="") or None
# Port on which workers and consumers serve their metrics, without authentication: do not expose it. 0: off.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# edx-django-utils' monitoring backends, as dotted names. Empty: none.
OPENEDX_TELEMETRY: list[str] = env.list("OPENEDX_TELEMETRY", default=[])

# --- Logging -----------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "enterprise_access.lib.request_ids.AddRequestId"}},
    "formatters": {
        "line": {
            "()": "enterprise_access.lib.logs.PlainLine",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s",
        },
        "json": {"()": "enterprise_access.lib.logs.JsonLine"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            # `json`: one object per line, for log collectors; `line`: for people.
            "formatter": env.str("LOG_FORMAT", default="line"),
            "filters": ["request_id"],
        },
    },
    "loggers": {
        # Says every message it takes; our own lines tell the result.
        "celery": {"level": "WARNING"},
        # Quotes whole addresses, with names and e-mail addresses in them; our own errors name the call without them.
        "urllib3": {"level": "ERROR"},
        # Says which user it changed; an id is enough, and we have that.
        "edx_rest_framework_extensions": {"level": "WARNING"},
        # Quotes the username when the database is away. What comes of that is said by our own error.
        "edx_rest_framework_extensions.auth.jwt.authentication": {"level": "CRITICAL"},
        # Calls every expired token an error, with a traceback. It is a 401, and nothing is wrong with us.
        "edx_rest_framework_extensions.auth.jwt.decoder": {"level": "CRITICAL"},
    },
    # Lowest level to log: `DEBUG`, `INFO`, `WARNING`, `ERROR`.
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}

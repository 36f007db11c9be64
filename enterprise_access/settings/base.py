"""What every installation shares. The environment is read here and in the sibling modules, and nowhere else.

A name without a default is required: the process refuses to start and says which one is missing.
"""

from pathlib import Path
from typing import Any

import environ
from celery.schedules import schedule
from corsheaders.defaults import default_headers
from kombu import Exchange, Queue

from enterprise_access.settings.reading import Environment

env = Environment()

ROOT = Path(__file__).resolve().parent.parent.parent

# --- Django -----------------------------------------------------------------------------------------------------

# Django's key for sessions and the like.
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = False
# The names under which the service is reached; the one that a scraper of metrics uses among them.
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
ROOT_URLCONF = "enterprise_access.urls"
WSGI_APPLICATION = "enterprise_access.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "core.User"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
LOGIN_URL = "admin:login"

INSTALLED_APPS = [
    "enterprise_access.lib.admin_config.GuardedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "simple_history",
    "waffle",
    "openedx_events",
    "enterprise_access.lib.work",
    "enterprise_access.events",
    "enterprise_access.jobs",
    "enterprise_access.apps.core",
    "enterprise_access.apps.customers",
    "enterprise_access.apps.course_types",
    "enterprise_access.apps.content_metadata",
    "enterprise_access.apps.licenses",
    "enterprise_access.apps.subsidy_access_policies",
    "enterprise_access.apps.redemption",
    "enterprise_access.apps.default_enrollments",
    "enterprise_access.apps.bff",
]

MIDDLEWARE = [
    "enterprise_access.lib.middleware.RequestIdMiddleware",
    # Measures requests; early, so that what the others take counts.
    "enterprise_access.lib.monitoring.WatchRequests",
    "enterprise_access.lib.middleware.ApiErrorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "enterprise_access.lib.middleware.BodyLimitMiddleware",
    "enterprise_access.lib.middleware.ImpossibleLookupMiddleware",
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    # The browser keeps the LMS's token in two cookies, of which scripts can read one.
    "edx_rest_framework_extensions.auth.jwt.middleware.JwtAuthCookieMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "edx_django_utils.cache.middleware.TieredCacheMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # What is changed of Django's own pages, for which an app would come too late.
        "DIRS": [ROOT / "enterprise_access" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "enterprise_access.apps.default_enrollments.admin.pauses.pauses",
            ],
        },
    },
]

# --- Where things are kept --------------------------------------------------------------------------------------


def database_from(url: str) -> dict[str, Any]:
    """Return Django's settings of the database at `url`, with what each engine needs to be safe under concurrency."""
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        # Writers queue instead of failing: a write lock is taken at the start of a transaction and waited for.
        options |= {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": "PRAGMA journal_mode=WAL;"}
    if config["ENGINE"].endswith("mysql"):
        options |= {"charset": "utf8mb4", "isolation_level": "read committed"}
        # In case the server's default says otherwise: refuse what does not fit instead of cutting it off.
        options["init_command"] = "SET sql_mode='STRICT_TRANS_TABLES'"
        config["TEST"] = {"CHARSET": "utf8mb4"}
    if not config["ENGINE"].endswith("sqlite3"):
        # How long it may take to connect to a database server: less than the network would wait for one that is away.
        options.setdefault("connect_timeout", env.int("DATABASE_CONNECT_TIMEOUT_SECONDS", default=5))
    # How long a connection to the database is kept for the next request.
    config["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE_SECONDS", default=60)
    config["CONN_HEALTH_CHECKS"] = True
    return config


# How long a cache on another machine may take, in seconds: it is there to make things faster.
_CACHE_TIMEOUTS = {
    "django.core.cache.backends.redis.RedisCache": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    "django.core.cache.backends.memcached.PyMemcacheCache": {"connect_timeout": 0.5, "timeout": 0.5},
}


def cache_from(url: str) -> dict[str, Any]:
    """Return Django's settings of the cache at `url`, with room enough, and without waiting for one that is away."""
    config: dict[str, Any] = dict(environ.Env.cache_url_config(url))
    backend = config["BACKEND"]
    options = _CACHE_TIMEOUTS.get(backend, {})
    if backend.endswith(("LocMemCache", "DatabaseCache")):
        # Django's default of 300 would throw content and locks out all the time.
        options = {"MAX_ENTRIES": 20_000}
    config["OPTIONS"] = options | config.get("OPTIONS", {})
    return config


# The record of what is owed: `mysql://...`, `postgres://...` or `sqlite:///...`.
DATABASES = {"default": database_from(env.str("DATABASE_URL"))}
CACHES = {
    # The cache that all processes share: `pymemcache://...` or `redis://...`. May lose everything at any time.
    "default": cache_from(env.str("CACHE_URL")),
    # Switches are read from the database: what pauses everything must work when a cache is away, and at once.
    "switches": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    # Who has called how often, and the same as one process knows it, for when the cache is away (lib/throttling.py).
    "throttles": cache_from(env.str("CACHE_URL")),
    "throttles_of_process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttles"},
}
WAFFLE_CACHE_NAME = "switches"

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
            # Whose tokens are accepted (`iss`): the LMS's.
            "ISSUER": env.str("JWT_ISSUER"),
            # For whom the tokens have to be made out (`aud`).
            "AUDIENCE": env.str("JWT_AUDIENCE"),
            "SECRET_KEY": None,
        },
    ],
    # The public keys to check tokens with, as a JSON Web Key Set.
    "JWT_PUBLIC_SIGNING_JWK_SET": env.str("JWT_PUBLIC_SIGNING_JWK_SET"),
    "JWT_VERIFY_AUDIENCE": True,
    "JWT_LEEWAY": 1,
}

# Where a browser goes after signing in that brought no `next`, or one that is refused.
LOGIN_REDIRECT_URL = "admin:index"
# Whether staff sign in to the admin pages through the LMS (docs/how-to/sign-in.rst); production says so.
SIGN_IN_THROUGH_LMS = False

# Which roles of the LMS's tokens are which of ours (edx-rbac).
SYSTEM_TO_FEATURE_ROLE_MAPPING = {
    "enterprise_learner": ["enterprise_learner"],
    "enterprise_admin": ["enterprise_admin"],
    "enterprise_openedx_operator": ["enterprise_openedx_operator"],
}
# A cookie with an old token is no token, and no error.
RBAC_IGNORE_INVALID_JWT_COOKIE = True

# From which origins browsers may call, the learner portal's for one: `https://portal.example.com`
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = True
# What the portal's pages send besides the usual, and what they may read of our answers.
CORS_ALLOW_HEADERS = [*default_headers, "use-jwt-cookie", "x-request-id"]
CORS_EXPOSE_HEADERS = ["x-request-id", "retry-after"]
# From which origins browsers may write with cookies.
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=CORS_ALLOWED_ORIGINS)

# --- The REST API -----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "enterprise_access.apps.core.api.authentication.LmsTokenAuthentication",
        "edx_rest_framework_extensions.auth.session.authentication.SessionAuthenticationAllowInactiveUser",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        # An application that may act within scopes only: we have none.
        "edx_rest_framework_extensions.permissions.NotJwtRestrictedApplication",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "enterprise_access.lib.throttling.UserThrottle",
        "enterprise_access.lib.throttling.ScopeThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        # How often one user may call (`120/min`; empty: as often as they like), altogether.
        "user": env.str("THROTTLE_USER", default="1200/min"),
        # The same for reading, where nothing else is said.
        "read": env.str("THROTTLE_READ", default="600/min"),
        # The same for writing, where nothing else is said.
        "write": env.str("THROTTLE_WRITE", default="120/min"),
        # The same for asking for one's default enrollments (`realize/`).
        "realize": env.str("THROTTLE_REALIZE", default="120/min"),
        # The same for pages of the learner portal.
        "portal": env.str("THROTTLE_PORTAL", default="240/min"),
        # The same for `explain/`.
        "explain": env.str("THROTTLE_EXPLAIN", default="120/min"),
    },
    # How many proxies stand in front and add to `X-Forwarded-For`. 0: none does, and the header is not believed; then
    # behind a proxy all callers without a user count as one.
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    # The only format is JSON; a parameter of that name is the caller's mistake, and no 404.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["enterprise_access.lib.parsing.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "enterprise_access.lib.drf.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "enterprise-access",
    "DESCRIPTION": "Default enrollments of Open edX enterprise customers: what is intended, what happened, and why.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "enterprise_access.lib.openapi.add_common_answers",
    ],
    # Served by ourselves: the page works without any other host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- The neighbours ---------------------------------------------------------------------------------------------

# Where the LMS is. This and the next two are base addresses; the paths of the neighbours' own APIs are appended.
LMS_BASE_URL = env.str("LMS_BASE_URL")
# Where enterprise-catalog is.
CATALOG_BASE_URL = env.str("CATALOG_BASE_URL")
# Where license-manager is.
LICENSE_MANAGER_BASE_URL = env.str("LICENSE_MANAGER_BASE_URL")
# Optional: only types of courses are read from it, by commands and by a page about one course.
DISCOVERY_BASE_URL = env.str("DISCOVERY_BASE_URL", default="") or None
# Optional: where enterprise-subsidy is. Without it, learner credit is off.
SUBSIDY_BASE_URL = env.str("SUBSIDY_BASE_URL", default="") or None
# Who gives out our tokens, should that be another address than the LMS.
OAUTH2_BASE_URL = env.str("OAUTH2_BASE_URL", default=LMS_BASE_URL)
# The service worker: an LMS account that is staff and has the role `enterprise_openedx_operator:*`.
OAUTH2_CLIENT_ID = env.str("OAUTH2_CLIENT_ID")
# Its secret.
OAUTH2_CLIENT_SECRET = env.str("OAUTH2_CLIENT_SECRET")
# The LMS user id of a learner who is linked to some customer for good. A worker account that lacks staff rights gets
# short lists instead of refusals; that this learner is listed proves that it has them.
LMS_CANARY_USER_ID: int | None = env.int("LMS_CANARY_USER_ID", default=None)
# Web and worker look when they start whether our account has the rights that it needs, and say in the log if not.
CHECK_NEIGHBOURS_AT_START = env.bool("CHECK_NEIGHBOURS_AT_START", default=True)
# How long it is believed that our account sees everything, after the LMS has shown the canary.
CANARY_BELIEVED_SECONDS = env.int("CANARY_BELIEVED_SECONDS", default=10 * 60)
# How long one call to a neighbour may take to connect.
UPSTREAM_CONNECT_TIMEOUT_SECONDS = env.float("UPSTREAM_CONNECT_TIMEOUT_SECONDS", default=3.05)
# How long a neighbour may stay silent. A read takes at most twice that altogether, its repetitions included.
UPSTREAM_READ_TIMEOUT_SECONDS = env.float("UPSTREAM_READ_TIMEOUT_SECONDS", default=10)
# How long the neighbours may hold up one request of the API altogether.
REQUEST_BUDGET_SECONDS = env.float("REQUEST_BUDGET_SECONDS", default=2.8)
# How long a page of the learner portal may take altogether, whatever the neighbours do.
PORTAL_BUDGET_SECONDS = env.float("PORTAL_BUDGET_SECONDS", default=3)
# How long who has a stale answer to fall back upon waits for the LMS.
STALE_BUDGET_SECONDS = env.float("STALE_BUDGET_SECONDS", default=1)
# How long a caller of `realize/` may ask to wait for the outcome.
REALIZE_WAIT_MAX_SECONDS = env.float("REALIZE_WAIT_MAX_SECONDS", default=3)
# How many callers of `realize/` and of portal pages may wait for their enrollments at once in each web process: each
# holds a thread. Whoever comes beyond that is answered at once, and enrolled all the same. One learner has one place.
REALIZE_WAITERS = env.int("REALIZE_WAITERS", default=16)
# How long the LMS may stay silent in a bulk enrollment. It works through its items one by one.
ENROLL_READ_TIMEOUT_SECONDS = env.float("ENROLL_READ_TIMEOUT_SECONDS", default=30)
# How long enterprise-subsidy may be silent while it redeems. It waits for the LMS meanwhile, 20 seconds as shipped:
# keep this longer than it waits.
REDEEM_READ_TIMEOUT_SECONDS = env.float("REDEEM_READ_TIMEOUT_SECONDS", default=45)
# A neighbour that does not answer so many times in a row is left alone for a while, by each process for itself.
BREAKER_FAILURES = env.int("BREAKER_FAILURES", default=5)
# How long it is left alone before one call tries again.
BREAKER_PAUSE_SECONDS = env.float("BREAKER_PAUSE_SECONDS", default=15)
# How many calls may try at the same time then: as many as one page makes.
BREAKER_TRIALS = env.int("BREAKER_TRIALS", default=4)

# --- How old a local copy may be before it is asked for again, in seconds ----------------------------------------

# Customers, and which learners are linked to them.
LINKS_FRESH_SECONDS = env.int("LINKS_FRESH_SECONDS", default=5 * 60)
# Enrollments. The worker always asks, and sends nothing on facts older than this.
ENROLLMENTS_FRESH_SECONDS = env.int("ENROLLMENTS_FRESH_SECONDS", default=60)
# Content; after this it is served while it is asked for again in the background.
CONTENT_FRESH_SECONDS = env.int("CONTENT_FRESH_SECONDS", default=15 * 60)
# Content older than this is asked for while the caller waits, and served only if nobody answers.
CONTENT_HARD_SECONDS = env.int("CONTENT_HARD_SECONDS", default=60 * 60)
# How long "there is no such content" and "it has no run" are believed.
CONTENT_ABSENT_SECONDS = env.int("CONTENT_ABSENT_SECONDS", default=60)
# How long a process goes on with the content and the modes that it was shown, without looking whether another process
# has stored anything newer. 0: it looks each time.
CONTENT_TRUSTED_SECONDS = env.float("CONTENT_TRUSTED_SECONDS", default=2)
# The modes of a run.
MODES_FRESH_SECONDS = env.int("MODES_FRESH_SECONDS", default=24 * 60 * 60)
# How long "the LMS has no such run" is believed.
MODES_ABSENT_SECONDS = env.int("MODES_ABSENT_SECONDS", default=60 * 60)
# A learner's own licenses, read with their token: one page of the portal is several requests at once.
OWN_LICENSES_SECONDS = env.int("OWN_LICENSES_SECONDS", default=5)
# Copies older than this are not shown at all, however long a neighbour has been away.
STALE_LIMIT_SECONDS = env.int("STALE_LIMIT_SECONDS", default=24 * 60 * 60)
# How long a reader waits for content altogether, be it asked for here or by another process.
CONTENT_BUDGET_SECONDS = env.float("CONTENT_BUDGET_SECONDS", default=3)
# How long refreshing content in the background may take altogether.
CONTENT_REFRESH_BUDGET_SECONDS = env.float("CONTENT_REFRESH_BUDGET_SECONDS", default=30)
# How long a refresh in the background, once asked for, is taken for under way.
CACHE_REFRESH_LATER_SECONDS = env.int("CACHE_REFRESH_LATER_SECONDS", default=30)
# Change it to empty every cache of answers at once.
CACHE_STAMP = env.str("CACHE_STAMP", default="1")

# --- Realizing ---------------------------------------------------------------------------------------------------

# How many learners of one customer a worker takes at once.
REALIZE_BATCH = env.int("REALIZE_BATCH", default=100)
# How many enrollments go into one call to the LMS.
ENROLL_BATCH = env.int("ENROLL_BATCH", default=20)
# How long a worker may take until its next sign of life. After that it is taken for dead, and another one goes on.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=120)
# A page load that has not finished with a learner's licenses within this time is taken for dead, and another one may
# activate or apply them. Longer than any request's budget.
LICENSE_CLAIM_SECONDS = env.int("LICENSE_CLAIM_SECONDS", default=60)
# What failed, or whose outcome is unknown, is not tried again by every page load, but after this long.
LICENSE_RETRY_SECONDS = env.int("LICENSE_RETRY_SECONDS", default=60)
# The LMS gives up a request after this long: only then does a silent call count as over (and may be repeated).
LMS_REQUEST_LIMIT_SECONDS = env.int("LMS_REQUEST_LIMIT_SECONDS", default=300)

# Leases and "who was first" are judged by the database's clock. False: by the process's own (tests).
DATABASE_CLOCK = env.bool("DATABASE_CLOCK", default=True)

# --- Background work ---------------------------------------------------------------------------------------------

# Where messages to the workers go: `redis://...` or another broker that Celery knows. May lose everything at any time.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that is alive but read-only (a Redis that became a replica) is waited for, like one that is away.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# How long who sends a message waits for a broker that is away: a message is only a hint (lib/jobs.py).
CELERY_BROKER_CONNECTION_TIMEOUT = env.float("BROKER_CONNECT_TIMEOUT_SECONDS", default=2)
# How long Redis as the broker may take to answer. (Other brokers do not know the option.)
BROKER_READ_TIMEOUT_SECONDS = env.float("BROKER_READ_TIMEOUT_SECONDS", default=1)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"max_retries": 0}
if CELERY_BROKER_URL.startswith(("redis", "sentinel")):
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "socket_connect_timeout": CELERY_BROKER_CONNECTION_TIMEOUT,
        "socket_timeout": BROKER_READ_TIMEOUT_SECONDS,
    }
# Somebody waits for what is in `interactive`; the rest can wait. Workers of their own keep them apart. `celery` is
# where the release before this one sends to.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("interactive", "background", "celery")]
CELERY_TASK_ROUTES = {
    "default_enrollments.realize_due": {"queue": "interactive"},
    "default_enrollments.resolve_sightings": {"queue": "interactive"},
    "default_enrollments.sweep": {"queue": "interactive"},
    "events.relay": {"queue": "interactive"},
    "*": {"queue": "background"},
}
# A task that takes longer is told to stop (soft), and then stopped. What it held is worked on by another one.
CELERY_TASK_SOFT_TIME_LIMIT = env.int("TASK_SOFT_TIME_LIMIT_SECONDS", default=600)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# How often beat looks for what is due and was not worked on: what a lost message left behind.
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=30)
# How many reads of platform enrollments all our processes together make in a minute, each of up to 100 learners. The
# LMS allows our account 120. 0: as many as are wanted.
PLATFORM_READS_PER_MINUTE = env.int("PLATFORM_READS_PER_MINUTE", default=96)
# How many of these may follow each other at once, after a quiet time. Together with the line above less than 120.
PLATFORM_READS_AT_ONCE = env.int("PLATFORM_READS_AT_ONCE", default=16)
# How often it is checked what every intention stands for, and whether it would enroll a newcomer.
CHECK_INTENTIONS_SECONDS = env.int("CHECK_INTENTIONS_SECONDS", default=15 * 60)
# How many reads of modes all our processes together make in a minute. The LMS allows 40 a minute and address.
MODES_PER_MINUTE = env.int("MODES_PER_MINUTE", default=38)
# How many of these are kept for what cannot wait (an intention that is saved, a learner to be enrolled), and not spent
# on keeping stored modes young.
MODES_RESERVED_PER_MINUTE = env.int("MODES_RESERVED_PER_MINUTE", default=18)
# How many learners' realizations are compared with the platform in one round, which costs one call to the LMS per
# hundred learners.
RECONCILE_LEARNERS = env.int("RECONCILE_LEARNERS", default=500)
# How often there is such a round.
RECONCILE_SECONDS = env.int("RECONCILE_SECONDS", default=10 * 60)
# How often our rights at the neighbours are checked; one call to each of six endpoints.
CHECK_NEIGHBOURS_SECONDS = env.int("CHECK_NEIGHBOURS_SECONDS", default=15 * 60)
# Who gets a mail a day about intentions that would enroll nobody new; nobody, unless addresses are named.
VALIDATION_DIGEST_RECIPIENTS: list[str] = env.list("VALIDATION_DIGEST_RECIPIENTS", default=[])
# How long a staff override waits for the enrollment that it allows.
OVERRIDE_VALID_DAYS = env.int("OVERRIDE_VALID_DAYS", default=30)
# How long attempts are kept that a later one has replaced.
ATTEMPTS_KEPT_DAYS = env.int("ATTEMPTS_KEPT_DAYS", default=90)
# What beat sends is dropped by a worker after so long. Clocks of machines differ, so this is never short.
BEAT_EXPIRES_SECONDS = 60 * 60
# How long jobs and their results are kept after they ended.
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", default=30)
CELERY_BEAT_SCHEDULE = {
    # Finds what a lost message left behind: the database, not the broker, knows what is owed.
    "sweep default enrollments": {
        "task": "default_enrollments.sweep",
        "schedule": schedule(run_every=SWEEP_SECONDS),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
    # Notices when a course gets another run, a run closes, a catalog or a mode changes; wakes who waits for that.
    "check intentions": {
        "task": "default_enrollments.check_all_intentions",
        "schedule": schedule(run_every=CHECK_INTENTIONS_SECONDS),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
    # Finds what nobody announces: learners who left, licenses that were revoked, modes that drifted.
    "reconcile realizations": {
        "task": "default_enrollments.reconcile",
        "schedule": schedule(run_every=RECONCILE_SECONDS),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
    # Finds jobs that were left behind by a lost message, or by a worker that ended.
    "sweep jobs": {
        "task": "jobs.sweep",
        "schedule": schedule(run_every=SWEEP_SECONDS),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
    "prune jobs": {"task": "jobs.prune", "schedule": schedule(run_every=24 * 60 * 60)},
    "prune attempts": {"task": "default_enrollments.prune_attempts", "schedule": schedule(run_every=24 * 60 * 60)},
    # Mails staff, once a day each, which intentions need attention. Hourly, so that a mail that failed is tried again.
    "mail digest": {
        "task": "default_enrollments.mail_digest",
        "schedule": schedule(run_every=60 * 60),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
    # Notices when our account has lost a right at a neighbour, or got it back.
    "check neighbours": {
        "task": "customers.check_neighbours",
        "schedule": schedule(run_every=CHECK_NEIGHBOURS_SECONDS),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
    # Sooner where the last check found a problem: what is mended is not shown as broken for long.
    "check neighbours again": {
        "task": "customers.check_neighbours_again",
        "schedule": schedule(run_every=60),
        "options": {"expires": 60},
    },
    # Keeps the modes of runs young, within what the LMS allows a minute.
    "refresh modes": {
        "task": "content_metadata.refresh_aging_modes",
        "schedule": schedule(run_every=60),
        "options": {"expires": BEAT_EXPIRES_SECONDS},
    },
}

# --- The event bus (docs/how-to/event-bus.rst) --------------------------------------------------------------------

# Where the bus is: `redis://...`. Without an address there is no event bus: nothing is heard, and nothing is said.
EVENT_BUS_REDIS_CONNECTION_URL = env.str("EVENT_BUS_REDIS_CONNECTION_URL", default="") or None
# How long pages of the portal, which never wait for a read of the platform, show stored enrollments without marking
# them as stale while events keep them up to date. Without an event bus it is ENROLLMENTS_FRESH_SECONDS.
ENROLLMENTS_SHOWN_SECONDS = env.int("ENROLLMENTS_SHOWN_SECONDS", default=15 * 60)
# What is put before the names of topics. As in the LMS.
EVENT_BUS_TOPIC_PREFIX = env.str("EVENT_BUS_TOPIC_PREFIX", default="")
EVENT_BUS_CONSUMER = "enterprise_access.events.consumer.DurableRedisConsumer"
EVENT_BUS_PRODUCER = EVENT_BUS_REDIS_CONNECTION_URL and "enterprise_access.events.producer.create_producer"
EVENTS_SERVICE_NAME = "enterprise-access"
# The consumer group; all consumers of one installation share it.
EVENT_BUS_GROUP = env.str("EVENT_BUS_GROUP", default="enterprise-access")
# Where our own events go: one topic, so that what happens to one learner stays in order.
EVENT_BUS_OWN_TOPIC = env.str("EVENT_BUS_OWN_TOPIC", default="enterprise-default-enrollments")
# The topics that our consumers are started for, so that /metrics can tell how far they are behind.
EVENT_BUS_TOPICS: list[str] = env.list(
    "EVENT_BUS_TOPICS",
    default=[
        "learning-session-login",
        "learning-student-registration",
        "learning-course-enrollment-changed",
        "learning-course-unenrollment",
    ],
)
# How many messages are read, handled and acknowledged together.
EVENT_BUS_BATCH = env.int("EVENT_BUS_BATCH", default=200)
# How often an event is tried whose handling fails, before it is set aside.
EVENT_BUS_TRIES = env.int("EVENT_BUS_TRIES", default=5)
# When a consumer takes over what another one has read and not acknowledged.
EVENT_BUS_CLAIM_AFTER_SECONDS = env.int("EVENT_BUS_CLAIM_AFTER_SECONDS", default=60)
# How long a consumer waits for a Redis or a database that is away, before it ends and is started anew.
EVENT_BUS_GIVE_UP_SECONDS = env.int("EVENT_BUS_GIVE_UP_SECONDS", default=120)
# How long Redis may take to be connected to.
EVENT_BUS_CONNECT_TIMEOUT_SECONDS = env.float("EVENT_BUS_CONNECT_TIMEOUT_SECONDS", default=2)
# How long Redis may take to answer.
EVENT_BUS_READ_TIMEOUT_SECONDS = env.float("EVENT_BUS_READ_TIMEOUT_SECONDS", default=5)
# A stream longer than this loses its oldest messages. The LMS has a setting of the same name for its own topics.
EVENT_BUS_REDIS_STREAM_MAX_LEN = env.int("EVENT_BUS_REDIS_STREAM_MAX_LEN", default=1_000_000)
# How often beat looks for learners who have logged in and whose customer is still to be found.
RESOLVE_SIGHTINGS_SECONDS = env.int("RESOLVE_SIGHTINGS_SECONDS", default=10)
# How often beat looks for events of ours that are still to be sent.
RELAY_SECONDS = env.int("RELAY_SECONDS", default=10)
if EVENT_BUS_REDIS_CONNECTION_URL:
    CELERY_BEAT_SCHEDULE |= {
        # Finds learners who were seen and whose link is still to be found.
        "resolve sightings": {
            "task": "default_enrollments.resolve_sightings",
            "schedule": schedule(run_every=RESOLVE_SIGHTINGS_SECONDS),
            "options": {"expires": BEAT_EXPIRES_SECONDS},
        },
        "prune sightings": {"task": "customers.prune_sightings", "schedule": schedule(run_every=60 * 60)},
        # Sends what is in the outbox.
        "relay events": {
            "task": "events.relay",
            "schedule": schedule(run_every=RELAY_SECONDS),
            "options": {"expires": BEAT_EXPIRES_SECONDS},
        },
        "prune messages set aside": {"task": "events.prune_set_aside", "schedule": schedule(run_every=24 * 60 * 60)},
    }

# --- Mail, and what is watched ------------------------------------------------------------------------------------

# Where mail is handed in: `smtp://...`, `smtp+tls://user:password@host:port`, `consolemail://`.
globals().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
# How long that may take.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT_SECONDS", default=10)
# From whom our mail comes.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="enterprise-access@localhost")
# How long /health/ready/ waits for what it asks over the network. (Database and cache have time limits of their own.)
HEALTH_TIMEOUT_SECONDS = env.float("HEALTH_TIMEOUT_SECONDS", default=2)
# The overview in the admin is counted anew for everybody who looks, unless counting took longer than this: then what
# was found is shown for a minute, with its time.
OVERVIEW_SLOW_SECONDS = env.float("OVERVIEW_SLOW_SECONDS", default=0.2)
# What a scraper of /metrics sends as `Authorization: Bearer ...`. While there is none, there is no such page.
METRICS_CREDENTIALS = env.str("METRICS_CREDENTIALS", default="") or None
# Workers and consumers tell what they count on this port, without a login: for the inside only. 0: they do not.
METRICS_PORT = env.int("METRICS_PORT", default=0)
# edx-django-utils' monitoring backends, as dotted names; none unless the installation has one.
OPENEDX_TELEMETRY: list[str] = env.list("OPENEDX_TELEMETRY", default=[])

# --- What is said ------------------------------------------------------------------------------------------------

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
            # `json`: one object a line, for whatever collects them; `line`: for people.
            "formatter": env.str("LOG_FORMAT", default="line"),
            "filters": ["request_id"],
        },
    },
    "loggers": {
        # Says every message it takes; our own lines say what came of it.
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
    # From which level on something is said: `DEBUG`, `INFO`, `WARNING`, `ERROR`.
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}

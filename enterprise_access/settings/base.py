"""What every installation shares. The environment is read here and in the sibling modules, and nowhere else.

A name without a default is required: the process refuses to start and says which one is missing.
"""

from pathlib import Path

from django.conf import global_settings
from django.utils.translation import to_locale

from enterprise_access.settings.background import *  # noqa: F403
from enterprise_access.settings.beat import *  # noqa: F403
from enterprise_access.settings.default_enrollments import *  # noqa: F403
from enterprise_access.settings.default_enrollments import DEFAULT_ENROLLMENTS_CONTEXT
from enterprise_access.settings.event_bus import *  # noqa: F403
from enterprise_access.settings.learner_credit import *  # noqa: F403
from enterprise_access.settings.people import *  # noqa: F403
from enterprise_access.settings.provisioning import *  # noqa: F403
from enterprise_access.settings.reading import Environment
from enterprise_access.settings.rest_api import *  # noqa: F403
from enterprise_access.settings.storage import *  # noqa: F403
from enterprise_access.settings.watching import *  # noqa: F403

env = Environment()

ROOT = Path(__file__).resolve().parent.parent.parent

# --- Django -----------------------------------------------------------------------------------------------------

# Django's secret key.
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = False
# Host names of the service, including the one that Prometheus uses.
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
ROOT_URLCONF = "enterprise_access.urls"
WSGI_APPLICATION = "enterprise_access.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "core.User"
LANGUAGE_CODE = "en"
LOCALE_PATHS = [ROOT / "enterprise_access" / "locale"]
# Those in which mails can be written: English, and what has a folder above (docs/how-to/mails.rst).
LANGUAGES = [
    (code, name)
    for code, name in global_settings.LANGUAGES
    if code == LANGUAGE_CODE or (LOCALE_PATHS[0] / to_locale(code)).is_dir()
]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
# How instants are written on the admin pages.
FORMAT_MODULE_PATH = ["enterprise_access.settings.formats"]
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
    "enterprise_access.apps.groups",
    "enterprise_access.apps.notifications",
    "enterprise_access.apps.subsidy_access_policies",
    "enterprise_access.apps.content_assignments",
    "enterprise_access.apps.subsidy_requests",
    "enterprise_access.apps.redemption",
    "enterprise_access.apps.default_enrollments",
    "enterprise_access.apps.provisioning",
    "enterprise_access.apps.moving_in",
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
    "enterprise_access.lib.language.ApiLanguageMiddleware",
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
                *DEFAULT_ENROLLMENTS_CONTEXT,
            ],
        },
    },
]


# --- Upstream services ------------------------------------------------------------------------------------------

# Base address of the LMS. The clients append the paths of each service's API to this and the next two addresses.
LMS_BASE_URL = env.str("LMS_BASE_URL")
# Base address of enterprise-catalog.
CATALOG_BASE_URL = env.str("CATALOG_BASE_URL")
# Base address of license-manager.
LICENSE_MANAGER_BASE_URL = env.str("LICENSE_MANAGER_BASE_URL")
# Optional: base address of course-discovery. Commands and the page of a course read course types from it.
DISCOVERY_BASE_URL = env.str("DISCOVERY_BASE_URL", default="") or None
# Optional: base address of enterprise-subsidy. Without it, learner credit is off.
SUBSIDY_BASE_URL = env.str("SUBSIDY_BASE_URL", default="") or None
# Base address of the service that issues tokens to this service, if it is not the LMS.
OAUTH2_BASE_URL = env.str("OAUTH2_BASE_URL", default=LMS_BASE_URL)
# The service account at the LMS: an account that is staff and has the role `enterprise_openedx_operator:*`.
OAUTH2_CLIENT_ID = env.str("OAUTH2_CLIENT_ID")
# Secret of the service account.
OAUTH2_CLIENT_SECRET = env.str("OAUTH2_CLIENT_SECRET")
# The LMS user id of a learner who is permanently linked to some customer. An account without staff access gets shorter
# lists instead of errors; if the LMS lists this learner, the account has staff access.
LMS_CANARY_USER_ID: int | None = env.int("LMS_CANARY_USER_ID", default=None)
# Whether web and worker processes check the permissions of the service account when they start, and log what is
# missing.
CHECK_NEIGHBOURS_AT_START = env.bool("CHECK_NEIGHBOURS_AT_START", default=True)
# How long the service trusts that its account has staff access, after the LMS has listed the canary.
CANARY_BELIEVED_SECONDS = env.int("CANARY_BELIEVED_SECONDS", default=10 * 60)
# Timeout to connect to an upstream service.
UPSTREAM_CONNECT_TIMEOUT_SECONDS = env.float("UPSTREAM_CONNECT_TIMEOUT_SECONDS", default=3.05)
# How long an upstream service may send no data. A read, with its retries, takes at most twice as long in total.
UPSTREAM_READ_TIMEOUT_SECONDS = env.float("UPSTREAM_READ_TIMEOUT_SECONDS", default=10)
# How long one API request may wait for upstream services in total.
REQUEST_BUDGET_SECONDS = env.float("REQUEST_BUDGET_SECONDS", default=2.8)
# How long a page of the learner portal may take in total, even if upstream services do not answer.
PORTAL_BUDGET_SECONDS = env.float("PORTAL_BUDGET_SECONDS", default=3)
# How long a request that has a stale answer waits for the LMS before it uses that answer.
STALE_BUDGET_SECONDS = env.float("STALE_BUDGET_SECONDS", default=1)
# How long enterprise-subsidy may send no data while it redeems. It waits for the LMS in the meantime, 20 seconds by
# default: keep this longer.
REDEEM_READ_TIMEOUT_SECONDS = env.float("REDEEM_READ_TIMEOUT_SECONDS", default=45)
# Address that a learner's browser opens after a redemption; `{content_key}` is replaced by the run. Default: the LMS's
# page of the course.
COURSEWARE_URL = env.str("COURSEWARE_URL", default="") or f"{LMS_BASE_URL}/courses/{{content_key}}/courseware/"
# Optional: addresses of a learner's pages for staff, to which the page *Why?* links. `{lms_user_id}` and
# `{enterprise_customer_uuid}` are replaced. In the LMS, for example
# `https://lms.example.com/admin/auth/user/{lms_user_id}/change/`.
SUPPORT_LMS_URL = env.str("SUPPORT_LMS_URL", default="")
# The same in license-manager, for example
# `https://license-manager.example.com/admin/subsidies/customeragreement/?q={enterprise_customer_uuid}`.
SUPPORT_LICENSE_MANAGER_URL = env.str("SUPPORT_LICENSE_MANAGER_URL", default="")
# After this many failed calls in a row, a process opens its circuit to that upstream service and stops calling it for a
# while.
BREAKER_FAILURES = env.int("BREAKER_FAILURES", default=5)
# How long the circuit stays open before a call is tried again.
BREAKER_PAUSE_SECONDS = env.float("BREAKER_PAUSE_SECONDS", default=15)
# How many calls may be tried simultaneously then: as many as one page makes.
BREAKER_TRIALS = env.int("BREAKER_TRIALS", default=4)

# --- How long local copies are fresh, in seconds -----------------------------------------------------------------

# Customers, and links between learners and customers.
LINKS_FRESH_SECONDS = env.int("LINKS_FRESH_SECONDS", default=5 * 60)
# Enrollments. Workers always ask, and send nothing based on older facts.
ENROLLMENTS_FRESH_SECONDS = env.int("ENROLLMENTS_FRESH_SECONDS", default=60)
# Content; older content is served while the background refreshes it.
CONTENT_FRESH_SECONDS = env.int("CONTENT_FRESH_SECONDS", default=15 * 60)
# Older content is fetched while the caller waits, and served only if enterprise-catalog does not answer.
CONTENT_HARD_SECONDS = env.int("CONTENT_HARD_SECONDS", default=60 * 60)
# How long "there is no such content" and "it has no run" are cached.
CONTENT_ABSENT_SECONDS = env.int("CONTENT_ABSENT_SECONDS", default=60)
# How long a process uses content and modes from its memory before it checks whether another process has stored newer
# ones. 0: check each time.
CONTENT_TRUSTED_SECONDS = env.float("CONTENT_TRUSTED_SECONDS", default=2)
# The modes of a run.
MODES_FRESH_SECONDS = env.int("MODES_FRESH_SECONDS", default=24 * 60 * 60)
# How long "the LMS has no such run" is cached.
MODES_ABSENT_SECONDS = env.int("MODES_ABSENT_SECONDS", default=60 * 60)
# A learner's own licenses, read with their token: one page of the portal is several simultaneous requests.
OWN_LICENSES_SECONDS = env.int("OWN_LICENSES_SECONDS", default=5)
# Older copies are not shown at all, however long an upstream service has been unavailable.
STALE_LIMIT_SECONDS = env.int("STALE_LIMIT_SECONDS", default=24 * 60 * 60)
# How long a reader waits for content in total, whether this process fetches it or another one.
CONTENT_BUDGET_SECONDS = env.float("CONTENT_BUDGET_SECONDS", default=3)
# How long a background refresh of content may take in total.
CONTENT_REFRESH_BUDGET_SECONDS = env.float("CONTENT_REFRESH_BUDGET_SECONDS", default=30)
# How long a queued background refresh counts as in progress.
CACHE_REFRESH_LATER_SECONDS = env.int("CACHE_REFRESH_LATER_SECONDS", default=30)
# Change it to invalidate all cached answers.
CACHE_STAMP = env.str("CACHE_STAMP", default="1")

# --- Licenses, and writes to the LMS ----------------------------------------------------------------------------

# How long a page load may hold the claim on a learner's licenses. After that another page load may activate or apply
# them. Longer than any request's time budget.
LICENSE_CLAIM_SECONDS = env.int("LICENSE_CLAIM_SECONDS", default=60)
# How long page loads wait before they retry a step that failed or whose outcome is unknown.
LICENSE_RETRY_SECONDS = env.int("LICENSE_RETRY_SECONDS", default=60)
# The LMS ends a request after this time. Only then does an unanswered call count as ended (and may be repeated).
LMS_REQUEST_LIMIT_SECONDS = env.int("LMS_REQUEST_LIMIT_SECONDS", default=300)

# Whether leases and the order of events use the database's clock. False: the process's own (for tests).
DATABASE_CLOCK = env.bool("DATABASE_CLOCK", default=True)

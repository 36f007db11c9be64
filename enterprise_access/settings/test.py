"""Settings of the test suite: no server, no network, keys made again for every run.

DATABASE_URL may name a PostgreSQL or MariaDB to run the same suite there.
"""

import os
import secrets

os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("DATABASE_URL", "sqlite://:memory:")
os.environ.setdefault("CACHE_URL", "locmemcache://")
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("JWT_ISSUER", "https://lms.test/oauth2")
os.environ.setdefault("JWT_AUDIENCE", "openedx")
# Replaced by the key of the run's own simulator; see tests/conftest.py.
os.environ.setdefault("JWT_PUBLIC_SIGNING_JWK_SET", '{"keys": []}')
os.environ.setdefault("LMS_BASE_URL", "https://neighbours.test/lms")
os.environ.setdefault("CATALOG_BASE_URL", "https://neighbours.test/catalog")
os.environ.setdefault("LICENSE_MANAGER_BASE_URL", "https://neighbours.test/license-manager")
os.environ.setdefault("DISCOVERY_BASE_URL", "https://neighbours.test/discovery")
os.environ.setdefault("SUBSIDY_BASE_URL", "https://neighbours.test/subsidy")
os.environ.setdefault("OAUTH2_CLIENT_ID", "enterprise-access-worker")
os.environ.setdefault("OAUTH2_CLIENT_SECRET", secrets.token_urlsafe(20))
os.environ.setdefault("CHECK_NEIGHBOURS_AT_START", "false")
# Tests move the process's clock; the database's goes on.
os.environ.setdefault("DATABASE_CLOCK", "false")
# A busy machine is no silent upstream service; tests of the budgets set their own.
os.environ.setdefault("REQUEST_BUDGET_SECONDS", "30")
os.environ.setdefault("STALE_BUDGET_SECONDS", "30")
# Nothing waits for its turn while the clock stands still; tests of the shared rate set their own.
os.environ.setdefault("PLATFORM_READS_PER_MINUTE", "0")
os.environ.setdefault("LICENSE_READS_PER_MINUTE", "0")
# What one process stores for another is seen at once; tests of the pause set their own.
os.environ.setdefault("CONTENT_TRUSTED_SECONDS", "0")
os.environ.setdefault("CORS_ALLOWED_ORIGINS", "https://portal.test")
# No worker runs while a test's own request waits; tests of the waits set their own.
os.environ.setdefault("REDEEM_WAIT_SECONDS", "0")
os.environ.setdefault("REALIZE_WAITERS", "0")
os.environ.setdefault("PROVISIONING_CATALOG_QUERIES", "1=1,2=2,3=2,4=2")
# Tests call as often as they like; those of throttling say otherwise.
KINDS = ("USER", "READ", "WRITE", "REALIZE", "PORTAL", "EXPLAIN")
os.environ |= dict.fromkeys([f"THROTTLE_{kind}" for kind in KINDS], "")

from enterprise_access.settings.base import *  # noqa: E402, F403

ALLOWED_HOSTS = ["testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("mysql"):  # noqa: F405
    # Not the collation that connections have, so that no statement depends upon their being the same.
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}  # noqa: F405

if DATABASES["default"]["ENGINE"].endswith("sqlite3") and "memory" not in DATABASES["default"]["NAME"]:  # noqa: F405
    # A file, when processes have to share it.
    DATABASES["default"]["TEST"] = {"NAME": DATABASES["default"]["NAME"] + ".test"}  # noqa: F405

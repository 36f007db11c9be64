"""Settings of `make run-services`: one machine, with PostgreSQL or MariaDB and Redis instead of the embedded parts.

`scripts/run_services.py` keeps the addresses in services.env, beside the secrets in embedded.env (var/services/); the
environment wins over both.
"""

import os

import environ
from django.core.exceptions import ImproperlyConfigured

from enterprise_access.settings import embedded

os.environ.setdefault("EMBEDDED_HOME", str(embedded.home() / "services"))
if not (embedded.home() / "services.env").is_file():
    raise ImproperlyConfigured("Nothing is known of the servers yet: start the system once with 'make run-services'.")
# The first one that names a value wins.
for name in ("services.env", "embedded.env"):
    environ.Env.read_env(embedded.home() / name)

from enterprise_access.settings.base import *  # noqa: E402, F403

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Static files are served from where they are installed.
WHITENOISE_USE_FINDERS = True

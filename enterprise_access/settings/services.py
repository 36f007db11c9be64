"""Settings of `make run-services`: one machine, with PostgreSQL and Redis instead of the embedded parts.

`scripts/run_services.py` puts the addresses into the environment.
"""

from enterprise_access.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Static files are served from where they are installed.
WHITENOISE_USE_FINDERS = True

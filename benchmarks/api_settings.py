"""Settings of the web server that `make bench-api` measures: those of an installation, and the floor beside its API."""

import os

if os.environ["DATABASE_URL"].startswith("sqlite"):
    from enterprise_access.settings.local import *  # noqa: F403
else:
    from enterprise_access.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.api_urls"
MIDDLEWARE = [*MIDDLEWARE, "benchmarks.api_floor.count_statements"]  # noqa: F405
# Nobody waits for the pace of a measurement; the throttles themselves stay in the way of floor and candidate alike.
REST_FRAMEWORK = REST_FRAMEWORK | {  # noqa: F405
    "DEFAULT_THROTTLE_RATES": dict.fromkeys(
        REST_FRAMEWORK.get("DEFAULT_THROTTLE_RATES", {}),  # noqa: F405
        "1000000/min",
    )
}
# That a neighbour hangs is no news here.
LOGGING["loggers"]["django.request"] = {"level": "CRITICAL"}  # type: ignore[index]  # noqa: F405

"""Settings of `make run`: one machine, embedded parts only, everything kept in one folder (var/).

The keys and addresses are in that folder's embedded.env, which is written when it is missing; the environment wins
over it.
"""

import environ

from enterprise_access.settings import embedded

HOME = embedded.home()

if not (HOME / "embedded.env").is_file():
    embedded.service_environment(HOME, web_port=embedded.WEB_PORT, simulator_port=embedded.SIMULATOR_PORT)
environ.Env.read_env(HOME / "embedded.env")

from enterprise_access.settings.base import *  # noqa: E402, F403
from enterprise_access.settings.base import (  # noqa: E402
    CACHES,
    CELERY_BROKER_URL,
    DATABASES,
    cache_from,
    database_from,
)

ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

# Static files are served from where they are installed.
WHITENOISE_USE_FINDERS = True

# A cache that several processes share, in a file of its own so that it never waits for the data's write lock.
# (Django's file-based cache has no `add` that is safe between processes.)
DATABASES["cache"] = database_from(f"sqlite:///{HOME / 'cache.sqlite3'}")
# What is in it may be lost, so no one waits for the disk.
DATABASES["cache"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
DATABASE_ROUTERS = ["enterprise_access.lib.routers.CacheRouter"]
CACHES["default"] = cache_from("dbcache://cache_entry")
# Counting calls is not worth a write to the disk for each of them: each process counts its own.
CACHES["throttles"] = CACHES["throttles_of_process"]

# Celery's messages are files. Both folders are the same one: what one process sends, the other reads.
if CELERY_BROKER_URL.startswith("filesystem:"):
    # kombu's own lets a worker find half a message, and the worker ends.
    CELERY_BROKER_TRANSPORT = "enterprise_access.lib.message_files:WholeFilesTransport"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "data_folder_in": str(HOME / "broker"),
    "data_folder_out": str(HOME / "broker"),
    "control_folder": str(HOME / "broker-control"),
    "polling_interval": 0.2,
}

"""Where things are kept: databases and caches."""

from typing import Any

import environ

from enterprise_access.settings.reading import Environment, truth

env = Environment()

# --- Storage ----------------------------------------------------------------------------------------------------


def database_from(url: str) -> dict[str, Any]:
    """Return Django's settings of the database at `url`, with what each engine needs to be safe under concurrency."""
    config: dict[str, Any] = dict(environ.Env.db_url_config(url))
    options = config.setdefault("OPTIONS", {})
    # The library leaves "true" and "false" a text, and Django takes any text for true.
    if isinstance(is_pooled := config.get("DISABLE_SERVER_SIDE_CURSORS"), str):
        config["DISABLE_SERVER_SIDE_CURSORS"] = truth("DISABLE_SERVER_SIDE_CURSORS of DATABASE_URL", is_pooled)
    if config["ENGINE"].endswith("sqlite3"):
        # Writers queue instead of failing: a write lock is taken at the start of a transaction and waited for.
        options |= {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": "PRAGMA journal_mode=WAL;"}
    if config["ENGINE"].endswith("mysql"):
        options |= {"charset": "utf8mb4", "isolation_level": "read committed"}
        # In case the server's default says otherwise: refuse what does not fit instead of cutting it off.
        options["init_command"] = "SET sql_mode='STRICT_TRANS_TABLES'"
        config["TEST"] = {"CHARSET": "utf8mb4"}
    if not config["ENGINE"].endswith("sqlite3"):
        # Timeout to connect to a database server. Shorter than the network's own.
        options.setdefault("connect_timeout", env.int("DATABASE_CONNECT_TIMEOUT_SECONDS", default=5))
    # How long a database connection is kept for later requests.
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


# The database, which is the record of pending and done work: `mysql://...`, `postgres://...` or `sqlite:///...`. Add
# `?DISABLE_SERVER_SIDE_CURSORS=true` behind a pooler that hands out another session for each transaction.
DATABASES = {"default": database_from(env.str("DATABASE_URL"))}
CACHES = {
    # The cache that all processes share: `pymemcache://...` or `redis://...`. Losing its data only delays work.
    "default": cache_from(env.str("CACHE_URL")),
    # Switches are read from the database: what pauses everything must work when a cache is away, and at once.
    "switches": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    # The cache that all processes share: `pymemcache://...` or `redis://...`. Losing its data only delays work.
    "throttles": cache_from(env.str("CACHE_URL")),
    "throttles_of_process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttles"},
}
WAFFLE_CACHE_NAME = "switches"

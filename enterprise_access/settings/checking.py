"""What is wrong with an environment, in words for whoever has to mend it. No value is quoted: it may be a secret."""

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import environ

_ADDRESSES = (
    "LMS_BASE_URL",
    "CATALOG_BASE_URL",
    "LICENSE_MANAGER_BASE_URL",
    "DISCOVERY_BASE_URL",
    "SUBSIDY_BASE_URL",
    "OAUTH2_BASE_URL",
)
_ORIGINS = ("CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS")
_DATABASES = frozenset({"mysql", "postgres", "postgresql", "psql", "pgsql", "sqlite"})
_BUSES = frozenset({"redis", "rediss", "unix"})
# Of these, none would do nothing for ever, or the same without a pause.
_AT_LEAST_ONE = (
    "ATTEMPTS_KEPT_DAYS",
    "CHECK_INTENTIONS_SECONDS",
    "CHECK_NEIGHBOURS_SECONDS",
    "ENROLL_BATCH",
    "EVENT_BUS_BATCH",
    "EVENT_BUS_REDIS_STREAM_MAX_LEN",
    "EVENT_BUS_TRIES",
    "LEASE_SECONDS",
    "MODES_PER_MINUTE",
    "REALIZE_BATCH",
    "RECONCILE_LEARNERS",
    "RECONCILE_SECONDS",
    "RELAY_SECONDS",
    "RESOLVE_SIGHTINGS_SECONDS",
    "SWEEP_SECONDS",
)
# What a worker may do between two renewals of its lease, and how long the lease lasts, with their defaults. A worker
# that is silent for longer loses its rows to another one, each time.
_WITHIN_A_LEASE = {"CONTENT_REFRESH_BUDGET_SECONDS": 30.0, "ENROLL_READ_TIMEOUT_SECONDS": 30.0}
_LEASE = ("LEASE_SECONDS", 120.0)
# The members of a JSON Web Key that only its owner may know.
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


def problems_with(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each value that cannot work. What is not set, or empty, is no problem here."""
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    return [
        *_hosts(given.get("ALLOWED_HOSTS")),
        *(problem for name in _ADDRESSES if name in given for problem in _address(name, given[name])),
        *(problem for name in _ORIGINS if name in given for problem in _origins(name, given[name])),
        *_servers(given),
        *_keys(given.get("JWT_PUBLIC_SIGNING_JWK_SET")),
        *_durations(given),
        *(f"{name} has to be at least 1." for name in _AT_LEAST_ONE if _is_zero(given.get(name, ""))),
    ]


def _hosts(text: str | None) -> Iterator[str]:
    if text is None:
        return
    hosts = [host.strip() for host in text.split(",")]
    if not any(hosts):
        yield "ALLOWED_HOSTS names no host."
    elif any("/" in host or re.search(r"\s", host) or re.search(r"[^:]:\d+$", host) for host in hosts):
        yield "ALLOWED_HOSTS has to hold names only, separated by commas: no scheme, no port, no path."


def _address(name: str, text: str) -> Iterator[str]:
    try:
        parts = urlsplit(text)
        is_absolute = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket that is not closed
        is_absolute = False
    if not is_absolute or re.search(r"\s", text):
        yield f"{name} has to be an absolute address: http://... or https://..."
    elif parts.query or parts.fragment:
        yield f"{name} has to be a base address, without ? and #: paths are appended to it."


def _origins(name: str, text: str) -> Iterator[str]:
    for origin in filter(None, map(str.strip, text.split(","))):
        if not re.fullmatch(r"https?://[^/\s?#]+", origin):
            yield f"{name} has to hold origins, separated by commas: https://portal.example.com, without a path."
            return


def _servers(given: Mapping[str, str]) -> Iterator[str]:
    if url := given.get("DATABASE_URL"):
        yield from _database(url)
    if "CACHE_URL" in given and _scheme(given["CACHE_URL"]) not in environ.Env.CACHE_SCHEMES:
        yield "CACHE_URL has to begin with pymemcache:// or redis:// (or another scheme of django-environ)."
    if "CELERY_BROKER_URL" in given and not _scheme(given["CELERY_BROKER_URL"]):
        yield "CELERY_BROKER_URL has to begin with redis://, amqp:// or the like."
    if "EVENT_BUS_REDIS_CONNECTION_URL" in given and _scheme(given["EVENT_BUS_REDIS_CONNECTION_URL"]) not in _BUSES:
        yield "EVENT_BUS_REDIS_CONNECTION_URL has to begin with redis:// or rediss://."


def _database(url: str) -> Iterator[str]:
    if _scheme(url) not in _DATABASES:
        yield "DATABASE_URL has to begin with mysql://, postgres:// or sqlite:///."
    elif url != "sqlite://:memory:" and not url.partition("://")[2].partition("/")[2]:
        yield "DATABASE_URL has to end with the name of a database: .../access."


def _scheme(url: str) -> str:
    return url.partition("://")[0].lower() if "://" in url else ""


def _keys(text: str | None) -> Iterator[str]:
    if text is None:
        return
    name = "JWT_PUBLIC_SIGNING_JWK_SET"
    try:
        keys = json.loads(text)["keys"]
        members = {member for key in keys for member in dict(key)}
    except (ValueError, TypeError, KeyError):
        yield f'{name} has to be a JSON Web Key Set: {{"keys": [...]}}.'
        return
    if members & _PRIVATE_MEMBERS:
        yield f"{name} holds a private key. Only the public half belongs here; the LMS keeps the other one."


def _durations(given: Mapping[str, str]) -> Iterator[str]:
    lease = _number(given, *_LEASE)
    for name, default in _WITHIN_A_LEASE.items():
        if lease > 0 and not _number(given, name, default) < lease:
            yield f"{name} has to be less than LEASE_SECONDS: a worker renews its lease only before and after."


def _number(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(given.get(name, default))
    except ValueError:
        # Reading the settings says so.
        return default


def _is_zero(text: str) -> bool:
    return bool(re.fullmatch(r"0+(\.0*)?", text))

"""An installation of its own for each test: real processes on a PostgreSQL and a Redis that nobody else uses."""

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import frozen
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler
from django.utils import timezone

from benchmarks.storm_neighbours import COURSES, STORM
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.settings.base import database_from
from simulator.seed import WORKER_KEY, WORKER_SECRET
from simulator.tokens import AUDIENCE, ISSUER
from tests.chaos.fleet import Fleet, UpstreamServices, neighbours
from tests.chaos.servers import PostgreSQL, Redis

BROKER, CACHE, BUS = 0, 1, 2
TEMPLATE = "migrated"
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
# A learner of the simulated world who is linked for good.
CANARY = 1001


@frozen(kw_only=True)
class Installation:
    """What a test has of its own. This process sees the same database as the fleet."""

    database: PostgreSQL
    redis: Redis
    neighbours: UpstreamServices
    fleet: Fleet
    customer: EnterpriseCustomer


@pytest.fixture(scope="session")
def postgresql(django_db_blocker: Any) -> Iterator[PostgreSQL]:
    """Return a server with a database in which the migrations have been run."""
    if connections["default"].vendor != "postgresql":
        # Nobody connects to it, but models are made for one kind of database when they are loaded.
        pytest.fail("This needs a DATABASE_URL of PostgreSQL, whichever, as `make test-chaos` has it.")
    # Not where pytest keeps its own: no other user may look in there.
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        server = PostgreSQL(Path(folder))
        server.start()
        try:
            _execute(server, f"CREATE DATABASE {TEMPLATE}")
            with django_db_blocker.unblock(), _models_in(server.url(TEMPLATE)):
                call_command("migrate", verbosity=0)
            yield server
        finally:
            server.stop("immediate")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def database_url(postgresql: PostgreSQL, django_db_blocker: Any) -> Iterator[str]:
    """Let the models of this process be in a new database on the server, and return its address."""
    name = f"chaos_{secrets.token_hex(4)}"
    _execute(postgresql, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = postgresql.url(name)
    with django_db_blocker.unblock(), _models_in(url):
        yield url


@pytest.fixture
def installation(
    postgresql: PostgreSQL, redis_server: Redis, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """Return an installation of which nothing runs yet but the servers and the neighbours.

    The test's parameter for this fixture says how many learners the customer has.
    """
    with neighbours(learners=request.param, bus_url=redis_server.url(BUS), folder=tmp_path) as others:
        fleet = Fleet(_environment(database_url, redis_server, others), tmp_path)
        customer = EnterpriseCustomer.objects.create(
            uuid=others.customer_uuid(), slug=STORM, name=STORM, fetched_at=timezone.now()
        )
        for key in COURSES:
            DefaultEnterpriseEnrollmentIntention.objects.create(customer=customer, content_key=key)
        try:
            yield Installation(
                database=postgresql, redis=redis_server, neighbours=others, fleet=fleet, customer=customer
            )
        finally:
            fleet.kill_all()


def _environment(database_url: str, redis_server: Redis, others: UpstreamServices) -> dict[str, str]:
    """Return the environment of a real installation, with shorter pauses, so that a test is over in minutes."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.production",
        "EDX_REST_API_CLIENT_NAME": "enterprise-access",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SECURE_SSL_REDIRECT": "false",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": redis_server.url(BROKER),
        "CACHE_URL": redis_server.url(CACHE),
        "EVENT_BUS_REDIS_CONNECTION_URL": redis_server.url(BUS),
        "LMS_BASE_URL": f"{others.address}/lms",
        "CATALOG_BASE_URL": f"{others.address}/catalog",
        "LICENSE_MANAGER_BASE_URL": f"{others.address}/license-manager",
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(others.call("GET", "/lms/oauth2/jwks")),
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "LMS_CANARY_USER_ID": str(CANARY),
        "LEASE_SECONDS": "40",
        "LMS_REQUEST_LIMIT_SECONDS": "35",
        "SWEEP_SECONDS": "2",
        "RESOLVE_SIGHTINGS_SECONDS": "2",
        "RELAY_SECONDS": "2",
        "EVENT_BUS_CLAIM_AFTER_SECONDS": "10",
    }


@contextlib.contextmanager
def _models_in(url: str) -> Iterator[None]:
    """Let the models of this process be in the database at `url`, whatever the test suite has otherwise."""
    before = connections["default"]
    connections["default"] = ConnectionHandler({"default": database_from(url)}).create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = before


def _execute(server: PostgreSQL, statement: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())

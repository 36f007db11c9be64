"""What the fixtures of conftest.py do, for those that live longer or do it again."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from edx_django_utils.cache import TieredCache
from requests.adapters import HTTPAdapter

from enterprise_access.apps.content_metadata.selectors import content, modes
from enterprise_access.lib import breaker, clock, jobs, shared_cache
from enterprise_access.upstream import connections
from simulator.app import Simulator, create_app, simulator_of
from simulator.in_process import SimulatorAdapter
from simulator.seed import WORKER_KEY, WORKER_SECRET
from simulator.tokens import throwaway_jwk

SIGNING_JWK = throwaway_jwk()


def forget_everything() -> None:
    """Remember nothing: no answer, no token, no open session, no open breaker."""
    shared_cache.forget_silence()
    cache.clear()
    TieredCache.dangerous_clear_all_tiers()
    connections.forget()
    breaker._breaker_of.cache_clear()
    jobs.forget()
    clock.forget()
    content._cache._kept.clear()
    modes._seen.clear()


def copy_database(path: Path) -> None:
    """Copy the database of the tests to a file, for a process of its own: migrating an empty one takes seconds.

    Where the tests have another database than SQLite, nothing is copied, and the process migrates.
    """
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        # A backup would wait for the end of the transaction that the test is in.
        path.write_bytes(connection.connection.serialize())


def play_neighbours(patch: pytest.MonkeyPatch) -> tuple[Simulator, dict[str, Any]]:
    """Put the simulator, with its named world, where the neighbours are; everything sent over HTTP ends up there.

    Return it, and the settings with which we are known there and know its tokens.
    """
    issuer = django_settings.JWT_AUTH["JWT_ISSUERS"][0]
    app = create_app(signing_key=SIGNING_JWK, issuer=issuer["ISSUER"], audience=issuer["AUDIENCE"])
    adapter = SimulatorAdapter(app)
    patch.setattr(HTTPAdapter, "send", lambda _, *args, **kwargs: adapter.send(*args, **kwargs))
    simulator = simulator_of(app)
    return simulator, {
        "JWT_AUTH": django_settings.JWT_AUTH | {"JWT_PUBLIC_SIGNING_JWK_SET": simulator.tokens.public_jwk_set()},
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
    }

"""GET health/live and health/ready: is the process alive, and can it do its work?"""

import shutil
import time
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from enterprise_access.lib import health
from enterprise_access.lib.breaker import breaker_of
from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.neighbour_checks import NeighbourCheck, remember_checks
from enterprise_access.lib.tests.test_caching import BROKEN

LIVE, READY = "/health/live/", "/health/ready/"


@pytest.fixture(autouse=True)
def _nothing_is_known():
    health.forget()
    yield
    health.forget()
    health._network_looks.pop("hanging", None)


def ask():
    answer = Client().get(READY)
    return answer.status_code, answer.json()["status"], answer.json()["parts"]


def status_of(part):
    return ask()[2][part]["status"]


def test_live_needs_no_login_no_database_and_no_neighbour():
    answer = Client().get(LIVE)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", [LIVE, READY])
@pytest.mark.django_db
def test_nobody_writes_to_health_and_nobody_keeps_its_answer(path):
    assert Client().post(path).status_code == 405
    assert "no-store" in Client().get(path).headers["Cache-Control"]


@pytest.mark.django_db
def test_the_start_page_leads_to_the_admin():
    assert Client().get("/").headers["Location"] == "/admin/"


@pytest.mark.django_db
def test_with_everything_there_it_is_ready_and_every_part_says_so():
    code, status, parts = ask()
    assert (code, status) == (200, "ok")
    assert set(parts) == {
        "database",
        "migrations",
        "cache",
        "broker",
        "neighbours",
        "rights",
        "clock",
        "work",
        "redemptions",
    }
    assert {part["status"] for part in parts.values()} == {"ok"}
    assert all(part["took_seconds"] < 2 for part in parts.values())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="The disk of a database server is not this process's.")
@pytest.mark.parametrize(("free_mb", "status"), [(64, "ok"), (63, "degraded")])
@pytest.mark.django_db
def test_an_embedded_database_without_room_to_grow_is_told(monkeypatch, tmp_path, free_mb, status):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setitem(connection.settings_dict, "NAME", str(tmp_path / "db.sqlite3"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free_mb * 1024 * 1024))
    code, whole, parts = ask()
    assert (code, whole, parts["disk"]["status"]) == (200, status, status)


@pytest.mark.django_db
def test_asking_often_costs_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(17):
        ask()
    with django_assert_num_queries(0):
        ask()


@pytest.mark.django_db
def test_without_its_database_it_is_not_ready(monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("no route to db.internal:5432 for user access")

    monkeypatch.setattr(connection, "cursor", away)
    answer = Client().get(READY)
    assert (answer.status_code, answer.json()["status"]) == (503, "down")
    assert answer.json()["parts"]["database"] | {"age_seconds": 0, "took_seconds": 0} == {
        "status": "down",
        "detail": "OperationalError",
        "age_seconds": 0,
        "took_seconds": 0,
    }
    assert b"internal" not in answer.content


@pytest.mark.django_db
def test_with_a_migration_missing_it_is_not_ready_until_it_is_applied():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'events'")
    code, status, parts = ask()
    assert (code, status) == (503, "down")
    assert parts["migrations"]["detail"] == "2 not applied"


@pytest.mark.django_db
def test_without_a_cache_it_is_slower_and_ready(settings):
    settings.CACHES = settings.CACHES | {"default": {"BACKEND": BROKEN}}
    code, status, parts = ask()
    assert (code, status) == (200, "degraded")
    assert parts["cache"]["status"] == "degraded"


@pytest.mark.django_db
def test_a_part_that_hangs_holds_nobody_up(settings):
    """It is left behind; what it does later is nobody's business."""
    settings.HEALTH_TIMEOUT_SECONDS = 0.3
    health.register_on_network("hanging", lambda: time.sleep(2))
    started = time.monotonic()
    code, status, parts = ask()
    assert time.monotonic() - started < 1.5
    assert (code, status) == (200, "degraded")
    assert parts["hanging"]["detail"] == "did not answer in time"


@pytest.mark.django_db
def test_a_neighbour_that_is_left_alone_is_named_and_takes_nobody_out_of_service(settings):
    for _ in range(settings.BREAKER_FAILURES):
        with pytest.raises(UpstreamUnavailable):
            breaker_of("lms").call(fail)
    code, status, parts = ask()
    assert (code, status) == (200, "degraded")
    assert parts["neighbours"]["detail"] == "left alone: lms"


def fail():
    raise UpstreamUnavailable("away", service="lms", reason=UpstreamReason.TIMEOUT)


@pytest.mark.django_db
def test_rights_are_as_old_as_the_last_check():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        remember_checks([NeighbourCheck(name="LMS", at=timezone.now())])
        clock.shift(timedelta(minutes=20))
        rights = ask()[2]["rights"]
        assert (rights["status"], rights["age_seconds"]) == ("ok", 1200)
        health.forget()
        clock.shift(timedelta(hours=2))
        assert ask()[2]["rights"]["detail"] == "not checked for long"


@pytest.mark.django_db
def test_a_missing_right_is_named():
    remember_checks([NeighbourCheck(name="LMS (staff)", at=timezone.now(), problem="forbidden: HTTP 403")])
    rights = ask()[2]["rights"]
    assert (rights["status"], rights["detail"]) == ("degraded", "failed: LMS (staff)")


@pytest.mark.django_db
def test_an_empty_cache_is_a_cache():
    cache.clear()
    assert status_of("cache") == "ok"

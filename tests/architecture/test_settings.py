"""What is written wrongly into the environment is said at the start, by its name and without its value."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from enterprise_access.settings import base, checking
from enterprise_access.settings.checking import problems_with
from enterprise_access.settings.reading import Environment
from enterprise_access.settings.storage import database_from

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from check_deploy import made_up  # noqa: E402

REQUIRED = ["ALLOWED_HOSTS", "CACHE_URL", "CATALOG_BASE_URL", "CELERY_BROKER_URL", "DATABASE_URL", "JWT_AUDIENCE"]
REQUIRED += ["JWT_ISSUER", "JWT_PUBLIC_SIGNING_JWK_SET", "LICENSE_MANAGER_BASE_URL", "LMS_BASE_URL"]
REQUIRED += ["OAUTH2_CLIENT_ID", "OAUTH2_CLIENT_SECRET", "SECRET_KEY"]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("ALLOWED_HOSTS", ",", "names no host"),
        ("ALLOWED_HOSTS", "https://access.example.com", "no scheme"),
        ("ALLOWED_HOSTS", "access.example.com:8000", "no port"),
        ("ALLOWED_HOSTS", "access.example.com lms.example.com", "separated by commas"),
        ("LMS_BASE_URL", "lms.example.com", "absolute"),
        ("LMS_BASE_URL", "/lms", "absolute"),
        ("LMS_BASE_URL", "ftp://lms.example.com", "absolute"),
        ("LMS_BASE_URL", "https://lms.example.com:port", "absolute"),
        ("LMS_BASE_URL", "https://[::1", "absolute"),
        ("LMS_BASE_URL", "https://", "absolute"),
        ("CATALOG_BASE_URL", "catalog", "absolute"),
        ("LICENSE_MANAGER_BASE_URL", "https://licenses.example.com?x=1", "base address"),
        ("DISCOVERY_BASE_URL", "discovery", "absolute"),
        ("SUBSIDY_BASE_URL", "subsidy", "absolute"),
        ("OAUTH2_BASE_URL", "lms:8000", "absolute"),
        ("CORS_ALLOWED_ORIGINS", "https://portal.example.com/", "without a path"),
        ("CORS_ALLOWED_ORIGINS", "https://a.example.com, portal", "without a path"),
        ("CSRF_TRUSTED_ORIGINS", "portal.example.com", "without a path"),
        ("DATABASE_URL", "database.example.com/access", "begin with"),
        ("DATABASE_URL", "oracle9://database.example.com/access", "begin with"),
        ("DATABASE_URL", "postgres://user:pw@database.example.com", "name of a database"),
        ("DATABASE_URL", "mysql://database.example.com/", "name of a database"),
        ("CACHE_URL", "cache.example.com:11211", "begin with"),
        ("CACHE_URL", "memcache2://cache", "begin with"),
        ("CELERY_BROKER_URL", "broker.example.com", "begin with"),
        ("EVENT_BUS_REDIS_CONNECTION_URL", "kafka://bus", "begin with"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", "MIIBIjANBgkqhkiG9w0BAQEFAAOC", "JSON Web Key Set"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", "[]", "JSON Web Key Set"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", '{"kty": "RSA", "n": "AQAB"}', "JSON Web Key Set"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", '{"keys": ["RSA"]}', "JSON Web Key Set"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", '{"keys": [{"kty": "RSA", "n": "AQAB", "d": "Zm9v"}]}', "private key"),
        ("LEASE_SECONDS", "0", "at least 1"),
        ("SWEEP_SECONDS", "00", "at least 1"),
        ("CONTENT_REFRESH_BUDGET_SECONDS", "120", "less than LEASE_SECONDS"),
        ("ENROLL_READ_TIMEOUT_SECONDS", "300", "less than LEASE_SECONDS"),
    ],
)
def test_a_value_that_cannot_work_is_named(name, value, what):
    (problem,) = problems_with(made_up(REQUIRED) | {name: value})
    assert name in problem
    assert what in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "localhost, 127.0.0.1,[::1],.example.com"),
        ("LMS_BASE_URL", "http://lms:8000"),
        ("LMS_BASE_URL", "https://example.com/lms/"),
        ("DISCOVERY_BASE_URL", ""),
        ("CORS_ALLOWED_ORIGINS", "http://localhost:8900,https://portal.example.com"),
        ("CSRF_TRUSTED_ORIGINS", ",https://access.example.com"),
        ("DATABASE_URL", "sqlite://:memory:"),
        ("DATABASE_URL", "sqlite:////var/lib/access/db.sqlite3"),
        ("DATABASE_URL", "mysql://access:p%2Fw@mysql:3306/access"),
        ("CACHE_URL", "rediscache://redis:6379/2"),
        ("CELERY_BROKER_URL", "amqp://guest@broker//"),
        ("EVENT_BUS_REDIS_CONNECTION_URL", "rediss://bus:6379/1"),
        ("JWT_PUBLIC_SIGNING_JWK_SET", '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}'),
        ("LEASE_SECONDS", "120"),
        ("CONTENT_REFRESH_BUDGET_SECONDS", "119"),
        ("ENROLL_READ_TIMEOUT_SECONDS", "forty"),
    ],
)
def test_a_value_that_works_is_no_problem(name, value):
    assert problems_with(made_up(REQUIRED) | {name: value}) == []


def test_the_defaults_that_are_compared_are_the_defaults():
    lease, seconds = checking._LEASE
    compared = {**checking._WITHIN_A_LEASE, lease: seconds}
    assert {name: getattr(base, name) for name in compared} == compared


def test_every_problem_is_named_at_once_and_the_service_does_not_start():
    wrong = {"LMS_BASE_URL": "lms", "JWT_PUBLIC_SIGNING_JWK_SET": "s3cret", "DATABASE_URL": "access"}
    environment = {"PATH": os.environ["PATH"]} | made_up(REQUIRED) | wrong
    environment["DJANGO_SETTINGS_MODULE"] = "enterprise_access.settings.production"
    command = [sys.executable, "-c", "import enterprise_access.wsgi"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    last_line = result.stderr.strip().rsplit("\n", 1)[-1]
    assert all(name in last_line for name in wrong)
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize("text", ["ten", "10s", "1O", "-1", "nan", "inf", "1.5.0"])
@pytest.mark.parametrize("kind", ["int", "float"])
def test_a_number_is_a_number(monkeypatch, kind, text):
    monkeypatch.setenv("A_NUMBER", text)
    with pytest.raises(ImproperlyConfigured, match="A_NUMBER"):
        getattr(Environment(), kind)("A_NUMBER", default=3)


@pytest.mark.parametrize("text", ["ture", "2", "disabled"])
def test_a_truth_value_is_not_guessed(monkeypatch, text):
    monkeypatch.setenv("A_SWITCH", text)
    with pytest.raises(ImproperlyConfigured, match="A_SWITCH"):
        Environment().bool("A_SWITCH", default=True)


def test_what_is_well_written_is_read(monkeypatch):
    monkeypatch.setenv("A_NUMBER", " 12 ")
    monkeypatch.setenv("A_SHARE", "0.5")
    monkeypatch.setenv("A_SWITCH", "Off")
    env = Environment()
    assert (env.int("A_NUMBER"), env.float("A_SHARE"), env.bool("A_SWITCH", default=True)) == (12, 0.5, False)


def test_items_may_be_written_with_blanks_between_them(monkeypatch):
    monkeypatch.setenv("SOME_NAMES", "localhost, 127.0.0.1,,")
    assert Environment().list("SOME_NAMES") == ["localhost", "127.0.0.1"]
    assert Environment().list("NO_NAMES", default=["a"]) == ["a"]


def test_empty_is_not_set(monkeypatch):
    monkeypatch.setenv("A_NUMBER", "")
    assert Environment().int("A_NUMBER", default=7) == 7
    assert Environment().bool("A_NUMBER", default=True) is True
    with pytest.raises(ImproperlyConfigured, match="A_NUMBER"):
        Environment().int("A_NUMBER")


@pytest.mark.parametrize(("written", "meant"), [("true", True), ("True", True), ("false", False), ("0", False)])
def test_an_option_of_the_database_is_a_truth_value(written, meant):
    url = f"postgres://access@pgbouncer:6432/access?DISABLE_SERVER_SIDE_CURSORS={written}"
    assert bool(database_from(url)["DISABLE_SERVER_SIDE_CURSORS"]) is meant


def test_an_option_of_the_database_that_says_neither_is_refused():
    with pytest.raises(
        ImproperlyConfigured, match="DISABLE_SERVER_SIDE_CURSORS of DATABASE_URL has to be true or false"
    ):
        database_from("postgres://access@pgbouncer:6432/access?DISABLE_SERVER_SIDE_CURSORS=ture")

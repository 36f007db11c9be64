"""How often somebody may call, what they are told, and what happens while the cache is away."""

from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from rest_framework.settings import api_settings

from simulator.seed import ACME

pytestmark = pytest.mark.django_db

STATUS = f"/api/v1/default-enterprise-enrollment-intentions/learner-status/?enterprise_customer_uuid={ACME}"
REALIZE = "/api/v1/default-enterprise-enrollment-intentions/realize/"
AWAY = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}


@pytest.fixture
def rates(monkeypatch):
    """The rates in force; those of the suite are none."""
    caches["throttles_of_process"].clear()
    rates: dict[str, Any] = dict.fromkeys(api_settings.DEFAULT_THROTTLE_RATES, "")
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", rates)
    yield rates
    caches["throttles_of_process"].clear()


@pytest.fixture
def noon():
    with time_machine.travel("2030-01-07T12:00:20Z", tick=False) as clock:
        yield clock


def statuses(client, times):
    return [client.get(STATUS).status_code for _ in range(times)]


def test_who_calls_too_often_waits_until_the_minute_is_over(noon, rates, api_as):
    rates["user"] = "2/min"
    ada = api_as("ada")
    assert statuses(ada, 3) == [200, 200, 429]
    answer = ada.get(STATUS)
    assert answer.headers["Retry-After"] == "40"
    assert answer.json()["code"] == "throttled"
    noon.shift(40)
    assert statuses(ada, 1) == [200]


def test_everybody_is_counted_alone(noon, rates, api_as):
    rates["user"] = "1/min"
    assert statuses(api_as("ada"), 2) == [200, 429]
    assert statuses(api_as("ben"), 1) == [200]


def test_kinds_of_calls_are_counted_alone(noon, rates, api_as):
    rates["read"] = "1/min"
    ada = api_as("ada")
    assert statuses(ada, 2) == [200, 429]
    assert ada.post(REALIZE, {"enterprise_customer_uuid": str(ACME)}, format="json").status_code == 200


def test_no_rate_is_no_limit(noon, rates, api_as):
    assert statuses(api_as("ada"), 5) == [200] * 5


def test_while_the_cache_is_away_each_process_counts(noon, rates, api_as, settings):
    settings.CACHES = {**settings.CACHES, "throttles": AWAY}
    rates["user"] = "2/min"
    assert statuses(api_as("ada"), 3) == [200, 200, 429]

"""GET metrics: what was counted, and what the database says, for who knows the credentials."""

import pytest
from django.core.cache import cache
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from enterprise_access.lib import metrics, state

METRICS = "/metrics"


@pytest.fixture
def scraper(settings):
    settings.METRICS_CREDENTIALS = "open sesame"
    return Client(headers={"Authorization": "Bearer open sesame"})


def scraped(client):
    answer = client.get(METRICS)
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def test_while_there_are_no_credentials_there_is_no_such_page():
    assert Client(headers={"Authorization": "Bearer "}).get(METRICS).status_code == 404
    assert Client(headers={"Authorization": "Bearer None"}).get(METRICS).status_code == 404


@pytest.mark.parametrize("said", [{}, {"Authorization": "Bearer open"}, {"Authorization": "Bearer öpen sesame"}])
def test_others_learn_nothing(scraper, said):
    answer = Client(headers=said).get(METRICS)
    assert (answer.status_code, answer.content) == (401, b"")


@pytest.mark.django_db
def test_it_tells_what_was_counted_and_what_the_database_says(scraper):
    metrics.ATTEMPTS.labels("blocked", "run_ended").inc()
    found = scraped(scraper)
    (sample,) = [
        sample
        for sample in found["enterprise_access_attempts"].samples
        if sample.name.endswith("_total") and sample.labels == {"outcome": "blocked", "reason": "run_ended"}
    ]
    assert sample.value >= 1
    owed = {sample.labels["state"]: sample.value for sample in found["enterprise_access_requests"].samples}
    assert owed == {"due": 0, "waiting": 0, "leased": 0, "dead": 0}


@pytest.mark.django_db
def test_the_number_of_queries_is_constant_and_none_when_asked_again_soon(scraper, django_assert_num_queries):
    with django_assert_num_queries(82):
        scraped(scraper)
    with django_assert_num_queries(0):
        scraped(scraper)


@pytest.mark.django_db
def test_a_source_that_cannot_be_read_is_named_and_costs_only_its_own_numbers(scraper, monkeypatch):
    def away(now):
        raise OSError

    monkeypatch.setitem(state._sources, "work", state._Source(away, 15))
    found = scraped(scraper)
    read = {sample.labels["source"]: sample.value for sample in found["enterprise_access_state_read"].samples}
    assert (read["work"], read["intentions"]) == (0, 1)
    assert "enterprise_access_requests" not in found
    assert "enterprise_access_intentions" in found


@pytest.mark.django_db
def test_requests_are_measured_by_route_and_never_by_address(scraper):
    scraper.get("/health/live/?enterprise_customer_uuid=nonsense")
    scraper.get("/made/up/1234/")
    samples = scraped(scraper)["enterprise_access_request_seconds"].samples
    routes = {sample.labels["route"] for sample in samples}
    assert {"health/live/", "none"} <= routes
    assert not any("made" in route for route in routes)


@pytest.mark.django_db
def test_what_was_read_is_read_again_after_its_time(scraper, django_assert_num_queries):
    scraped(scraper)
    cache.clear()
    with django_assert_num_queries(82):
        scraped(scraper)

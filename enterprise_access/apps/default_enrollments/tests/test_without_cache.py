"""A cache that is away makes the service slower, and changes nothing else."""

from typing import Any

import pytest
from celery import current_app
from django.core.cache import caches

from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE, REALIZE_JOB
from enterprise_access.apps.default_enrollments.tests.stories import (
    ACME,
    ADA,
    API,
    DEMO,
    DEMO_RUN,
    intend,
    realizations_of,
    work,
)
from enterprise_access.lib.tests.test_caching import BROKEN
from enterprise_access.lib.work.waking import wake

# Not inside a transaction: where the cache is a table, its absence would spoil that.
pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMER = {"enterprise_customer_uuid": str(ACME)}


@pytest.fixture(params=["refused connection", "missing table"])
def _without_cache(request: Any, settings: Any) -> None:
    settings.CACHES = settings.CACHES | {"default": BROKEN[request.param]}
    assert caches["default"].__class__.__name__ in {"RedisCache", "DatabaseCache"}


@pytest.mark.usefixtures("_without_cache")
def test_a_learner_is_served_without_a_cache(world, api_as):
    intend(DEMO)
    ada = api_as("ada")
    status = ada.get(f"{API}/learner-status/", CUSTOMER)
    assert status.status_code == 200
    assert status.json()["metadata"]["total_needs_enrollment"]["enrollable"] == 1
    assert ada.post(f"{API}/realize/", CUSTOMER, format="json").status_code == 202
    work()
    assert realizations_of(ADA).keys() == {DEMO_RUN}


@pytest.mark.usefixtures("_without_cache")
def test_a_hint_goes_out_without_a_cache(monkeypatch, caplog):
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda job, **_: sent.append(job))
    wake(QUEUE)
    assert sent == [REALIZE_JOB]
    assert [record.levelname for record in caplog.records] == ["WARNING"]

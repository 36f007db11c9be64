"""What journeys may use besides the neighbours: a clock, learners who sign in, and a worker who does what is due."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE
from enterprise_access.lib.work import waking
from simulator.seed import ACME

API = "/api/v1/default-enterprise-enrollment-intentions"


@pytest.fixture
def clock() -> Iterator[Any]:
    """Stop the clock, for us and for the neighbours; `clock.shift(...)` moves it on."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def sign_in(api_as: Callable[[str], APIClient]) -> Callable[..., None]:
    """Do what the portal does after a login: one call to us, which only notes the wish."""

    def post(username: str, customer: UUID = ACME) -> None:
        body = {"enterprise_customer_uuid": str(customer)}
        answer = api_as(username).post(f"{API}/realize/", body, format="json")
        assert answer.status_code in {200, 202}, answer.content

    return post


@pytest.fixture
def work_off() -> Callable[[], None]:
    """Do what sweep and workers do: whatever is due now, until nothing is."""

    def work() -> None:
        for _ in range(100):
            customers = waking.list_due_groups(QUEUE)
            if not [
                uuid for uuid in customers if realize_due(customer_uuid=uuid, limit=100, now=timezone.now()).learners
            ]:
                return
        raise AssertionError("There is always something due.")

    return work


@pytest.fixture
def status_of(api_as: Callable[[str], APIClient]) -> Callable[..., dict[str, dict[str, Any]]]:
    """Ask what a learner is told, by content key; `bucket` is the list that an intention is in."""

    def ask(username: str, customer: UUID = ACME) -> dict[str, dict[str, Any]]:
        answer = api_as(username).get(f"{API}/learner-status/", {"enterprise_customer_uuid": str(customer)})
        assert answer.status_code == 200, answer.content
        statuses = answer.json()["enrollment_statuses"]
        buckets = {**statuses["needs_enrollment"], "already_enrolled": statuses["already_enrolled"]}
        return {item["content_key"]: {**item, "bucket": name} for name, items in buckets.items() for item in items}

    return ask

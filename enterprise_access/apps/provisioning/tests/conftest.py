"""What the tests of provisioning share."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.lib import clock

URL = "/api/v1/provisioning"
TWO_MINUTES = timedelta(minutes=2)


@pytest.fixture
def post(api_as: Callable[[str], Any]) -> Callable[..., Any]:
    """Return a function that posts to the provisioning API as an operator."""
    client = api_as("enterprise_access_worker")
    return lambda body, url=URL: client.post(url, body, format="json")


@pytest.fixture
def let_time_pass() -> Callable[[], None]:
    """Return a function after which leases have run out and what was unknown is two minutes old."""

    def passed() -> None:
        past = clock.now() - TWO_MINUTES
        Workflow.objects.filter(leased_until__isnull=False).update(leased_until=past)
        Workflow.objects.filter(due_at__isnull=False).update(due_at=past)
        WorkflowStep.objects.filter(sent_at__isnull=False).update(sent_at=F("sent_at") - TWO_MINUTES)

    return passed

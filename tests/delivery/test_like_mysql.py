"""What MySQL lacks and every database of the test matrix has: the story of a learner, told without it.

MySQL tells the id of one new row only, where SQLite, PostgreSQL and MariaDB tell those of many; and it changes no rows
of a table that the same statement reads.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import NotSupportedError, connection
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.customers.services import fetch_customer_by_slug
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization, RealizationAttempt
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from enterprise_access.apps.default_enrollments.services.operations.pruning import prune_attempts
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from simulator.seed import ACME
from simulator.world import World
from tests.journeys.test_default_course import DEMO_RUN, sign_in

CHANGE = re.compile(r"""\s*(?:UPDATE|DELETE\s+FROM)\s+["`]?(\w+)["`]?""", flags=re.IGNORECASE)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "postgresql", reason="Django cannot take PostgreSQL for less than it is"),
]


@pytest.fixture(autouse=True)
def _like_mysql(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for lacking in ("can_return_columns_from_insert", "can_return_rows_from_bulk_insert"):
        monkeypatch.setattr(type(connection.features), lacking, False)
    with connection.execute_wrapper(refuse_as_mysql_does):
        yield


def refuse_as_mysql_does(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    """Raise for what MySQL refuses: "You can't specify target table for update in FROM clause" (1093)."""
    change = CHANGE.match(sql)
    if change and re.search(rf"""\b(?:FROM|JOIN)\s+["`]?{change[1]}\b""", sql[change.end() :], flags=re.IGNORECASE):
        raise NotSupportedError(f"MySQL does not change the table that it reads: {sql}")
    return execute(sql, params, many, context)


def test_a_learner_is_enrolled_leaves_and_is_left_alone(world: World, api_as: Callable[[str], APIClient]) -> None:
    customer = fetch_customer_by_slug(slug="acme")
    for key in ("edX+DemoX", "edX+OLD101"):
        add_intention(customer_uuid=customer.pk, content_key=key)
    ada = api_as("ada")

    sign_in(ada, ACME)
    realization = DefaultEnterpriseEnrollmentRealization.objects.get()
    assert realization.course_run_key == DEMO_RUN
    assert not RealizationAttempt.objects.unsettled().exists()

    world.leave(username="ada", run_key=DEMO_RUN)
    reconcile(limit=10)
    sign_in(ada, ACME)
    realization.refresh_from_db()
    assert realization.left_at is not None
    assert len(world.enrollments_of("ada")) == 1

    prune_attempts(older_than=timezone.now())
    assert RealizationAttempt.objects.newest().count() == 2


def test_what_mysql_refuses_is_noticed() -> None:
    newest = RealizationAttempt.objects.newest()
    with pytest.raises(NotSupportedError, match="does not change the table that it reads"):
        RealizationAttempt.objects.filter(pk__in=newest.values("pk")).update(times=2)

"""GET health: which intentions can be honoured, as far as anybody has looked."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.default_enrollments.api.serializers.intentions import IntentionHealthPageSerializer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.api_words import (
    OPERATOR,
    assert_says_what_the_document_says,
    code_of,
    results_of,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    API,
    DAY,
    DEMO,
    DEMO_RUN,
    LINUX,
    LINUX_RUN,
    PROJECT,
    intend,
)
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


def ask(client: APIClient, customer: object = ACME, **params: Any) -> Any:
    return client.get(f"{API}/health/", {"enterprise_customer_uuid": str(customer), **params})


def by_key(answer: Any) -> dict[str, dict[str, Any]]:
    return {row["content_key"]: row for row in results_of(answer)}


@pytest.mark.parametrize(
    ("caller", "status"), [("ada", 403), ("outsider", 403), ("heidi", 403), ("amy_admin", 200), (OPERATOR, 200)]
)
def test_admins_and_operators_may_look(world, api_as, caller, status):
    assert ask(api_as(caller)).status_code == status


def test_an_admin_of_another_customer_may_not_and_the_anonymous_neither(world, api_as):
    assert ask(api_as("amy_admin"), GLOBEX).status_code == 403
    assert ask(APIClient()).status_code == 401


def test_a_healthy_one_a_sick_one_and_one_that_was_never_checked(world, api_as, clock):
    intend(DEMO, LINUX)
    world.close_run(run_key=LINUX_RUN)
    check_intentions(customer_uuid=ACME)
    clock.shift(DAY)
    check_intentions(customer_uuid=ACME)
    intend(PROJECT)
    answer = ask(api_as("amy_admin"))
    rows = by_key(answer)
    assert {key: row["state"] for key, row in rows.items()} == {
        DEMO: "healthy",
        LINUX: "unhealthy",
        PROJECT: "unchecked",
    }
    assert rows[DEMO]["course_run_key"] == DEMO_RUN
    sick = rows[LINUX]
    assert sick["reason"] == "enrollment_closed"
    assert sick["text"]
    assert sick["what_would_change_it"]
    assert sick["since"] < sick["checked_at"]
    assert {rows[PROJECT][name] for name in ("reason", "text", "since", "checked_at", "course_run_key")} == {None}
    assert_says_what_the_document_says(answer.json(), IntentionHealthPageSerializer())


@pytest.mark.parametrize(("state", "keys"), [("healthy", [DEMO]), ("unhealthy", [LINUX]), ("unchecked", [PROJECT])])
def test_one_state_may_be_asked_for(world, api_as, state, keys):
    intend(DEMO, LINUX)
    world.close_run(run_key=LINUX_RUN)
    check_intentions(customer_uuid=ACME)
    intend(PROJECT)
    assert list(by_key(ask(api_as(OPERATOR), state=state))) == keys


@pytest.mark.parametrize("state", ["", "ill", "None"])
def test_a_state_that_does_not_exist_is_400(world, api_as, state):
    answer = ask(api_as(OPERATOR), state=state)
    assert (answer.status_code, code_of(answer)) == (400, "invalid")


def test_deleted_intentions_are_nobodys_worry(world, api_as):
    delete_intention(intend(DEMO)[0])
    assert results_of(ask(api_as(OPERATOR))) == []


def test_nobody_is_asked(world, api_as):
    intend(DEMO)
    world.journal.forget()
    ask(api_as(OPERATOR))
    assert world.journal.calls() == []


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_it_costs_the_same_statements_however_many_there_are(world, api_as, rows, django_assert_num_queries):
    intend(DEMO)
    check_intentions(customer_uuid=ACME)
    for number in range(rows - 1):
        DefaultEnterpriseEnrollmentIntention.objects.create(customer_id=ACME, content_key=f"GoneX+C{number:03}")
    client = api_as(OPERATOR)
    ask(client)
    # The user of the token; the count; the page with its findings.
    with django_assert_num_queries(3):
        assert len(results_of(ask(client, page_size=100))) == rows

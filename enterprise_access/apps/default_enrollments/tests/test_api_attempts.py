"""GET attempts: the answer to "why not?", for whom it concerns."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.api.serializers.records import AttemptPageSerializer
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.tests.api_words import (
    OPERATOR,
    assert_says_what_the_document_says,
    code_of,
    results_of,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DAY,
    DEMO,
    DEMO_RUN,
    HAL,
    HOUR,
    LINUX,
    MAX,
    Intention,
    intend,
    visit,
)
from simulator.seed import ACME, GLOBEX

ADDRESS = "/api/v1/default-enterprise-enrollment-attempts"
HEIDI = 2001

pytestmark = pytest.mark.django_db


def ask(client: APIClient, **params: Any) -> Any:
    return client.get(f"{ADDRESS}/", params)


def seen(answer: Any) -> list[tuple[int, str]]:
    return [(row["lms_user_id"], row["reason"]) for row in results_of(answer)]


def attempted(key: str = DEMO, *, learner: int = ADA, customer: Any = ACME, **about: Any) -> RealizationAttempt:
    """Let somebody have been looked at."""
    fetch_customer(customer_uuid=customer)
    intention, _ = Intention.objects.get_or_create(customer_id=customer, content_key=key)
    now = timezone.now()
    values = {
        "outcome": "blocked",
        "reason": "no_license",
        "trigger": "portal",
        "created_at": now,
        "last_seen_at": now,
        **about,
    }
    return RealizationAttempt.objects.create(intention=intention, lms_user_id=learner, **values)


# --- Who sees what -------------------------------------------------------------------------------------------------


def test_learners_see_their_own_admins_their_customers_and_operators_everybodys(world, api_as):
    attempted(learner=HAL)
    attempted(learner=MAX, reason="license_not_in_catalog")
    attempted(learner=HEIDI, customer=GLOBEX)
    assert seen(ask(api_as("hal"))) == [(HAL, "no_license")]
    assert [learner for learner, _ in seen(ask(api_as("amy_admin")))] == [MAX, HAL]
    assert [learner for learner, _ in seen(ask(api_as(OPERATOR)))] == [HEIDI, MAX, HAL]


@pytest.mark.parametrize(("caller", "status"), [("max", 404), ("heidi", 404), ("ada", 200), ("amy_admin", 200)])
def test_one_attempt_is_seen_by_whom_it_concerns(world, api_as, caller, status):
    row = attempted(learner=ADA)
    assert api_as(caller).get(f"{ADDRESS}/{row.pk}/").status_code == status


@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 2**63, 10**40])
def test_an_attempt_that_does_not_exist_is_404(world, api_as, number):
    answer = api_as(OPERATOR).get(f"{ADDRESS}/{number}/")
    assert (answer.status_code, code_of(answer)) == (404, "attempt_unknown")


def test_an_endless_number_is_404(world, api_as):
    assert api_as(OPERATOR).get(f"{ADDRESS}/{'9' * 5000}/").status_code == 404


@pytest.mark.parametrize("caller", ["outsider", "staff_without_role"])
def test_who_has_no_role_is_403(world, api_as, caller):
    row = attempted()
    for path in ("", f"{row.pk}/"):
        answer = api_as(caller).get(f"{ADDRESS}/{path}")
        assert (answer.status_code, code_of(answer)) == (403, "may_not_read")


def test_an_anonymous_caller_is_401(world):
    assert ask(APIClient()).status_code == 401


def test_a_learner_who_asks_for_another_is_403(world, api_as):
    assert ask(api_as("hal"), lms_user_id=ADA).status_code == 403


# --- What is told --------------------------------------------------------------------------------------------------


def test_why_somebody_was_not_enrolled_is_told_in_words(world, api_as):
    intention = intend(DEMO)[0]
    visit(HAL)
    answer = ask(api_as("hal"))
    row = results_of(answer)[0]
    assert row["intention"] == str(intention.pk)
    assert (row["outcome"], row["reason"], row["content_key"]) == ("blocked", "no_license", DEMO)
    assert "license" in row["text"]
    assert api_as("hal").get(f"{ADDRESS}/{row['id']}/").json() == row
    assert_says_what_the_document_says(answer.json(), AttemptPageSerializer())


def test_what_went_well_needs_no_words(world, api_as):
    intend(DEMO)
    visit(ADA)
    row = results_of(ask(api_as("ada")))[0]
    assert (row["outcome"], row["text"], row["course_run_key"]) == ("realized", None, DEMO_RUN)


# --- Which ones ----------------------------------------------------------------------------------------------------


def test_filters_narrow_it_down(world, api_as):
    now = timezone.now()
    old = attempted(DEMO, learner=ADA, reason="no_license", last_seen_at=now - DAY)
    attempted(LINUX, learner=ADA, reason="enrollment_closed", last_seen_at=now - HOUR)
    attempted(DEMO, learner=MAX, outcome="realized", reason="")
    attempted("TUMx+AUTO1", learner=HEIDI, customer=GLOBEX, reason="run_ended", last_seen_at=now - 2 * DAY)
    client = api_as(OPERATOR)
    assert seen(ask(client, lms_user_id=ADA)) == [(ADA, "enrollment_closed"), (ADA, "no_license")]
    assert seen(ask(client, intention=old.intention_id)) == [(MAX, None), (ADA, "no_license")]
    assert seen(ask(client, enterprise_customer_uuid=GLOBEX)) == [(HEIDI, "run_ended")]
    assert seen(ask(client, outcome="realized")) == [(MAX, None)]
    assert seen(ask(client, reason="enrollment_closed")) == [(ADA, "enrollment_closed")]
    assert seen(ask(client, reason="of_some_other_payer")) == []
    assert seen(ask(client, since=(now - HOUR).isoformat())) == [(MAX, None), (ADA, "enrollment_closed")]
    assert seen(ask(client, until=(now - DAY).isoformat())) == [(HEIDI, "run_ended"), (ADA, "no_license")]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("outcome", "failed"),
        ("outcome", ""),
        ("state", "left"),
        ("lms_user_id", "1.5"),
        ("reason", "A"),
        ("since", "x"),
    ],
)
def test_a_filter_that_makes_no_sense_is_400_and_named(world, api_as, parameter, value):
    answer = ask(api_as(OPERATOR), **{parameter: value})
    assert (answer.status_code, code_of(answer)) == (400, "invalid")
    assert parameter in answer.json()["detail"]


def test_looking_again_does_not_move_an_attempt_to_another_page(world, api_as):
    rows = [attempted(learner=5000 + number) for number in range(12)]
    before = seen(ask(api_as(OPERATOR)))
    RealizationAttempt.objects.filter(pk=rows[0].pk).update(last_seen_at=timezone.now() + DAY)
    assert seen(ask(api_as(OPERATOR))) == before


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_it_costs_the_same_statements_however_long_it_is(world, api_as, rows, django_assert_num_queries):
    for number in range(rows):
        attempted(learner=5000 + number)
    client = api_as(OPERATOR)
    ask(client)
    # The user of the token; the count; the page with its intentions.
    with django_assert_num_queries(3):
        assert len(results_of(ask(client, page_size=100))) == rows

"""GET realizations: who sees whose, which ones, and at which cost."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.api.serializers.records import RealizationPageSerializer
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.api_words import (
    OPERATOR,
    assert_says_what_the_document_says,
    code_of,
    results_of,
    with_token,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    LINUX,
    LINUX_RUN,
    MAX,
    Intention,
    Realization,
    intend,
    visit,
)
from simulator.seed import ACME, GLOBEX

ADDRESS = "/api/v1/default-enterprise-enrollment-realizations"
HEIDI = 2001

pytestmark = pytest.mark.django_db


def ask(client: APIClient, **params: Any) -> Any:
    return client.get(f"{ADDRESS}/", params)


def seen(answer: Any) -> list[tuple[int, str]]:
    return [(row["lms_user_id"], row["content_key"]) for row in results_of(answer)]


def realized(key: str = DEMO, *, learner: int = ADA, customer: Any = ACME, **about: Any) -> Realization:
    """Let it have been realized, whatever the neighbours know of it."""
    fetch_customer(customer_uuid=customer)
    intention, _ = Intention.objects.get_or_create(customer_id=customer, content_key=key)
    now = timezone.now()
    values = {
        "enterprise_customer_user_id": 1,
        "course_key": key,
        "course_run_key": f"course-v1:{key}+2026_T1",
        "predicted_mode": "verified",
        "realized_at": now,
        "compared_at": now,
        **about,
    }
    return Realization.objects.create(intention=intention, lms_user_id=learner, **values)


# --- Who sees what -------------------------------------------------------------------------------------------------


def test_learners_see_their_own_admins_their_customers_and_operators_everybodys(world, api_as):
    realized(DEMO, learner=ADA)
    realized(LINUX, learner=MAX)
    realized("TUMx+AUTO1", learner=HEIDI, customer=GLOBEX)
    assert seen(ask(api_as("ada"))) == [(ADA, DEMO)]
    assert seen(ask(api_as("amy_admin"))) == [(MAX, LINUX), (ADA, DEMO)]
    assert len(seen(ask(api_as(OPERATOR)))) == 3


@pytest.mark.parametrize(("caller", "status"), [("max", 404), ("heidi", 404), ("ada", 200), ("amy_admin", 200)])
def test_one_realization_is_seen_by_whom_it_concerns(world, api_as, caller, status):
    row = realized(learner=ADA)
    assert api_as(caller).get(f"{ADDRESS}/{row.pk}/").status_code == status


def test_a_foreign_one_and_none_look_alike(world, api_as):
    foreign = realized(learner=MAX)
    for uuid in (foreign.pk, uuid4()):
        answer = api_as("ada").get(f"{ADDRESS}/{uuid}/")
        assert (answer.status_code, code_of(answer)) == (404, "realization_unknown")


@pytest.mark.parametrize("caller", ["outsider", "staff_without_role"])
def test_who_has_no_role_is_403(world, api_as, caller):
    row = realized()
    for path in ("", f"{row.pk}/"):
        answer = api_as(caller).get(f"{ADDRESS}/{path}")
        assert (answer.status_code, code_of(answer)) == (403, "may_not_read")


def test_an_anonymous_caller_is_401(world):
    assert ask(APIClient()).status_code == 401


def test_a_learner_who_asks_for_another_is_403_and_not_answered_with_nothing(world, api_as):
    realized(learner=MAX)
    assert ask(api_as("ada"), lms_user_id=MAX).status_code == 403
    assert ask(api_as("ada"), lms_user_id=MAX, enterprise_customer_uuid=ACME).status_code == 403
    assert seen(ask(api_as("ada"), lms_user_id=ADA)) == []


def test_a_customer_of_others_is_403(world, api_as):
    for caller in ("ada", "amy_admin"):
        assert ask(api_as(caller), enterprise_customer_uuid=GLOBEX).status_code == 403


def test_an_admin_who_learns_elsewhere_sees_oneself_there_and_nobody_else(simulator):
    realized(DEMO, learner=MAX)
    realized("TUMx+AUTO1", learner=ADA, customer=GLOBEX)
    realized("TUMx+AUTO1", learner=HEIDI, customer=GLOBEX)
    token = simulator.tokens.token_for("ada", roles=[f"enterprise_admin:{ACME}", f"enterprise_learner:{GLOBEX}"])
    assert {learner for learner, _ in seen(ask(with_token(token)))} == {MAX, ADA}
    assert ask(with_token(token), enterprise_customer_uuid=GLOBEX, lms_user_id=HEIDI).status_code == 403


def test_a_token_that_names_nobody_sees_nobody(simulator):
    realized(learner=ADA)
    token = simulator.tokens.token_for("ada", user_id=None, roles=[f"enterprise_learner:{ACME}"])
    assert seen(ask(with_token(token))) == []


# --- What is told --------------------------------------------------------------------------------------------------


def test_what_became_an_enrollment_is_told(world, api_as):
    intention = intend(DEMO)[0]
    visit(ADA)
    answer = ask(api_as("ada"))
    row = results_of(answer)[0]
    assert row["intention"] == str(intention.pk)
    assert row["enterprise_customer"] == str(ACME)
    assert (row["course_run_key"], row["state"], row["left_at"]) == (DEMO_RUN, "realized", None)
    assert row["mode"] == "verified"
    assert api_as("ada").get(f"{ADDRESS}/{row['uuid']}/").json() == row
    assert_says_what_the_document_says(answer.json(), RealizationPageSerializer())


def test_what_was_realized_is_told_after_its_intention_is_deleted(world, api_as):
    row = realized(DEMO)
    delete_intention(row.intention)
    assert seen(ask(api_as("ada"))) == [(ADA, DEMO)]


# --- Which ones ----------------------------------------------------------------------------------------------------


def test_filters_narrow_it_down(world, api_as):
    now = timezone.now()
    demo = realized(DEMO, realized_at=now - DAY, left_at=now, left_reason="learner_unenrolled")
    realized(LINUX, realized_at=now - HOUR, downgraded_at=now)
    realized(DEMO, learner=MAX, realized_at=now)
    realized("TUMx+AUTO1", learner=HEIDI, customer=GLOBEX, realized_at=now - 2 * DAY)
    client = api_as(OPERATOR)
    assert seen(ask(client, lms_user_id=ADA)) == [(ADA, LINUX), (ADA, DEMO)]
    assert seen(ask(client, intention=demo.intention_id)) == [(MAX, DEMO), (ADA, DEMO)]
    assert seen(ask(client, enterprise_customer_uuid=GLOBEX)) == [(HEIDI, "TUMx+AUTO1")]
    assert seen(ask(client, state="left")) == [(ADA, DEMO)]
    assert seen(ask(client, state="downgraded")) == [(ADA, LINUX)]
    assert seen(ask(client, state="realized", enterprise_customer_uuid=ACME)) == [(MAX, DEMO)]
    assert seen(ask(client, reason="learner_unenrolled")) == [(ADA, DEMO)]
    assert seen(ask(client, reason="license_revoked")) == []
    assert seen(ask(client, since=(now - HOUR).isoformat())) == [(MAX, DEMO), (ADA, LINUX)]
    assert seen(ask(client, until=(now - DAY).isoformat())) == [(ADA, DEMO), (HEIDI, "TUMx+AUTO1")]
    assert seen(ask(client, enterprise_customer_uuid=ACME, intention=uuid4())) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("enterprise_customer_uuid", "abc"),
        ("enterprise_customer_uuid", ""),
        ("lms_user_id", "abc"),
        ("lms_user_id", "0"),
        ("lms_user_id", "-1"),
        ("lms_user_id", "٣"),
        ("lms_user_id", "1_0"),
        ("lms_user_id", str(2**63)),
        ("lms_user_id", "9" * 5000),
        ("lms_user_id", "\x00"),
        ("intention", "abc"),
        ("state", "gone"),
        ("state", ""),
        ("reason", ""),
        ("reason", "a b"),
        ("reason", "é"),
        ("reason", "x\x00"),
        ("since", "yesterday"),
        ("since", ""),
        ("until", "2026-13-01T00:00:00Z"),
        ("until", "0000-00-00"),
        ("learner", "1001"),
        ("page", "abc"),
        ("outcome", "blocked"),
    ],
)
def test_a_filter_that_makes_no_sense_is_400_and_named(world, api_as, parameter, value):
    realized()
    answer = ask(api_as(OPERATOR), **{parameter: value})
    assert (answer.status_code, code_of(answer)) == (400, "invalid")
    assert parameter in answer.json()["detail"]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_an_instant_at_the_end_of_time_is_no_server_error(world, api_as, instant):
    for parameter in ("since", "until"):
        answer = api_as(OPERATOR).get(f"{ADDRESS}/?{parameter}={quote(instant)}")
        assert answer.status_code in {200, 400}


def test_pages_do_not_overlap_when_everything_happened_at_once(world, api_as):
    now = timezone.now()
    for number in range(25):
        realized(learner=5000 + number, realized_at=now)
    pages = [seen(ask(api_as(OPERATOR), page=page)) for page in (1, 2, 3)]
    assert sorted(learner for page in pages for learner, _ in page) == list(range(5000, 5025))
    assert ask(api_as(OPERATOR), page=4).status_code == 404


@pytest.mark.parametrize("rows", [1, 10, 100])
@pytest.mark.parametrize("caller", ["amy_admin", OPERATOR])
def test_it_costs_the_same_statements_however_long_it_is(world, api_as, rows, caller, django_assert_num_queries):
    for number in range(rows):
        realized(learner=5000 + number)
    client = api_as(caller)
    ask(client)
    world.journal.forget()
    # The user of the token; the count; the page with its intentions.
    with django_assert_num_queries(3 if caller == OPERATOR else 4):
        assert len(results_of(ask(client, page_size=100))) == rows
    assert world.journal.calls() == []


def test_one_run_shows_in_which_mode_it_was_last_seen(world, api_as):
    realized(DEMO, predicted_mode="verified", seen_mode="audit", course_run_key=LINUX_RUN)
    assert results_of(ask(api_as("ada")))[0]["mode"] == "audit"

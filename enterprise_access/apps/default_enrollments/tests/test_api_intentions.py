"""GET the list of intentions, one of them, and its history: who sees what, in which shape, at which cost."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from enterprise_access.apps.default_enrollments.api.serializers.history import HistoryPageSerializer
from enterprise_access.apps.default_enrollments.api.serializers.intentions import (
    IntentionPageSerializer,
    IntentionSerializer,
)
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import (
    change_key,
    delete_intention,
    restore_intention,
)
from enterprise_access.apps.default_enrollments.tests.api_words import (
    OPERATOR,
    assert_says_what_the_document_says,
    code_of,
    kind_of,
    recorded,
    results_of,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    API,
    DEMO,
    DEMO_RUN,
    LINUX,
    LINUX_RUN,
    PROJECT,
    STATS,
    asked,
    intend,
)
from simulator.seed import ACME, GLOBEX

DENIED = "MISSING: enterprise.can_view_default_enterprise_enrollment_intentions"
GLOBEX_KEY = "TUMx+AUTO1"

pytestmark = pytest.mark.django_db


def ask(client: APIClient, customer: object = ACME, **params: Any) -> Any:
    return client.get(f"{API}/", {"enterprise_customer_uuid": str(customer), **params})


def keys_of(answer: Any) -> list[str]:
    return [row["content_key"] for row in results_of(answer)]


def one(client: APIClient, intention: Any, **params: Any) -> Any:
    return client.get(f"{API}/{getattr(intention, 'pk', intention)}/", params)


# --- Who may read --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["ada", "hal", "amy_admin", OPERATOR])
def test_everybody_of_the_customer_may_list_its_intentions(world, api_as, caller):
    intend(DEMO, LINUX)
    assert keys_of(ask(api_as(caller))) == [DEMO, LINUX]


@pytest.mark.parametrize("caller", ["heidi", "outsider", "staff_without_role"])
def test_who_has_no_role_for_the_customer_is_403_in_the_recorded_words(world, api_as, caller):
    intention = intend(DEMO)[0]
    answer = ask(api_as(caller))
    assert answer.status_code == 403
    assert answer.json()["detail"] == recorded("intentions-retrieve-403")["body"]["detail"] == DENIED
    assert one(api_as(caller), intention, enterprise_customer_uuid=ACME).json()["detail"] == DENIED


def test_an_anonymous_caller_is_401(world):
    assert ask(APIClient()).status_code == 401
    assert one(APIClient(), uuid4()).status_code == 401


@pytest.mark.parametrize("path", ["", "history/"])
def test_an_intention_of_another_customer_does_not_exist(world, api_as, path):
    foreign = intend(GLOBEX_KEY, customer=GLOBEX)[0]
    for caller in ("ada", "amy_admin"):
        answer = api_as(caller).get(f"{API}/{foreign.pk}/{path}")
        assert (answer.status_code, code_of(answer)) == (404, "intention_unknown")
        nobody = uuid4()
        same = api_as(caller).get(f"{API}/{nobody}/{path}").json()["detail"]
        assert answer.json()["detail"].replace(str(foreign.pk), "") == same.replace(str(nobody), "")


def test_who_has_no_role_at_all_is_403_whether_it_exists_or_not(world, api_as):
    intention = intend(DEMO)[0]
    for uuid in (intention.pk, uuid4()):
        assert one(api_as("outsider"), uuid).status_code == 403


def test_an_intention_is_not_found_under_another_customer(world, api_as):
    foreign = intend(GLOBEX_KEY, customer=GLOBEX)[0]
    answer = one(api_as(OPERATOR), foreign, enterprise_customer_uuid=ACME)
    assert answer.status_code == recorded("intentions-retrieve-404-other-customer")["status"] == 404
    assert code_of(answer) == "intention_unknown"


# --- The shape that clients of the LMS know --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["intentions-retrieve-200", "intentions-retrieve-200-run", "intentions-retrieve-200-no-advertised-run"],
)
def test_one_intention_has_every_recorded_key_with_a_value_of_the_same_type(world, api_as, name):
    key = {"intentions-retrieve-200": DEMO, "intentions-retrieve-200-run": DEMO_RUN}.get(name, LINUX)
    intention = intend(key)[0]
    if key == LINUX:
        world.advertise(course_key=LINUX, run_key=None)
        forget_content()
    body = one(api_as("ada"), intention, enterprise_customer_uuid=ACME).json()
    for field, value in recorded(name)["body"].items():
        assert kind_of(body[field]) == kind_of(value), field
        if isinstance(value, dict):
            assert set(value) == set(body[field])
            # Null where the run has no such limit, else a date as text.
            assert {kind_of(body[field][inner]) for inner in value} <= {"string", "null", "number"}


@pytest.mark.parametrize(
    "name", ["intentions-list-200-learner", "intentions-list-200-page-1", "intentions-list-200-page-2"]
)
def test_the_list_has_every_recorded_key(world, api_as, name):
    intend(DEMO, LINUX)
    answer, known = ask(api_as("ada")), recorded(name)["body"]
    assert set(known) <= set(answer.json())
    for row in results_of(answer):
        assert set(known["results"][0]) <= set(row)


def test_a_customer_that_nobody_knows_has_no_intentions_for_an_operator(world, api_as):
    answer = ask(api_as(OPERATOR), uuid4())
    assert results_of(answer) == recorded("intentions-list-200-unknown-customer")["body"]["results"] == []
    assert answer.json()["count"] == 0


@pytest.mark.parametrize("path", ["", "preview/", "health/"])
def test_a_missing_customer_is_400_in_the_recorded_words(world, api_as, path):
    answer = api_as(OPERATOR).get(f"{API}/{path}")
    assert answer.status_code == 400
    assert answer.json()["detail"] == recorded("intentions-list-400-no-customer")["body"]["detail"]


@pytest.mark.parametrize("text", ["", "abc", "42", str(ACME)[:-1], "\x00", "é", "' or 1=1 --", "9" * 5000])
def test_a_malformed_customer_is_400_in_the_recorded_words(world, api_as, text):
    answer = ask(api_as(OPERATOR), text)
    assert answer.status_code == 400
    assert answer.json()["detail"] == recorded("intentions-list-400-bad-uuid")["body"]["detail"]


def test_what_is_answered_is_what_the_document_says(world, api_as):
    intend(DEMO, LINUX)
    world.advertise(course_key=LINUX, run_key=None)
    forget_content()
    assert_says_what_the_document_says(ask(api_as("ada")).json(), IntentionPageSerializer())
    assert_says_what_the_document_says(results_of(ask(api_as("ada")))[0], IntentionSerializer())


# --- What is told --------------------------------------------------------------------------------------------------


def test_an_intention_says_what_it_stands_for(world, api_as):
    intention = intend(DEMO)[0]
    body = one(api_as("ada"), intention).json()
    assert body["uuid"] == str(intention.pk)
    assert (body["course_key"], body["course_run_key"], body["content_type"]) == (DEMO, DEMO_RUN, "course")
    assert body["is_course_run_enrollable"] is True
    assert body["best_mode_for_course_run"] == "verified"
    assert body["modes_evidence"] == "lms"
    assert body["applicable_enterprise_catalog_uuids"]
    assert body["verdict_for_newcomer"]["rule"] == "D17"
    assert body["warnings"] == []


def test_a_run_that_has_closed_since_is_a_warning(world, api_as):
    intention = intend(LINUX)[0]
    world.close_run(run_key=LINUX_RUN)
    forget_content()
    body = one(api_as("ada"), intention).json()
    assert body["is_course_run_enrollable"] is False
    assert [warning["reason"] for warning in body["warnings"]] == ["enrollment_closed"]
    assert body["verdict_for_newcomer"]["is_enrollable"] is False
    assert body["verdict_for_newcomer"]["text"]


def test_a_silent_catalog_makes_it_unchecked_and_is_no_error(world, simulator, api_as):
    intention = intend(DEMO)[0]
    forget_content()
    simulator.faults.add("status", "catalog.*", times=None, status=503)
    body = one(api_as("ada"), intention).json()
    assert body["is_checked"] is False
    assert body["course_run_key"] is None
    assert [warning["reason"] for warning in body["warnings"]] == ["catalog_unavailable"]


# --- Which ones ----------------------------------------------------------------------------------------------------


def test_learners_see_the_living_ones_only(world, api_as):
    living, deleted = intend(DEMO, LINUX)
    delete_intention(deleted)
    assert keys_of(ask(api_as("ada"))) == [DEMO]
    assert one(api_as("ada"), living).status_code == 200
    assert one(api_as("ada"), deleted).status_code == 404
    for state in ("deleted", "all"):
        assert ask(api_as("ada"), state=state).status_code == 403


@pytest.mark.parametrize("caller", ["amy_admin", OPERATOR])
def test_admins_and_operators_see_deleted_ones_when_they_ask(world, api_as, caller):
    deleted = intend(DEMO, LINUX)[1]
    delete_intention(deleted)
    assert keys_of(ask(api_as(caller))) == [DEMO]
    assert keys_of(ask(api_as(caller), state="deleted")) == [LINUX]
    assert keys_of(ask(api_as(caller), state="all")) == [DEMO, LINUX]
    assert one(api_as(caller), deleted).json()["deleted_at"] is not None


def test_filters_by_key_and_type(world, api_as):
    intend(DEMO, LINUX, DEMO_RUN)
    assert keys_of(ask(api_as("ada"), content_key=DEMO.upper())) == [DEMO]
    assert keys_of(ask(api_as("ada"), content_type="course_run")) == [DEMO_RUN]
    assert keys_of(ask(api_as("ada"), content_key="édX+Ünïcode")) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("state", "everything"),
        ("state", ""),
        ("state", "\x00"),
        ("content_type", "program"),
        ("content_key", ""),
        ("content_key", "x" * 256),
        ("content_key", "a\x00b"),
        ("page", "0"),
        ("page", "last"),
        ("page", str(2**70)),
        ("page_size", "1000"),
        ("page_size", "-1"),
        ("enterprise_customer", str(GLOBEX)),
        ("state__in", "deleted"),
    ],
)
def test_a_filter_that_makes_no_sense_is_400_and_named(world, api_as, parameter, value):
    intend(DEMO)
    answer = ask(api_as(OPERATOR), **{parameter: value})
    assert answer.status_code == 400
    assert code_of(answer) == "invalid"
    assert parameter in answer.json()["detail"]


def test_a_filter_given_twice_is_400(world, api_as):
    answer = api_as(OPERATOR).get(f"{API}/?enterprise_customer_uuid={ACME}&state=all&state=living")
    assert answer.status_code == 400
    assert "more than once" in answer.json()["detail"]


def test_pages_are_stable_and_one_beyond_the_last_is_404(world, api_as):
    intend(DEMO, LINUX, PROJECT, STATS)
    pages = [ask(api_as("ada"), page_size=2, page=page) for page in (1, 2)]
    assert [keys_of(page) for page in pages] == [[DEMO, LINUX], [PROJECT, STATS]]
    assert [page.json()["start"] for page in pages] == [0, 2]
    assert pages[0].json()["num_pages"] == 2
    assert pages[0].json()["next"] is not None
    assert pages[1].json()["next"] is None
    assert ask(api_as("ada"), page=3, page_size=2).status_code == 404


# --- At which cost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 10, 100])
def test_the_list_costs_the_same_statements_however_long_it_is_and_no_calls_when_warm(
    world, api_as, rows, django_assert_num_queries
):
    add_many(rows)
    client = api_as(OPERATOR)
    assert len(results_of(ask(client, page_size=100))) == rows
    world.journal.forget()
    # The user of the token; the count; the page; the modes.
    with django_assert_num_queries(4):
        assert len(results_of(ask(client, page_size=100))) == rows
    assert world.journal.calls() == []


def test_modes_are_not_asked_for(world, api_as):
    intention = intend(DEMO)[0]
    before = asked(world, "lms.course_modes")
    ask(api_as("ada"))
    one(api_as("ada"), intention)
    assert asked(world, "lms.course_modes") == before


# --- History -------------------------------------------------------------------------------------------------------


def history(client: APIClient, intention: Any, **params: Any) -> Any:
    return client.get(f"{API}/{intention.pk}/history/", params)


def test_the_history_says_who_changed_what_and_when(world, api_as):
    operator = api_as(OPERATOR)
    uuid = operator.post(
        f"{API}/", {"enterprise_customer_uuid": str(ACME), "content_key": LINUX}, format="json"
    ).json()["uuid"]
    operator.patch(f"{API}/{uuid}/", {"content_key": DEMO}, format="json")
    operator.delete(f"{API}/{uuid}/")
    operator.post(f"{API}/{uuid}/restore/")
    answer = operator.get(f"{API}/{uuid}/history/")
    rows = results_of(answer)
    assert [row["action"] for row in rows] == ["restored", "deleted", "key_changed", "added"]
    assert {row["by"] for row in rows} == {OPERATOR}
    assert rows[2]["changes"] == [{"field": "content_key", "old": LINUX, "new": DEMO}]
    assert rows[3]["changes"] == [{"field": "content_key", "old": None, "new": LINUX}]
    assert [change["field"] for change in rows[1]["changes"]] == ["deleted_at"]
    assert_says_what_the_document_says(answer.json(), HistoryPageSerializer())


def test_admins_see_the_history_without_names_and_learners_not_at_all(world, api_as):
    uuid = (
        api_as(OPERATOR)
        .post(f"{API}/", {"enterprise_customer_uuid": str(ACME), "content_key": LINUX}, format="json")
        .json()["uuid"]
    )
    assert [row["by"] for row in results_of(api_as("amy_admin").get(f"{API}/{uuid}/history/"))] == [None]
    assert api_as("ada").get(f"{API}/{uuid}/history/").status_code == 403


def test_what_no_account_did_has_no_name(world, api_as):
    intention = intend(DEMO)[0]
    assert [row["by"] for row in results_of(history(api_as(OPERATOR), intention))] == [None]


def test_a_page_of_history_knows_what_was_before_it(world, api_as):
    intention = intend(DEMO)[0]
    change_key(intention, content_key=LINUX)
    delete_intention(intention)
    restore_intention(intention)
    pages = [results_of(history(api_as(OPERATOR), intention, page_size=1, page=page)) for page in (1, 2, 3, 4)]
    assert [rows[0]["action"] for rows in pages] == ["restored", "deleted", "key_changed", "added"]


@pytest.mark.parametrize("changes", [1, 20])
def test_the_history_costs_the_same_statements_however_long_it_is(world, api_as, changes, django_assert_num_queries):
    intention = intend(DEMO)[0]
    for _ in range(changes):
        delete_intention(intention)
        restore_intention(intention)
    client = api_as(OPERATOR)
    history(client, intention)
    # The user of the token; the intention; the count; the page with its users.
    with django_assert_num_queries(4):
        results_of(history(client, intention, page_size=100))


# --- Words of these tests ------------------------------------------------------------------------------------------


def forget_content() -> None:
    """Let what the catalog said be forgotten."""
    cache.clear()


def add_many(count: int, customer: UUID = ACME) -> None:
    """Let the customer intend so many courses, half of which no catalog knows any more."""
    intend(DEMO)
    for number in range(count - 1):
        DefaultEnterpriseEnrollmentIntention.objects.create(customer_id=customer, content_key=f"GoneX+C{number:03}")

"""GET preview: what a key would stand for, told before anything is saved."""

from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.api.serializers.intentions import PreviewSerializer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.api_words import (
    OPERATOR,
    assert_says_what_the_document_says,
    code_of,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    API,
    AUDIT_ONLY,
    DEMO,
    DEMO_RUN,
    LINUX,
    LINUX_RUN,
    asked,
    intend,
)
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


def ask(client: APIClient, content_key: str = DEMO, customer: object = ACME, **params: Any) -> Any:
    params = {"enterprise_customer_uuid": str(customer), "content_key": content_key, **params}
    return client.get(f"{API}/preview/", params)


def ask_well(client: APIClient, content_key: str = DEMO, **params: Any) -> dict[str, Any]:
    answer = ask(client, content_key, **params)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    ("caller", "status"), [("ada", 403), ("outsider", 403), ("heidi", 403), ("amy_admin", 200), (OPERATOR, 200)]
)
def test_admins_and_operators_may_look(world, api_as, caller, status):
    assert ask(api_as(caller)).status_code == status


def test_an_admin_of_another_customer_may_not_and_the_anonymous_neither(world, api_as):
    assert ask(api_as("amy_admin"), customer=GLOBEX).status_code == 403
    assert ask(APIClient()).status_code == 401


def test_it_says_what_the_key_would_stand_for_and_saves_nothing(world, api_as):
    refresh_modes(course_run_keys=[DEMO_RUN])
    body = ask_well(api_as("amy_admin"), " EDX+demox ")
    assert (body["content_key"], body["course_run_key"], body["content_type"]) == (DEMO, DEMO_RUN, "course")
    assert body["title"]
    assert body["run"]["status"] == "published"
    assert {mode["slug"] for mode in body["modes"]} >= {"audit", "verified"}
    assert (body["modes_evidence"], body["best_mode_for_course_run"], body["wanted_mode"]) == ("lms",) + (
        "verified",
    ) * 2
    assert body["downgrade_target"] == "audit"
    assert body["verdict_for_newcomer"] | {"text": "", "what_would_change_it": ""} == {
        "is_enrollable": True,
        "rule": "D17",
        "reason": "needs_enrollment",
        "text": "",
        "what_would_change_it": "",
    }
    assert body["existing_intention"] is None
    assert not DefaultEnterpriseEnrollmentIntention.objects.exists()
    assert not EnterpriseCustomer.objects.exists()


def test_modes_are_not_asked_for_and_the_seats_tell_what_they_can(world, api_as):
    body = ask_well(api_as(OPERATOR))
    assert asked(world, "lms.course_modes") == 0
    assert not RunModes.objects.exists()
    assert body["modes_evidence"] == "seats"
    assert body["best_mode_for_course_run"] == "verified"
    assert body["modes_fetched_at"] is None


def test_a_run_without_known_modes_says_so(world, api_as):
    body = ask_well(api_as(OPERATOR), AUDIT_ONLY)
    if body["modes_evidence"] is None:
        assert body["modes"] is None
        assert body["verdict_for_newcomer"]["reason"] == "modes_unavailable"
    else:
        assert [mode["slug"] for mode in body["modes"]] == ["audit"]


def test_a_closed_run_is_told_with_its_rule_and_in_words(world, api_as):
    world.close_run(run_key=LINUX_RUN)
    body = ask_well(api_as(OPERATOR), LINUX)
    verdict = body["verdict_for_newcomer"]
    assert (verdict["rule"], verdict["reason"], verdict["is_enrollable"]) == ("D12", "enrollment_closed", False)
    assert verdict["text"] == body["warnings"][0]["text"]
    assert body["is_course_run_enrollable"] is False


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("UBCx+HTC1", "not_in_customer_catalogs"),
        ("MITx+6.00.1x", "no_advertised_run"),
        ("NewX+FRESH1", "content_not_ready"),
    ],
)
def test_what_may_be_right_tomorrow_is_a_warning(world, api_as, key, reason):
    body = ask_well(api_as(OPERATOR), key)
    assert body["warnings"][0]["reason"] == reason
    assert_says_what_the_document_says(body, PreviewSerializer())


def test_an_intention_that_has_the_key_already_is_named(world, api_as):
    twin = intend(DEMO)[0]
    assert ask_well(api_as(OPERATOR), DEMO.lower())["existing_intention"] == {"uuid": str(twin.pk), "deleted_at": None}
    delete_intention(twin)
    assert ask_well(api_as(OPERATOR))["existing_intention"]["deleted_at"] is not None


def test_a_key_that_no_catalog_knows_is_400_as_it_would_be_on_saving(world, api_as):
    answer = ask(api_as(OPERATOR), "NobodyX+NOTHING1")
    assert (answer.status_code, code_of(answer)) == (400, "content_not_found")


@pytest.mark.parametrize("key", ["DemoX", "\u202e", "a b+c"])
def test_what_is_no_key_is_400(world, api_as, key):
    assert code_of(ask(api_as(OPERATOR), key)) == "malformed_content_key"


@pytest.mark.parametrize("key", ["", "a\x00b", "x" * 256])
def test_what_is_no_text_is_400(world, api_as, key):
    answer = ask(api_as(OPERATOR), key)
    assert (answer.status_code, code_of(answer)) == (400, "invalid")
    assert "content_key" in answer.json()["detail"]


def test_a_missing_key_is_400(world, api_as):
    answer = api_as(OPERATOR).get(f"{API}/preview/", {"enterprise_customer_uuid": str(ACME)})
    assert answer.json()["detail"] == "content_key is a required query parameter."


@pytest.mark.parametrize("fault", ["unreachable", "malformed_json", "html"])
def test_a_silent_catalog_is_unchecked_and_never_unknown(world, simulator, api_as, fault):
    simulator.faults.add(fault, "catalog.*", times=None)
    body = ask_well(api_as(OPERATOR))
    assert body["is_checked"] is False
    assert [warning["reason"] for warning in body["warnings"]] == ["catalog_unavailable"]
    assert (body["run"], body["modes"]) == (None, None)
    assert_says_what_the_document_says(body, PreviewSerializer())


def test_what_is_answered_is_what_the_document_says(world, api_as):
    intend(DEMO)
    assert_says_what_the_document_says(ask_well(api_as(OPERATOR)), PreviewSerializer())


def test_a_customer_without_catalogs_is_told_so(world, api_as):
    body = ask_well(api_as(OPERATOR), customer=uuid4())
    assert body["warnings"][0]["reason"] in {"not_in_customer_catalogs", "catalog_unavailable"}


def test_it_costs_four_statements_when_warm(world, api_as, django_assert_num_queries):
    client = api_as(OPERATOR)
    ask(client)
    # The user of the token; the modes; what the run is for, as the LMS was not asked yet; the twin.
    with django_assert_num_queries(4):
        ask_well(client)


def test_a_plus_sign_that_became_a_space_is_explained(world, api_as):
    answer = api_as("enterprise_access_worker").get(
        f"{API}/preview/?enterprise_customer_uuid={ACME}&content_key=edX+DemoX"
    )
    error = answer.json()
    assert (answer.status_code, error["code"]) == (400, "malformed_content_key")
    assert "%2B" in error["detail"]
    assert error["extra"]["fields"] == {"content_key": [error["detail"]]}


def test_an_unknown_parameter_is_named_among_the_fields(world, api_as):
    error = api_as("enterprise_access_worker").get(f"{API}/preview/?enterprise_customer_uuid={ACME}&nonsense=1").json()
    assert list(error["extra"]["fields"]) == ["nonsense"]

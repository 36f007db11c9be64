"""GET explain, and the command that says the same: why a learner has, or does not have, what the customer intends."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers
from rest_framework.test import APIClient

from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.api.serializers.explanations import ExplanationSerializer
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.overrides import grant_override
from enterprise_access.apps.default_enrollments.services.requests.work_items import give_up
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    API,
    BULK,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    MINUTE,
    PROJECT,
    asked,
    intend,
    request_of,
    visit,
)
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db

# Of an explanation with everything young, the caller's own included.
STATEMENTS = 13


def ask(client: APIClient, customer: object = ACME, **params: Any) -> Any:
    return client.get(f"{API}/explain/", {"enterprise_customer_uuid": str(customer), **params})


def ask_well(client: APIClient, **params: object) -> dict[str, Any]:
    answer = ask(client, **params)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def entry_of(body: dict[str, Any], key: str) -> dict[str, Any]:
    return next(entry for entry in body["intentions"] if entry["content_key"] == key)


def told(*args: object) -> str:
    out = StringIO()
    call_command("explain_default_enrollments", *map(str, args), stdout=out)
    return out.getvalue()


# --- Who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("caller", ["ada", "amy_admin", "enterprise_access_worker"])
def test_the_learner_an_admin_and_an_operator_may_ask(world, api_as, caller):
    intend(DEMO)
    assert ask_well(api_as(caller), lms_user_id=ADA)["lms_user_id"] == ADA


@pytest.mark.parametrize("caller", ["hal", "outsider", "heidi", "staff_without_role"])
def test_nobody_else_may_ask_and_nobody_is_asked(world, api_as, caller):
    answer = ask(api_as(caller), lms_user_id=ADA)
    assert (answer.status_code, answer.json()["code"]) == (403, "may_not_read")
    assert world.journal.calls() == []


def test_an_anonymous_caller_is_401(world):
    assert ask(APIClient()).status_code == 401


def test_a_customer_that_nobody_knows_is_404(world, api_as):
    answer = ask(api_as("enterprise_access_worker"), uuid4(), lms_user_id=ADA)
    assert (answer.status_code, answer.json()["code"]) == (404, "customer_unknown")


@pytest.mark.parametrize("params", [{"lms_user_id": "abc"}, {"lms_user_id": "\x00"}, {"lms_user_id": 2**63}])
def test_what_makes_no_sense_is_400(world, api_as, params):
    assert ask(api_as("enterprise_access_worker"), **params).status_code == 400


# --- What is explained ---------------------------------------------------------------------------------------------


def test_a_learner_who_is_to_be_enrolled_and_why_nothing_paid_for_it(world, api_as):
    intend(DEMO)
    visit(HAL)
    entry = entry_of(ask_well(api_as("hal")), DEMO)
    assert (entry["bucket"], entry["rule"], entry["reason"]["code"]) == ("enrollable", "D17", "needs_enrollment")
    assert entry["obstacle"]["code"] == "no_license"
    assert "license is assigned" in entry["obstacle"]["what_would_change_it"]
    assert entry["obstacle"]["looked_at_again_upon"] == ["license_change", "login"]
    assert [attempt["outcome"] for attempt in entry["attempts"]] == ["blocked"]
    assert entry["state"] == "blocked"
    assert [reason["code"] for reason in entry["blocking_reasons"]] == ["no_license"]
    assert "because they have no license" in entry["sentence"]


def test_everything_that_blocks_is_told_and_not_the_first_reason_alone(world, api_as, clock):
    intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    world.close_run(run_key=DEMO_RUN)
    clock.shift(20 * MINUTE)
    refresh_content(customer_uuid=ACME, content_keys=[DEMO])
    entry = entry_of(ask_well(api_as("ada")), DEMO)
    assert entry["reason"]["code"] == "learner_unenrolled"
    assert [reason["code"] for reason in entry["blocking_reasons"]] == ["learner_unenrolled", "enrollment_closed"]
    assert "because they left the course and enrollment in the run is closed." in entry["sentence"]


def test_who_paid_is_told_where_it_is_known(world, api_as):
    intend(DEMO)
    visit(ADA)
    entry = entry_of(ask_well(api_as("ada")), DEMO)
    assert (entry["state"], entry["paid_by"], entry["blocking_reasons"]) == ("enrolled", "license", [])
    assert entry["sentence"] == f"Learner {ADA} is enrolled in edX Demonstration Course, paid by a license."


def test_who_waits_for_an_answer_is_pending(simulator, world, api_as):
    intend(DEMO)
    simulator.faults.add("status", "license_manager.*", times=None, status=500)
    visit(ADA)
    entry = entry_of(ask_well(api_as("ada")), DEMO)
    assert (entry["state"], entry["blocking_reasons"][0]["code"]) == ("pending", "license_manager_unavailable")


def test_the_facts_are_shown_with_their_age(world, api_as, clock):
    intend(DEMO)
    visit(ADA)
    clock.shift(2 * MINUTE)
    body = ask_well(api_as("ada"))
    entry = entry_of(body, DEMO)
    assert body["link"]["is_linked"] is True
    assert entry["content"]["course_run_key"] == DEMO_RUN
    assert len(entry["content"]["catalogs"]) >= 1
    assert entry["modes"]["evidence"] == "lms"
    (enrollment,) = entry["enrollments"]
    assert (enrollment["course_run_key"], enrollment["mode"], enrollment["is_active"]) == (DEMO_RUN, "verified", True)
    (realization,) = entry["realizations"]
    assert (realization["of_this_intention"], realization["left_at"]) == (True, None)
    ages = [body["link"], body["customer"], entry["content"], entry["modes"], enrollment]
    assert all(fact["fetched_at"] for fact in ages)
    assert body["enrollments_fetched_at"]


def test_a_learner_who_left_is_told_that_only_an_override_helps(world, api_as, clock):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    clock.shift(2 * MINUTE)
    entry = entry_of(ask_well(api_as("ada")), DEMO)
    assert (entry["rule"], entry["bucket"]) == ("D2", "not_enrollable")
    assert "staff override" in entry["reason"]["what_would_change_it"]
    assert entry["reason"]["looked_at_again_upon"] == ["override"]
    grant_override(intention=intention, lms_user_id=ADA, by="sam", reason="asked for it", now=request_of(ADA).modified)
    assert entry_of(ask_well(api_as("ada")), DEMO)["has_override"] is True


def test_a_learner_who_was_never_linked_gets_an_explanation_and_not_an_error(world, api_as):
    intend(DEMO)
    body = ask_well(api_as("enterprise_access_worker"), lms_user_id=999_999)
    assert body["link"] == {"is_linked": False, "is_active_link": False, "last_login_at": None, "fetched_at": None}
    entry = entry_of(body, DEMO)
    assert (entry["rule"], entry["reason"]["code"]) == ("D0", "learner_not_linked")
    assert entry["reason"]["looked_at_again_upon"] == ["customer_active", "link"]


def test_an_admin_learns_nothing_of_what_another_customer_realized_for_its_own_learner(simulator, world, api_as):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    visit(ADA)
    admin = api_as("outsider")
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_admin:{GLOBEX}"])
    admin.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    body = ask(admin, GLOBEX, lms_user_id=ADA).json()
    entry = entry_of(body, DEMO)
    assert (body["link"]["is_linked"], entry["rule"]) == (False, "D0")
    assert (entry["enrollments"], entry["realizations"], entry["attempts"]) == ([], [], [])


def test_a_learner_who_is_not_linked_any_more_still_has_a_story(world, api_as, clock):
    intend(DEMO)
    visit(ADA)
    world.unlink(username="ada", customer="acme")
    clock.shift(6 * MINUTE)
    body = ask_well(api_as("enterprise_access_worker"), lms_user_id=ADA)
    entry = entry_of(body, DEMO)
    assert (body["link"]["is_linked"], entry["rule"]) == (False, "D0")
    assert [row["course_run_key"] for row in entry["realizations"]] == [DEMO_RUN]


def test_an_intention_that_was_deleted_is_shown_when_it_was_realized(world, api_as):
    first, second = intend(DEMO, LINUX)
    visit(ADA)
    RealizationAttempt.objects.filter(intention=second).delete()
    second.realizations.all().delete()
    delete_intention(first)
    delete_intention(second)
    (entry,) = ask_well(api_as("ada"))["intentions"]
    assert (entry["content_key"], entry["is_deleted"], entry["rule"], entry["reason"]) == (DEMO, True, None, None)
    assert entry["realizations"][0]["course_run_key"] == DEMO_RUN


def test_the_request_says_when_the_next_look_is_and_why(simulator, world, api_as):
    intend(DEMO)
    assert ask_well(api_as("ada"))["request"] is None
    simulator.faults.add("status", "license_manager.*", times=None, status=500)
    visit(ADA)
    request = ask_well(api_as("ada"))["request"]
    assert request["waiting_for"]["code"] == "license_manager_unavailable"
    assert request["due_at"]
    assert request["failures"] == 1
    assert request["dead_at"] is None


def test_a_request_that_was_given_up_and_a_pause_are_plain_to_see(world, api_as):
    intend(DEMO)
    visit(ADA)
    give_up(customer_uuid=ACME, lms_user_id=ADA, because="outcome_unknown")
    EnterpriseCustomer.objects.update(realization_paused=True)
    body = ask_well(api_as("ada"))
    assert body["request"]["dead_at"]
    assert body["customer"]["is_paused"] is True


def test_an_error_of_our_own_is_explained_too(world, api_as):
    intend(DEMO)
    visit(ADA)
    RealizationRequest.objects.update(waiting_for="unexpected_error")
    assert "unexpected error" in ask_well(api_as("ada"))["request"]["waiting_for"]["text"]


def test_explaining_enrolls_nobody_and_owes_nothing(world, api_as):
    intend(DEMO)
    ask_well(api_as("ada"))
    assert asked(world, BULK) == 0
    assert not RealizationRequest.objects.exists()


def test_a_silent_lms_is_bridged_with_stale_copies(simulator, world, api_as, clock):
    intend(DEMO)
    ask_well(api_as("ada"))
    clock.shift(10 * MINUTE)
    simulator.faults.add("hang", "lms.*", times=None)
    simulator.faults.add("hang", "platform.*", times=None)
    body = ask_well(api_as("ada"))
    assert body["stale"] is True
    assert entry_of(body, DEMO)["rule"] == "D17"


@pytest.mark.parametrize("keys", [[DEMO], [DEMO, DEMO_RUN, LINUX, PROJECT, "MITx+6.00.1x", "NewX+FRESH1"]])
def test_the_statements_do_not_grow_with_the_intentions(world, api_as, keys):
    intend(*keys)
    visit(ADA)
    client = api_as("ada")
    ask_well(client)
    with CaptureQueriesContext(connection) as statements:
        ask_well(client)
    assert len(statements) == STATEMENTS


def test_the_api_document_names_exactly_what_is_answered(world, api_as, clock):
    intend(DEMO, LINUX, "MITx+6.00.1x")
    visit(ADA, HAL)
    clock.shift(2 * MINUTE)
    for caller in ("ada", "hal"):
        check_document(ExplanationSerializer(), ask_well(api_as(caller)))


def check_document(serializer: serializers.Serializer, answer: dict[str, Any]) -> None:
    """Compare the names of a serializer with those of an answer, all the way down."""
    assert set(answer) == set(serializer.fields)
    for name, field in serializer.fields.items():
        inner = getattr(field, "child", field)
        assert answer[name] is not None or field.allow_null, name
        if isinstance(inner, serializers.Serializer) and answer[name] is not None:
            for thing in answer[name] if isinstance(answer[name], list) else [answer[name]]:
                check_document(inner, thing)


# --- The command ---------------------------------------------------------------------------------------------------


def test_the_command_says_it_in_words(world):
    intend(DEMO, "MITx+6.00.1x")
    visit(HAL)
    text = told("acme", HAL)
    assert (
        f"Learner {HAL} is not enrolled in edX Demonstration Course because they have no license (last checked" in text
    )
    assert "Assign one, and check now." in text
    assert f"{DEMO}: blocked" in text
    assert "no_license: The learner has no license of this customer." in text
    assert "decision: enrollable (needs_enrollment, rule D17)" in text
    assert "decision: not_enrollable (no_advertised_run, rule D8)" in text
    assert "Payment is checked last" in text
    assert "@" not in text


def test_the_command_tells_every_kind_of_story(simulator, world, clock):
    first, second = intend(DEMO, LINUX)
    assert "Never queued for evaluation" in told("acme", ADA)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    delete_intention(second)
    clock.shift(10 * MINUTE)
    told("acme", ADA)
    grant_override(intention=first, lms_user_id=ADA, by="sam", reason="asked for it", now=request_of(ADA).modified)
    give_up(customer_uuid=ACME, lms_user_id=ADA, because="outcome_unknown")
    EnterpriseCustomer.objects.update(realization_paused=True)
    clock.shift(10 * MINUTE)
    simulator.faults.add("hang", "lms.*", times=None)
    text = told(ACME, ADA)
    for sentence in (
        "Enrollments are paused",
        "The LMS did not answer",
        "Failed since",
        "Staff allowed one re-enrollment.",
        f"{LINUX}: deleted",
        f"realized: {DEMO_RUN}, verified",
    ):
        assert sentence in text


def test_the_command_gives_everything_to_machines(world, api_as):
    intend(DEMO)
    visit(ADA)
    plain = json.loads(told("acme", ADA, "--json"))
    assert set(plain) == set(ask_well(api_as("ada")))
    assert plain["intentions"][0]["content_key"] == DEMO


def test_the_command_says_what_makes_no_sense(world):
    with pytest.raises(CommandError, match="knows no active enterprise customer"):
        told("nobody", ADA)
    with pytest.raises(CommandError, match="no such learner"):
        told("acme", 0)

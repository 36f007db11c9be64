"""POST, PATCH, DELETE and restore intentions: who may, what is taken, what is refused, and what races leave behind."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention, IntentionHealth
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention, delete_intention
from enterprise_access.apps.default_enrollments.tests.api_words import OPERATOR, code_of, results_of, with_token
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    API,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    PROJECT,
    ask_for,
    attempts_of,
    intend,
    realizations_of,
    visit,
    work,
)
from simulator.seed import ACME, DORMANT, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention

CLOSED = "BerkeleyX+CS188.1x"

pytestmark = pytest.mark.django_db


def post(client: APIClient, content_key: object = DEMO, customer: object = ACME, **more: Any) -> Any:
    body = {"enterprise_customer_uuid": str(customer), "content_key": content_key, **more}
    return client.post(f"{API}/", body, format="json")


def patch(client: APIClient, intention: Any, **body: Any) -> Any:
    return client.patch(f"{API}/{getattr(intention, 'pk', intention)}/", body, format="json")


def delete(client: APIClient, intention: Any) -> Any:
    return client.delete(f"{API}/{getattr(intention, 'pk', intention)}/")


def restore(client: APIClient, intention: Any) -> Any:
    return client.post(f"{API}/{getattr(intention, 'pk', intention)}/restore/")


def reasons(answer: Any) -> list[str]:
    return [warning["reason"] for warning in answer.json()["warnings"]]


# --- Who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("caller", "code"), [("ada", "may_not_write"), ("amy_admin", "may_not_write")])
def test_who_reads_the_customer_but_is_no_operator_is_403(world, api_as, caller, code):
    intention, client = intend(DEMO)[0], api_as(caller)
    answers = [
        post(client, LINUX),
        patch(client, intention, content_key=LINUX),
        delete(client, intention),
        restore(client, intention),
    ]
    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(403, code)] * 4
    assert list(Intention.objects.values_list("content_key", "deleted_at")) == [(DEMO, None)]


@pytest.mark.parametrize("caller", ["outsider", "staff_without_role"])
def test_who_has_no_role_is_403(world, api_as, caller):
    intention, client = intend(DEMO)[0], api_as(caller)
    for answer in (post(client, LINUX), patch(client, intention, content_key=LINUX), delete(client, intention)):
        assert (answer.status_code, code_of(answer)) == (403, "may_not_read")


def test_an_operator_of_another_customer_finds_nothing_to_write(simulator):
    intention = intend(DEMO)[0]
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_openedx_operator:{GLOBEX}"])
    client = with_token(token)
    assert patch(client, intention, content_key=LINUX).status_code == 404
    assert delete(client, intention).status_code == 404
    assert restore(client, intention).status_code == 404
    assert post(client).status_code == 403


def test_an_operator_of_one_customer_may_write_there(simulator):
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_openedx_operator:{str(ACME).upper()}"])
    assert post(with_token(token)).status_code == 201


def test_an_anonymous_caller_is_401(world):
    assert post(APIClient()).status_code == 401
    assert delete(APIClient(), uuid4()).status_code == 401


# --- Adding --------------------------------------------------------------------------------------------------------


def test_adding_answers_with_what_the_key_stands_for(world, api_as):
    answer = post(api_as(OPERATOR), " EDX+demox ")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["content_key"], body["course_run_key"], body["warnings"]) == (DEMO, DEMO_RUN, [])
    assert body["best_mode_for_course_run"] == "verified"
    assert Intention.objects.get().pk == Intention.objects.get(pk=body["uuid"]).pk


def test_what_was_added_is_checked_as_in_the_admin(world, api_as):
    assert post(api_as(OPERATOR)).status_code == 201
    assert IntentionHealth.objects.get().is_healthy
    assert post(api_as(OPERATOR), CLOSED).status_code == 201
    assert IntentionHealth.objects.get(intention__content_key=CLOSED).reason == "enrollment_closed"


def test_adding_for_a_customer_that_only_the_lms_knows_yet(world, api_as):
    assert not EnterpriseCustomer.objects.exists()
    assert post(api_as(OPERATOR)).status_code == 201
    assert EnterpriseCustomer.objects.get().pk == ACME


@pytest.mark.parametrize("customer", [uuid4(), DORMANT])
def test_a_customer_that_the_lms_does_not_know_is_404(world, api_as, customer):
    answer = post(api_as(OPERATOR), customer=customer)
    assert (answer.status_code, code_of(answer)) == (404, "customer_unknown")


def test_a_customer_that_nobody_can_be_asked_about_is_503(world, simulator, api_as):
    simulator.faults.add("status", "lms.*", times=None, status=503)
    answer = post(api_as(OPERATOR))
    assert answer.status_code == 503
    assert not Intention.objects.exists()


@pytest.mark.parametrize("key", ["NobodyX+NOTHING1", "course-v1:NobodyX+NOTHING1+2026", "édX+Dëmo²"])
def test_a_key_that_no_catalog_knows_is_400_and_nothing_is_saved(world, api_as, key):
    answer = post(api_as(OPERATOR), key)
    assert (answer.status_code, code_of(answer)) == (400, "content_not_found")
    assert not Intention.objects.exists()


@pytest.mark.parametrize("key", ["DemoX", "course-v1:", "library-v1:edX+L", "a b+c", "edX+DemoX@x", "\u202eedX", "+"])
def test_what_is_no_key_is_400(world, api_as, key):
    answer = post(api_as(OPERATOR), key)
    assert (answer.status_code, code_of(answer)) == (400, "malformed_content_key")


@pytest.mark.parametrize("key", [None, "", "  ", 42, True, ["edX+DemoX"], {"a": 1}, "a\x00b", "x" * 256])
def test_what_is_no_text_is_400_and_the_field_is_named(world, api_as, key):
    answer = post(api_as(OPERATOR), key)
    assert (answer.status_code, code_of(answer)) == (400, "invalid")
    assert "content_key" in answer.json()["extra"]["fields"]


@pytest.mark.parametrize("customer", ["", "abc", None, 7, "\x00"])
def test_a_customer_that_is_no_uuid_is_400(world, api_as, customer):
    answer = api_as(OPERATOR).post(
        f"{API}/", {"enterprise_customer_uuid": customer, "content_key": DEMO}, format="json"
    )
    assert (answer.status_code, code_of(answer)) == (400, "invalid")


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "{", "", "\ud83d".encode("utf-8", "surrogatepass"), "42"])
def test_a_body_that_is_no_object_is_400(world, api_as, body):
    answer = api_as(OPERATOR).post(f"{API}/", body, content_type="application/json")
    assert answer.status_code == 400
    assert code_of(answer)


def test_a_field_that_nobody_knows_is_400_and_not_ignored(world, api_as):
    answer = post(api_as(OPERATOR), uuid=str(uuid4()))
    assert answer.status_code == 400
    assert "uuid" in answer.json()["detail"]
    assert not Intention.objects.exists()


def test_a_key_outside_of_the_customers_catalogs_is_saved_with_a_warning(world, api_as):
    answer = post(api_as(OPERATOR), "UBCx+HTC1")
    assert answer.status_code == 201
    assert reasons(answer) == ["not_in_customer_catalogs"]
    assert answer.json()["warnings"][0]["text"]


def test_a_silent_catalog_lets_it_be_saved_unchecked_with_a_warning(world, simulator, api_as):
    simulator.faults.add("status", "catalog.*", times=None, status=503)
    answer = post(api_as(OPERATOR))
    assert answer.status_code == 201
    assert answer.json()["is_checked"] is False
    assert reasons(answer) == ["catalog_unavailable"]
    assert Intention.objects.get().content_key == DEMO


@pytest.mark.parametrize("key", [DEMO, "edx+DEMOX", f" {DEMO}"])
def test_a_twin_is_409_and_named(world, api_as, key):
    twin = intend(DEMO)[0]
    answer = post(api_as(OPERATOR), key)
    assert (answer.status_code, code_of(answer)) == (409, "intention_exists")
    assert answer.json()["extra"]["uuid"] == str(twin.pk)


def test_a_deleted_twin_is_409_and_can_be_restored_by_its_uuid(world, api_as):
    twin = intend(DEMO)[0]
    delete_intention(twin)
    answer = post(api_as(OPERATOR))
    assert (answer.status_code, code_of(answer)) == (409, "intention_deleted")
    assert restore(api_as(OPERATOR), answer.json()["extra"]["uuid"]).status_code == 200
    assert Intention.objects.get().deleted_at is None


def test_another_customer_may_intend_the_same(world, api_as):
    intend(DEMO)
    assert post(api_as(OPERATOR), DEMO, GLOBEX).status_code == 201


def test_of_two_who_add_the_same_key_at_once_one_gets_a_409(world, api_as, meanwhile):
    intend(LINUX)
    client = api_as(OPERATOR)
    rival = []
    meanwhile("enterprise-catalogs", after=lambda: rival.append(add_intention(customer_uuid=ACME, content_key=DEMO)))
    answer = post(client)
    assert (answer.status_code, code_of(answer)) == (409, "intention_exists")
    assert answer.json()["extra"]["uuid"] == str(rival[0][0].pk)
    assert Intention.objects.filter(content_key=DEMO).count() == 1


# --- Changing the key ----------------------------------------------------------------------------------------------


def test_a_key_that_nobody_was_looked_at_for_may_change(world, api_as):
    intention = intend(DEMO)[0]
    answer = patch(api_as(OPERATOR), intention, content_key=LINUX.lower())
    assert answer.status_code == 200
    assert answer.json()["content_key"] == LINUX
    assert answer.json()["uuid"] == str(intention.pk)
    intention.refresh_from_db()
    assert (intention.content_key, intention.content_key_folded, intention.content_type) == (
        LINUX,
        LINUX.lower(),
        "course",
    )


def test_a_course_may_become_a_run(world, api_as):
    intention = intend(DEMO)[0]
    assert patch(api_as(OPERATOR), intention, content_key=DEMO_RUN).json()["content_type"] == "course_run"


def test_what_was_found_about_the_old_key_is_forgotten(world, api_as):
    intention = intend(DEMO)[0]
    check_intentions(customer_uuid=ACME)
    patch(api_as(OPERATOR), intention, content_key=LINUX)
    assert not IntentionHealth.objects.exists()


@pytest.mark.parametrize("learner", [ADA, HAL])
def test_once_somebody_was_looked_at_the_key_stays_and_the_answer_says_what_to_do(world, api_as, learner):
    intention = intend(DEMO)[0]
    visit(learner)
    assert attempts_of(learner)
    answer = patch(api_as(OPERATOR), intention, content_key=LINUX)
    assert (answer.status_code, code_of(answer)) == (409, "key_is_used")
    assert "add another" in answer.json()["detail"]
    intention.refresh_from_db()
    assert intention.content_key == DEMO


def test_the_same_key_in_another_spelling_changes_nothing_and_is_no_error(world, api_as):
    intention = intend(DEMO)[0]
    visit(ADA)
    answer = patch(api_as(OPERATOR), intention, content_key=DEMO.lower())
    assert answer.status_code == 200
    assert answer.json()["content_key"] == DEMO
    assert intention.history.count() == 1


def test_a_key_of_another_intention_is_409(world, api_as):
    intention, twin = intend(DEMO, LINUX)
    answer = patch(api_as(OPERATOR), intention, content_key=LINUX)
    assert (answer.status_code, code_of(answer)) == (409, "intention_exists")
    assert answer.json()["extra"]["uuid"] == str(twin.pk)


def test_a_deleted_intention_is_restored_before_it_is_changed(world, api_as):
    intention = intend(DEMO)[0]
    delete_intention(intention)
    answer = patch(api_as(OPERATOR), intention, content_key=LINUX)
    assert (answer.status_code, code_of(answer)) == (409, "intention_deleted")


@pytest.mark.parametrize("body", [{}, {"content_key": None}, {"content_key": 1}, {"deleted_at": None}, {"x": 1}])
def test_a_change_that_makes_no_sense_is_400(world, api_as, body):
    answer = patch(api_as(OPERATOR), intend(DEMO)[0], **body)
    assert (answer.status_code, code_of(answer)) == (400, "invalid")


def test_an_unknown_key_is_400_and_the_old_one_stays(world, api_as):
    intention = intend(DEMO)[0]
    assert code_of(patch(api_as(OPERATOR), intention, content_key="NobodyX+N1")) == "content_not_found"
    intention.refresh_from_db()
    assert intention.content_key == DEMO


def test_a_learner_who_is_looked_at_while_the_key_changes_keeps_it(world, api_as, meanwhile):
    intention = intend(DEMO)[0]
    cache.clear()
    meanwhile("enterprise-catalogs", after=lambda: visit(ADA))
    answer = patch(api_as(OPERATOR), intention, content_key=LINUX)
    assert (answer.status_code, code_of(answer)) == (409, "key_is_used")
    assert attempts_of(ADA)
    intention.refresh_from_db()
    assert intention.content_key == DEMO


def test_a_worker_whose_key_has_changed_since_its_look_sends_nothing_for_it(world, api_as, meanwhile):
    intention, _ = intend(DEMO, PROJECT)
    ask_for(ADA)
    meanwhile("learner-licenses", after=lambda: patch(api_as(OPERATOR), intention, content_key=LINUX))
    meanwhile("license-view", after=lambda: patch(api_as(OPERATOR), intention, content_key=LINUX))
    work()
    intention.refresh_from_db()
    assert intention.content_key == LINUX
    assert DEMO_RUN not in realizations_of(ADA)
    visit(ADA)
    assert DEMO_RUN not in realizations_of(ADA)


# --- Deleting and restoring ----------------------------------------------------------------------------------------


def test_deleting_is_soft_and_once(world, api_as):
    intention = intend(DEMO)[0]
    for _ in range(2):
        answer = delete(api_as(OPERATOR), intention)
        assert (answer.status_code, answer.content) == (204, b"")
    intention.refresh_from_db()
    assert intention.is_deleted
    assert intention.history.count() == 2


def test_what_was_realized_stays_when_its_intention_is_deleted(world, api_as):
    intention = intend(DEMO)[0]
    visit(ADA)
    delete(api_as(OPERATOR), intention)
    assert list(realizations_of(ADA)) == [DEMO_RUN]


def test_restoring_answers_with_the_intention_and_happens_once(world, api_as):
    intention = intend(DEMO)[0]
    delete_intention(intention)
    for _ in range(2):
        answer = restore(api_as(OPERATOR), intention)
        assert answer.status_code == 200
        assert (answer.json()["content_key"], answer.json()["deleted_at"]) == (DEMO, None)
    assert intention.history.count() == 3


def test_what_was_restored_is_checked_again(world, api_as):
    (intention,) = intend(DEMO)
    check_intentions(customer_uuid=ACME)
    delete(api_as(OPERATOR), intention)
    world.change_run(run_key=DEMO_RUN, enrollment_end=timezone.now() - timedelta(days=1))
    assert restore(api_as(OPERATOR), intention).status_code == 200
    assert IntentionHealth.objects.get().reason == "enrollment_closed"


def test_restoring_an_active_intention_checks_nothing(world, api_as):
    (intention,) = intend(DEMO)
    assert restore(api_as(OPERATOR), intention).status_code == 200
    assert not IntentionHealth.objects.exists()


def test_an_intention_that_does_not_exist_is_404_whatever_is_asked(world, api_as):
    client, nobody = api_as(OPERATOR), uuid4()
    answers = [patch(client, nobody, content_key=DEMO), delete(client, nobody), restore(client, nobody)]
    assert [(answer.status_code, code_of(answer)) for answer in answers] == [(404, "intention_unknown")] * 3


def test_an_address_that_is_no_uuid_is_404(world, api_as):
    assert api_as(OPERATOR).get(f"{API}/{'9' * 40}/").status_code == 404


def test_deleting_one_that_changes_its_key_meanwhile_undoes_nothing(world, api_as):
    intention = intend(DEMO)[0]
    stale = Intention.objects.get(pk=intention.pk)
    patch(api_as(OPERATOR), intention, content_key=LINUX)
    delete_intention(stale)
    row = Intention.objects.get(pk=intention.pk)
    assert (row.content_key, row.is_deleted) == (LINUX, True)
    assert results_of(api_as(OPERATOR).get(f"{API}/{row.pk}/history/"))[0]["action"] == "deleted"

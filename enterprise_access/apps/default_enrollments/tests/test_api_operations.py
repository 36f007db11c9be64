"""What operators do over REST at support: overrides, pauses, checks, the queue, customers, many intentions at once."""

import pytest
from django.contrib.admin.models import LogEntry

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    RealizationOverride,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.selectors.pauses import get_pause
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.api_words import OPERATOR, code_of, results_of, with_token
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    API,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    PROJECT,
    intend,
    realizations_of,
    visit,
    work,
)
from simulator.seed import ACME, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention

OVERRIDES = "/api/v1/default-enterprise-enrollment-overrides/"
PAUSES = "/api/v1/default-enterprise-enrollment-pauses/"
QUEUE = "/api/v1/default-enterprise-enrollment-requests/"
CUSTOMERS = "/api/v1/enterprise-customers/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(world, api_as):
    return api_as(OPERATOR)


@pytest.fixture
def operator_of_acme(world, simulator):
    return with_token(simulator.tokens.token_for("outsider", roles=[f"enterprise_openedx_operator:{ACME}"]))


def logged():
    return [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]


def grant(client, intention, lms_user_id=ADA, reason="Ticket 1"):
    body = {"intention": str(intention.pk), "lms_user_id": lms_user_id, "reason": reason}
    return client.post(OVERRIDES, body, format="json")


# --- Overrides -----------------------------------------------------------------------------------------------------


def test_who_left_is_let_in_once_more(world, operator):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    answer = grant(operator, intention)
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (201, "active", "Ticket 1")
    assert code_of(grant(operator, intention)) == "override_exists"
    (row,) = results_of(operator.get(OVERRIDES, {"enterprise_customer_uuid": str(ACME), "state": "active"}))
    assert (row["id"], row["lms_user_id"], row["content_key"]) == (answer.json()["id"], ADA, DEMO)
    work()
    assert realizations_of(ADA)[DEMO_RUN].left_at is None
    (row,) = results_of(operator.get(OVERRIDES, {"state": "ended", "lms_user_id": ADA}))
    assert row["state"] == "used"
    assert logged() == ["Override given."]


def test_an_override_is_cancelled_with_a_reason(world, operator):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    cancel = f"{OVERRIDES}{grant(operator, intention).json()['id']}/cancel/"
    assert operator.post(cancel, {"reason": " "}, format="json").status_code == 400
    answer = operator.post(cancel, {"reason": "The wrong learner"}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["cancel_reason"]) == ("cancelled", "The wrong learner")
    assert code_of(operator.post(cancel, {"reason": "again"}, format="json")) == "override_not_active"
    assert code_of(operator.post(f"{OVERRIDES}999/cancel/", {"reason": "-"}, format="json")) == "override_unknown"


def test_an_override_that_would_change_nothing_is_refused(world, operator):
    first, second = intend(DEMO, LINUX)
    visit(ADA)
    assert code_of(grant(operator, first)) == "override_not_needed"
    delete_intention(second)
    assert code_of(grant(operator, second)) == "intention_deleted"
    assert not RealizationOverride.objects.exists()


# --- Pauses --------------------------------------------------------------------------------------------------------


def test_one_customer_is_paused_and_resumed_and_twice_is_once(operator, world):
    fetch_customer(customer_uuid=ACME)
    body = {"enterprise_customer_uuid": str(ACME)}
    paused = [
        operator.post(f"{PAUSES}pause/", {**body, "reason": why}, format="json").json() for why in ("first", "no")
    ]
    assert [(each["is_paused"], each["is_changed"], each["reason"]) for each in paused] == [
        (True, True, "first"),
        (True, False, "first"),
    ]
    resumed = [operator.post(f"{PAUSES}resume/", body, format="json").json() for _ in range(2)]
    assert [(each["is_paused"], each["is_changed"]) for each in resumed] == [(False, True), (False, False)]
    assert logged() == ["Paused: first", "Resumed."]


def test_everything_is_paused_by_operators_of_every_customer_alone(operator, operator_of_acme, world):
    assert code_of(operator_of_acme.post(f"{PAUSES}pause/", {"reason": "x"}, format="json")) == "may_not_operate"
    assert get_pause(customer_uuid=None) is None
    assert operator.post(f"{PAUSES}pause/", {"reason": "x"}, format="json").json()["is_paused"]
    assert get_pause(customer_uuid=None).reason == "x"
    assert not operator.post(f"{PAUSES}resume/", {}, format="json").json()["is_paused"]
    assert get_pause(customer_uuid=None) is None


def test_a_pause_has_a_reason_and_a_known_customer(operator, world):
    assert operator.post(f"{PAUSES}pause/", {}, format="json").status_code == 400
    assert operator.post(f"{PAUSES}pause/", {"reason": "x", "customer": "acme"}, format="json").status_code == 400
    unknown = {"enterprise_customer_uuid": str(GLOBEX), "reason": "x"}
    assert code_of(operator.post(f"{PAUSES}pause/", unknown, format="json")) == "customer_unknown"


# --- Checks, the queue, customers ----------------------------------------------------------------------------------


def test_one_intention_is_checked_now(operator, world):
    first, second = intend(DEMO, LINUX)
    answer = operator.post(f"{API}/{first.pk}/check/")
    assert (answer.status_code, answer.json()["state"]) == (200, "healthy")
    assert not hasattr(Intention.objects.select_related("health").get(pk=second.pk), "health")
    delete_intention(second)
    assert code_of(operator.post(f"{API}/{second.pk}/check/")) == "intention_deleted"


def test_the_queue_says_what_is_pending(operator, operator_of_acme, world):
    intend(DEMO)
    visit(ADA, HAL)
    states = {row["lms_user_id"]: row["state"] for row in results_of(operator.get(QUEUE))}
    assert states[ADA] == "settled"
    assert states == {row.lms_user_id: states[row.lms_user_id] for row in RealizationRequest.objects.all()}
    for state in ("due", "scheduled", "in_progress", "settled", "failed"):
        rows = results_of(operator.get(QUEUE, {"state": state}))
        assert {row["lms_user_id"] for row in rows} == {learner for learner, its in states.items() if its == state}
    assert [row["lms_user_id"] for row in results_of(operator.get(QUEUE, {"lms_user_id": ADA}))] == [ADA]
    mine = {"enterprise_customer_uuid": str(ACME)}
    assert len(results_of(operator_of_acme.get(QUEUE, mine))) == len(states)
    assert code_of(operator_of_acme.get(QUEUE)) == "may_not_operate"
    assert operator.get(QUEUE, {"customer": "acme"}).status_code == 400


def test_customers_are_found_by_a_part_of_what_is_known_of_them(operator, operator_of_acme, world):
    for customer_uuid in (ACME, GLOBEX):
        fetch_customer(customer_uuid=customer_uuid)
    for search in ("ACME", "me lear", str(ACME)):
        assert [row["uuid"] for row in results_of(operator.get(CUSTOMERS, {"search": search}))] == [str(ACME)]
    assert len(results_of(operator.get(CUSTOMERS))) == 2
    assert code_of(operator_of_acme.get(CUSTOMERS, {"search": "acme"})) == "may_not_operate"


# --- Many intentions -----------------------------------------------------------------------------------------------


def test_many_intentions_are_added_at_once_after_a_dry_run(operator, world):
    (gone,) = intend(LINUX)
    delete_intention(gone)
    body = {"enterprise_customer_uuid": str(ACME), "content_keys": [DEMO, " " + PROJECT, LINUX, "nonsense", DEMO]}

    def outcomes(**more):
        answer = operator.post(f"{API}/bulk/", {**body, **more}, format="json")
        assert answer.status_code == 200
        return [row["outcome"] for row in answer.json()["results"]]

    assert outcomes(dry_run=True) == ["add", "add", "restore", "error", "error"]
    assert not Intention.objects.living().exists()
    assert outcomes() == ["added", "added", "restore", "error", "error"]
    assert outcomes(restore_deleted=True) == ["exists", "exists", "restored", "error", "error"]
    assert Intention.objects.living().count() == 3


def test_an_error_says_what_is_wrong_with_the_key_and_a_warning_what_stands_in_the_way(operator, world):
    fetch_customer(customer_uuid=ACME)
    body = {"enterprise_customer_uuid": str(ACME), "content_keys": ["nonsense", "MITx+6.00.1x"]}
    wrong, doubtful = operator.post(f"{API}/bulk/", body, format="json").json()["results"]
    assert "is neither a course key" in wrong["detail"]
    assert (doubtful["outcome"], doubtful["detail"]) == ("added", None)
    assert doubtful["warnings"]


@pytest.mark.parametrize("keys", [[], ["edX+DemoX"] * 51, "edX+DemoX", [1]])
def test_what_is_no_list_of_keys_is_refused(operator, keys, world):
    fetch_customer(customer_uuid=ACME)
    body = {"enterprise_customer_uuid": str(ACME), "content_keys": keys}
    assert operator.post(f"{API}/bulk/", body, format="json").status_code == 400
    assert not Intention.objects.exists()

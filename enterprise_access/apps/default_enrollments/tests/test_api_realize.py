"""POST realize: asking for default enrollments, by the learner or an operator. Asking twice is asking once."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.api.serializers.learners import (
    RealizeAnswerSerializer,
    RealizeResultSerializer,
)
from enterprise_access.apps.default_enrollments.domain.looking_again import SERVED, TABLE, Schedule
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    Outcome,
    RealizationAttempt,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.learners.status import get_learner_status
from enterprise_access.apps.default_enrollments.services.requests.asking import _list_results
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE, give_up
from enterprise_access.apps.default_enrollments.tasks import sweep
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    API,
    BULK,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    asked,
    intend,
    request_of,
    visit,
    work,
)
from enterprise_access.lib.work import waking
from simulator.seed import ACME, GLOBEX

SHAPE = {"code", "detail", "extra", "request_id"}
# Of asking, with the caller's own: however many intentions there are.
STATEMENTS = 15

pytestmark = pytest.mark.django_db


def ask(client: APIClient, customer: object = ACME, **more: object) -> Any:
    body = {"enterprise_customer_uuid": str(customer), **more}
    return client.post(f"{API}/realize/", body, format="json")


def test_a_learner_who_asks_is_told_that_it_is_pending_and_is_owed_a_look(world, api_as):
    intend(DEMO)
    answer = ask(api_as("ada"))
    assert answer.status_code == 202
    body = answer.json()
    assert (body["enterprise_customer_uuid"], body["lms_user_id"], body["status"]) == (str(ACME), ADA, "pending")
    request = request_of(ADA)
    assert request.due_at <= timezone.now()
    assert (request.trigger, request.settled_at) == ("portal", None)


def test_asking_enrolls_nobody_inside_the_request(world, api_as):
    intend(DEMO)
    ask(api_as("ada"))
    assert asked(world, BULK) == 0
    assert world.enrollment("ada", DEMO_RUN) is None


def test_asking_twice_is_asking_once(world, api_as):
    intend(DEMO)
    for _ in range(3):
        assert ask(api_as("ada")).status_code == 202
    assert RealizationRequest.objects.count() == 1
    assert work().realized == 1
    assert work().learners == 0
    assert asked(world, BULK) == 1


def test_a_customer_that_we_have_not_met_is_asked_for_once(world, api_as):
    ask(api_as("ada"))
    ask(api_as("hal"))
    assert asked(world, "lms.customer") == 1
    assert EnterpriseCustomer.objects.get().slug == "acme"


def test_an_operator_may_ask_for_somebody_else(world, api_as):
    intend(DEMO)
    answer = ask(api_as("enterprise_access_worker"), lms_user_id=ADA)
    assert (answer.status_code, answer.json()["lms_user_id"]) == (202, ADA)
    assert request_of(ADA)


def test_an_operator_may_ask_for_a_learner_who_is_not_linked_and_nothing_comes_of_it(world, api_as):
    intend(DEMO)
    assert ask(api_as("enterprise_access_worker"), lms_user_id=999_999).status_code == 202
    work()
    assert asked(world, BULK) == 0
    assert request_of(999_999).settled_at is not None


@pytest.mark.parametrize("caller", ["hal", "outsider", "staff_without_role", "amy_admin", "heidi"])
def test_nobody_else_may_ask_for_a_learner(world, api_as, caller):
    answer = ask(api_as(caller), lms_user_id=ADA)
    assert answer.status_code == 403
    assert answer.json()["code"] == "may_not_realize"
    assert not RealizationRequest.objects.exists()


@pytest.mark.parametrize("caller", ["outsider", "grace", "heidi"])
def test_who_is_not_of_the_customer_may_not_ask(world, api_as, caller):
    assert ask(api_as(caller)).status_code == 403
    assert world.journal.calls() == []


def test_a_learner_may_not_ask_at_another_customer(world, api_as):
    assert ask(api_as("ada"), GLOBEX).status_code == 403


def test_an_anonymous_caller_is_401(world):
    answer = ask(APIClient())
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_customer_that_the_lms_does_not_know_is_404(world, api_as):
    answer = ask(api_as("enterprise_access_worker"), uuid4(), lms_user_id=ADA)
    assert (answer.status_code, answer.json()["code"]) == (404, "customer_unknown")
    assert not RealizationRequest.objects.exists()


def test_a_customer_that_is_switched_off_and_was_never_met_is_404(world, api_as):
    dormant = world.customer("dormant").uuid
    assert ask(api_as("dora"), dormant).json()["code"] == "customer_unknown"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enterprise_customer_uuid": None},
        {"enterprise_customer_uuid": "abc"},
        {"enterprise_customer_uuid": [str(ACME)]},
        {"enterprise_customer_uuid": {"uuid": str(ACME)}},
        {"enterprise_customer_uuid": "\x00"},
        {"enterprise_customer_uuid": 7},
        [],
        "acme",
        42,
        None,
    ],
)
def test_a_body_without_a_customer_is_400_in_our_shape(world, api_as, body):
    answer = api_as("ada").post(f"{API}/realize/", body, format="json")
    assert answer.status_code == 400
    assert set(answer.json()) == SHAPE
    assert isinstance(answer.json()["detail"], str)
    assert not RealizationRequest.objects.exists()


def test_the_field_that_is_wrong_is_named(world, api_as):
    error = ask(api_as("ada"), "abc").json()
    assert error["code"] == "invalid"
    assert error["detail"].startswith("enterprise_customer_uuid: ")
    assert error["extra"]["fields"] == {"enterprise_customer_uuid": ["Must be a valid UUID."]}


@pytest.mark.parametrize("lms_user_id", [0, -1, "abc", "1.5", 1.5, None, True, [1], {}, 2**63, 10**30, "9" * 5000])
def test_a_learner_that_cannot_be_is_400_and_not_an_error_of_ours(world, api_as, lms_user_id):
    answer = ask(api_as("enterprise_access_worker"), lms_user_id=lms_user_id)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["extra"]["fields"]) == ["lms_user_id"]


def test_the_largest_possible_learner_may_be_asked_for(world, api_as):
    intend(DEMO)
    assert ask(api_as("enterprise_access_worker"), lms_user_id=2**63 - 1).status_code == 202


@pytest.mark.parametrize("body", ["{", "", "\x00", "NaN", '{"a": NaN}', "é"])
def test_a_body_that_is_no_json_is_400_in_our_shape(world, api_as, body):
    answer = api_as("ada").post(f"{API}/realize/", body.encode(), content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == SHAPE


def test_a_form_instead_of_json_is_415_in_our_shape(world, api_as):
    answer = api_as("ada").post(f"{API}/realize/", {"enterprise_customer_uuid": str(ACME)})
    assert answer.status_code == 415
    assert set(answer.json()) == SHAPE


def test_get_is_405_in_our_shape(world, api_as):
    answer = api_as("ada").get(f"{API}/realize/")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


def test_a_token_that_names_nobody_has_to_say_which_learner_is_meant(simulator):
    intend(DEMO)
    client = APIClient()
    token = simulator.tokens.token_for("enterprise_access_worker", user_id=None)
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    assert ask(client).status_code == 400
    assert ask(client, lms_user_id=HAL).status_code == 202


# --- Silent neighbours ---------------------------------------------------------------------------------------------


def test_a_silent_lms_is_503_for_a_customer_that_we_have_not_met(simulator, world, api_as):
    simulator.faults.add("hang", "lms.*", times=None)
    answer = ask(api_as("ada"))
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    assert not EnterpriseCustomer.objects.exists()
    assert not RealizationRequest.objects.exists()


def test_a_silent_lms_does_not_matter_for_a_customer_that_we_know(simulator, world, api_as):
    intend(DEMO)
    for service in ("lms.*", "platform.*", "catalog.*", "license_manager.*"):
        simulator.faults.add("hang", service, times=None)
    assert ask(api_as("ada")).status_code == 202


def test_a_broker_that_is_away_does_not_fail_the_request_and_the_sweep_finds_the_work(
    world, api_as, dead_broker, django_capture_on_commit_callbacks
):
    intend(DEMO)
    client = api_as("ada")
    started_at = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        answer = ask(client)
    assert answer.status_code == 202
    assert time.monotonic() - started_at < 3
    assert waking.list_due_groups(QUEUE) == [ACME]
    with django_capture_on_commit_callbacks(execute=True) as messages:
        sweep()
    assert len(messages) == 1
    work()
    assert waking.list_due_groups(QUEUE) == []
    assert world.enrollment("ada", DEMO_RUN).is_active


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the broker be one that refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: whoever connects is refused
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis://127.0.0.1:{taken.getsockname()[1]}/0")
        forget_connections()
        yield
    monkeypatch.undo()
    forget_connections()


def forget_connections() -> None:
    current_app.pool.force_close_all()
    current_app._pool = None
    current_app.amqp._producer_pool = None


# --- Waiting for the result ----------------------------------------------------------------------------------------


def results_of(answer: Any) -> dict[str, tuple[str, str]]:
    """Return status and reason of every result, by course key."""
    return {row["course_key"]: (row["enrollment_status"], row["reason"]) for row in answer.json()["results"]}


@pytest.fixture
def while_waiting(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[Callable[[], object]], list[float]]:
    """Let something happen at every pause of who waits; the pauses are noted, and take no time."""
    pauses: list[float] = []

    def set_up(happens: Callable[[], object]) -> list[float]:
        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            happens()

        monkeypatch.setattr(time, "sleep", sleep)
        settings.REALIZE_WAITERS = 16
        return pauses

    return set_up


def test_who_waits_gets_the_result_when_a_worker_is_quick_enough(world, api_as, while_waiting):
    intend(DEMO, "MITx+6.00.1x")
    while_waiting(work)
    answer = ask(api_as("ada"), wait_seconds=2)
    assert (answer.status_code, answer.json()["status"]) == (200, "settled")
    assert results_of(answer) == {
        DEMO: ("enrolled", "enrolled"),
        "MITx+6.00.1x": ("blocked", "no_advertised_run"),
    }
    assert [row["course_run_key"] for row in answer.json()["results"]] == [DEMO_RUN, None]


def test_who_waits_never_enrolls_in_the_web_process(world, api_as, settings):
    intend(DEMO)
    settings.REALIZE_WAITERS = 16
    started_at = time.monotonic()
    answer = ask(api_as("ada"), wait_seconds=0.2)
    assert 0.2 <= time.monotonic() - started_at < 2
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert results_of(answer) == {DEMO: ("pending", "")}
    assert asked(world, BULK) == 0


def test_asking_again_after_it_is_done_gives_the_same_result_and_enrolls_nobody(world, api_as, while_waiting):
    intend(DEMO)
    while_waiting(work)
    first = ask(api_as("ada"), wait_seconds=2)
    again = ask(api_as("ada"), wait_seconds=2)
    assert (again.status_code, again.json()) == (200, first.json())
    assert asked(world, BULK) == 1


def test_without_waiting_what_was_realized_before_is_shown_as_enrolled(world, api_as):
    intend(DEMO)
    visit(ADA)
    answer = ask(api_as("ada"))
    assert (answer.status_code, results_of(answer)) == (200, {DEMO: ("enrolled", "enrolled")})


def test_a_known_block_stays_one_while_the_answer_is_not_final_yet(world, api_as, while_waiting):
    intend(DEMO)
    visit(HAL)
    answer = ask(api_as("hal"))
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert results_of(answer) == {DEMO: ("blocked", "no_license")}
    while_waiting(work)
    answer = ask(api_as("hal"), wait_seconds=2)
    assert (answer.status_code, results_of(answer)) == (200, {DEMO: ("blocked", "no_license")})


# What ends by itself: somebody answers again, or we take our next step.
GOES_BY_ITSELF = {reason for reason, look in TABLE.items() if look.is_waiting or look.schedule is Schedule.AT_ONCE}


def test_the_same_reason_is_the_same_status_for_every_learner_whenever_they_ask(world, api_as):
    intend(DEMO)
    visit(HAL)
    client, states = api_as("hal"), [{"due_at": None}, {"waiting_for": "lms_unavailable"}]
    for reason in sorted(TABLE.keys() - {row for row, look in TABLE.items() if look is SERVED}):
        with transaction.atomic():
            RealizationAttempt.objects.filter(lms_user_id=HAL).update(reason=reason, outcome=Outcome.BLOCKED)
            request = RealizationRequest.objects.filter(lms_user_id=HAL)
            expected = {DEMO: ("pending" if reason in GOES_BY_ITSELF else "blocked", reason.value)}
            assert results_of(ask(client)) == expected, reason
            for state in states:
                request.update(**{"due_at": timezone.now() + timedelta(days=1)} | state)
                assert {
                    row.course_key: (row.enrollment_status, row.reason)
                    for row in _list_results(ACME, HAL, request.get())
                } == expected, (reason, state)
            transaction.set_rollback(True)
        cache.clear()


def test_what_was_given_up_is_blocked_whatever_the_reason(world, api_as):
    intend(DEMO)
    ask(api_as("hal"))
    request = RealizationRequest.objects.get(lms_user_id=HAL)
    request.failed_at = timezone.now()
    assert [row.enrollment_status for row in _list_results(ACME, ADA, request)] == ["blocked"]


def test_a_learner_who_left_is_blocked_and_not_pending(world, api_as, while_waiting):
    intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    # Seen by an event, a comparison, or as here by somebody who looks.
    get_learner_status(customer_uuid=ACME, lms_user_id=ADA)
    while_waiting(work)
    answer = ask(api_as("ada"), wait_seconds=2)
    assert (answer.status_code, results_of(answer)) == (200, {DEMO: ("blocked", "learner_unenrolled")})


def test_a_run_that_is_intended_itself_is_named_before_anybody_has_looked(world, api_as):
    intend(DEMO_RUN)
    (result,) = ask(api_as("ada")).json()["results"]
    assert (result["course_key"], result["course_run_key"]) == (DEMO, DEMO_RUN)


def test_a_silent_lms_ends_the_waiting_with_what_is_pending(simulator, world, api_as, while_waiting):
    intend(DEMO)
    simulator.faults.add("hang", "lms.*", times=None)
    pauses = while_waiting(work)
    answer = ask(api_as("ada"), wait_seconds=2)
    assert (answer.status_code, results_of(answer)) == (202, {DEMO: ("pending", "lms_unavailable")})
    assert len(pauses) == 1


def test_a_paused_customer_is_said_plainly_and_not_waited_for(world, api_as, while_waiting):
    intend(DEMO)
    EnterpriseCustomer.objects.update(realization_paused=True)
    pauses = while_waiting(work)
    answer = ask(api_as("ada"), wait_seconds=2)
    assert (answer.status_code, answer.json()["status"]) == (202, "paused")
    assert "Staff have stopped enrolling" in answer.json()["detail"]
    assert (pauses, asked(world, BULK)) == ([], 0)


def test_a_request_that_was_given_up_is_said_plainly_and_not_waited_for(world, api_as, while_waiting):
    intend(DEMO)
    ask(api_as("ada"))
    give_up(customer_uuid=ACME, lms_user_id=ADA, because="outcome_unknown")
    pauses = while_waiting(work)
    answer = ask(api_as("ada"), wait_seconds=2)
    assert (answer.status_code, answer.json()["status"]) == (202, "given_up")
    assert pauses == []


def test_the_results_are_those_of_this_customers_living_intentions(world, api_as):
    intend(DEMO, customer=GLOBEX)
    deleted, _ = intend(DEMO, LINUX)
    delete_intention(deleted)
    assert set(results_of(ask(api_as("ada")))) == {LINUX}


def test_the_wait_is_cut_short_at_what_is_allowed(world, api_as, settings):
    settings.REALIZE_WAIT_MAX_SECONDS = 0.1
    intend(DEMO)
    started_at = time.monotonic()
    assert ask(api_as("ada"), wait_seconds=1e300).status_code == 202
    assert time.monotonic() - started_at < 2


@pytest.mark.parametrize("wait_seconds", [-1, "nan", "inf", "-inf", "soon", None, [], {}, "9" * 5000])
def test_a_wait_that_cannot_be_is_400(world, api_as, wait_seconds):
    answer = ask(api_as("ada"), wait_seconds=wait_seconds)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["extra"]["fields"]) == ["wait_seconds"]


@pytest.mark.parametrize("count", [1, 30])
def test_the_statements_do_not_grow_with_the_intentions(world, api_as, count):
    intend(DEMO)
    bulk = [f"BenchX+C{number:03}" for number in range(count)]
    DefaultEnterpriseEnrollmentIntention.objects.bulk_create(
        DefaultEnterpriseEnrollmentIntention(
            customer_id=ACME, content_key=key, content_key_folded=key.lower(), content_type="course"
        )
        for key in bulk
    )
    client = api_as("ada")
    ask(client)
    with CaptureQueriesContext(connection) as few:
        ask(client)
    assert len(few) == STATEMENTS


def test_the_api_document_names_exactly_what_is_answered(world, api_as):
    intend(DEMO)
    body = ask(api_as("ada")).json()
    assert set(body) == set(RealizeAnswerSerializer().fields)
    assert set(body["results"][0]) == set(RealizeResultSerializer().fields)

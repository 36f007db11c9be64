"""Every step against everything that can go wrong: a repeat goes on, nothing exists twice, the answer says where."""

import contextlib
from datetime import timedelta
from uuid import uuid4

import attrs
import pytest

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.workflows import engine
from enterprise_access.apps.provisioning.tests.bodies import NEW_ADMIN, body_of
from enterprise_access.lib import clock
from enterprise_access.lib.work import asking
from tests.sampling import cases

pytestmark = [pytest.mark.django_db, pytest.mark.faults]

ALL = (
    "enterprise_customer",
    "customer_admins",
    "enterprise_catalog",
    "customer_agreement",
    "trial_subscription_plan",
    "first_paid_subscription_plan",
    "subscription_plan_renewal",
)
MAILS, OWN = "notification", ("customer_copy", "notification")


@attrs.frozen
class Write:
    """A write of a step: its endpoint at the simulator, and a word that only this write says."""

    step: str
    endpoint: str
    word: str = ""

    def __str__(self):
        return self.endpoint + self.word.replace(" ", "_")


WRITES = (
    Write("enterprise_customer", "lms.create_customer"),
    Write("customer_admins", "lms.create_admin_by_email", "ben"),
    Write("customer_admins", "lms.add_pending_admin"),
    Write("enterprise_catalog", "lms.create_catalog"),
    Write("customer_agreement", "license_manager.create_agreement"),
    Write("trial_subscription_plan", "license_manager.create_plan", "Alpha trial"),
    Write("first_paid_subscription_plan", "license_manager.create_plan", "Alpha first paid"),
    Write("subscription_plan_renewal", "license_manager.create_renewal"),
)
READS = (
    Write("enterprise_customer", "lms.customers"),
    Write("customer_admins", "lms.learners"),
    Write("customer_admins", "lms.pending_admins"),
    Write("enterprise_catalog", "lms.catalogs"),
    Write("customer_agreement", "license_manager.agreements"),
    Write("trial_subscription_plan", "license_manager.subscriptions"),
    # Whether another plan renews the trial is asked before the first paid plan is created.
    Write("first_paid_subscription_plan", "license_manager.renewals"),
)
REFUSES = {"kind": "status", "status": 400, "body": '{"error": "An error occurred"}'}
FAULTS = {
    "refuses": (REFUSES, 502),
    "is away": ({"kind": "status", "status": 503}, 503),
    "hangs": ({"kind": "hang"}, 503),
    "answers late after doing it": ({"kind": "delay_after", "seconds": 60}, 503),
    "does it late": ({"kind": "delay_before", "seconds": 60}, 503),
    "closes the connection after doing it": ({"kind": "drop"}, 503),
    "answers something else after doing it": ({"kind": "html"}, 503),
}


def everything(world):
    """Return how often each thing exists that belongs to the new customer."""
    customers = [row for row in world.tables.customers if row.slug == "alpha"]
    if not customers:
        return {"customers": 0}
    uuid = customers[0].uuid
    return {
        "customers": len(customers),
        "admins": sum(role == f"enterprise_admin:{uuid}" for user in world.tables.users for role in user.extra_roles),
        "pending admins": [row.email for row in world.tables.pending_admins.where(customer=uuid)],
        "catalogs": world.tables.catalogs.count(customer=uuid),
        "agreements": world.tables.agreements.count(customer=uuid),
        "plans": world.tables.plans.count(customer=uuid),
        "renewals": len(world.tables.renewals),
    }


ONE_OF_EACH = {
    "customers": 1,
    "admins": 1,
    "pending admins": [NEW_ADMIN],
    "catalogs": 1,
    "agreements": 1,
    "plans": 2,
    "renewals": 1,
}


def is_whole(answer, world):
    assert everything(world) == ONE_OF_EACH
    assert tuple(answer.json()) == ALL
    created = answer.json()["customer_admins"]["created_admins"]
    assert [row["user_email"] for row in created] == ["ben@example.com", NEW_ADMIN]
    assert set(WorkflowStep.objects.exclude(name__in=OWN).values_list("is_created", flat=True)) == {True}
    assert EnterpriseCustomer.objects.get().slug == "alpha"
    assert WorkflowStep.objects.get(name=MAILS).output == {"mails": 2}
    assert set(Notification.objects.values_list("kind", "occurrence")) == {("admin_added", "0"), ("admin_added", "1")}


@pytest.mark.parametrize(("write", "fault"), cases(WRITES, FAULTS, count=2))
def test_a_write_that_fails_is_told_and_a_repeat_goes_on(post, simulator, world, let_time_pass, write, fault):
    about, status = FAULTS[fault]
    simulator.faults.add(endpoint=write.endpoint, only_with=write.word, **about)
    answer = post(body_of())
    assert answer.status_code == status
    assert answer.json()["extra"]["step"] == write.step
    assert tuple(answer.json()["extra"]["existing"]) == ALL[: ALL.index(write.step)]
    assert "@" not in WorkflowStep.objects.get(name=write.step).problem
    simulator.faults.finish_late_work()
    let_time_pass()
    again = post(body_of())
    assert again.status_code == 201
    is_whole(again, world)
    third = post(body_of())
    assert (third.status_code, third.json()) == (200, again.json())


@pytest.mark.parametrize("kind", [{"kind": "hang"}, {"kind": "malformed_json"}])
@pytest.mark.parametrize("read", READS, ids=str)
def test_a_look_that_fails_creates_nothing(post, simulator, world, let_time_pass, read, kind):
    simulator.faults.add(endpoint=read.endpoint, times=None, **kind)
    answer = post(body_of())
    assert (answer.status_code, answer.json()["extra"]["step"]) == (503, read.step)
    simulator.faults.clear()
    let_time_pass()
    is_whole(post(body_of()), world)


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_what_may_still_happen_is_not_sent_again(post, simulator, world, write):
    simulator.faults.add("delay_before", write.endpoint, seconds=60, only_with=write.word)
    post(body_of())
    calls = sum(call.endpoint == write.endpoint for call in world.journal.calls())
    answer = post(body_of())
    assert (answer.status_code, answer.json()["code"]) == (503, "outcome_unknown")
    assert sum(call.endpoint == write.endpoint for call in world.journal.calls()) == calls
    simulator.faults.finish_late_work()
    # Found at once, however little time has passed.
    is_whole(post(body_of()), world)


class Killed(BaseException):
    """What a test raises where a process ends."""


def kill(world, when):
    """End the process when the world has just stored such a thing."""

    def listen(what, row):
        if what == when:
            world.listeners.remove(listen)
            raise Killed

    world.listeners.append(listen)


def leave_lease():
    """Leave behind what a killed process leaves: its lease, which it could not hand back."""
    Workflow.objects.update(lease_token=uuid4(), leased_until=clock.now() + timedelta(seconds=120))


@pytest.mark.parametrize(
    "stored",
    [
        "customer added",
        "admin added",
        "pending admin added",
        "catalog changed",
        "agreement added",
        "plan changed",
        "renewal added",
    ],
)
def test_a_process_killed_after_creating_and_before_recording(post, world, let_time_pass, stored, settings):
    kill(world, stored)
    with pytest.raises(Killed):
        post(body_of())
    leave_lease()
    patience, settings.PROVISIONING_BUDGET_SECONDS = settings.PROVISIONING_BUDGET_SECONDS, 0.5
    waiting = post(body_of())
    assert (waiting.status_code, waiting.json()["state"]) == (202, "running")
    settings.PROVISIONING_BUDGET_SECONDS = patience
    let_time_pass()
    engine.run_due()
    is_whole(post(body_of()), world)


@pytest.mark.parametrize("position", range(len(ALL)))
def test_a_process_killed_after_recording(post, world, let_time_pass, position, settings):
    settings.PROVISIONING_BUDGET_SECONDS = 0.5
    post(body_of())
    assert everything(world) == {"customers": 0}
    item = Workflow.objects.get()
    for step in item.steps.all()[: position + 1]:
        run_one_step(item, step)
    Workflow.objects.update(due_at=clock.now(), failures=0, waiting_for="", ended_at=None)
    leave_lease()
    let_time_pass()
    engine.run_due()
    is_whole(post(body_of()), world)


def run_one_step(item, step):
    """Run a workflow up to and with this step, and end the process then."""
    later = WorkflowStep.objects.filter(workflow=item, position__gt=step.position)
    kept = list(later)
    later.delete()
    with pytest.raises(ValueError, match="zip") if kept else contextlib.nullcontext():
        engine.run_workflow(workflow_uuid=item.pk)
    WorkflowStep.objects.bulk_create(kept)
    Workflow.objects.update(due_at=clock.now(), failures=0, waiting_for="")


def test_a_request_without_time_goes_on_in_the_background(post, world, settings):
    settings.PROVISIONING_BUDGET_SECONDS = 0.5
    answer = post(body_of())
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    assert answer["Location"].endswith(f"/workflows/{Workflow.objects.get().pk}/")
    engine.run_due()
    # Nothing is created by this request: it was created before.
    again = post(body_of())
    assert again.status_code == 200
    is_whole(again, world)


def test_a_workflow_that_failed_is_retried_with_corrected_input(post, api_as, simulator, world):
    simulator.faults.add(endpoint="license_manager.create_plan", **REFUSES)
    failed = post(body_of())
    url = failed.json()["extra"]["workflow_url"] + "retry/"
    client = api_as("enterprise_access_worker")
    refused = client.post(url, {"correction": {"agreement_uuid": str(uuid4())}}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "correction_refused")
    malformed = client.post(url, {"correction": {"licenses": "many"}}, format="json")
    assert (malformed.status_code, malformed.json()["code"]) == (400, "correction_refused")
    answer = client.post(url, {"correction": {"title": "Alpha pilot"}}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (200, "done")
    titles = [plan.title for plan in world.tables.plans.where(customer=world.customer("alpha").uuid)]
    assert titles == ["Alpha pilot", "Alpha first paid"]
    assert client.post(url, {}, format="json").status_code == 409


def test_an_upstream_service_that_is_away_is_asked_again_by_itself(post, simulator, world, let_time_pass):
    simulator.faults.add("status", "lms.create_catalog", status=503, times=3)
    post(body_of())
    for _ in range(3):
        let_time_pass()
        engine.sweep()
        engine.run_due()
    is_whole(post(body_of()), world)
    assert WorkflowStep.objects.get(name="enterprise_catalog").attempts == 4


def test_retrying_what_has_not_failed_changes_nothing(post):
    post(body_of())
    assert asking.retry(engine.QUEUE, [Workflow.objects.get().pk]) == 0

"""The engine, with a kind of workflow that is one file."""

from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app

from enterprise_access.apps.provisioning.domain.states import StepState, WorkflowState
from enterprise_access.apps.provisioning.errors import CorrectionRefused, NothingToRetry, WorkflowUnknown
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services import pruning
from enterprise_access.apps.provisioning.services.workflows import engine, recording
from enterprise_access.apps.provisioning.services.workflows.starting import get_or_start, retry_workflow
from enterprise_access.apps.provisioning.tests import newsletter
from enterprise_access.apps.provisioning.tests.newsletter import NEWSLETTER, Asked
from enterprise_access.lib import clock
from enterprise_access.lib.work import leases

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def press(monkeypatch):
    newsletter.press.__init__()
    return newsletter.press


def start(title="News", reader="reader-7"):
    asked = Asked(title=title, reader=reader)
    return get_or_start(kind=NEWSLETTER, asked=asked, subject=title, people=["reader@example.com"])


def run(item):
    engine.run_workflow(workflow_uuid=item.pk)
    item.refresh_from_db()
    return item


def states(item):
    return [step.state for step in item.steps.order_by("position")]


def test_a_workflow_runs_its_steps_in_order_and_keeps_their_values(press):
    item = run(start())
    assert item.state_at(clock.now()) is WorkflowState.DONE
    opened, subscribed = item.steps.order_by("position")
    assert opened.input == {"title": "News", "reader": "reader-7"}
    assert opened.output == {"number": 0, "title": "News"}
    assert subscribed.input == subscribed.output == {"number": 0, "reader": "reader-7"}
    assert (opened.attempts, opened.is_created, item.people, item.has_people) == (1, True, [], False)


def test_a_finished_workflow_does_nothing_when_asked_again(press):
    item = run(start())
    assert start().pk == item.pk
    run(item)
    assert (press.titles, press.readers) == (["News"], [(0, "reader-7")])


def test_a_step_without_input_is_skipped():
    assert states(run(start(reader=None))) == [StepState.DONE, StepState.SKIPPED]


def test_what_exists_is_found_and_not_created(press):
    press.titles.append("News")
    item = run(start())
    assert [step.is_created for step in item.steps.order_by("position")] == [False, True]


def test_an_outage_waits_and_comes_due_again(press, let_time_pass):
    press.away = 1
    item = run(start())
    assert item.state_at(clock.now()) is WorkflowState.WAITING
    assert (item.waiting_for, item.failures) == ("upstream_unavailable:press", 1)
    assert item.due_at > clock.now() + timedelta(seconds=50)
    let_time_pass()
    current_app.tasks["provisioning.run_due"]()
    assert states(item) == [StepState.DONE, StepState.DONE]


def test_a_refusal_fails_with_a_readable_reason_and_is_retried_with_a_correction(press):
    item = run(start(title="forbidden"))
    assert item.state_at(clock.now()) is WorkflowState.FAILED
    step = item.steps.get(position=0)
    assert (step.state, step.error) == (StepState.FAILED, "title_refused")
    assert step.problem == "There is no newsletter of that title. Choose another one."
    with pytest.raises(CorrectionRefused, match="'open' cannot be corrected; title can"):
        retry_workflow(workflow_uuid=item.pk, correction={"reader": "reader-8"})
    with pytest.raises(CorrectionRefused, match="expected text"):
        retry_workflow(workflow_uuid=item.pk, correction={"title": 7})
    run(retry_workflow(workflow_uuid=item.pk, correction={"title": "News"}))
    assert (press.titles, states(item)) == (["News"], [StepState.DONE, StepState.DONE])


def test_only_what_has_failed_is_retried():
    item = run(start())
    with pytest.raises(NothingToRetry):
        retry_workflow(workflow_uuid=item.pk)
    with pytest.raises(WorkflowUnknown):
        retry_workflow(workflow_uuid=uuid4())


def test_an_unexpected_error_is_counted_named_without_its_text_and_fails_in_the_end(press, let_time_pass):
    press.crashes = engine.QUEUE.max_failures
    item = start()
    for _ in range(engine.QUEUE.max_failures):
        with pytest.raises(RuntimeError):
            engine.run_workflow(workflow_uuid=item.pk)
        let_time_pass()
    item.refresh_from_db()
    assert item.state_at(clock.now()) is WorkflowState.FAILED
    step = item.steps.get(position=0)
    assert (step.error, step.problem) == ("unexpected_error", "RuntimeError")
    run(retry_workflow(workflow_uuid=item.pk))
    assert states(item) == [StepState.DONE, StepState.DONE]


def test_a_workflow_that_another_worker_has_is_left_alone(press):
    item = start()
    with leases.claim(engine.QUEUE, limit=1):
        run(item)
        assert item.state_at(clock.now()) is WorkflowState.RUNNING
    assert press.titles == []


def test_a_worker_that_has_lost_its_lease_stops_and_what_it_created_is_recorded(press):
    item = start()
    with leases.claim(engine.QUEUE, limit=1) as lease:
        Workflow.objects.filter(pk=item.pk).update(lease_token=uuid4())
        step = item.steps.get(position=0)
        with pytest.raises(recording.LeaseLost):
            recording.intend(lease, step, "")
        output = newsletter.Newsletter(number=0, title="News")
        recording.record(step, recording.Ended(StepState.DONE, output=output, is_created=True))
    assert item.steps.get(position=0).state == StepState.DONE


def test_a_late_failure_does_not_undo_what_another_worker_has_done():
    item = run(start())
    step = item.steps.get(position=0)
    recording.record(step, recording.Ended(StepState.FAILED, code="late"))
    assert item.steps.get(position=0).state == StepState.DONE


def test_old_addresses_are_deleted(press):
    press.away = 1
    item = run(start())
    assert pruning.forget_people(before=item.created_at) == 0
    assert pruning.forget_people(before=clock.now() + timedelta(seconds=1)) == 1
    item.refresh_from_db()
    assert (item.people, item.has_people) == ([], False)


def test_one_address_is_deleted_and_the_others_keep_their_places(press):
    press.away = 1
    asked = Asked(title="News")
    item = get_or_start(kind=NEWSLETTER, asked=asked, subject="News", people=["a@example.com", "B@example.com"])
    assert pruning.forget_address(email="b@example.com") == 1
    item.refresh_from_db()
    assert item.people == ["a@example.com", ""]

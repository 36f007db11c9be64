"""The tasks: found by name, tolerant of arguments that newer code sends, and one call each."""

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone
from waffle.testutils import override_switch

from enterprise_access.apps.default_enrollments.services.requests import PAUSE_SWITCH, REALIZE_JOB
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    FRANK,
    HAL,
    MAX,
    MINUTE,
    add_learners,
    ask_for,
    asked,
    intend,
    is_enrolled,
    request_of,
    visit,
    work,
)
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX

SWEEP = "default_enrollments.sweep"

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(django_capture_on_commit_callbacks, monkeypatch):
    """Run something, and return the messages that it sent, as (job, arguments)."""

    def messages_of(action):
        messages = []
        keep = lambda job, kwargs, **_: messages.append((job, kwargs))  # noqa: E731
        monkeypatch.setattr(current_app, "send_task", keep)
        with django_capture_on_commit_callbacks(execute=True):
            action()
        return messages

    return messages_of


def run(job, **arguments):
    """Do what a worker does with a message."""
    return current_app.tasks[job].apply(kwargs=arguments, throw=True)


def test_asking_sends_the_customer_by_name(world, sent):
    intend(DEMO)
    assert sent(lambda: ask_for(ADA)) == [(REALIZE_JOB, {"customer_uuid": str(ACME)})]


def test_a_message_is_worked_off_by_name(world):
    intend(DEMO)
    ask_for(ADA)
    run(REALIZE_JOB, customer_uuid=str(ACME))
    assert is_enrolled(world, ["ada"], DEMO_RUN)


def test_arguments_of_newer_code_are_tolerated(world):
    intend(DEMO)
    ask_for(ADA)
    run(REALIZE_JOB, customer_uuid=str(ACME), priority=3, since="yesterday")
    run(SWEEP, shard=1)
    assert is_enrolled(world, ["ada"], DEMO_RUN)


def test_a_message_without_anything_due_asks_nobody_and_sends_nothing(world, sent):
    intend(DEMO)
    world.journal.forget()
    assert sent(lambda: run(REALIZE_JOB, customer_uuid=str(ACME))) == []
    assert world.journal.calls() == []


def test_a_message_for_a_customer_that_is_gone_does_no_harm(world, sent):
    assert sent(lambda: run(REALIZE_JOB, customer_uuid=str(GLOBEX))) == []


def test_the_same_message_twice_enrolls_once(world):
    intend(DEMO)
    ask_for(ADA)
    for _ in range(2):
        run(REALIZE_JOB, customer_uuid=str(ACME))
    assert asked(world, "lms.enroll_learners") == 1


def test_while_there_is_more_to_do_another_round_is_asked_for(world, sent, settings):
    settings.REALIZE_BATCH = 2
    intend(DEMO)
    ids = add_learners(world, 5, plan_uuid=ACME_ANNUAL)
    ask_for(*ids)
    message = (REALIZE_JOB, {"customer_uuid": str(ACME)})
    rounds = [sent(lambda: run(REALIZE_JOB, customer_uuid=str(ACME))) for _ in range(4)]
    assert rounds[0] == rounds[1] == [message]
    assert rounds[3] == []
    assert is_enrolled(world, [f"learner{number:03}" for number in range(5)], DEMO_RUN)


def test_a_worker_that_stumbles_over_a_learner_goes_on_with_the_others_without_waiting_for_the_sweep(
    world, sent, meanwhile, clock
):
    intend(DEMO)

    def break_down():
        raise ZeroDivisionError

    meanwhile("/admin-license-view/", before=break_down)
    with pytest.raises(ZeroDivisionError):
        visit(ADA, MAX, HAL)
    clock.shift(2 * MINUTE)
    rounds = 0
    while sent(lambda: run(REALIZE_JOB, customer_uuid=str(ACME))):
        rounds += 1
    assert rounds == 2
    assert is_enrolled(world, ["ada", "max"], DEMO_RUN)


def test_a_pause_does_not_make_messages_go_round(world, sent):
    intend(DEMO)
    ask_for(ADA)
    with override_switch(PAUSE_SWITCH, active=True):
        assert sent(lambda: run(REALIZE_JOB, customer_uuid=str(ACME))) == []


def test_the_sweep_asks_for_every_customer_with_something_due(world, sent):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    ask_for(ADA, MAX)
    ask_for(FRANK, customer=GLOBEX)
    messages = sent(lambda: run(SWEEP))
    assert [job for job, _ in messages] == [REALIZE_JOB, REALIZE_JOB]
    assert {arguments["customer_uuid"] for _, arguments in messages} == {str(ACME), str(GLOBEX)}


def test_the_sweep_finds_what_came_due_again(world, sent, simulator, clock):
    intend(DEMO)
    simulator.faults.add("hang", "lms.learners", times=1)
    visit(ADA)
    assert sent(lambda: run(SWEEP)) == []
    clock.shift(request_of(ADA).due_at - timezone.now())
    assert len(sent(lambda: run(SWEEP))) == 1
    work()
    assert is_enrolled(world, ["ada"], DEMO_RUN)


def test_the_sweep_finds_what_a_dead_worker_held(world, sent, meanwhile, clock):
    intend(DEMO)
    ask_for(ADA)
    pages = []
    meanwhile("/admin-license-view/", before=lambda: pages.append(sent(lambda: run(SWEEP))))
    work()
    assert pages == [[]]
    ask_for(ADA)
    clock.shift(timedelta(seconds=121))
    assert len(sent(lambda: run(SWEEP))) == 1


def test_the_sweep_of_an_empty_house_sends_nothing(sent, db):
    assert sent(lambda: run(SWEEP)) == []


def test_every_scheduled_task_exists():
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert SWEEP in scheduled
    assert scheduled <= set(current_app.tasks)

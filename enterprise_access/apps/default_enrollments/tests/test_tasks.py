"""The tasks: found by name, tolerant of arguments that newer code sends, and one call each."""

from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.test import TestCase
from django.utils import timezone
from waffle.testutils import override_switch

from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.services.requests.work_items import (
    PAUSE_SWITCH,
    QUEUE,
    REALIZE_JOB,
    claim,
    settlement,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
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
from enterprise_access.lib import jobs
from enterprise_access.lib.work import leases, waking
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


def test_however_many_ask_one_message_is_sent_until_a_worker_begins(world, sent):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    assert sent(lambda: ask_for(ADA)) == [(REALIZE_JOB, {})]
    assert sent(lambda: (ask_for(MAX), ask_for(FRANK, customer=GLOBEX), run(SWEEP))) == []
    run(REALIZE_JOB)
    assert sent(lambda: ask_for(HAL)) == [(REALIZE_JOB, {})]


def test_without_a_cache_every_asking_sends_a_message(world, sent, monkeypatch):
    monkeypatch.setattr(cache, "add", no_cache)
    intend(DEMO)
    assert len(sent(lambda: (ask_for(ADA), ask_for(MAX)))) == 2


def no_cache(*_, **__):
    raise OSError("no cache")


def test_a_message_that_could_not_be_sent_does_not_keep_the_next_one_back(world, sent, monkeypatch):
    intend(DEMO)
    with monkeypatch.context() as patched, TestCase.captureOnCommitCallbacks(execute=True):
        patched.setattr(current_app, "send_task", no_cache)
        ask_for(ADA)
    jobs.forget()
    assert sent(lambda: ask_for(MAX)) == [(REALIZE_JOB, {})]


def test_customers_are_served_in_turn_and_those_who_wait_before_those_who_can(world, clock):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    ask_for(ADA, BEN, trigger=Trigger.BACKFILL)
    clock.shift(MINUTE)
    ask_for(HAL)
    ask_for(FRANK, customer=GLOBEX)
    served = []

    def one_round(customer, _):
        with claim(customer_uuid=customer, limit=1, now=timezone.now()) as lease:
            served.extend(request.lms_user_id for request in lease.requests)
            for request in lease.requests:
                leases.settle(lease, [settlement(request, due_at=None, waiting_for="", failures=0)])
        return len(lease.requests)

    waking.work(QUEUE, one_round, limit=1)
    assert set(served[:2]) == {HAL, FRANK}
    assert set(served[2:]) == {ADA, BEN}


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


def test_one_message_is_worked_on_until_nothing_is_due_and_other_workers_are_told(world, sent, settings):
    settings.REALIZE_BATCH = 2
    intend(DEMO)
    ids = add_learners(world, 5, plan_uuid=ACME_ANNUAL)
    ask_for(*ids)
    assert sent(lambda: run(REALIZE_JOB)) == [(REALIZE_JOB, {})]
    assert is_enrolled(world, [f"learner{number:03}" for number in range(5)], DEMO_RUN)
    assert sent(lambda: run(REALIZE_JOB)) == []


def test_a_worker_whose_time_is_up_leaves_the_rest_to_the_next_message(world, sent, settings):
    intend(DEMO)
    ask_for(ADA, HAL)
    assert sent(lambda: waking.work(QUEUE, lambda *_: 1, limit=1, seconds=0)) == [(REALIZE_JOB, {})]


def test_a_batch_that_fails_once_is_taken_apart_and_everybody_is_served(world, meanwhile):
    intend(DEMO)

    def break_down():
        raise ZeroDivisionError

    meanwhile("/admin-license-view/", before=break_down)
    visit(ADA, MAX, HAL)
    assert is_enrolled(world, ["ada", "max"], DEMO_RUN)


def test_a_pause_does_not_make_messages_go_round(world, sent):
    intend(DEMO)
    ask_for(ADA)
    with override_switch(PAUSE_SWITCH, active=True):
        assert sent(lambda: run(REALIZE_JOB, customer_uuid=str(ACME))) == []


def test_the_sweep_sends_one_message_whatever_is_due(world, sent):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    ask_for(ADA, MAX)
    ask_for(FRANK, customer=GLOBEX)
    assert sent(lambda: run(SWEEP)) == [(REALIZE_JOB, {})]


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

"""A worker that was told to stop ends the call in hand, records it, and gives everything else back."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from enterprise_access.apps.default_enrollments import tasks
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BULK,
    DEMO,
    DEMO_RUN,
    LINUX,
    LINUX_RUN,
    ask_for,
    asked,
    intend,
    realizations_of,
    request_of,
    work,
)
from enterprise_access.lib import stopping
from simulator.journal import Call
from simulator.seed import ACME
from simulator.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _told_in_this_test_only() -> Iterator[None]:
    yield
    stopping.forget()


@pytest.fixture
def told_during_the_first_call(world: World, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send each course in a call of its own, and tell the worker to stop while the LMS works on the first."""
    settings.ENROLL_BATCH = 1
    add_call = world.journal.add_call

    def tell_and_add(call: Call) -> None:
        if call.endpoint == BULK:
            stopping.begin()
        add_call(call)

    monkeypatch.setattr(world.journal, "add_call", tell_and_add)


def test_nothing_is_claimed_any_more(world):
    intend(DEMO)
    ask_for(ADA)
    stopping.begin()
    tasks.realize_due(customer_uuid=str(ACME))
    assert asked(world, BULK) == 0
    assert request_of(ADA).due_at <= timezone.now()


@pytest.mark.usefixtures("told_during_the_first_call")
def test_the_call_in_hand_is_recorded_and_no_other_follows(world):
    intend(DEMO, LINUX)
    ask_for(ADA)
    work()
    assert asked(world, BULK) == 1
    assert realizations_of(ADA).keys() == {DEMO_RUN}
    assert not RealizationAttempt.objects.unsettled().exists()


@pytest.mark.usefixtures("told_during_the_first_call")
def test_what_was_not_sent_is_given_back_and_due_at_once(world):
    intend(DEMO, LINUX)
    ask_for(ADA)
    work()
    assert not RealizationRequest.objects.exclude(lease_token=None).exists()
    assert request_of(ADA).due_at <= timezone.now()


@pytest.mark.usefixtures("told_during_the_first_call")
def test_the_next_worker_goes_on_with_it(world):
    intend(DEMO, LINUX)
    ask_for(ADA)
    work()
    stopping.forget()
    work()
    assert realizations_of(ADA).keys() == {DEMO_RUN, LINUX_RUN}
    assert asked(world, BULK) == 2


@pytest.mark.usefixtures("told_during_the_first_call")
def test_old_facts_are_not_read_again_for_what_will_not_be_sent(world, settings):
    intend(DEMO, LINUX)
    ask_for(ADA)
    settings.ENROLLMENTS_FRESH_SECONDS = 0
    stopping.begin()
    work()
    assert asked(world, "platform.enrollments") == 1


def test_a_process_that_is_no_worker_keeps_its_signals():
    before = signal.getsignal(signal.SIGTERM)
    stopping.hear_signals()
    assert signal.getsignal(signal.SIGTERM) is before

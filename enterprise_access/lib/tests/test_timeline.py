"""The timeline: events of every source, newest first; a source that fails is named."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from enterprise_access.lib import timeline
from enterprise_access.lib.timeline import Explained, get_timeline, register

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
CUSTOMER = uuid4()


@pytest.fixture(autouse=True)
def _only_these():
    """Let a test register sources of its own."""
    before = dict(timeline._sources)
    timeline._sources.clear()
    yield
    timeline._sources.clear()
    timeline._sources.update(before)


def event(hours, kind="something"):
    return Explained(at=NOON + timedelta(hours=hours), kind=kind, text="Something happened.")


def test_events_of_all_sources_come_newest_first():
    register("one", lambda *_: [event(1), event(3)])
    register("another", lambda *_: [event(2)])
    found = get_timeline(customer_uuid=CUSTOMER, lms_user_id=1001)
    assert found.events == (event(3), event(2), event(1))
    assert found.unknown == ()


def test_a_source_is_asked_about_one_learner_of_one_customer():
    asked = []
    register("one", lambda *about: asked.append(about) or [])
    get_timeline(customer_uuid=CUSTOMER, lms_user_id=1001, limit=5)
    assert asked == [(CUSTOMER, 1001, 5)]


def test_no_more_events_than_wanted():
    register("one", lambda *_: [event(hour) for hour in range(9)])
    assert get_timeline(customer_uuid=CUSTOMER, lms_user_id=1001, limit=2).events == (event(8), event(7))


def test_a_source_that_fails_is_named_and_the_others_are_shown():
    register("broken", lambda *_: 1 // 0)
    register("whole", lambda *_: [event(1)])
    found = get_timeline(customer_uuid=CUSTOMER, lms_user_id=1001)
    assert (found.events, found.unknown) == ((event(1),), ("broken",))

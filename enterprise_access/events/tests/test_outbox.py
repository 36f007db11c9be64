"""Our own events: written with what they report, sent in order for each key, at least once, whatever the bus does."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from enterprise_access.events.models import Outbox
from enterprise_access.events.sending import SENT
from enterprise_access.events.services import (
    QUEUE,
    Announcement,
    forget_learner,
    learner_key,
    publish,
    publish_all,
    relay,
)
from enterprise_access.lib.work.leases import take

CUSTOMER = UUID("acae0000-0000-4000-8000-000000000001")
INTENTION = UUID("acae0000-0000-4000-8000-000000000002")
SECOND = timedelta(seconds=1)
# Any event that an app has registered will do.
BLOCKED = SENT["org.openedx.enterprise.default_enrollment.blocked.v1"].signal
(BlockedData,) = BLOCKED.init_data.values()

pytestmark = pytest.mark.django_db


def blocked(lms_user_id, reason="no_license"):
    now = timezone.now()
    data = BlockedData(
        enterprise_customer_uuid=CUSTOMER,
        intention_uuid=INTENTION,
        lms_user_id=lms_user_id,
        reason=reason,
        course_run_key="",
        blocked_at=now,
    )
    return Announcement(signal=BLOCKED, data=data, key=learner_key(lms_user_id), occurred_at=now)


def relay_now():
    return relay(now=timezone.now())


def told(bus):
    return [(learner, reason) for _, learner, reason in bus.reasons()]


def test_without_a_bus_nothing_is_written():
    publish(blocked(1))
    assert not Outbox.objects.exists()


def test_an_event_is_sent_once_as_it_was_written(bus):
    announcement = blocked(1)
    publish(announcement)
    row = Outbox.objects.get()
    assert (relay_now(), relay_now()) == (1, 0)
    (event,) = bus.sent
    assert event["event_data"] == {"default_enrollment": announcement.data}
    assert (event["event_metadata"].id, event["event_metadata"].time) == (row.event_id, announcement.occurred_at)
    assert (event["topic"], event["event_key_field"]) == (
        "enterprise-default-enrollments",
        "default_enrollment.lms_user_id",
    )
    assert not Outbox.objects.exists()


def test_what_is_rolled_back_is_not_told(bus):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        publish(blocked(1))
        _ = 1 / 0
    assert relay_now() == 0


def test_events_of_one_learner_keep_their_order(bus):
    publish_all(blocked(learner, reason) for reason in ("a", "b", "c") for learner in (1, 2))
    relay_now()
    assert [reason for learner, reason in told(bus) if learner == 1] == ["a", "b", "c"]
    assert [reason for learner, reason in told(bus) if learner == 2] == ["a", "b", "c"]


def test_many_events_are_sent_in_one_go(bus):
    publish_all(blocked(learner, reason) for reason in "ab" for learner in range(1, 701))
    assert relay_now() == 1400


def claimed():
    return take(QUEUE, limit=500, rows=Outbox.objects.heads()).items


def test_two_relays_never_work_on_one_learner_at_once(bus):
    publish_all([blocked(1, "a"), blocked(1, "b"), blocked(2, "a")])
    assert {row.key for row in claimed()} == {"learner:1", "learner:2"}
    publish(blocked(1, "c"))
    publish(blocked(3, "a"))
    assert [row.key for row in claimed()] == ["learner:3"]


def test_a_relay_that_died_is_followed_by_another_one(bus, clock):
    publish(blocked(1))
    assert claimed()
    assert relay_now() == 0
    clock.shift(121 * SECOND)
    assert relay_now() == 1


def test_a_bus_that_is_away_delays_everything_and_loses_nothing(bus, clock):
    bus.is_away = True
    publish_all([blocked(1, "a"), blocked(2, "a"), blocked(1, "b")])
    for _ in range(24):
        relay_now()
        clock.shift(timedelta(hours=1))
    assert Outbox.objects.count() == 3
    bus.is_away = False
    clock.shift(timedelta(minutes=5))
    assert relay_now() == 3
    assert told(bus) == [(1, "a"), (2, "a"), (1, "b")]


def test_a_bus_that_is_away_is_asked_less_and_less_often_also_about_new_events(bus, clock):
    bus.is_away = True
    asked = []
    for second in range(1000):
        publish(blocked(second + 1))
        before = bus.asked
        relay_now()
        asked.append(bus.asked > before)
        clock.shift(SECOND)
    assert sum(asked[:60]) <= 6
    assert sum(asked[-600:]) <= 3


def test_a_bus_that_dies_in_the_middle_gets_the_rest_later_and_nothing_out_of_order(bus, clock):
    bus.dies_after = 2
    publish_all(blocked(1, reason) for reason in "abcd")
    assert relay_now() == 2
    bus.dies_after = None
    clock.shift(timedelta(minutes=1))
    relay_now()
    assert told(bus) == [(1, "a"), (1, "b"), (1, "c"), (1, "d")]


def test_a_broken_row_keeps_its_own_learner_waiting_and_nobody_else(bus, clock, caplog):
    publish_all([blocked(1, "a"), blocked(1, "b"), blocked(2, "a")])
    Outbox.objects.filter(pk=Outbox.objects.earliest("pk").pk).update(data={"default_enrollment": {}})
    assert relay_now() == 1
    assert told(bus) == [(2, "a")]
    assert "cannot be sent" in caplog.text
    Outbox.objects.filter(pk=Outbox.objects.earliest("pk").pk).delete()
    assert relay_now() == 1


def test_nothing_of_an_error_of_the_bus_is_logged_but_its_kind(bus, caplog):
    bus.is_away = True
    publish(blocked(1))
    relay_now()
    assert "ConnectionError" in caplog.text
    assert "@" not in caplog.text


def test_a_learner_can_be_forgotten(bus):
    publish_all([blocked(1), blocked(2)])
    assert forget_learner(lms_user_id=1) == 1
    assert relay_now() == 1


def test_our_events_name_nobody():
    kinds = [kind for sent in SENT.values() for kind in sent.signal.init_data.values()]
    names = {name for kind in kinds for name in vars(kind)}
    fields = {attribute.name for kind in kinds for attribute in kind.__attrs_attrs__}
    assert kinds
    assert not {"username", "email", "name", "user", "pii"} & (names | fields)

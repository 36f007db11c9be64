"""The consumer on a real Redis: nothing is lost, nothing counts twice, nothing blocks, nothing is told to the log."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis
from django.db import IntegrityError, OperationalError, connection
from openedx_events.learning.signals import SESSION_LOGIN_COMPLETED

from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.events import handling
from enterprise_access.events.consumer import DurableRedisConsumer
from enterprise_access.events.models import SetAside
from enterprise_access.events.tests.made import EMAIL, PERSONAL, as_message, changed, login
from enterprise_access.events.tests.redis_bus import GROUP, TOPIC, Draining, consume

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

LOGIN = SESSION_LOGIN_COMPLETED.event_type


@pytest.fixture(autouse=True)
def _impatient(settings):
    settings.EVENT_BUS_TRIES = 2
    settings.EVENT_BUS_GIVE_UP_SECONDS = 0.5


@pytest.fixture
def also(monkeypatch):
    """Add a handler of logins that runs after ours, in the same transaction."""

    def add(handler):
        monkeypatch.setitem(handling._handlers, LOGIN, [*handling._handlers[LOGIN], handler])

    return add


def seen():
    return sorted(LearnerSighting.objects.values_list("pk", flat=True))


def test_what_was_sent_before_the_first_start_is_heard(redis_bus):
    redis_bus.send(login(1), login(2))
    consume()
    assert (seen(), redis_bus.pending()) == ([1, 2], 0)


def test_what_was_sent_while_nobody_listened_is_heard(redis_bus):
    redis_bus.send(login(1))
    consume()
    redis_bus.send(login(2))
    consume(name="another")
    assert (seen(), redis_bus.pending()) == ([1, 2], 0)


def test_a_batch_is_one_transaction_and_a_few_statements(redis_bus, django_assert_max_num_queries):
    redis_bus.send(*(login(number) for number in range(1, 201)))
    with django_assert_max_num_queries(12):
        consume()
    assert len(seen()) == 200


def test_duplicates_and_old_events_change_nothing(redis_bus):
    now = datetime.now(UTC)
    event = login(1, at=now)
    redis_bus.send(event, event, login(1, at=now - timedelta(hours=1)))
    consume()
    redis_bus.send(event)
    consume()
    assert LearnerSighting.objects.get().seen_at == now


def test_events_that_nobody_handles_are_passed_over(redis_bus):
    redis_bus.send_raw({b"type": b"org.openedx.something.new.v1", b"event_data": b"whatever"})
    redis_bus.send(login(1))
    consume()
    assert (seen(), redis_bus.pending(), SetAside.objects.count()) == ([1], 0, 0)


def test_a_message_is_acknowledged_only_after_the_commit(redis_bus, also):
    states = []
    also(lambda events: states.append((connection.in_atomic_block, redis_bus.pending())))
    redis_bus.send(login(1), login(2))
    consume()
    assert states == [(True, 2)]
    assert redis_bus.pending() == 0


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({b"event_data": b""}, "type is missing"),
        ({b"type": LOGIN.encode()}, "id is missing"),
        ({b"type": LOGIN.encode(), b"id": b"x", b"time": b"2026-01-01"}, "malformed"),
        ({b"type": LOGIN.encode(), b"id": str(uuid4()).encode()}, "time is missing"),
        ({b"type": b"\xff\xfe"}, "is no text"),
    ],
)
def test_an_unreadable_message_is_set_aside_and_keeps_nobody_waiting(redis_bus, fields, problem):
    message_id = redis_bus.send_raw(fields)
    redis_bus.send(login(1))
    consume()
    row = SetAside.objects.get()
    assert (row.topic, row.message_id) == (redis_bus.stream(), message_id.decode())
    assert problem in row.error
    assert (seen(), redis_bus.pending()) == ([1], 0)


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_data_that_is_cut_off_is_set_aside(redis_bus, cut):
    fields = as_message(login(7))
    redis_bus.send_raw(fields | {b"event_data": fields[b"event_data"][:cut]})
    consume()
    row = SetAside.objects.get()
    assert (row.event_type, row.event_id) == (LOGIN, fields[b"id"].decode())


def test_an_event_that_cannot_be_handled_is_tried_and_set_aside_and_the_others_are_handled(redis_bus, also):
    tries = []

    def fails_on_two(events):
        tries.extend(event.data["user"].id for event in events)
        if any(event.data["user"].id == 2 for event in events):
            raise ValueError(f"about {EMAIL}")

    also(fails_on_two)
    redis_bus.send(login(1), login(2), login(3))
    consume()
    assert (seen(), redis_bus.pending()) == ([1, 3], 0)
    row = SetAside.objects.get()
    assert (row.tries, tries.count(2)) == (2, 3)
    assert "ValueError at handling.py" in row.error


def test_a_constraint_that_an_event_violates_is_the_events_fault(redis_bus, also):
    def violates(events):
        raise IntegrityError

    also(violates)
    redis_bus.send(login(1))
    consume()
    assert (seen(), SetAside.objects.count(), redis_bus.pending()) == ([], 1, 0)


def test_a_database_that_is_away_for_a_moment_is_waited_for(redis_bus, also, settings):
    settings.EVENT_BUS_GIVE_UP_SECONDS = 10
    failures = [OperationalError(), OperationalError()]

    def fails_at_first(events):
        if failures:
            raise failures.pop()

    also(fails_at_first)
    redis_bus.send(login(1))
    consume()
    assert (seen(), SetAside.objects.count(), redis_bus.pending()) == ([1], 0, 0)


def test_a_database_that_stays_away_ends_the_process_and_nothing_is_lost(redis_bus, also, monkeypatch):
    def fails(events):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setitem(handling._handlers, LOGIN, [fails])
        redis_bus.send(login(1))
        with pytest.raises(SystemExit) as ended:
            consume()
        assert ended.value.code == 1
        assert redis_bus.pending() == 1
    consume()
    assert (seen(), redis_bus.pending()) == ([1], 0)


def test_what_was_set_aside_can_be_tried_again_by_hand(redis_bus, monkeypatch):
    def fails(events):
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setitem(handling._handlers, LOGIN, [fails])
        redis_bus.send(login(1))
        consume()
    redis_bus.send_raw({b"type": LOGIN.encode()})
    consume()
    consumer = DurableRedisConsumer(topic=TOPIC, group_id=GROUP, consumer_name="one")
    assert consumer.try_again() == (1, 1)
    assert (seen(), SetAside.objects.count()) == ([1], 1)


def test_what_a_dead_consumer_had_in_hand_is_taken_over(redis_bus, settings):
    redis_bus.send(login(1), login(2))
    redis_bus.client.xgroup_create(redis_bus.stream(), GROUP, id="0")
    redis_bus.client.xreadgroup(GROUP, "dead", {redis_bus.stream(): ">"})
    consume()
    assert (seen(), redis_bus.pending()) == ([], 2)
    settings.EVENT_BUS_CLAIM_AFTER_SECONDS = 0
    consume()
    assert (seen(), redis_bus.pending()) == ([1, 2], 0)


def test_it_is_looked_for_again_and_again(redis_bus, settings):
    """Not only at the start, as the stock consumer does it."""
    settings.EVENT_BUS_CLAIM_AFTER_SECONDS = 0.1
    redis_bus.send(login(1))

    class WithADeadNeighbour(Draining):
        rounds = 0

        def _read(self):
            entries = super()._read()
            self.rounds += 1
            if self.rounds == 2:
                redis_bus.send(login(2))
                redis_bus.client.xreadgroup(GROUP, "dead", {redis_bus.stream(): ">"})
            self._shut_down_loop = self.rounds >= 20
            return entries

    consume(kind=WithADeadNeighbour)
    assert (seen(), redis_bus.pending()) == ([1, 2], 0)


def test_a_consumer_that_comes_back_goes_on_at_once_with_what_it_had_in_hand(redis_bus):
    redis_bus.send(login(1))
    redis_bus.client.xgroup_create(redis_bus.stream(), GROUP, id="0")
    redis_bus.client.xreadgroup(GROUP, "one", {redis_bus.stream(): ">"})
    consume(name="one")
    assert (seen(), redis_bus.pending()) == ([1], 0)


def test_a_message_that_the_stream_lost_is_set_aside(redis_bus):
    (message_id,) = redis_bus.send(login(1))
    redis_bus.client.xgroup_create(redis_bus.stream(), GROUP, id="0")
    redis_bus.client.xreadgroup(GROUP, "one", {redis_bus.stream(): ">"})
    redis_bus.client.xdel(redis_bus.stream(), message_id)
    consume(name="one")
    assert redis_bus.pending() == 0
    assert "cut off" in SetAside.objects.get().error


def test_a_stream_that_redis_lost_is_begun_anew(redis_bus):
    class LosingItsStream(Draining):
        is_lost = False

        def _read(self):
            entries = super()._read()
            if not self.is_lost:
                redis_bus.client.delete(redis_bus.stream())
                redis_bus.send(login(2))
                self.is_lost, self._shut_down_loop = True, False
            return entries

    redis_bus.send(login(1))
    consume(kind=LosingItsStream)
    assert seen() == [1, 2]


def test_a_connection_that_breaks_is_made_again_and_nothing_is_lost(redis_bus, settings):
    settings.EVENT_BUS_GIVE_UP_SECONDS = 10

    class Interrupted(Draining):
        rounds = 0

        def _read(self):
            self.rounds += 1
            if self.rounds == 2:
                mine = self.db.client_id()
                redis_bus.send(login(2))
                redis_bus.client.client_kill_filter(_id=mine)
            return super()._read()

    redis_bus.send(login(1))
    consume(kind=Interrupted)
    assert (seen(), redis_bus.pending()) == ([1, 2], 0)


def test_an_acknowledgement_that_got_lost_is_made_up_for(redis_bus, settings):
    settings.EVENT_BUS_GIVE_UP_SECONDS = 10
    handled = []

    class LosesIt(Draining):
        failures = 2

        def _acknowledge(self, entries):
            handled.append(len(entries))
            if self.failures:
                self.failures -= 1
                raise redis.ConnectionError
            super()._acknowledge(entries)

    redis_bus.send(login(1))
    consume(kind=LosesIt)
    assert (seen(), redis_bus.pending(), handled) == ([1], 0, [1, 1, 1])


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://nobody:wrong@127.0.0.1:6379/0"])
def test_a_redis_that_is_away_or_keeps_us_out_never_ends_in_success(settings, url):
    settings.EVENT_BUS_REDIS_CONNECTION_URL = url
    with pytest.raises(SystemExit) as ended:
        consume()
    assert ended.value.code == 1


def test_nobody_is_named_in_the_log_or_in_the_tables(redis_bus, also, caplog):
    def fails(events):
        for event in events:
            if event.data["user"].id == 2:
                raise ValueError(event.data["user"])

    also(fails)
    caplog.set_level(logging.DEBUG)
    fields = as_message(login(3))
    redis_bus.send(login(1), login(2), changed(5))
    redis_bus.send_raw(fields | {b"event_data": fields[b"event_data"][:-9]})
    redis_bus.send_raw(fields | {b"type": EMAIL.encode()})
    redis_bus.send_raw(fields | {b"time": EMAIL.encode(), b"id": b"x"})
    redis_bus.send_raw({b"email": EMAIL.encode()})
    with caplog.at_level(logging.DEBUG):
        consume()
    written = caplog.text + "".join(str(vars(row)) for row in SetAside.objects.all())
    assert "ValueError" in written
    assert SetAside.objects.count() == 4
    assert not [secret for secret in PERSONAL if secret in written]

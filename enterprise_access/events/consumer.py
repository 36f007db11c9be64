"""Hearing events over Redis Streams, without losing any.

What the stock consumer does otherwise: it skips what arrived while it was down, acknowledges what its receivers failed
on, logs whole messages, looks for what dead consumers left behind only once, and ends with success when Redis is gone.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from edx_event_bus_redis.internal.consumer import REDIS_CONSUMERS_ENABLED, RedisEventConsumer
from openedx_events.tooling import prepare_for_new_work_cycle
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from enterprise_access.events import wire
from enterprise_access.events.connection import connect
from enterprise_access.events.handling import Event, handle, has_handler
from enterprise_access.events.models import SetAside
from enterprise_access.events.setting_aside import CUT_OFF, delete_set_aside, describe, set_aside, write_set_aside
from enterprise_access.lib import metrics

log = logging.getLogger(__name__)

PAUSE_FIRST_SECONDS, PAUSE_LAST_SECONDS = 0.2, 30.0

# The database is away, or not of the version that we are (a migration is under way): not the message's fault.
NOT_THE_MESSAGE = (OperationalError, InterfaceError, ProgrammingError)

Entry = tuple[bytes, dict[bytes, bytes] | None]


@frozen(kw_only=True)
class Heard:
    """A message that holds an event for one of our handlers."""

    message_id: bytes
    event: Event


class Stopped(Exception):
    """We were asked to end in the middle of waiting. What was read is not acknowledged, and will be read again."""


class DurableRedisConsumer(RedisEventConsumer):
    """Consumes one topic in batches; a message is acknowledged after what it changes is committed, and not before.

    Ends with exit code 0 only when it was told to (SIGTERM, SIGINT); a supervisor starts it again in every other case.
    """

    # How long one read waits for something new. Also how long a SIGTERM may go unnoticed.
    block_seconds: float = 1

    def __init__(self, topic: str, group_id: str, consumer_name: str, **_of_the_stock_one: Any) -> None:
        # Whatever arrived before counts, always; and the constructor does not connect, so that it cannot fail.
        super().__init__(topic=topic, group_id=group_id, consumer_name=consumer_name, check_backlog=True)
        self._batch_size: int = settings.EVENT_BUS_BATCH
        self._has_group = False
        self._reads_own = True
        self._claim_due_at = 0.0

    def _create_db(self) -> Redis:
        return connect(read_seconds=self.block_seconds + settings.EVENT_BUS_READ_TIMEOUT_SECONDS)

    def _create_consumer(self, db: Redis, full_topic: str) -> None:
        """The group is made when it is found missing: at the start, and when Redis has lost it."""

    # --- the loop ----------------------------------------------------------------------------------------------------

    def consume_indefinitely(self) -> None:
        """Consume until SIGTERM or SIGINT. Raises SystemExit(1) when Redis or the database is away for too long."""
        if not REDIS_CONSUMERS_ENABLED.is_enabled():
            log.error("Consuming is switched off (EVENT_BUS_REDIS_CONSUMERS_ENABLED). topic=%s", self.full_topic)
            return
        log.info("Consuming. topic=%s group=%s consumer=%s", self.full_topic, self.group_id, self.consumer_name)
        with self._stopping_on_signals():
            try:
                while not self._shut_down_loop:
                    self._handle(self._patiently(self._read, RedisError, OSError))
            except Stopped:
                pass
            except Exception as error:  # noqa: BLE001 - the message of the error may quote an event
                log.critical("Giving up. topic=%s error=%s", self.full_topic, describe(error))
                # Not an Exception: the stock command would turn that into a success.
                raise SystemExit(1) from None
            finally:
                self.db.close()
        log.info("Stopped. topic=%s", self.full_topic)

    @contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """While inside, SIGTERM and SIGINT end the loop after the batch in hand."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, *_signal: object) -> None:
        self._shut_down()

    def _patiently(self, action: Callable[[], Any], *errors: type[Exception]) -> Any:
        """Repeat an action that fails with one of `errors`, with growing pauses; at last let the error through."""
        give_up_at, pause = time.monotonic() + settings.EVENT_BUS_GIVE_UP_SECONDS, PAUSE_FIRST_SECONDS
        while True:
            try:
                return action()
            except errors as error:
                self._forget_connections()
                if time.monotonic() + pause >= give_up_at:
                    raise
                log.warning("Waiting. topic=%s error=%s pause=%.1fs", self.full_topic, describe(error), pause)
            self._sleep(pause)
            pause = min(2 * pause, PAUSE_LAST_SECONDS)

    def _forget_connections(self) -> None:
        """After an error nothing is taken for granted: an answer of Redis with messages for us may have been lost."""
        self._has_group, self._reads_own = False, True
        self.db.close()
        if not connection.in_atomic_block:
            connection.close()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._shut_down_loop:
                raise Stopped
            time.sleep(min(0.1, seconds))

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self) -> list[Entry]:
        """Return the next messages: ours from before, what others left behind, or else new ones (maybe none)."""
        self._make_group()
        self._claim_abandoned()
        if self._reads_own:
            if entries := self._read_group("0", block=None):
                return entries
            self._reads_own = False
        return self._read_group(">", block=int(self.block_seconds * 1000))

    def _make_group(self) -> None:
        if self._has_group:
            return
        try:
            # From the very beginning of the stream.
            self.db.xgroup_create(self.full_topic, self.group_id, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._has_group = True

    def _claim_abandoned(self) -> None:
        """Every now and then, take over what a consumer of the group has read and not acknowledged for long."""
        if time.monotonic() < self._claim_due_at:
            return
        idle_ms = int(settings.EVENT_BUS_CLAIM_AFTER_SECONDS * 1000)
        cursor: bytes = b"0-0"
        while True:
            answer = self.db.xautoclaim(
                self.full_topic,
                self.group_id,
                self.consumer_name,
                min_idle_time=idle_ms,
                start_id=cursor,
                count=self._batch_size,
            )
            cursor, claimed, lost = answer[0], answer[1], answer[2]
            if claimed:
                self._reads_own = True
                log.info("Took over messages. topic=%s messages=%d", self.full_topic, len(claimed))
            write_set_aside([set_aside(self.full_topic, message_id, {}, error=CUT_OFF, tries=0) for message_id in lost])
            if cursor == b"0-0":
                break
        self._claim_due_at = time.monotonic() + settings.EVENT_BUS_CLAIM_AFTER_SECONDS / 2

    def _read_group(self, since: str, *, block: int | None) -> list[Entry]:
        answer = self.db.xreadgroup(
            self.group_id, self.consumer_name, {self.full_topic: since}, count=self._batch_size, block=block
        )
        return list(answer[0][1]) if answer else []

    # --- handling ----------------------------------------------------------------------------------------------------

    def _handle(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        heard, unreadable = self._sort(entries)
        self._patiently(lambda: self._commit(heard, unreadable), *NOT_THE_MESSAGE)
        # If this fails, the messages come again and change nothing.
        self._patiently(lambda: self._acknowledge(entries), RedisError, OSError)
        metrics.EVENTS_HEARD.labels(self.full_topic).inc(len(entries))
        log.info(
            "Handled. topic=%s messages=%d events=%d unreadable=%d",
            self.full_topic,
            len(entries),
            len(heard),
            len(unreadable),
        )

    def _sort(self, entries: Sequence[Entry]) -> tuple[list[Heard], list[SetAside]]:
        """Read the messages. What no one here handles is in neither list."""
        heard, unreadable = [], []
        for message_id, fields in entries:
            try:
                if fields is None:
                    raise wire.UnreadableMessage(CUT_OFF)
                if has_handler(wire.event_type_of(fields)):
                    heard.append(Heard(message_id=message_id, event=wire.read_event(fields)))
            except wire.UnreadableMessage as error:
                unreadable.append(set_aside(self.full_topic, message_id, fields or {}, error=str(error), tries=1))
        return heard, unreadable

    def _commit(self, heard: Sequence[Heard], unreadable: Sequence[SetAside]) -> None:
        prepare_for_new_work_cycle()
        write_set_aside(unreadable)
        try:
            handle([one.event for one in heard])
        except NOT_THE_MESSAGE:
            raise
        except Exception as error:  # noqa: BLE001 - the message of the error may quote an event
            log.warning("A batch failed; going one by one. topic=%s error=%s", self.full_topic, describe(error))
            for one in heard:
                self._commit_one(one)

    def _commit_one(self, one: Heard) -> None:
        """Handle one event, several times if need be; then set it aside, so that others are not kept waiting."""
        pause = PAUSE_FIRST_SECONDS
        for tried in range(1, settings.EVENT_BUS_TRIES + 1):
            try:
                return handle([one.event])
            except NOT_THE_MESSAGE:
                raise
            except Exception as error:  # noqa: BLE001 - the message of the error may quote an event
                problem = describe(error)
            if tried < settings.EVENT_BUS_TRIES:
                self._sleep(pause)
                pause = min(2 * pause, PAUSE_LAST_SECONDS)
        fields = {b"type": one.event.type.encode(), b"id": str(one.event.id).encode()}
        return write_set_aside(
            [set_aside(self.full_topic, one.message_id, fields, error=problem, tries=settings.EVENT_BUS_TRIES)]
        )

    def _acknowledge(self, entries: Sequence[Entry]) -> None:
        self.db.xack(self.full_topic, self.group_id, *(message_id for message_id, _ in entries))

    # --- by hand -----------------------------------------------------------------------------------------------------

    def try_again(self) -> tuple[int, int]:
        """Handle what was set aside once more; return how many succeeded, and how many stay set aside.

        Only what the bus still has can succeed.
        """
        rows = list(SetAside.objects.filter(topic=self.full_topic).order_by("pk"))
        succeeded = 0
        for row in rows:
            entries = self.db.xrange(self.full_topic, min=row.message_id, max=row.message_id)
            try:
                handle([wire.read_event(fields) for _, fields in entries])
            except Exception as error:  # noqa: BLE001 - the message of the error may quote an event
                log.warning("Still fails. message=%s error=%s", row.message_id, describe(error))
                continue
            if entries:
                delete_set_aside(row)
                succeeded += 1
        return succeeded, len(rows) - succeeded

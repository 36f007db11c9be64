"""Who handles which events. Handlers get events in batches: one transaction and a few statements for all of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import field, frozen
from django.db import transaction
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class Event:
    """An event as it was heard. `at` is its own time, by the clock of who sent it.

    `data` may name people: it is for the handler's eyes only, and is never stored or logged as a whole.
    """

    id: UUID
    type: str
    at: datetime
    data: Mapping[str, Any] = field(repr=False)


Handler = Callable[[Sequence[Event]], None]

_handlers: dict[str, list[Handler]] = {}


def handles(*signals: OpenEdxPublicSignal) -> Callable[[Handler], Handler]:
    """Register a function for the events of these types.

    The same event may come twice, and events may come in any order. What a handler raises undoes the whole batch,
    which is then tried again event by event; handlers of one event succeed or fail together.
    """

    def register(handler: Handler) -> Handler:
        for signal in signals:
            _handlers.setdefault(signal.event_type, []).append(handler)
        return handler

    return register


def has_handler(event_type: str) -> bool:
    """Say whether anybody wants events of this type."""
    return event_type in _handlers


@retry_deadlocks
def handle(events: Collection[Event]) -> None:
    """Give the events to their handlers: all of it is committed, or nothing."""
    by_type: dict[str, list[Event]] = {}
    for event in events:
        by_type.setdefault(event.type, []).append(event)
    with transaction.atomic():
        for event_type, batch in by_type.items():
            for handler in _handlers.get(event_type, ()):
                handler(batch)

"""Which events the apps send. Each app registers its own when Django starts; nothing here names an app."""

from collections.abc import Mapping
from types import MappingProxyType

from attrs import frozen
from openedx_events.tooling import OpenEdxPublicSignal


@frozen(kw_only=True)
class SentEvent:
    """A type of event that this service sends. A bus with partitions keeps the order of events by `key_field`."""

    signal: OpenEdxPublicSignal
    key_field: str


_sent: dict[str, SentEvent] = {}

# By event type.
SENT: Mapping[str, SentEvent] = MappingProxyType(_sent)


def sends(event_type: str, *, key: str = "lms_user_id", **data: type) -> OpenEdxPublicSignal:
    """Register an event that an app sends, and return its signal.

    `data` is the name and the class of its one member, whose field `key` keeps the events in order.
    """
    (member,) = data
    signal = OpenEdxPublicSignal(event_type=event_type, data=data)
    _sent[event_type] = SentEvent(signal=signal, key_field=f"{member}.{key}")
    return signal

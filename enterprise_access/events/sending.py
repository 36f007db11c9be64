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


def sends(signal: OpenEdxPublicSignal, *, key_field: str) -> OpenEdxPublicSignal:
    """Register an event that an app sends, and return its signal."""
    _sent[signal.event_type] = SentEvent(signal=signal, key_field=key_field)
    return signal

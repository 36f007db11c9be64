"""What the database says of the service, for Prometheus: read when somebody looks, and not more often than needed.

Counters of processes cannot tell how much is owed; rows can. Every app registers a source: a few queries, whose number
does not grow with the rows. What a source found is shared through the cache for some seconds, so that neither many
scrapers nor many processes cost more.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final

from attrs import field, frozen
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from enterprise_access.lib import shared_cache

log = logging.getLogger(__name__)

READ_TEXT: Final = "Whether a source of these metrics could be read: if 0, its metrics are missing."


@frozen(kw_only=True)
class State:
    """A number that describes the service now, one for each combination of label values (in the order of `labels`)."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    values: Mapping[tuple[str, ...], float] = field(factory=dict)


def number(name: str, text: str, value: float) -> State:
    """Return a number that has no labels."""
    return State(name=name, text=text, values={(): float(value)})


def by_label(name: str, text: str, label: str, values: Mapping[str, float]) -> State:
    """Return numbers that differ in one label."""
    return State(name=name, text=text, labels=(label,), values={(key,): float(value) for key, value in values.items()})


def age(name: str, text: str, since: datetime | None, *, now: datetime) -> State:
    """Return how long ago something was, in seconds; 0 when there is nothing that could grow old."""
    return number(name, text, max(0.0, (now - since).total_seconds()) if since else 0.0)


Read = Callable[[datetime], Iterable[State]]


@frozen
class _Source:
    read: Read
    seconds: float


_sources: Final[dict[str, _Source]] = {}


def register(name: str, read: Read, *, seconds: float = 15) -> None:
    """Have `read` (which is given the time) tell its part whenever somebody looks; it is believed for `seconds`."""
    _sources[name] = _Source(read, seconds)


def state_metrics() -> bytes:
    """Return what all sources say, as Prometheus reads it. A source that fails is left out, and said to have failed."""
    registry = CollectorRegistry()
    registry.register(_StateCollector())
    return generate_latest(registry)


class _StateCollector(Collector):
    def collect(self) -> Iterable[GaugeMetricFamily]:
        read = GaugeMetricFamily(
            "enterprise_access_state_read",
            READ_TEXT,
            labels=["source"],
        )
        for name, source in _sources.items():
            try:
                states = _states_of(name, source)
            except Exception:
                log.exception("A source of the state could not be read. source=%s", name)
                states = None
            read.add_metric([name], float(states is not None))
            yield from map(_as_family, states or ())
        yield read


def _states_of(name: str, source: _Source) -> tuple[State, ...]:
    address = shared_cache.address_of(kind="state", version=1, source=name)
    known: tuple[State, ...] | None = shared_cache.get_many([address]).get(address)
    if known is None:
        known = tuple(source.read(timezone.now()))
        shared_cache.set_many({address: known}, seconds=source.seconds)
    return known


def _as_family(state: State) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"enterprise_access_{state.name}", state.text, labels=list(state.labels))
    for labels, value in state.values.items():
        family.add_metric(list(labels), value)
    return family

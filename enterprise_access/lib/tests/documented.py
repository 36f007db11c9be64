"""Every metric that this service exports, as the code says: for the tests of documentation, alerts and dashboard."""

from django.utils import timezone
from prometheus_client import Counter, Gauge, Histogram

from enterprise_access.lib import metrics, state

PREFIX = "enterprise_access_"

Families = dict[str, tuple[tuple[str, ...], str]]


def state_families() -> Families:
    """Return labels and text by name of what the database says. Reads it."""
    states = [one for source in state._sources.values() for one in source.read(timezone.now())]
    found = {PREFIX + one.name: (one.labels, one.text) for one in states}
    return found | {PREFIX + "state_read": (("source",), state.READ_TEXT)}


def process_families() -> Families:
    """Return labels and text by name of what processes count, as Prometheus shows it (counters end in _total)."""
    ours = [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]
    return {
        one._name + ("_total" if isinstance(one, Counter) else ""): (tuple(one._labelnames), one._documentation)
        for one in ours
    }


def exported_series() -> dict[str, set[str]]:
    """Return the labels by name of every series that a query may name, histograms taken apart."""
    series = {name: set(labels) for name, (labels, _) in {**state_families(), **process_families()}.items()}
    histograms = [one for one in vars(metrics).values() if isinstance(one, Histogram)]
    for one in histograms:
        labels = series.pop(one._name)
        series |= {f"{one._name}_sum": labels, f"{one._name}_count": labels, f"{one._name}_bucket": labels | {"le"}}
    return series

"""What is counted, for Prometheus. Names are stable: dashboards and alerts use them (docs/reference/metrics.rst).

Counted here is what a process does. What the database says is read when somebody looks (lib/state.py).

Where PROMETHEUS_MULTIPROC_DIR names a folder (prometheus_client reads it by itself), the processes of a machine write
into files there, and any of them can tell the sum.
"""

import os
from pathlib import Path
from typing import Final

# The library expects the folder to be there before its first value is made.
if _FOLDER := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
    Path(_FOLDER).mkdir(parents=True, exist_ok=True)
else:
    # To the library even an empty name is one: it would write into whatever folder the process was started in.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# --- The upstream services --------------------------------------------------------------------------------------------

# `outcome`: "ok", or why there was no usable answer (lib.errors.Reason).
NEIGHBOUR_CALLS: Final = Counter(
    "enterprise_access_neighbour_calls", "Calls to upstream services, including each retry.", ["service", "outcome"]
)
# `endpoint` is the call's name without identifiers: "GET /enterprise/api/v1/enterprise-customer/{}/".
NEIGHBOUR_SECONDS: Final = Histogram(
    "enterprise_access_neighbour_call_seconds",
    "Duration of calls to upstream services, answered or not.",
    ["service", "endpoint"],
    buckets=_SECONDS,
)
# Of several processes, the worst is shown.
NEIGHBOUR_STATE: Final = Gauge(
    "enterprise_access_neighbour_state",
    "Circuit breaker of an upstream service: 0 closed, 1 half open (a few calls are tried), 2 open (nothing is sent).",
    ["service"],
    multiprocess_mode="livemax",
)
# `problem` is one of few sentences; the row may be of a learner, a license, a course...
UNREADABLE_ROWS: Final = Counter(
    "enterprise_access_unreadable_rows",
    "Rows of upstream answers that could not be read; they count as unknown.",
    ["service", "call", "problem"],
)
NEIGHBOUR_STATE_CHANGES: Final = Counter(
    "enterprise_access_neighbour_state_changes",
    "State changes of an upstream service's circuit breaker.",
    ["service", "state"],
)
RATE_USED_UP: Final = Counter(
    "enterprise_access_rate_used_up", "Calls delayed because a rate limit of this service was reached.", ["rate"]
)

# --- What we do ------------------------------------------------------------------------------------------------------

ATTEMPTS: Final = Counter(
    "enterprise_access_attempts", "Attempts written or settled, including repeats.", ["outcome", "reason"]
)
# `outcome`: "ok", or "unavailable" when an upstream service could not be asked.
VALIDATIONS: Final = Counter("enterprise_access_validations", "Checks of one customer's intentions.", ["outcome"])
VERDICT_CHANGES: Final = Counter(
    "enterprise_access_intention_verdict_changes", "Intentions whose verdict changed.", ["reason"]
)
# `found`: "young" (served as it was), "asked" (somebody had to be asked while the caller waited), "stale" (no one
# answered, an old one was served), "unknown" (no one answered, and there was nothing to serve).
CACHE_READS: Final = Counter("enterprise_access_cache_reads", "Reads of cached answers, by result.", ["kind", "found"])
REQUEST_SECONDS: Final = Histogram(
    "enterprise_access_request_seconds",
    "Duration of requests to this service.",
    ["route", "method", "status"],
    buckets=_SECONDS,
)
TASK_SECONDS: Final = Histogram(
    "enterprise_access_task_seconds", "Duration of background tasks.", ["task", "outcome"], buckets=_SECONDS
)

BUDGET_TOTALS_CORRECTED: Final = Counter(
    "enterprise_access_budget_totals_corrected",
    "Running totals of budgets that differed from the sum of their rows and were corrected.",
)
LEDGER_AMOUNTS_DIFFERENT: Final = Counter(
    "enterprise_access_ledger_amounts_different",
    "Redemptions for which the ledger charged another amount than was reserved.",
)

# Of several processes, the worst is shown.
CLOCK_SKEW: Final = Gauge(
    "enterprise_access_clock_skew_seconds",
    "Difference between this process's clock and the database's, ahead or behind.",
    multiprocess_mode="livemax",
)

# --- The event bus ---------------------------------------------------------------------------------------------------

EVENTS_HEARD: Final = Counter(
    "enterprise_access_events_heard", "Messages acknowledged, whether handled or skipped.", ["topic"]
)
EVENTS_SET_ASIDE: Final = Counter("enterprise_access_events_set_aside", "Messages set aside after failing.", ["topic"])
EVENTS_SENT: Final = Counter("enterprise_access_events_sent", "Events that the bus has confirmed.")
# `error`: "bus_unavailable", or what is wrong with the event itself.
EVENTS_NOT_SENT: Final = Counter(
    "enterprise_access_events_not_sent", "Failed attempts to send events; they are retried.", ["error"]
)


def mean_neighbour_seconds() -> dict[str, tuple[float, int]]:
    """Return by service how long calls took on average, and how many there were, as `process_metrics` counts."""
    totals: dict[str, list[float]] = {}
    for family in _registry().collect():
        if family.name == "enterprise_access_neighbour_call_seconds":
            for sample in family.samples:
                place = {"_sum": 0, "_count": 1}.get(sample.name.removeprefix(family.name))
                if place is not None:
                    totals.setdefault(sample.labels["service"], [0.0, 0.0])[place] += sample.value
    return {service: (seconds / calls, int(calls)) for service, (seconds, calls) in totals.items() if calls}


def counts_all_processes() -> bool:
    """Say whether what is counted is that of every process of this machine, and not of this process alone."""
    return bool(_FOLDER)


# --- Telling ---------------------------------------------------------------------------------------------------------


def process_metrics() -> bytes:
    """Return what the processes of this machine have counted (of this process alone, where they share no folder)."""
    return generate_latest(_registry())


def serve(port: int) -> None:
    """Tell it on a port of our own, for processes that serve no requests: workers and consumers."""
    start_http_server(port, registry=_registry())


def _registry() -> CollectorRegistry:
    if not _FOLDER:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def forget_process(pid: int) -> None:
    """Forget the gauges of a process that has ended; what it counted stays counted."""
    if _FOLDER:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def forget_earlier_run() -> None:
    """Forget what processes left behind that ended before this one began. To be called before it has any child."""
    if _FOLDER:
        for file in Path(_FOLDER).glob("*.db"):
            if not file.stem.endswith(f"_{os.getpid()}"):
                file.unlink(missing_ok=True)

"""What is counted, for Prometheus. Names are stable: dashboards and alerts are built upon them."""

from typing import Final

from prometheus_client import Counter, Gauge

# `outcome`: "ok", or why there was no usable answer (lib.errors.Reason).
NEIGHBOUR_CALLS: Final = Counter(
    "enterprise_access_neighbour_calls", "Calls to neighbours, each attempt counted.", ["service", "outcome"]
)
# Of several processes, the worst is shown.
NEIGHBOUR_STATE: Final = Gauge(
    "enterprise_access_neighbour_state",
    "Circuit breaker of a neighbour: 0 closed, 1 half open (one call is let through), 2 open (nothing is sent).",
    ["service"],
    multiprocess_mode="livemax",
)
NEIGHBOUR_STATE_CHANGES: Final = Counter(
    "enterprise_access_neighbour_state_changes", "Changes of a neighbour's circuit breaker.", ["service", "state"]
)
NEIGHBOUR_CHECK_FAILED: Final = Gauge(
    "enterprise_access_neighbour_check_failed",
    "What our worker account may do at a neighbour, as last checked: 0 all that we need, 1 not so, or not answered.",
    ["check"],
    multiprocess_mode="livemostrecent",
)

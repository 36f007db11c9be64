"""What operators can tell one request or task from another by: how long it took, and for which customer it was.

The durations go to Prometheus; the customer and the like to edx-django-utils' monitoring, for whichever backend the
installation has (OPENEDX_TELEMETRY). This is the only place that names attributes: what may be told is listed here, and
nothing of it names a person.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, Literal
from uuid import UUID

from celery import signals
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from edx_django_utils.monitoring import set_custom_attribute

from enterprise_access.lib import metrics

log = logging.getLogger(__name__)

Attribute = Literal["enterprise_customer_uuid", "reason", "learners", "task_id"]

_PREFIX: Final = "enterprise_access"
# Under these names clients say which customer they mean.
_CUSTOMER_PARAMETERS: Final = ("enterprise_customer_uuid", "customer_uuid")


def tell(name: Attribute, value: object) -> None:
    """Attach an attribute to the request or task that is under way. Counts, codes and uuids; nothing about people."""
    set_custom_attribute(f"{_PREFIX}.{name}", value if isinstance(value, int) else str(value))


class WatchRequests:
    """Middleware: measures every request, and tells the monitoring for which customer it was."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self._get_response(request)
        # Known by now. An address that leads nowhere must not become a label: anybody can think of more.
        route = request.resolver_match.route if request.resolver_match else "none"
        labels = (route, _method_of(request), str(response.status_code))
        metrics.REQUEST_SECONDS.labels(*labels).observe(time.perf_counter() - started)
        if customer := _customer_of(request):
            tell("enterprise_customer_uuid", customer)
        return response


def _method_of(request: HttpRequest) -> str:
    return request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"


def _customer_of(request: HttpRequest) -> UUID | None:
    try:
        # Reading more parameters than anybody may send is refused, here as in the view.
        said = next((request.GET[name] for name in _CUSTOMER_PARAMETERS if name in request.GET), "")
        return UUID(said)
    except (ValueError, SuspiciousOperation):
        return None


# --- tasks -----------------------------------------------------------------------------------------------------------

_started: Final = threading.local()


def watch_tasks() -> None:
    """Measure every task, and tell what the processes of a worker count on METRICS_PORT."""
    signals.task_prerun.connect(_before, dispatch_uid="monitoring.before")
    signals.task_postrun.connect(_after, dispatch_uid="monitoring.after")
    signals.worker_init.connect(_begin, dispatch_uid="monitoring.begin")
    signals.worker_process_shutdown.connect(_end, dispatch_uid="monitoring.end")


def _before(*, task_id: str = "", kwargs: Any = None, **_signal: Any) -> None:
    _started.at = time.perf_counter()
    tell("task_id", task_id)
    if customer := (kwargs or {}).get("customer_uuid"):
        tell("enterprise_customer_uuid", customer)


def _after(*, task: Any = None, task_id: str = "", kwargs: Any = None, state: str = "", **_signal: Any) -> None:
    seconds = time.perf_counter() - getattr(_started, "at", time.perf_counter())
    metrics.TASK_SECONDS.labels(task.name, (state or "unknown").lower()).observe(seconds)
    customer = (kwargs or {}).get("customer_uuid", "")
    log.debug("Done. task=%s id=%s customer=%s state=%s seconds=%.3f", task.name, task_id, customer, state, seconds)


def _begin(**_signal: Any) -> None:
    metrics.forget_earlier_run()
    serve_metrics()


def _end(*, pid: int = 0, **_signal: Any) -> None:
    metrics.forget_process(pid)


def serve_metrics() -> None:
    """Tell what is counted on METRICS_PORT, if there is one. A port that is taken stops nobody's work."""
    if not settings.METRICS_PORT:
        return
    try:
        metrics.serve(settings.METRICS_PORT)
    except OSError as error:
        log.error("Metrics are not served. port=%d error=%s", settings.METRICS_PORT, type(error).__name__)

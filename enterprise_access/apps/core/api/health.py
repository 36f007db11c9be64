"""Is the process alive, is it ready, and what has it counted? For machines; without a login, and never cached."""

import hmac
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from enterprise_access.lib import health
from enterprise_access.lib.metrics import process_metrics
from enterprise_access.lib.state import state_metrics


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer that the process serves requests; asks nothing and no one."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer 200 while requests can be served, be it with less than usual ("degraded"), and 503 while they cannot."""
    found = health.readiness()
    parts = {
        part.name: {
            "status": part.level.value,
            "detail": part.detail,
            "age_seconds": round(max(0.0, (found.at - part.at).total_seconds()), 1) if part.at else None,
            "took_seconds": round(part.took_seconds, 4),
        }
        for part in found.parts
    }
    status = HTTPStatus.OK if found.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse({"status": found.level.value, "at": found.at.isoformat(), "parts": parts}, status=status)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Tell Prometheus what the processes of this machine have counted, and what the database says.

    Only to whom METRICS_CREDENTIALS are known; while there are none, there is no such page.
    """
    expected = settings.METRICS_CREDENTIALS
    if not expected:
        raise Http404
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {expected}".encode()):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(process_metrics() + state_metrics(), content_type=CONTENT_TYPE_LATEST)

"""Is the service alive?"""

from django.http import HttpRequest, JsonResponse


def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer that the process serves requests; asks nothing and nobody."""
    return JsonResponse({"status": "ok"})

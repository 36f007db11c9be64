"""Answering with lists, and saying in the API document how an address refuses."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.lib.api_errors import ErrorSerializer
from enterprise_access.lib.drf import Pagination


def failures(*statuses: int) -> dict[int, Any]:
    """Return the errors of an address for the API document, besides those that all have in common (lib/openapi)."""
    return dict.fromkeys(statuses, ErrorSerializer)


def paginated(view: APIView, rows: QuerySet[Any], render: Callable[[list[Any]], list[dict[str, Any]]]) -> Response:
    """Answer with the page that the request asks for."""
    pages = Pagination()
    page = pages.paginate_queryset(rows, view.request, view=view) or []
    answer: Response = pages.get_paginated_response(render(page))
    return answer

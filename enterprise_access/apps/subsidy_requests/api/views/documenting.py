"""How the addresses of requests are described in the API document."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from enterprise_access.apps.subsidy_requests.api.serializers import RequestStateCountSerializer
from enterprise_access.lib.api import failures
from enterprise_access.lib.api.pages import ListPageSerializer

TAGS: Final = ["subsidy requests"]

Shape = type[serializers.Serializer[Any]]


def page_schema(item: Shape) -> Any:
    """Return the envelope of a list of `item`."""
    name = f"{item.__name__.removesuffix('Serializer')}Page"
    return type(name, (ListPageSerializer,), {"results": item(many=True), "__doc__": "One page of a list."})


def lists(name: str, query: Shape, item: Shape, body: Shape) -> Any:
    """Describe a list, and asking."""
    return extend_schema_view(
        get=extend_schema(
            operation_id=f"{name}_list",
            tags=TAGS,
            parameters=[query],
            responses={200: page_schema(item), **failures(400, 404)},
        ),
        post=extend_schema(
            operation_id=f"{name}_create",
            tags=TAGS,
            request=body,
            responses={200: item, 201: item, **failures(400, 404, 422)},
        ),
    )


def one(name: str, item: Shape) -> Any:
    """Describe one request, and taking it back."""
    return extend_schema_view(
        get=extend_schema(operation_id=f"{name}_retrieve", tags=TAGS, responses={200: item, **failures(400, 404)}),
        delete=extend_schema(operation_id=f"{name}_destroy", tags=TAGS, responses={204: None, **failures(404, 422)}),
    )


def counts(name: str, query: Shape) -> Any:
    """Describe how many requests are in which state."""
    return extend_schema_view(
        get=extend_schema(
            operation_id=f"{name}_overview",
            tags=TAGS,
            parameters=[query],
            responses={200: RequestStateCountSerializer(many=True), **failures(400)},
        )
    )


def decides(name: str, verb: str, answer: Any, body: Shape, *statuses: int, status: int = 200) -> Any:
    """Describe a decision about requests."""
    return extend_schema_view(
        post=extend_schema(
            operation_id=f"{name}_{verb}",
            tags=TAGS,
            request=body,
            responses={status: answer, **failures(400, 404, 422, *statuses)},
        )
    )

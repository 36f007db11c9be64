"""What the learner portal asks on every page of families that this service does not have yet.

Its header asks for requests outside of every error boundary: anything but a page of a list takes the whole portal down,
and every error but a 404 is tried again for seven seconds. So lists are empty, and objects are not there (404), for
whoever has signed in. Who adds a family takes its address from here.
"""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.bff.errors import NotAvailableYet
from enterprise_access.lib.api import failures
from enterprise_access.lib.drf import Pagination

TAGS: list[str] = ["not available yet"]
_NOT_YET = "Not available yet: this installation has no"


def _page_of_nothing() -> Any:
    item = serializers.DictField()
    names = ("next", "previous")
    numbers = ("count", "num_pages", "current_page", "start")
    fields: dict[str, Any] = {name: serializers.URLField(allow_null=True) for name in names}
    fields |= {name: serializers.IntegerField() for name in numbers}
    return inline_serializer("PageOfNothing", {**fields, "results": serializers.ListField(child=item, max_length=0)})


_PAGE_OF_NOTHING = _page_of_nothing()


def _described(name: str, what: str) -> Any:
    filters = [
        OpenApiParameter("enterprise_customer_uuid", OpenApiTypes.UUID, description="Ignored."),
        OpenApiParameter("user__email", str, description="Ignored."),
        OpenApiParameter("state", str, description="Ignored."),
    ]
    get = extend_schema(
        operation_id=f"{name}_list",
        tags=TAGS,
        parameters=filters,
        description=f"{_NOT_YET} {what}, so the list is always empty.",
        responses={200: _PAGE_OF_NOTHING},
    )
    return extend_schema_view(get=get)


class EmptyListView(APIView):
    """A list without rows. Filters are ignored: there is nothing to filter."""

    def get(self, request: Request) -> Response:
        """Return an empty page."""
        pages = Pagination()
        # Of nothing there is one page, whatever page is asked for.
        pages.page_query_param = ""
        pages.paginate_queryset([], request, view=self)
        return pages.get_paginated_response([])


@_described("learner_credit_requests", "requests for learner credit")
class LearnerCreditRequestsView(EmptyListView):
    """Requests for learner credit."""


@_described("license_requests", "requests for licenses")
class LicenseRequestsView(EmptyListView):
    """Requests for licenses."""


@_described("coupon_code_requests", "requests for coupon codes")
class CouponCodeRequestsView(EmptyListView):
    """Requests for coupon codes."""


class MissingView(APIView):
    """An object that is not there."""

    what: ClassVar[str] = ""

    def refuse(self) -> Response:
        """Answer 404."""
        raise NotAvailableYet(f"{_NOT_YET} {self.what}.")


class CustomerConfigurationView(MissingView):
    """How a customer's learners may ask for subsidies."""

    what = "configurations of requests"

    @extend_schema(
        operation_id="customer_configurations_retrieve",
        tags=TAGS,
        description=f"{_NOT_YET} {what}, so the answer is always 404.",
        responses=failures(404),
    )
    def get(self, request: Request, customer_uuid: UUID) -> Response:
        return self.refuse()


class CreditsAvailableView(MissingView):
    """What learner credit a learner may spend."""

    what = "learner credit"

    @extend_schema(
        operation_id="policy_redemption_credits_available",
        tags=TAGS,
        description=f"{_NOT_YET} {what}, so the answer is always 404.",
        responses=failures(404),
    )
    def get(self, request: Request) -> Response:
        return self.refuse()

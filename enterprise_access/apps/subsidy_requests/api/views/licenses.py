"""Requests for licenses and coupon codes, over REST."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_access.apps.subsidy_requests.api.bodies import (
    ApproveCouponCodeRequestsBody,
    ApproveLicenseRequestsBody,
    CreateCouponCodeRequestBody,
    CreateLicenseRequestBody,
    DeclineRequestsBody,
)
from enterprise_access.apps.subsidy_requests.api.queries import OverviewQuery, RequestsQuery
from enterprise_access.apps.subsidy_requests.api.serializers import (
    CouponCodeRequestSerializer,
    LicenseRequestSerializer,
    render_coupon_code_request,
    render_license_request,
)
from enterprise_access.apps.subsidy_requests.api.views.documenting import counts, decides, lists, one
from enterprise_access.apps.subsidy_requests.api.views.requests import (
    CountView,
    DeclineView,
    ListView,
    OfOneKind,
    OneView,
)
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.reviewing import approve_coupon_codes, approve_licenses
from enterprise_access.lib.api import parse_body


class _OfLicenses(OfOneKind):
    kind = SubsidyType.LICENSE
    body = CreateLicenseRequestBody

    @staticmethod
    def render_all(rows: Sequence[SubsidyRequest]) -> list[dict[str, Any]]:
        return [render_license_request(row) for row in rows]


class _OfCouponCodes(OfOneKind):
    kind = SubsidyType.COUPON
    body = CreateCouponCodeRequestBody

    @staticmethod
    def render_all(rows: Sequence[SubsidyRequest]) -> list[dict[str, Any]]:
        return [render_coupon_code_request(row) for row in rows]


_LICENSES, _CODES = "license_requests", "coupon_code_requests"


@lists(_LICENSES, RequestsQuery, LicenseRequestSerializer, CreateLicenseRequestBody)
class LicenseRequestsView(_OfLicenses, ListView):
    """Requests for licenses."""


@one(_LICENSES, LicenseRequestSerializer)
class LicenseRequestView(_OfLicenses, OneView):
    """One request for a license."""


@counts(_LICENSES, OverviewQuery)
class LicenseRequestsOverviewView(_OfLicenses, CountView):
    """How many requests for licenses are in which state."""


@decides(_LICENSES, "approve", LicenseRequestSerializer(many=True), ApproveLicenseRequestsBody, 503)
class ApproveLicenseRequestsView(_OfLicenses):
    """Approving requests for licenses."""

    def post(self, request: Request) -> Response:
        """Approve all of these requests, or none. A worker grants the licenses, or records why it cannot.

        Returns those that changed. Approved requests remain unchanged.
        """
        body = parse_body(ApproveLicenseRequestsBody, request)
        rows = approve_licenses(self.review_of(request, body), plan_uuid=body["subscription_plan_uuid"])
        return Response(self.render_all(rows))


@decides(_LICENSES, "decline", LicenseRequestSerializer(many=True), DeclineRequestsBody)
class DeclineLicenseRequestsView(_OfLicenses, DeclineView):
    """Declining requests for licenses."""


@lists(_CODES, RequestsQuery, CouponCodeRequestSerializer, CreateCouponCodeRequestBody)
class CouponCodeRequestsView(_OfCouponCodes, ListView):
    """Requests for coupon codes."""


@one(_CODES, CouponCodeRequestSerializer)
class CouponCodeRequestView(_OfCouponCodes, OneView):
    """One request for a coupon code."""


@counts(_CODES, OverviewQuery)
class CouponCodeRequestsOverviewView(_OfCouponCodes, CountView):
    """How many requests for coupon codes are in which state."""


@decides(_CODES, "approve", CouponCodeRequestSerializer(many=True), ApproveCouponCodeRequestsBody)
class ApproveCouponCodeRequestsView(_OfCouponCodes):
    """Approving requests for coupon codes."""

    def post(self, request: Request) -> Response:
        """Approve all of these requests, or none. The service that assigns codes is told by an event.

        Returns those that changed. Approved requests remain unchanged.
        """
        body = parse_body(ApproveCouponCodeRequestsBody, request)
        rows = approve_coupon_codes(self.review_of(request, body), coupon_id=body["coupon_id"])
        return Response(self.render_all(rows))


@decides(_CODES, "decline", CouponCodeRequestSerializer(many=True), DeclineRequestsBody)
class DeclineCouponCodeRequestsView(_OfCouponCodes, DeclineView):
    """Declining requests for coupon codes."""

"""The pages of the learner portal: parse, one call, render."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.bff.api.serializers.pages import DashboardSerializer, PageRequestSerializer, PageSerializer
from enterprise_access.apps.bff.api.serializers.writing import written_by
from enterprise_access.apps.bff.domain.choosing import WantedCustomer
from enterprise_access.apps.bff.errors import CustomerNotNamed, MayNotSeePage
from enterprise_access.apps.bff.services.load import Visitor
from enterprise_access.apps.bff.services.loading import load_page
from enterprise_access.apps.bff.services.page import PageOutcome
from enterprise_access.apps.core.services import get_caller
from enterprise_access.lib.api_errors import ErrorSerializer

STATUS_OF = {
    PageOutcome.SHOWN: status.HTTP_200_OK,
    PageOutcome.NOTHING_TO_SHOW: status.HTTP_404_NOT_FOUND,
    PageOutcome.UNAVAILABLE: status.HTTP_503_SERVICE_UNAVAILABLE,
}
RETRY_AFTER_SECONDS = "5"
NAMES = ("enterprise_customer_slug", "enterprise_customer_uuid")
ERRORS = {400: ErrorSerializer, 401: ErrorSerializer, 403: ErrorSerializer, 429: ErrorSerializer}


def _described(name: str, body: type[PageSerializer]) -> Any:
    post = extend_schema(
        operation_id=f"learner_portal_{name}",
        summary=f"Return the {name.replace('_', '-')} page of the learner portal",
        parameters=[
            OpenApiParameter(NAMES[0], str, description="The customer's slug, if the body does not name the customer."),
            OpenApiParameter(NAMES[1], {"type": "string", "format": "uuid"}, description="The same."),
        ],
        request=PageRequestSerializer,
        responses={200: body, 404: body, 503: body, **ERRORS},
    )
    return extend_schema_view(post=post)


class LearnerPageView(APIView):
    """One page. Subclasses say which."""

    throttle_scope = "portal"
    page_serializer: ClassVar[type[PageSerializer]] = PageSerializer

    def post(self, request: Request) -> Response:
        """Return everything that the page needs; parts that could not be loaded are empty and named in `errors`.

        404: there is no customer to show. 503: which customers the learner has is not known. Both with the same body.
        """
        is_dashboard = issubclass(self.page_serializer, DashboardSerializer)
        page = load_page(visitor=_visitor(request), wanted=_wanted(request), with_enrollments=is_dashboard)
        return Response(
            written_by(self.page_serializer, page),
            status=STATUS_OF[page.outcome],
            headers={"Retry-After": RETRY_AFTER_SECONDS} if page.outcome is PageOutcome.UNAVAILABLE else None,
        )


@_described("dashboard", DashboardSerializer)
class DashboardView(LearnerPageView):
    """The page with the learner's courses."""

    page_serializer = DashboardSerializer


@_described("search", PageSerializer)
class SearchView(LearnerPageView):
    """The page on which courses are searched."""


@_described("academy", PageSerializer)
class AcademyView(LearnerPageView):
    """The page of an academy."""


@_described("skills_quiz", PageSerializer)
class SkillsQuizView(LearnerPageView):
    """The page that finds courses by skills."""


def _visitor(request: Request) -> Visitor:
    caller = get_caller(request)
    token = request.auth.decode() if isinstance(request.auth, bytes) else request.auth
    if caller.lms_user_id is None or not isinstance(token, str):
        raise MayNotSeePage("Pages of the learner portal need the learner's own token.")
    return Visitor(caller=caller, lms_user_id=caller.lms_user_id, username=request.user.get_username(), token=token)


def _wanted(request: Request) -> WantedCustomer:
    """Return the customer that the body names, or else the query."""
    given = request.data if isinstance(request.data, dict) else {}
    asked = PageRequestSerializer(data={name: given.get(name) or request.query_params.get(name) for name in NAMES})
    asked.is_valid(raise_exception=True)
    slug, uuid = (asked.validated_data[name] for name in NAMES)
    slug = (slug or "").strip().strip("/")
    if uuid is None and not slug:
        raise CustomerNotNamed("Name the customer by enterprise_customer_slug or enterprise_customer_uuid.")
    return WantedCustomer(uuid=uuid, slug=slug or None)

"""What came of intentions, over REST: learners see themselves, admins their customer, operators everybody."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Caller
from enterprise_access.apps.default_enrollments.api import examples
from enterprise_access.apps.default_enrollments.api.access import caller_with_a_role, reader_of
from enterprise_access.apps.default_enrollments.api.filters import AttemptsQuery, RealizationsQuery
from enterprise_access.apps.default_enrollments.api.serializers.records import (
    AttemptPageSerializer,
    AttemptSerializer,
    RealizationPageSerializer,
    RealizationRecordSerializer,
    render_attempt,
    render_realization,
)
from enterprise_access.apps.default_enrollments.errors import AttemptUnknown
from enterprise_access.apps.default_enrollments.selectors.records import (
    RealizationState,
    RecordFilter,
    find_attempts,
    find_realizations,
    get_attempt,
    get_realization,
)
from enterprise_access.lib.api import MAX_ID, NoQuery, failures, paginated, parse_query
from enterprise_access.lib.errors import MayNotRead

REALIZATIONS = "default_enterprise_enrollment_realizations"
ATTEMPTS = "default_enterprise_enrollment_attempts"


class RealizationsView(APIView):
    """What became enrollments."""

    @extend_schema(
        operation_id=f"{REALIZATIONS}_list",
        parameters=[RealizationsQuery],
        responses={200: RealizationPageSerializer, **failures(400, 404)},
        examples=[examples.page_of(examples.REALIZATION)],
    )
    def get(self, request: Request) -> Response:
        """Return the realizations that the caller may see, newest first."""
        query = parse_query(RealizationsQuery, request)
        caller = _reader(request, query)
        state = RealizationState(query["state"]) if "state" in query else None
        rows = find_realizations(caller=caller, wanted=_wanted(query), state=state)
        return paginated(self, rows, lambda page: [render_realization(row) for row in page])


class RealizationView(APIView):
    """One realization."""

    @extend_schema(
        operation_id=f"{REALIZATIONS}_retrieve",
        responses={200: RealizationRecordSerializer, **failures(400, 404)},
        examples=[examples.answer("A realization", examples.REALIZATION)],
    )
    def get(self, request: Request, realization_uuid: UUID) -> Response:
        """Return one realization that the caller may see."""
        parse_query(NoQuery, request)
        caller = caller_with_a_role(request)
        return Response(render_realization(get_realization(caller=caller, realization_uuid=realization_uuid)))


class AttemptsView(APIView):
    """What came of every look, and why."""

    @extend_schema(
        operation_id=f"{ATTEMPTS}_list",
        parameters=[AttemptsQuery],
        responses={200: AttemptPageSerializer, **failures(400, 404)},
        examples=[examples.page_of(examples.ATTEMPT)],
    )
    def get(self, request: Request) -> Response:
        """Return the attempts that the caller may see, latest start first."""
        query = parse_query(AttemptsQuery, request)
        caller = _reader(request, query)
        rows = find_attempts(caller=caller, wanted=_wanted(query), outcome=query.get("outcome"))
        return paginated(self, rows, lambda page: [render_attempt(row) for row in page])


class AttemptView(APIView):
    """One attempt."""

    @extend_schema(
        operation_id=f"{ATTEMPTS}_retrieve",
        parameters=[OpenApiParameter("attempt_id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
        responses={200: AttemptSerializer, **failures(400, 404)},
        examples=[examples.answer("An attempt", examples.ATTEMPT)],
    )
    def get(self, request: Request, attempt_id: int) -> Response:
        """Return one attempt that the caller may see."""
        parse_query(NoQuery, request)
        caller = caller_with_a_role(request)
        if attempt_id > MAX_ID:
            raise AttemptUnknown("There is no attempt with so high a number.")
        return Response(render_attempt(get_attempt(caller=caller, attempt_id=attempt_id)))


def _reader(request: Request, query: dict[str, Any]) -> Caller:
    """Return the caller. Raises MayNotRead for who has no role where it is asked about, or asks about another learner
    without being anybody's admin there."""
    customer_uuid: UUID | None = query.get("enterprise_customer_uuid")
    lms_user_id: int | None = query.get("lms_user_id")
    caller = caller_with_a_role(request) if customer_uuid is None else reader_of(request, customer_uuid)
    if lms_user_id in (None, caller.lms_user_id):
        return caller
    administered = caller.administered_customers()
    if administered is None or (administered if customer_uuid is None else customer_uuid in administered):
        return caller
    raise MayNotRead("Learners see their own records only; leave lms_user_id out.")


def _wanted(query: dict[str, Any]) -> RecordFilter:
    return RecordFilter(
        customer_uuid=query.get("enterprise_customer_uuid"),
        lms_user_id=query.get("lms_user_id"),
        intention_uuid=query.get("intention"),
        reason=query.get("reason"),
        since=query.get("since"),
        until=query.get("until"),
    )

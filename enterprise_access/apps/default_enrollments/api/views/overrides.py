"""Permissions to enroll a learner once more: granting, listing and cancelling them."""

from django.contrib.admin.models import ADDITION
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Role
from enterprise_access.apps.default_enrollments.api.access import (
    caller_with_a_role,
    load_intention,
    refuse_unless_writer,
)
from enterprise_access.apps.default_enrollments.api.filters import OverridesQuery
from enterprise_access.apps.default_enrollments.api.operating import CUSTOMER, need_operator, note
from enterprise_access.apps.default_enrollments.api.serializers.operations import (
    CancelOverrideSerializer,
    GrantOverrideSerializer,
    OverridePageSerializer,
    OverrideSerializer,
    render_override,
)
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, OverrideUnknown
from enterprise_access.apps.default_enrollments.selectors.queue import find_overrides, get_override
from enterprise_access.apps.default_enrollments.services.overrides import cancel_override, grant_override
from enterprise_access.lib import clock
from enterprise_access.lib.api import MAX_ID, NoQuery, failures, paginated, parse_body, parse_query


class OverridesView(APIView):
    """Permissions to enroll a learner once more."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="default_enterprise_enrollment_overrides_list",
        parameters=[OverridesQuery],
        responses={200: OverridePageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Return the overrides, newest first. Operators only."""
        query = parse_query(OverridesQuery, request)
        need_operator(request, query.get(CUSTOMER))
        now = clock.now()
        rows = find_overrides(
            now=now,
            customer_uuid=query.get(CUSTOMER),
            lms_user_id=query.get("lms_user_id"),
            intention_uuid=query.get("intention"),
            is_active={"active": True, "ended": False}.get(query.get("state", "")),
        )
        return paginated(self, rows, lambda page: [render_override(row, now=now) for row in page])

    @extend_schema(
        operation_id="default_enterprise_enrollment_overrides_grant",
        request=GrantOverrideSerializer,
        responses={201: OverrideSerializer, **failures(400, 404, 409, 503)},
    )
    def post(self, request: Request) -> Response:
        """Let a learner who left a course, or lost the license for it, be enrolled once more. Operators only.

        Refused unless that is what blocks the learner now. The override is used up by the enrollment, or expires.
        """
        caller = caller_with_a_role(request)
        parse_query(NoQuery, request)
        body = parse_body(GrantOverrideSerializer, request)
        intention = load_intention(caller, body["intention"])
        refuse_unless_writer(caller, intention.customer_id)
        if intention.is_deleted:
            raise IntentionDeleted("The intention is deleted; restore it first.", extra={"uuid": str(intention.pk)})
        now = clock.now()
        override = grant_override(
            intention=intention,
            lms_user_id=body["lms_user_id"],
            by=request.user.get_username(),
            reason=body["reason"],
            now=now,
        )
        note(request, override, "Override given.", flag=ADDITION)
        return Response(render_override(override, now=now), status=status.HTTP_201_CREATED)


class CancelOverrideView(APIView):
    """Taking a permission back."""

    @extend_schema(
        operation_id="default_enterprise_enrollment_overrides_cancel",
        parameters=[OpenApiParameter("override_id", OpenApiTypes.INT64, OpenApiParameter.PATH)],
        request=CancelOverrideSerializer,
        responses={200: OverrideSerializer, **failures(400, 404, 409)},
    )
    def post(self, request: Request, override_id: int) -> Response:
        """Cancel an active override, with a reason. Operators only."""
        caller = caller_with_a_role(request)
        parse_query(NoQuery, request)
        body = parse_body(CancelOverrideSerializer, request)
        if override_id > MAX_ID:
            raise OverrideUnknown("There is no override with so high a number.")
        override = get_override(override_id=override_id)
        if not caller.has(Role.OPERATOR, customer_uuid=override.intention.customer_id):
            raise OverrideUnknown(f"There is no override {override_id}.")
        now = clock.now()
        cancel_override(override=override, by=request.user.get_username(), reason=body["reason"], now=now)
        override.refresh_from_db()
        note(request, override, "Override cancelled.")
        return Response(render_override(override, now=now))

"""Allocating, and a learner's own assignments: parse, authorize, one call, render."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.content_assignments.api.access import (
    administered_budget,
    caller_with_a_role,
    configuration_for,
)
from enterprise_access.apps.content_assignments.api.queries import AllocateBody, UuidsBody
from enterprise_access.apps.content_assignments.api.refusals import refused_allocation
from enterprise_access.apps.content_assignments.api.serializers import (
    AcknowledgedSerializer,
    AllocatedSerializer,
    AllocationRefusalSerializer,
    AssignmentPageSerializer,
    AssignmentSerializer,
    render_assignment,
)
from enterprise_access.apps.content_assignments.errors import AllocationRefused, AssignmentUnknown
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.selectors import list_actions, list_for_learner
from enterprise_access.apps.content_assignments.services.acknowledging import acknowledge
from enterprise_access.apps.content_assignments.services.allocating import allocate_to_people
from enterprise_access.apps.content_assignments.services.people import see_learner
from enterprise_access.apps.core.domain import Caller
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, PageQuery, failures, paginated, parse_body, parse_query

TAGS: Final = ["assignments"]


class AllocateView(APIView):
    """Allocating from a budget."""

    @extend_schema(
        operation_id="assignments_allocate",
        tags=TAGS,
        request=AllocateBody,
        responses={202: AllocatedSerializer, 422: AllocationRefusalSerializer(many=True), **failures(400, 404)},
    )
    def post(self, request: Request, policy_uuid: UUID) -> Response:
        """Allocate content to people by email: to all of them or none. Idempotent."""
        parse_query(NoQuery, request)
        caller, policy = administered_budget(request, policy_uuid)
        body = parse_body(AllocateBody, request)
        try:
            done = allocate_to_people(
                policy,
                learner_emails=body["learner_emails"],
                content_key=body["content_key"],
                content_price_cents=body["content_price_cents"],
                admin_lms_user_id=caller.lms_user_id,
                now=clock.now(),
            )
        except AllocationRefused as error:
            return refused_allocation(error, policy)
        rows = {"created": done.created, "updated": done.updated, "no_change": done.no_change}
        actions = list_actions([row for some in rows.values() for row in some])
        answer = {name: [render_assignment(row, actions) for row in some] for name, some in rows.items()}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class OwnAssignmentsView(APIView):
    """A learner's own assignments."""

    @extend_schema(
        operation_id="assignments_list",
        tags=TAGS,
        parameters=[PageQuery],
        responses={200: AssignmentPageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request, configuration_uuid: UUID) -> Response:
        """Return the caller's own assignments of a configuration, latest allocation first."""
        parse_query(PageQuery, request)
        rows = list_for_learner(
            configuration_uuid=configuration_uuid, lms_user_id=_learner(request, configuration_uuid)
        )
        return paginated(self, rows, _render_page(render_assignment))


class OwnAssignmentView(APIView):
    """One of a learner's own assignments."""

    @extend_schema(
        operation_id="assignments_retrieve", tags=TAGS, responses={200: AssignmentSerializer, **failures(404)}
    )
    def get(self, request: Request, configuration_uuid: UUID, assignment_uuid: UUID) -> Response:
        """Return one of the caller's own assignments."""
        parse_query(NoQuery, request)
        own = list_for_learner(configuration_uuid=configuration_uuid, lms_user_id=_learner(request, configuration_uuid))
        row = own.filter(pk=assignment_uuid).first()
        if row is None:
            raise AssignmentUnknown(f"There is no assignment {assignment_uuid}.")
        return Response(render_assignment(row, list_actions([row])))


class AcknowledgeView(APIView):
    """Dismissing what is over."""

    @extend_schema(
        operation_id="assignments_acknowledge",
        tags=TAGS,
        request=UuidsBody,
        responses={200: AcknowledgedSerializer, 201: AcknowledgedSerializer, **failures(400, 404)},
    )
    def post(self, request: Request, configuration_uuid: UUID) -> Response:
        """Acknowledge cancelled or expired assignments of the caller; 201 if any were not acknowledged before."""
        parse_query(NoQuery, request)
        lms_user_id = _learner(request, configuration_uuid)
        body = parse_body(UuidsBody, request)
        done = acknowledge(
            body["assignment_uuids"],
            configuration_uuid=configuration_uuid,
            lms_user_id=lms_user_id,
            now=clock.now(),
        )
        answer = {
            "acknowledged_assignments": done.acknowledged,
            "already_acknowledged_assignments": done.already_acknowledged,
            "unacknowledged_assignments": done.unacknowledged,
        }
        return Response(answer, status=status.HTTP_201_CREATED if done.acknowledged else status.HTTP_200_OK)


def _learner(request: Request, configuration_uuid: UUID) -> int:
    """Return who calls, after giving them the assignments that were made to their address.

    A caller whose id is not known has no assignments: 0, which is no account.
    """
    caller: Caller = caller_with_a_role(request)
    configuration_for(caller, configuration_uuid)
    if caller.lms_user_id is None:
        return 0
    if caller.email:
        see_learner(caller.lms_user_id, caller.email, clock.now())
    return caller.lms_user_id


def _render_page(render: Callable[[Assignment, Any], dict[str, Any]]) -> Callable[[list[Any]], list[dict[str, Any]]]:
    def render_all(rows: list[Any]) -> list[dict[str, Any]]:
        actions = list_actions(rows)
        return [render(row, actions) for row in rows]

    return render_all

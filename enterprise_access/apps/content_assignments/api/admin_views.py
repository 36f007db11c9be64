"""What admins see of the assignments of a configuration, and do about them: all of a call, or nothing."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.content_assignments.api.access import administered_configuration
from enterprise_access.apps.content_assignments.api.queries import (
    AssignmentFilterQuery,
    AssignmentsQuery,
    EmptyBody,
    NudgeBody,
    UuidsBody,
    filters_of,
    ordering_of,
)
from enterprise_access.apps.content_assignments.api.refusals import unprocessable
from enterprise_access.apps.content_assignments.api.serializers import (
    AdminAssignmentPageSerializer,
    AdminAssignmentSerializer,
    NudgedSerializer,
    render_for_admin,
)
from enterprise_access.apps.content_assignments.api.views import TAGS
from enterprise_access.apps.content_assignments.domain.bulk import BulkAction
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused, NothingToNudge
from enterprise_access.apps.content_assignments.selectors import (
    count_learner_states,
    find_assignments,
    get_assignment,
    list_actions,
)
from enterprise_access.apps.content_assignments.services.nudging import nudge
from enterprise_access.apps.content_assignments.services.reminding import act_on_all, act_on_uuids
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, failures, paginated, parse_body, parse_query


class AdminAssignmentsView(APIView):
    """The assignments of a configuration."""

    @extend_schema(
        operation_id="admin_assignments_list",
        tags=TAGS,
        parameters=[AssignmentsQuery],
        responses={200: AdminAssignmentPageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request, configuration_uuid: UUID) -> Response:
        """Return the assignments that match the filters, with the number in each learner state."""
        query = parse_query(AssignmentsQuery, request)
        administered_configuration(request, configuration_uuid)
        filters = filters_of(query)
        rows = find_assignments(configuration_uuid=configuration_uuid, filters=filters, ordering=ordering_of(query))
        answer = paginated(self, rows, _render_page)
        answer.data["learner_state_counts"] = count_learner_states(
            configuration_uuid=configuration_uuid, filters=filters
        )
        return answer


def _render_page(rows: list[Any]) -> list[dict[str, Any]]:
    actions = list_actions(rows)
    return [render_for_admin(row, actions) for row in rows]


class AdminAssignmentView(APIView):
    """One assignment of a configuration."""

    @extend_schema(
        operation_id="admin_assignments_retrieve",
        tags=TAGS,
        responses={200: AdminAssignmentSerializer, **failures(404)},
    )
    def get(self, request: Request, configuration_uuid: UUID, assignment_uuid: UUID) -> Response:
        """Return one assignment."""
        parse_query(NoQuery, request)
        administered_configuration(request, configuration_uuid)
        row = get_assignment(configuration_uuid=configuration_uuid, assignment_uuid=assignment_uuid)
        return Response(render_for_admin(row, list_actions([row])))


class _ByUuidView(APIView):
    """An action on assignments that are named."""

    action: BulkAction

    @extend_schema(tags=TAGS, request=UuidsBody, responses={200: None, **failures(400, 404, 422)})
    def post(self, request: Request, configuration_uuid: UUID) -> Response:
        parse_query(NoQuery, request)
        caller, _ = administered_configuration(request, configuration_uuid)
        body = parse_body(UuidsBody, request)
        try:
            act_on_uuids(
                self.action,
                configuration_uuid=configuration_uuid,
                assignment_uuids=body["assignment_uuids"],
                actor_lms_user_id=caller.lms_user_id,
                now=clock.now(),
            )
        except AssignmentTransitionRefused as error:
            return unprocessable(error)
        return Response(status=status.HTTP_200_OK)


@extend_schema_view(post=extend_schema(operation_id="admin_assignments_cancel"))
class CancelView(_ByUuidView):
    """Cancel assignments and free their money; one that is cancelled already counts as done."""

    action = BulkAction.CANCEL


@extend_schema_view(post=extend_schema(operation_id="admin_assignments_remind"))
class RemindView(_ByUuidView):
    """Mail learners again what is assigned to them. The mails are sent afterwards."""

    action = BulkAction.REMIND


class _AllView(APIView):
    """An action on all assignments that the filters leave."""

    action: BulkAction

    @extend_schema(
        tags=TAGS, parameters=[AssignmentFilterQuery], request=None, responses={202: None, **failures(400, 404, 422)}
    )
    def post(self, request: Request, configuration_uuid: UUID) -> Response:
        query = parse_query(AssignmentsQuery, request)
        caller, _ = administered_configuration(request, configuration_uuid)
        if request.data:
            parse_body(EmptyBody, request)
        try:
            act_on_all(
                self.action,
                configuration_uuid=configuration_uuid,
                filters=filters_of(query),
                actor_lms_user_id=caller.lms_user_id,
                now=clock.now(),
            )
        except AssignmentTransitionRefused as error:
            return unprocessable(error)
        return Response(status=status.HTTP_202_ACCEPTED)


@extend_schema_view(post=extend_schema(operation_id="admin_assignments_cancel_all"))
class CancelAllView(_AllView):
    """Cancel the allocated and errored assignments that match the filters: all of them or none.

    More than the setting ``ASSIGNMENTS_AT_ONCE`` (5,000) are a 422: narrow the filters, and repeat.
    """

    action = BulkAction.CANCEL_ALL


@extend_schema_view(post=extend_schema(operation_id="admin_assignments_remind_all"))
class RemindAllView(_AllView):
    """Mail the learners of waiting assignments that the filters leave: all of them or none.

    More than the setting ``ASSIGNMENTS_AT_ONCE`` (5,000) are a 422: narrow the filters, and repeat.
    """

    action = BulkAction.REMIND_ALL


class NudgeView(APIView):
    """Reminding learners that what they have taken begins soon."""

    @extend_schema(
        operation_id="admin_assignments_nudge",
        tags=TAGS,
        request=NudgeBody,
        responses={200: NudgedSerializer, **failures(400, 404, 422)},
    )
    def post(self, request: Request, configuration_uuid: UUID) -> Response:
        """Email the learners of redeemed executive education that begins in the given number of days."""
        parse_query(NoQuery, request)
        _, policy = administered_configuration(request, configuration_uuid)
        body = parse_body(NudgeBody, request)
        try:
            nudged, others = nudge(
                policy,
                assignment_uuids=body["assignment_uuids"],
                days_before_start=body["days_before_course_start_date"],
                now=clock.now(),
            )
        except NothingToNudge as error:
            return unprocessable(error)
        return Response({"nudged_assignment_uuids": nudged, "unnudged_assignment_uuids": others})

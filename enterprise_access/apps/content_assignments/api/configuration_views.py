"""Configurations over REST. Each belongs to one budget, and is active as that budget is (docs/decisions/0042)."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.content_assignments.api.access import (
    DENIED,
    administered_configuration,
    administers,
    budget_for,
    caller_with_a_role,
    configuration_for,
    refuse_unless_operator,
)
from enterprise_access.apps.content_assignments.api.queries import (
    AssignmentConfigurationBody,
    AssignmentConfigurationsQuery,
    ChangeConfigurationBody,
    DeactivateConfigurationBody,
)
from enterprise_access.apps.content_assignments.api.refusals import unprocessable
from enterprise_access.apps.content_assignments.api.serializers import (
    ConfigurationPageSerializer,
    ConfigurationSerializer,
    render_configuration,
)
from enterprise_access.apps.content_assignments.api.views import TAGS
from enterprise_access.apps.content_assignments.errors import ConfigurationShared, MayNotAdminister, NotAssignable
from enterprise_access.apps.content_assignments.services.configuring import get_or_add_configuration, set_active
from enterprise_access.apps.subsidy_access_policies.errors import PolicyInUse
from enterprise_access.apps.subsidy_access_policies.services import By
from enterprise_access.apps.subsidy_access_policies.services.allocations import find_configured
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, failures, paginated, parse_body, parse_query


class AssignmentConfigurationsView(APIView):
    """Configurations of a customer. Each belongs to a budget and is made with it."""

    @extend_schema(
        operation_id="assignment_configurations_list",
        tags=TAGS,
        parameters=[AssignmentConfigurationsQuery],
        responses={200: ConfigurationPageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Return the configurations of a customer, for its admins and for operators."""
        query = parse_query(AssignmentConfigurationsQuery, request)
        caller = caller_with_a_role(request)
        if not administers(caller, query["enterprise_customer_uuid"]):
            raise MayNotAdminister(DENIED)
        rows = find_configured(customer_uuid=query["enterprise_customer_uuid"], is_active=query["active"])
        return paginated(self, rows, lambda page: [render_configuration(row) for row in page])

    @extend_schema(
        operation_id="assignment_configurations_create",
        tags=TAGS,
        request=AssignmentConfigurationBody,
        responses={200: ConfigurationSerializer, 201: ConfigurationSerializer, **failures(400, 404, 409, 422)},
    )
    def post(self, request: Request) -> Response:
        """Return the configuration of a budget, and add it if there is none (201). Operators only.

        A budget has at most one. 422 for a budget that courses cannot be assigned from, and 409 when `active` is not
        what the budget says.
        """
        parse_query(NoQuery, request)
        caller = caller_with_a_role(request)
        body = parse_body(AssignmentConfigurationBody, request)
        policy = budget_for(caller, body["subsidy_access_policy"], customer_uuid=body["enterprise_customer_uuid"])
        refuse_unless_operator(caller, policy.customer_uuid)
        try:
            policy, is_new = get_or_add_configuration(
                policy, is_active=body.get("active"), by=By(user=request.user), now=clock.now()
            )
        except NotAssignable as error:
            return unprocessable(error)
        return Response(render_configuration(policy), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class AssignmentConfigurationView(APIView):
    """One configuration."""

    @extend_schema(
        operation_id="assignment_configurations_retrieve",
        tags=TAGS,
        responses={200: ConfigurationSerializer, **failures(404)},
    )
    def get(self, request: Request, configuration_uuid: UUID) -> Response:
        """Return a configuration, for admins of its customer and for operators."""
        parse_query(NoQuery, request)
        _, policy = administered_configuration(request, configuration_uuid)
        return Response(render_configuration(policy))

    @extend_schema(
        operation_id="assignment_configurations_change",
        tags=TAGS,
        request=ChangeConfigurationBody,
        responses={200: ConfigurationSerializer, **failures(400, 404, 409, 422, 503)},
    )
    def patch(self, request: Request, configuration_uuid: UUID) -> Response:
        """Activate or deactivate the budget of a configuration. Operators only.

        The rules are those of the budget: deactivating one with spent or promised money is a 422, unless it is forced,
        and so is a configuration that serves the requests of a budget that pays for more than assignments.
        """
        return self._change(request, configuration_uuid, ChangeConfigurationBody)

    @extend_schema(
        operation_id="assignment_configurations_replace",
        tags=TAGS,
        request=ChangeConfigurationBody,
        responses={200: ConfigurationSerializer, **failures(400, 404, 409, 422, 503)},
    )
    def put(self, request: Request, configuration_uuid: UUID) -> Response:
        """Activate or deactivate the budget of a configuration, exactly as PATCH does."""
        return self._change(request, configuration_uuid, ChangeConfigurationBody)

    @extend_schema(
        operation_id="assignment_configurations_deactivate",
        tags=TAGS,
        request=DeactivateConfigurationBody,
        responses={200: ConfigurationSerializer, **failures(400, 404, 422)},
    )
    def delete(self, request: Request, configuration_uuid: UUID) -> Response:
        """Deactivate the budget of a configuration. Operators only; doing it twice is doing it once.

        The configuration stays readable, and stays with its budget: its assignments need both.
        """
        return self._change(request, configuration_uuid, DeactivateConfigurationBody)

    def _change(self, request: Request, configuration_uuid: UUID, shape: type[DeactivateConfigurationBody]) -> Response:
        parse_query(NoQuery, request)
        caller = caller_with_a_role(request)
        policy = configuration_for(caller, configuration_uuid)
        refuse_unless_operator(caller, policy.customer_uuid)
        body: dict[str, Any] = parse_body(shape, request)
        try:
            changed = set_active(
                policy,
                is_active=body.get("active", False),
                is_forced=body.get("force", False),
                by=By(user=request.user, reason=body.get("reason", "")),
                now=clock.now(),
            )
        except (ConfigurationShared, PolicyInUse) as error:
            return unprocessable(error)
        return Response(render_configuration(changed))

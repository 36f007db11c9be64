"""How customers take requests, over REST: parse, authorize, one call, render."""

from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.subsidy_requests.api.access import admin_of, admin_of_configuration, get_caller
from enterprise_access.apps.subsidy_requests.api.bodies import ConfigurationBody, NewConfigurationBody
from enterprise_access.apps.subsidy_requests.api.queries import ConfigurationsQuery
from enterprise_access.apps.subsidy_requests.api.serializers import (
    CustomerConfigurationSerializer,
    render_configuration,
)
from enterprise_access.apps.subsidy_requests.api.views.documenting import TAGS, page_schema
from enterprise_access.apps.subsidy_requests.domain.digests import NotificationCadence
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.selectors.configurations import find_configurations, get_configuration
from enterprise_access.apps.subsidy_requests.services.configurations import change_configuration, create_configuration
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, failures, paginated, parse_body, parse_query

NAME: Final = "customer_configurations"


class ConfigurationsView(APIView):
    """How customers take requests."""

    @extend_schema(
        operation_id=f"{NAME}_list",
        tags=TAGS,
        parameters=[ConfigurationsQuery],
        responses={200: page_schema(CustomerConfigurationSerializer), **failures(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Return the configurations of the caller's customers, newest first."""
        query = parse_query(ConfigurationsQuery, request)
        rows = find_configurations(customers=get_caller(request).readable_customers())
        columns = {
            "pk": query.get("enterprise_customer_uuid"),
            "subsidy_type": query.get("subsidy_type"),
            "subsidy_requests_enabled": query.get("subsidy_requests_enabled"),
        }
        rows = rows.filter(**{name: value for name, value in columns.items() if value is not None})
        ordering = query.get("ordering", "")
        if ordering.removeprefix("-") == "enterprise_customer_uuid":
            rows = rows.order_by(ordering.replace("enterprise_customer_uuid", "customer_uuid"))
        return paginated(self, rows, lambda page: [render_configuration(row) for row in page])

    @extend_schema(
        operation_id=f"{NAME}_create",
        tags=TAGS,
        request=NewConfigurationBody,
        responses={200: CustomerConfigurationSerializer, 201: CustomerConfigurationSerializer, **failures(400)},
    )
    def post(self, request: Request) -> Response:
        """Create the configuration of a customer. An existing one is returned unchanged (200)."""
        body = parse_body(NewConfigurationBody, request)
        caller = admin_of(request, body["enterprise_customer_uuid"])
        kind = body.get("subsidy_type")
        row, is_new = create_configuration(
            customer_uuid=body["enterprise_customer_uuid"],
            is_enabled=body.get("subsidy_requests_enabled", False),
            subsidy_type=SubsidyType(kind) if kind else None,
            actor_lms_user_id=caller.lms_user_id,
            cadence=NotificationCadence(body.get("notification_cadence", NotificationCadence.DAILY)),
            attempt_auto_enrollment=body.get("attempt_auto_enrollment", False),
        )
        return Response(render_configuration(row), status=201 if is_new else 200)


class ConfigurationView(APIView):
    """How one customer takes requests."""

    @extend_schema(
        operation_id=f"{NAME}_retrieve",
        tags=TAGS,
        responses={200: CustomerConfigurationSerializer, **failures(400, 404)},
    )
    def get(self, request: Request, customer_uuid: UUID) -> Response:
        """Return the configuration of one of the caller's customers."""
        parse_query(NoQuery, request)
        customers = get_caller(request).readable_customers()
        return Response(render_configuration(get_configuration(customer_uuid=customer_uuid, customers=customers)))

    @extend_schema(
        operation_id=f"{NAME}_partial_update",
        tags=TAGS,
        request=ConfigurationBody,
        responses={200: CustomerConfigurationSerializer, **failures(400, 404)},
    )
    def patch(self, request: Request, customer_uuid: UUID) -> Response:
        """Change the given fields. Another type declines the undecided requests of the old one."""
        caller = admin_of_configuration(request, customer_uuid)
        body = parse_body(ConfigurationBody, request)
        changes: dict[str, Any] = {
            name: body[name]
            for name in ("subsidy_requests_enabled", "notification_cadence", "attempt_auto_enrollment")
            if name in body
        }
        if "subsidy_type" in body:
            changes["subsidy_type"] = body["subsidy_type"] or ""
        row = change_configuration(
            customer_uuid=customer_uuid, changes=changes, actor_lms_user_id=caller.lms_user_id, now=clock.now()
        )
        return Response(render_configuration(row))

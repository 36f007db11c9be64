"""The provisioning API. A request waits for its workflow for a bounded time, and answers where it stands."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.provisioning.api.access import provisioner_of
from enterprise_access.apps.provisioning.api.answers import (
    LineItemSetSerializer,
    ProvisionedSerializer,
    WorkflowSerializer,
    results_of,
    workflow_url,
)
from enterprise_access.apps.provisioning.api.serializers import LineItemBody, ProvisioningBody, RetryBody, asked_of
from enterprise_access.apps.provisioning.domain.states import WorkflowState
from enterprise_access.apps.provisioning.errors import WorkflowUnknown
from enterprise_access.apps.provisioning.services import provisioning
from enterprise_access.apps.provisioning.services.kinds.customers import CUSTOMER_DIFFERS
from enterprise_access.apps.provisioning.services.kinds.plans import RENEWED_OTHERWISE, TITLE_TAKEN
from enterprise_access.apps.provisioning.services.provisioning import Progress
from enterprise_access.lib.api import NoQuery, failures, parse_body, parse_query
from enterprise_access.lib.middleware import error_body

CONFLICTS = frozenset({CUSTOMER_DIFFERS, TITLE_TAKEN, RENEWED_OTHERWISE})
RETRY_AFTER_SECONDS = 60


def unfinished(progress: Progress, request: Request, people: Sequence[str] = ()) -> Response:
    """Answer for a workflow that is not done: 409, 502 or 503 with the step that stopped it, and 202 without one."""
    if progress.stopped_at is None:
        body = WorkflowSerializer(progress, context={"request": request}).data
        return Response(body, status=202, headers={"Location": workflow_url(progress, request)})
    step = progress.stopped_at
    is_failed = progress.state is WorkflowState.FAILED
    status = (409 if step.error in CONFLICTS else 502) if is_failed else 503
    code = step.error.partition(":")[0]
    extra: dict[str, Any] = {
        "workflow_uuid": str(progress.workflow.pk),
        "workflow_url": workflow_url(progress, request),
        "step": step.name,
        "existing": results_of(progress, people),
    }
    headers = {} if is_failed else {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Response(error_body(code=code, detail=step.problem, extra=extra), status=status, headers=headers)


class ProvisioningView(APIView):
    """Provision a customer in one call."""

    throttle_scope = "write"

    @extend_schema(
        operation_id="provision_customer",
        request=ProvisioningBody,
        responses={
            200: ProvisionedSerializer,
            201: ProvisionedSerializer,
            202: WorkflowSerializer,
            **failures(400, 403, 409, 502, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Create a customer with admins, catalog, agreement, two plans and their renewal.

        What exists is used, so the same request can be repeated: 201 when something was created, 200 when everything
        existed, 202 with the workflow's address when it goes on in the background. When a step fails, the error names
        the workflow, the step and what exists; a repeat goes on from there.
        """
        provisioner_of(request)
        parse_query(NoQuery, request)
        asked, people = asked_of(parse_body(ProvisioningBody, request))
        progress = provisioning.provision(
            asked=asked,
            people=people,
            requested_by=request.user,
            seconds=settings.PROVISIONING_BUDGET_SECONDS,
        )
        if progress.state is not WorkflowState.DONE:
            return unfinished(progress, request, people)
        return Response(results_of(progress, people), status=201 if progress.has_created else 200)


class LineItemView(APIView):
    """Set the line item of a provisioned plan."""

    throttle_scope = "write"

    @extend_schema(
        operation_id="provisioning_set_line_item",
        request=LineItemBody,
        responses={200: LineItemSetSerializer, 202: WorkflowSerializer, **failures(400, 403, 404, 502, 503)},
    )
    def post(self, request: Request) -> Response:
        """Set the Salesforce opportunity line item of the first paid plan, or of the trial plan (`is_trial`).

        The plan is named by `workflow_uuid`. Checkout intents are not kept by this service: one that is named by
        `checkout_intent_id` or `checkout_intent_uuid` is unknown (404).
        """
        provisioner_of(request)
        parse_query(NoQuery, request)
        body = parse_body(LineItemBody, request)
        if "workflow_uuid" not in body:
            raise WorkflowUnknown("This service keeps no checkout intents. Name the plan by workflow_uuid.")
        progress = provisioning.set_line_item(
            workflow_uuid=body["workflow_uuid"],
            line_item=body["salesforce_opportunity_line_item"],
            is_trial=body["is_trial"],
            requested_by=request.user,
            seconds=settings.PROVISIONING_BUDGET_SECONDS,
        )
        if progress.state is not WorkflowState.DONE:
            return unfinished(progress, request)
        output = progress.steps[0].output or {}
        return Response(
            {
                "success": True,
                "subscription_plan_uuid": output["plan_uuid"],
                "salesforce_opportunity_line_item": output["line_item"],
                "checkout_intent_uuid": None,
                "checkout_intent_id": None,
                "workflow_uuid": str(body["workflow_uuid"]),
            }
        )


class WorkflowView(APIView):
    """One workflow."""

    @extend_schema(operation_id="provisioning_workflow", responses={200: WorkflowSerializer, **failures(403, 404)})
    def get(self, request: Request, workflow_uuid: UUID) -> Response:
        """Return the state of a workflow, step by step."""
        provisioner_of(request)
        parse_query(NoQuery, request)
        progress = provisioning.get_progress(workflow_uuid=workflow_uuid)
        return Response(WorkflowSerializer(progress, context={"request": request}).data)


class RetryView(APIView):
    """Retry one workflow."""

    throttle_scope = "write"

    @extend_schema(
        operation_id="provisioning_retry",
        request=RetryBody,
        responses={200: WorkflowSerializer, 202: WorkflowSerializer, **failures(400, 403, 404, 409, 502, 503)},
    )
    def post(self, request: Request, workflow_uuid: UUID) -> Response:
        """Retry a failed workflow from the step that failed, with corrected input where that step takes it."""
        provisioner_of(request)
        parse_query(NoQuery, request)
        body = parse_body(RetryBody, request)
        progress = provisioning.retry(
            workflow_uuid=workflow_uuid,
            correction=body["correction"],
            seconds=settings.PROVISIONING_BUDGET_SECONDS,
        )
        if progress.state is not WorkflowState.DONE:
            return unfinished(progress, request)
        return Response(WorkflowSerializer(progress, context={"request": request}).data)

"""The REST API of default enrollments: parse, authorize, one call, render."""

import time
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Caller
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.default_enrollments.api.serializers.learners import (
    ExplanationSerializer,
    LearnerStatusSerializer,
    RealizeAnswerSerializer,
    RealizeSerializer,
    render_asked,
    render_learner_status,
)
from enterprise_access.apps.default_enrollments.errors import MayNotRead, MayNotRealize
from enterprise_access.apps.default_enrollments.services.asking import ask_for_realization
from enterprise_access.apps.default_enrollments.services.explaining import as_plain_data, explain_learner
from enterprise_access.apps.default_enrollments.services.status import get_learner_status
from enterprise_access.lib.api_errors import ErrorSerializer
from enterprise_access.lib.errors import Invalid

CUSTOMER = "enterprise_customer_uuid"
# Digits; what is longer is no id, and takes long to read.
LONGEST_ID = len(str(2**63))
ERRORS = {400: ErrorSerializer, 401: ErrorSerializer, 403: ErrorSerializer, 404: ErrorSerializer, 503: ErrorSerializer}


class LearnerStatusView(APIView):
    """What a customer intends for one learner."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_learner_status",
        parameters=[
            OpenApiParameter(CUSTOMER, UUID, required=True),
            OpenApiParameter("lms_user_id", int, description="Left out: the caller."),
        ],
        responses={200: LearnerStatusSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Return every intention of the customer as it stands for the learner, with the reason."""
        caller = get_caller(request)
        customer_uuid = _customer_from(request.query_params)
        lms_user_id = _learner_from(request.query_params, caller)
        if not caller.may_read_learner(customer_uuid, lms_user_id):
            # The sentence that clients of the LMS's own endpoint know.
            raise MayNotRead("MISSING: enterprise.can_view_default_enterprise_enrollment_intentions")
        own = caller.lms_user_id == lms_user_id
        learner_status = get_learner_status(customer_uuid=customer_uuid, lms_user_id=lms_user_id, with_email=not own)
        return Response(render_learner_status(learner_status, user_email=caller.email if own else learner_status.email))


class ExplainView(APIView):
    """Why a learner has, or does not have, what the customer intends."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_explain",
        parameters=[
            OpenApiParameter(CUSTOMER, UUID, required=True),
            OpenApiParameter("lms_user_id", int, description="Left out: the caller."),
        ],
        responses={200: ExplanationSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Return rule, reason and facts for every intention; also for a learner who is not linked."""
        caller = get_caller(request)
        customer_uuid = _customer_from(request.query_params)
        lms_user_id = _learner_from(request.query_params, caller)
        if not caller.may_read_learner(customer_uuid, lms_user_id):
            raise MayNotRead("Learners read about themselves, admins about the learners of their customer.")
        return Response(as_plain_data(explain_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)))


class RealizeView(APIView):
    """Asking for a learner's default enrollments."""

    throttle_scope = "realize"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_realize",
        request=RealizeSerializer,
        responses={200: RealizeAnswerSerializer, 202: RealizeAnswerSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Ask that the learner's default enrollments be realized. Asking twice is asking once.

        Answered with 200 when everything is decided, within `wait_seconds`, and with 202 as long as something is not.
        """
        caller = get_caller(request)
        body = RealizeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        customer_uuid: UUID = body.validated_data[CUSTOMER]
        lms_user_id = body.validated_data.get("lms_user_id") or _own_id(caller)
        if not caller.may_realize_for(customer_uuid, lms_user_id):
            raise MayNotRealize("Learners ask for their own default enrollments only, and operators for anyone's.")
        asked = ask_for_realization(
            customer_uuid=customer_uuid,
            lms_user_id=lms_user_id,
            wait_until=_until(body.validated_data["wait_seconds"]),
        )
        return Response(
            render_asked(asked), status=status.HTTP_200_OK if asked.is_settled else status.HTTP_202_ACCEPTED
        )


def _until(wait_seconds: float) -> float | None:
    if not wait_seconds:
        return None
    return time.monotonic() + min(wait_seconds, settings.REALIZE_WAIT_MAX_SECONDS)


def _customer_from(params: Any) -> UUID:
    value = params.get(CUSTOMER)
    if not value:
        raise Invalid(f"{CUSTOMER} is a required query parameter.")
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(f"{CUSTOMER} query parameter is not a valid UUID.") from None


def _learner_from(params: Any, caller: Caller) -> int:
    value = params.get("lms_user_id")
    if not value:
        return _own_id(caller)
    if not value.isascii() or not value.isdigit() or len(value) > LONGEST_ID or not 0 < int(value) < 2**63:
        raise Invalid("lms_user_id query parameter is not a positive whole number.")
    return int(value)


def _own_id(caller: Caller) -> int:
    if caller.lms_user_id is None:
        raise Invalid("The token names no LMS user; say which learner is meant with lms_user_id.")
    return caller.lms_user_id

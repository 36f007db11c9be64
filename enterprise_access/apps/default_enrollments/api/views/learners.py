"""The REST API of default enrollments: parse, authorize, one call, render."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.customers.services import find_learners
from enterprise_access.apps.default_enrollments.api.access import (
    administers,
    denied,
    may_read,
    may_read_learner,
    may_realize_for,
)
from enterprise_access.apps.default_enrollments.api.filters import LearnerQuery
from enterprise_access.apps.default_enrollments.api.serializers.explanations import ExplanationSerializer
from enterprise_access.apps.default_enrollments.api.serializers.finding import (
    FindLearnersSerializer,
    FoundLearnersSerializer,
)
from enterprise_access.apps.default_enrollments.api.serializers.learners import (
    LearnerStatusSerializer,
    RealizeAnswerSerializer,
    RealizeSerializer,
    render_asked,
    render_learner_status,
)
from enterprise_access.apps.default_enrollments.errors import MayNotRealize
from enterprise_access.apps.default_enrollments.services.learners.explaining import explain_learner
from enterprise_access.apps.default_enrollments.services.learners.explanation_data import as_plain_data
from enterprise_access.apps.default_enrollments.services.learners.status import get_learner_status
from enterprise_access.apps.default_enrollments.services.requests.asking import ask_for_realization
from enterprise_access.lib.api import NoQuery, failures, parse_body, parse_query
from enterprise_access.lib.errors import Invalid, MayNotRead

CUSTOMER = "enterprise_customer_uuid"
ERRORS = failures(400, 401, 403, 404, 503)


class LearnerStatusView(APIView):
    """What a customer intends for one learner."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_learner_status",
        parameters=[LearnerQuery],
        responses={200: LearnerStatusSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Return the learner's status for every intention of the customer, with the reason."""
        caller = get_caller(request)
        query = parse_query(LearnerQuery, request)
        customer_uuid: UUID = query[CUSTOMER]
        lms_user_id = _learner_in(query, caller)
        if not may_read_learner(caller, customer_uuid, lms_user_id):
            raise denied()
        own = caller.lms_user_id == lms_user_id
        learner_status = get_learner_status(customer_uuid=customer_uuid, lms_user_id=lms_user_id, with_email=not own)
        return Response(render_learner_status(learner_status, user_email=caller.email if own else learner_status.email))


class ExplainView(APIView):
    """Why a learner has, or does not have, what the customer intends."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_explain",
        parameters=[LearnerQuery],
        responses={200: ExplanationSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Explain each intention for a learner: rule, reason and facts; also for a learner who is not linked."""
        caller = get_caller(request)
        query = parse_query(LearnerQuery, request)
        customer_uuid: UUID = query[CUSTOMER]
        lms_user_id = _learner_in(query, caller)
        if not may_read_learner(caller, customer_uuid, lms_user_id):
            raise MayNotRead("Learners read about themselves, admins about the learners of their customer.")
        return Response(as_plain_data(explain_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id)))


class FindLearnersView(APIView):
    """Learners by what support knows of them."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="learners_find",
        request=FindLearnersSerializer,
        responses={200: FoundLearnersSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Return the learners whose LMS user id, username or email address this is. Changes nothing.

        The LMS is asked at that moment. It is a POST so that an email address stands in no address and in no log.
        """
        caller = get_caller(request)
        parse_query(NoQuery, request)
        body = parse_body(FindLearnersSerializer, request)
        if not administers(caller, body.get(CUSTOMER)):
            raise MayNotRead("Operators find any learner, admins those of the customer that they name.")
        found = find_learners(text=body["learner"], customer_uuid=body.get(CUSTOMER))
        return Response(FoundLearnersSerializer(found).data)


class RealizeView(APIView):
    """Asking for a learner's default enrollments."""

    throttle_scope = "realize"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_realize",
        request=RealizeSerializer,
        responses={200: RealizeAnswerSerializer, 202: RealizeAnswerSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Queue the learner's default enrollments for evaluation. Idempotent.

        Answers 200 if everything is decided within `wait_seconds`, otherwise 202.
        """
        caller = get_caller(request)
        parse_query(NoQuery, request)
        body = parse_body(RealizeSerializer, request)
        customer_uuid: UUID = body[CUSTOMER]
        lms_user_id = _learner_in(body, caller)
        if not may_realize_for(caller, customer_uuid, lms_user_id):
            raise MayNotRealize("Learners ask for their own default enrollments only, and operators for anyone's.")
        asked = ask_for_realization(
            customer_uuid=customer_uuid,
            lms_user_id=lms_user_id,
            wait_until=_until(body["wait_seconds"]),
        )
        return Response(
            render_asked(asked), status=status.HTTP_200_OK if asked.is_settled else status.HTTP_202_ACCEPTED
        )


def _until(wait_seconds: float) -> float | None:
    if not wait_seconds:
        return None
    return time.monotonic() + min(wait_seconds, settings.REALIZE_WAIT_MAX_SECONDS)


def _learner_in(values: Mapping[str, Any], caller: Caller) -> int:
    """Return the learner that is meant: the one who is named, or the caller, as a learner of the customer.

    Staff and services have to name one. They are nobody's learner, and an answer about themselves would look like one
    about the learner whom they meant. Raises Invalid, and MayNotRead for whoever has no role for the customer.
    """
    if "lms_user_id" in values:
        return int(values["lms_user_id"])
    if not may_read(caller, values[CUSTOMER]):
        raise denied()
    if not caller.has(Role.LEARNER, customer_uuid=values[CUSTOMER]):
        raise Invalid("lms_user_id is required: say which learner is meant.")
    if caller.lms_user_id is None:
        raise MayNotRead("The token names no LMS user.")
    return caller.lms_user_id

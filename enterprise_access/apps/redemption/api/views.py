"""The REST API of learner credit for learners: parse, authorize, one call, render."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Caller
from enterprise_access.apps.redemption.api.access import (
    caller_with_a_role,
    learner_to_read,
    may_read_redemption,
    need_administrator,
    need_redeemer,
)
from enterprise_access.apps.redemption.api.rendering import (
    render_attempt,
    render_credit,
    render_policy,
    render_redemptions,
    render_refusal,
    render_transaction,
)
from enterprise_access.apps.redemption.api.serializers import (
    CanRedeemSerializer,
    CanRequestQuery,
    CanRequestSerializer,
    CreditAvailableSerializer,
    CreditExplanationSerializer,
    CreditQuery,
    CreditReasonSerializer,
    ExplainQuery,
    RedeemSerializer,
    TransactionSerializer,
    parse_can_redeem,
)
from enterprise_access.apps.redemption.errors import RedemptionAttemptUnknown
from enterprise_access.apps.redemption.selectors import find_redemption
from enterprise_access.apps.redemption.services.assignments import note_learner
from enterprise_access.apps.redemption.services.explaining import explain_credit
from enterprise_access.apps.redemption.services.offering import find_requestable, list_credit, list_redemptions
from enterprise_access.apps.redemption.services.redeeming import Redeemed, RedemptionOrder, await_outcome, redeem
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, failures, parse_body, parse_query

TAGS = ["learner credit"]
ERRORS = failures(400, 401, 403, 404)


def _email_of(caller: Caller, lms_user_id: int) -> str | None:
    """Return a learner's own address: what was assigned to it before the learner first came becomes the learner's."""
    return caller.email if caller.lms_user_id == lms_user_id else None


class CanRedeemView(APIView):
    """Which of a customer's budgets pays for runs."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="policy_redemption_can_redeem",
        tags=TAGS,
        parameters=[
            OpenApiParameter("content_key", str, required=True, many=True, description="Run keys, at most 400."),
            OpenApiParameter("lms_user_id", int, description="Default: the caller. Staff may name a learner."),
        ],
        responses={200: CanRedeemSerializer(many=True), **ERRORS},
    )
    def get(self, request: Request, customer_uuid: UUID) -> Response:
        """Return for each run the budget that pays, or why none does.

        An upstream service that did not answer is a reason, too.

        404: the customer has no active budget, and the learner no redemption.
        """
        caller = caller_with_a_role(request)
        run_keys, named = parse_can_redeem(request)
        learner = learner_to_read(caller, customer_uuid=customer_uuid, lms_user_id=named)
        found = list_redemptions(
            customer_uuid=customer_uuid,
            lms_user_id=learner,
            run_keys=run_keys,
            email=_email_of(caller, learner),
            now=clock.now(),
        )
        return Response(render_redemptions(found, request))


class CanRequestView(APIView):
    """Whether a learner can request a course."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="policy_redemption_can_request",
        tags=TAGS,
        parameters=[CanRequestQuery],
        responses={200: CanRequestSerializer, **ERRORS},
    )
    def get(self, request: Request, customer_uuid: UUID) -> Response:
        """Return the budget from which the course can be requested, or why it cannot."""
        caller = caller_with_a_role(request)
        query = parse_query(CanRequestQuery, request)
        learner = learner_to_read(caller, customer_uuid=customer_uuid, lms_user_id=query.get("lms_user_id"))
        found = find_requestable(
            customer_uuid=customer_uuid, lms_user_id=learner, content_key=query["content_key"], now=clock.now()
        )
        if found.policy is None:
            return Response({"can_request": False, "reason": found.reason})
        return Response(
            {
                "content_key": query["content_key"],
                "can_request": True,
                "reason": None,
                "requestable_subsidy_access_policy": render_policy(found.policy, request),
            }
        )


class CreditsAvailableView(APIView):
    """Which budgets a learner sees."""

    throttle_scope = "read"

    @extend_schema(
        operation_id="policy_redemption_credits_available",
        tags=TAGS,
        parameters=[CreditQuery],
        responses={200: CreditAvailableSerializer(many=True), **ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Return the budgets that can pay for the learner now, newest first."""
        caller = caller_with_a_role(request)
        query = parse_query(CreditQuery, request)
        customer_uuid: UUID = query["enterprise_customer_uuid"]
        learner = learner_to_read(caller, customer_uuid=customer_uuid, lms_user_id=query["lms_user_id"])
        found = list_credit(
            customer_uuid=customer_uuid, lms_user_id=learner, email=_email_of(caller, learner), now=clock.now()
        )
        return Response([render_credit(credit, request) for credit in found])


class ExplainCreditView(APIView):
    """Why credit pays for a run, or does not."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="policy_redemption_explain",
        tags=TAGS,
        parameters=[ExplainQuery],
        responses={200: CreditExplanationSerializer, **ERRORS},
    )
    def get(self, request: Request, customer_uuid: UUID) -> Response:
        """Explain each budget: the rule, the numbers that it compared and their age, and earlier attempts."""
        caller = caller_with_a_role(request)
        query = parse_query(ExplainQuery, request)
        need_administrator(caller, customer_uuid=customer_uuid)
        return Response(
            explain_credit(
                customer_uuid=customer_uuid,
                lms_user_id=query["lms_user_id"],
                run_key=query["content_key"],
                now=clock.now(),
            )
        )


class RedeemView(APIView):
    """Spending credit of one budget."""

    throttle_scope = "write"

    @extend_schema(
        operation_id="policy_redemption_redeem",
        tags=TAGS,
        request=RedeemSerializer,
        responses={200: TransactionSerializer, 422: CreditReasonSerializer(many=True), **ERRORS},
    )
    def post(self, request: Request, policy_uuid: UUID) -> Response:
        """Redeem a run for a learner, or return the existing redemption. Idempotent.

        `pending`: the outcome is not known yet; poll `transaction_status_api_url`. 422: nothing was charged, and why.
        """
        caller = caller_with_a_role(request)
        parse_query(NoQuery, request)
        policy = get_policy(policy_uuid, customer_uuids=caller.readable_customers())
        body = parse_body(RedeemSerializer, request)
        need_redeemer(caller, customer_uuid=policy.customer_uuid, lms_user_id=body["lms_user_id"])
        note_learner(lms_user_id=body["lms_user_id"], email=_email_of(caller, body["lms_user_id"]), now=clock.now())
        redeemed = redeem(
            RedemptionOrder(
                policy=policy,
                lms_user_id=body["lms_user_id"],
                run_key=body["content_key"],
                metadata=body.get("metadata") or {},
            )
        )
        return _answer(redeemed, request)


def _answer(redeemed: Redeemed, request: Request) -> Response:
    if redeemed.transaction is not None:
        attempt = find_redemption(redeemed.transaction.uuid).attempt
        return Response(render_transaction(redeemed.transaction, attempt, request))
    if redeemed.attempt is None:
        raise RedemptionAttemptUnknown("There is no such redemption.")
    attempt = await_outcome(redeemed.attempt)
    reason = Redeemed(attempt=attempt).refused_reason
    if reason is not None:
        body = render_refusal(reason, policy=attempt.policy)
        return Response(body, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    return Response(render_attempt(attempt, request))


class RedemptionAttemptView(APIView):
    """How a redemption stands: one read of one row, since the portal asks each second."""

    throttle_scope = "portal"

    @extend_schema(
        operation_id="policy_redemption_attempt",
        tags=TAGS,
        responses={200: TransactionSerializer, **ERRORS},
    )
    def get(self, request: Request, attempt_uuid: UUID) -> Response:
        """Return the redemption as pending, committed or failed."""
        caller = caller_with_a_role(request)
        parse_query(NoQuery, request)
        found = find_redemption(attempt_uuid)
        if found.customer_uuid is None or not may_read_redemption(
            caller, customer_uuid=found.customer_uuid, lms_user_id=found.lms_user_id
        ):
            raise RedemptionAttemptUnknown("There is no such redemption.")
        if found.attempt is not None:
            return Response(render_attempt(found.attempt, request))
        if found.transaction is None:
            raise RedemptionAttemptUnknown("There is no such redemption.")
        return Response(render_transaction(found.transaction, None, request))

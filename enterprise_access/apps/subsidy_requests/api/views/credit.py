"""Requests for learner credit, over REST."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from enterprise_access.apps.subsidy_requests.api.bodies import (
    ApproveAllCreditRequestsBody,
    ApproveCreditRequestsBody,
    CancelCreditRequestBody,
    CreateLearnerCreditRequestBody,
    DeclineAllCreditRequestsBody,
    DeclineCreditRequestBody,
    RemindOfCreditRequestBody,
)
from enterprise_access.apps.subsidy_requests.api.queries import CreditOverviewQuery, CreditRequestsQuery
from enterprise_access.apps.subsidy_requests.api.serializers import LearnerCreditRequestSerializer
from enterprise_access.apps.subsidy_requests.api.views.documenting import counts, decides, lists, one
from enterprise_access.apps.subsidy_requests.api.views.requests import CountView, ListView, OfOneKind, OneView
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.selectors.rendering import render_credit_request
from enterprise_access.apps.subsidy_requests.selectors.requests import configurations_of, latest_actions
from enterprise_access.apps.subsidy_requests.services.creating import Asker, Created
from enterprise_access.apps.subsidy_requests.services.credit import create_credit_request
from enterprise_access.apps.subsidy_requests.services.credit_reviewing import (
    approve_all_credit,
    approve_credit,
    cancel_credit,
    decline_all_credit,
    remind_of_credit,
)
from enterprise_access.apps.subsidy_requests.services.reviewing import decline
from enterprise_access.lib import clock
from enterprise_access.lib.api import parse_body

_NAME = "learner_credit_requests"


class _OfCredit(OfOneKind):
    kind = SubsidyType.LEARNER_CREDIT
    query: ClassVar[type[Any]] = CreditRequestsQuery
    body = CreateLearnerCreditRequestBody

    @staticmethod
    def render_all(rows: Sequence[SubsidyRequest]) -> list[dict[str, Any]]:
        actions, configurations = latest_actions(rows), configurations_of(rows)
        return [
            render_credit_request(
                row,
                action=actions.get(row.pk),
                configuration=configurations.get(row.policy_uuid) if row.policy_uuid else None,
            )
            for row in rows
        ]


@lists(_NAME, CreditRequestsQuery, LearnerCreditRequestSerializer, CreateLearnerCreditRequestBody)
class LearnerCreditRequestsView(_OfCredit, ListView):
    """Requests for learner credit."""

    def create(self, body: dict[str, Any], asker: Asker) -> Created:
        """Ask for learner credit of the budget that the body names."""
        return create_credit_request(
            customer_uuid=body["enterprise_customer_uuid"],
            policy_uuid=body["policy_uuid"],
            asker=asker,
            course_id=body["course_id"].strip(),
            now=clock.now(),
        )


@one(_NAME, LearnerCreditRequestSerializer)
class LearnerCreditRequestView(_OfCredit, OneView):
    """One request for learner credit."""


@counts(_NAME, CreditOverviewQuery)
class LearnerCreditRequestsOverviewView(_OfCredit, CountView):
    """How many requests for learner credit are in which state."""

    query = CreditOverviewQuery


@decides(_NAME, "approve", None, ApproveCreditRequestsBody)
class ApproveLearnerCreditRequestsView(_OfCredit):
    """Approving requests for learner credit."""

    def post(self, request: Request) -> Response:
        """Approve all of these requests, or none: the course is assigned to each learner. The answer is empty."""
        body = parse_body(ApproveCreditRequestsBody, request)
        approve_credit(
            self.review_of(request, body, named="learner_credit_request_uuids"), policy_uuid=body["policy_uuid"]
        )
        return Response(status=200)


@decides(_NAME, "approve_all", None, ApproveAllCreditRequestsBody, status=202)
class ApproveAllLearnerCreditRequestsView(_OfCredit):
    """Approving every request of a budget."""

    def post(self, request: Request) -> Response:
        """Approve all undecided requests of a budget, or none. The answer is empty."""
        body = parse_body(ApproveAllCreditRequestsBody, request)
        approve_all_credit(self.review_of(request, body), policy_uuid=body["policy_uuid"])
        return Response(status=202)


@decides(_NAME, "decline", LearnerCreditRequestSerializer, DeclineCreditRequestBody)
class DeclineLearnerCreditRequestView(_OfCredit):
    """Declining a request for learner credit."""

    def post(self, request: Request) -> Response:
        """Decline an undecided or failed request."""
        body = parse_body(DeclineCreditRequestBody, request)
        review = self.review_of(request, body, named="subsidy_request_uuid")
        rows = decline(review, subsidy_type=self.kind, reason=body.get("decline_reason") or "")
        return Response(self.render_all(rows)[0])


@decides(_NAME, "decline_all", None, DeclineAllCreditRequestsBody, status=202)
class DeclineAllLearnerCreditRequestsView(_OfCredit):
    """Declining every request of a budget."""

    def post(self, request: Request) -> Response:
        """Decline all undecided requests of a budget, or none. Failed ones stay. The answer is empty."""
        body = parse_body(DeclineAllCreditRequestsBody, request)
        decline_all_credit(
            self.review_of(request, body),
            policy_uuid=body["policy_uuid"],
            reason=body.get("decline_reason") or "",
        )
        return Response(status=202)


@decides(_NAME, "cancel", LearnerCreditRequestSerializer, CancelCreditRequestBody)
class CancelLearnerCreditRequestView(_OfCredit):
    """Cancelling what was approved."""

    def post(self, request: Request) -> Response:
        """Cancel an approved request and its assignment. The money becomes available again."""
        body = parse_body(CancelCreditRequestBody, request)
        row = cancel_credit(self.review_of(request, body, named="request_uuid"))
        return Response(self.render_all([row])[0])


@decides(_NAME, "remind", None, RemindOfCreditRequestBody)
class RemindOfLearnerCreditRequestView(_OfCredit):
    """Reminding a learner of what was approved."""

    def post(self, request: Request) -> Response:
        """Email the learner of an approved request again. The answer is empty."""
        body = parse_body(RemindOfCreditRequestBody, request)
        remind_of_credit(self.review_of(request, body, named="learner_credit_request_uuid"))
        return Response(status=200)

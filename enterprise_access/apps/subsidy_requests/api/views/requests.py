"""What lists, counts, single requests and decisions of all kinds have in common: parse, authorize, one call, render."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.subsidy_requests.api.access import admin_of, asker_of, get_caller
from enterprise_access.apps.subsidy_requests.api.bodies import DeclineRequestsBody
from enterprise_access.apps.subsidy_requests.api.queries import OverviewQuery, RequestsQuery, wanted
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.selectors.requests import count_by_state, find_requests, get_request
from enterprise_access.apps.subsidy_requests.services.creating import Asker, Created, create_request, withdraw_request
from enterprise_access.apps.subsidy_requests.services.reviewing import Review, decline
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, paginated, parse_body, parse_query

# The members of a body that ask for unlinking: clients call it by two names.
UNLINKING: Final = ("unlink_users_from_enterprise", "disassociate_from_org")


class OfOneKind(APIView):
    """A view of requests of one kind."""

    kind: ClassVar[SubsidyType]
    query: ClassVar[type[Any]] = RequestsQuery
    body: ClassVar[type[Any]]

    @staticmethod
    def render_all(rows: Sequence[SubsidyRequest]) -> list[dict[str, Any]]:
        """Return requests as plain data."""
        raise NotImplementedError

    def list_requests(self, request: Request) -> Response:
        """Return a page of the requests that the caller may see."""
        query = parse_query(self.query, request)
        rows = find_requests(caller=get_caller(request), subsidy_type=self.kind, wanted=wanted(query))
        return paginated(self, rows, self.render_all)

    def count(self, request: Request) -> Response:
        """Return how many requests of a customer are in which state."""
        query = parse_query(self.query, request)
        admin_of(request, query["enterprise_customer_uuid"])
        counts = count_by_state(subsidy_type=self.kind, wanted=wanted(query))
        return Response([{"state": state, "count": count} for state, count in counts])

    def review_of(self, request: Request, body: dict[str, Any], *, named: str = "subsidy_request_uuids") -> Review:
        """Return the decision that the caller makes. `named`: the member that names requests, none or several.

        Raises MayNotUse.
        """
        caller = admin_of(request, body["enterprise_customer_uuid"])
        found = body.get(named, ())
        return Review(
            customer_uuid=body["enterprise_customer_uuid"],
            request_uuids=list(dict.fromkeys(found if isinstance(found, list | tuple) else [found])),
            reviewer_lms_user_id=caller.lms_user_id,
            now=clock.now(),
            is_mail_wanted=body.get("send_notification", False),
            is_unlinking_wanted=any(body.get(name, False) for name in UNLINKING),
        )


class ListView(OfOneKind):
    """Requests."""

    def get(self, request: Request) -> Response:
        """Return the requests that the caller may see: their own, and those of customers they are an admin of."""
        return self.list_requests(request)

    def post(self, request: Request) -> Response:
        """Create a request for the caller. If a request for the same is open, that one is returned (200)."""
        body = parse_body(self.body, request)
        asker = asker_of(request, body["enterprise_customer_uuid"])
        created = self.create(body, asker)
        return Response(self.render_all([created.request])[0], status=201 if created.is_new else 200)

    def create(self, body: dict[str, Any], asker: Asker) -> Created:
        """Ask for what the body says."""
        return create_request(
            customer_uuid=body["enterprise_customer_uuid"],
            subsidy_type=self.kind,
            asker=asker,
            course_id=(body.get("course_id") or "").strip(),
            now=clock.now(),
        )


class OneView(OfOneKind):
    """One request."""

    def get(self, request: Request, request_uuid: UUID) -> Response:
        """Return one request that the caller may see."""
        parse_query(NoQuery, request)
        row = get_request(caller=get_caller(request), subsidy_type=self.kind, request_uuid=request_uuid)
        return Response(self.render_all([row])[0])

    def delete(self, request: Request, request_uuid: UUID) -> Response:
        """Cancel the caller's own undecided request. It remains as cancelled."""
        caller = get_caller(request)
        get_request(caller=caller, subsidy_type=self.kind, request_uuid=request_uuid)
        withdraw_request(
            request_uuid=request_uuid, subsidy_type=self.kind, lms_user_id=caller.lms_user_id or 0, now=clock.now()
        )
        return Response(status=204)


class CountView(OfOneKind):
    """How many requests are in which state."""

    query = OverviewQuery

    def get(self, request: Request) -> Response:
        """Count a customer's requests by state, highest count first. States without requests are omitted."""
        return self.count(request)


class DeclineView(OfOneKind):
    """Declining requests."""

    def post(self, request: Request) -> Response:
        """Decline all of these requests, or none. Declined requests remain unchanged.

        With `unlink_users_from_enterprise`, a worker unlinks the learners from the customer afterwards.
        """
        body = parse_body(DeclineRequestsBody, request)
        review = self.review_of(request, body)
        rows = decline(review, subsidy_type=self.kind, reason=body.get("decline_reason") or "")
        return Response(self.render_all(rows))

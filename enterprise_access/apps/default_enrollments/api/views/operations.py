"""What operators do at support: pauses, checks, the queue, customers, and many intentions at once."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Role
from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.selectors import find_customers, get_customer
from enterprise_access.apps.customers.services import pause_customer, resume_customer
from enterprise_access.apps.default_enrollments.api.access import (
    caller_with_a_role,
    load_intention,
    refuse_unless_writer,
)
from enterprise_access.apps.default_enrollments.api.filters import CustomersQuery, QueueQuery
from enterprise_access.apps.default_enrollments.api.operating import CUSTOMER, need_operator, note
from enterprise_access.apps.default_enrollments.api.serializers.intentions import (
    IntentionHealthSerializer,
    render_health,
)
from enterprise_access.apps.default_enrollments.api.serializers.operations import (
    BulkAddedSerializer,
    BulkAddSerializer,
    CustomerPageSerializer,
    CustomerRowSerializer,
    PauseRequestSerializer,
    PauseSerializer,
    QueuePageSerializer,
    ResumeSerializer,
    render_bulk,
    render_pause,
    render_queued,
)
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, MayNotOperate
from enterprise_access.apps.default_enrollments.selectors.intentions import find_checked
from enterprise_access.apps.default_enrollments.selectors.pauses import get_pause, get_pause_switch
from enterprise_access.apps.default_enrollments.selectors.queue import EvaluationRequestState, find_requests
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.moving_in.bulk import add_many
from enterprise_access.apps.default_enrollments.services.operations.steering import pause_everything, resume_everything
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, failures, paginated, parse_body, parse_query

# --- Pauses --------------------------------------------------------------------------------------------------------


class PauseView(APIView):
    """Stopping to enroll."""

    @extend_schema(
        operation_id="default_enterprise_enrollment_pauses_pause",
        request=PauseRequestSerializer,
        responses={200: PauseSerializer, **failures(400, 404)},
    )
    def post(self, request: Request) -> Response:
        """Pause enrolling for one customer, or for all. Operators only. Idempotent: a pause keeps its first reason.

        Pending evaluations stay queued.
        """
        caller_with_a_role(request)
        parse_query(NoQuery, request)
        body = parse_body(PauseRequestSerializer, request)
        customer_uuid: UUID | None = body.get(CUSTOMER)
        need_operator(request, customer_uuid)
        by, because = request.user.get_username(), body["reason"]
        if customer_uuid is None:
            is_changed = pause_everything(by=by, because=because)
            row: Any = get_pause_switch()
        else:
            row = _customer(customer_uuid)
            is_changed = pause_customer(customer_uuid=customer_uuid, by=by, because=because, now=clock.now())
        if is_changed:
            note(request, row, f"Paused: {because}")
        return _paused(customer_uuid, is_changed=is_changed)


class ResumeView(APIView):
    """Going on with enrolling."""

    @extend_schema(
        operation_id="default_enterprise_enrollment_pauses_resume",
        request=ResumeSerializer,
        responses={200: PauseSerializer, **failures(400, 404)},
    )
    def post(self, request: Request) -> Response:
        """Resume enrolling for one customer, or for all. Operators only. Idempotent."""
        caller_with_a_role(request)
        parse_query(NoQuery, request)
        body = parse_body(ResumeSerializer, request)
        customer_uuid: UUID | None = body.get(CUSTOMER)
        need_operator(request, customer_uuid)
        if customer_uuid is None:
            is_changed = resume_everything(by=request.user.get_username())
            row: Any = get_pause_switch()
        else:
            row, pause = _customer(customer_uuid), get_pause(customer_uuid=customer_uuid)
            is_changed = pause is not None and resume_customer(customer_uuid=customer_uuid, shown=pause.since)
        if is_changed:
            note(request, row, "Resumed.")
        return _paused(customer_uuid, is_changed=is_changed)


def _customer(customer_uuid: UUID) -> Any:
    customer = get_customer(customer_uuid=customer_uuid)
    if customer is None:
        raise CustomerUnknown(f"No customer {customer_uuid} is known here.")
    return customer


def _paused(customer_uuid: UUID | None, *, is_changed: bool) -> Response:
    pause = get_pause(customer_uuid=customer_uuid)
    return Response(render_pause(pause, customer_uuid=customer_uuid, is_changed=is_changed))


# --- Checking ------------------------------------------------------------------------------------------------------


class CheckIntentionView(APIView):
    """Checking one intention."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_check",
        request=None,
        responses={200: IntentionHealthSerializer, **failures(400, 404, 409, 503)},
    )
    def post(self, request: Request, intention_uuid: UUID) -> Response:
        """Read again what an intention resolves to, and return the result. Operators only.

        Learners who wait for what has changed are queued for evaluation.
        """
        caller = caller_with_a_role(request)
        parse_query(NoQuery, request)
        intention = load_intention(caller, intention_uuid)
        refuse_unless_writer(caller, intention.customer_id)
        if intention.is_deleted:
            raise IntentionDeleted("The intention is deleted; restore it first.", extra={"uuid": str(intention.pk)})
        check_intentions(customer_uuid=intention.customer_id, only={intention.pk})
        note(request, intention, "Checked.")
        return Response(render_health(find_checked(customer_uuid=intention.customer_id).get(pk=intention.pk)))


# --- The queue -----------------------------------------------------------------------------------------------------


class QueueView(APIView):
    """Learners who are queued for evaluation."""

    @extend_schema(
        operation_id="default_enterprise_enrollment_requests_list",
        parameters=[QueueQuery],
        responses={200: QueuePageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Return the pending evaluations, latest first: what is due, scheduled, in progress or failed. Operators only.

        To queue a learner now, call realize.
        """
        query = parse_query(QueueQuery, request)
        need_operator(request, query.get(CUSTOMER))
        now = clock.now()
        rows = find_requests(
            now=now,
            customer_uuid=query.get(CUSTOMER),
            lms_user_id=query.get("lms_user_id"),
            state=EvaluationRequestState(query["state"]) if "state" in query else None,
        )
        return paginated(self, rows, lambda page: [render_queued(row, now=now) for row in page])


# --- Customers -----------------------------------------------------------------------------------------------------


class CustomersView(APIView):
    """Customers that are known here."""

    @extend_schema(
        operation_id="enterprise_customers_list",
        parameters=[CustomersQuery],
        responses={200: CustomerPageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Return the customers with a text in their name or slug, by name. Operators of every customer only."""
        query = parse_query(CustomersQuery, request)
        if not caller_with_a_role(request).has(Role.OPERATOR, customer_uuid=None):
            raise MayNotOperate("Only operators of every customer search for customers.")
        rows = find_customers(search=query.get("search", "").strip())
        return paginated(self, rows, lambda page: [CustomerRowSerializer(row).data for row in page])


# --- Many intentions -----------------------------------------------------------------------------------------------


class BulkAddView(APIView):
    """Many intentions at once."""

    throttle_scope = "explain"

    @extend_schema(
        operation_id="default_enterprise_enrollment_intentions_bulk_add",
        request=BulkAddSerializer,
        responses={200: BulkAddedSerializer, **failures(400, 404, 503)},
    )
    def post(self, request: Request) -> Response:
        """Add many intentions to a customer, or (`dry_run`) say what would happen. Operators only. Idempotent.

        Each key stands for itself: one that is wrong is an error of its own, and the others are added.
        """
        caller_with_a_role(request)
        parse_query(NoQuery, request)
        body = parse_body(BulkAddSerializer, request)
        customer_uuid: UUID = body[CUSTOMER]
        need_operator(request, customer_uuid)
        found = add_many(
            customer_uuid=customer_uuid,
            content_keys=body["content_keys"],
            saves=not body["dry_run"],
            restores=body["restore_deleted"],
        )
        return Response({"results": [render_bulk(each) for each in found]})

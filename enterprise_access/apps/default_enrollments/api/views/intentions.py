"""What customers intend, over REST: parse, authorize, one call, render."""

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.default_enrollments.api import examples
from enterprise_access.apps.default_enrollments.api.access import (
    administers,
    administrator_of,
    caller_with_a_role,
    load_intention,
    may_write,
    reader_of,
    refuse_unless_writer,
    writer_of,
)
from enterprise_access.apps.default_enrollments.api.filters import HealthQuery, IntentionsQuery, PreviewQuery
from enterprise_access.apps.default_enrollments.api.serializers.history import HistoryPageSerializer, render_change
from enterprise_access.apps.default_enrollments.api.serializers.intentions import (
    AddIntentionSerializer,
    ChangeIntentionSerializer,
    IntentionHealthPageSerializer,
    IntentionPageSerializer,
    IntentionSerializer,
    PreviewSerializer,
    render_health,
    render_intention,
    render_preview,
)
from enterprise_access.apps.default_enrollments.errors import IntentionUnknown
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.selectors.intentions import (
    HealthState,
    WhichIntentions,
    find_checked,
    find_intentions,
    list_changes,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_saved
from enterprise_access.apps.default_enrollments.services.intentions.describing import describe_all, preview_key
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import (
    add_intention,
    change_key,
    delete_intention,
    restore_intention,
)
from enterprise_access.lib.api import OptionalCustomerQuery, PageQuery, failures, paginated, parse_body, parse_query
from enterprise_access.lib.errors import MayNotRead

CUSTOMER = "enterprise_customer_uuid"
OPERATION = "default_enterprise_enrollment_intentions"


class IntentionsView(APIView):
    """What a customer intends."""

    @extend_schema(
        operation_id=f"{OPERATION}_list",
        parameters=[IntentionsQuery],
        responses={200: IntentionPageSerializer, **failures(400, 404)},
        examples=[examples.page_of(examples.INTENTION_ROW)],
    )
    def get(self, request: Request) -> Response:
        """Return a customer's intentions, oldest first, each with the run that it resolves to now."""
        query = parse_query(IntentionsQuery, request)
        caller = reader_of(request, query[CUSTOMER])
        state = WhichIntentions(query["state"])
        if state is not WhichIntentions.LIVING and not administers(caller, query[CUSTOMER]):
            raise MayNotRead("Only admins of the customer and operators see deleted intentions.")
        rows = find_intentions(
            customer_uuid=query[CUSTOMER],
            state=state,
            content_key=query.get("content_key"),
            content_type=query.get("content_type"),
        )
        return paginated(self, rows, lambda page: [render_intention(item) for item in describe_all(page)])

    @extend_schema(
        operation_id=f"{OPERATION}_add",
        request=AddIntentionSerializer,
        responses={201: IntentionSerializer, **failures(400, 404, 409, 503)},
        examples=[
            OpenApiExample(
                "A course",
                value={"enterprise_customer_uuid": examples.CUSTOMER, "content_key": "edX+DemoX"},
                request_only=True,
            ),
            examples.answer("Added", examples.INTENTION_ROW, 201),
            examples.answer("Added unchecked, as the catalog service is silent", examples.UNCHECKED_ROW, 201),
            examples.IS_UNKNOWN,
            examples.IS_DELETED,
        ],
    )
    def post(self, request: Request) -> Response:
        """Add an intention. Operators only.

        A key that no catalog has is refused. Everything else that prevents enrollments today is a warning. The
        intention is checked immediately.
        """
        caller_with_a_role(request)
        body = parse_body(AddIntentionSerializer, request)
        customer_uuid: UUID = body[CUSTOMER]
        writer_of(request, customer_uuid)
        intention, description = add_intention(
            customer_uuid=customer_uuid, content_key=body["content_key"], asks_lms=True
        )
        check_saved([intention])
        return Response(render_intention(description), status=status.HTTP_201_CREATED)


class IntentionView(APIView):
    """One intention."""

    @extend_schema(
        operation_id=f"{OPERATION}_retrieve",
        parameters=[OptionalCustomerQuery],
        responses={200: IntentionSerializer, **failures(400, 404)},
        examples=[examples.answer("A course", examples.INTENTION_ROW)],
    )
    def get(self, request: Request, intention_uuid: UUID) -> Response:
        """Return one intention with the run that it resolves to now. Learners see active intentions only."""
        intention = _load(request, intention_uuid)
        return Response(render_intention(describe_all([intention])[0]))

    @extend_schema(
        operation_id=f"{OPERATION}_change",
        parameters=[OptionalCustomerQuery],
        request=ChangeIntentionSerializer,
        responses={200: IntentionSerializer, **failures(400, 404, 409)},
        examples=[
            OpenApiExample("Another course", value={"content_key": "EPFLx+Scala"}, request_only=True),
            examples.answer("Changed", examples.INTENTION_ROW),
            examples.IS_UNKNOWN,
            examples.IS_USED,
        ],
    )
    def patch(self, request: Request, intention_uuid: UUID) -> Response:
        """Change the key, if no learner has been evaluated for the intention yet. Operators only."""
        intention = _load_to_write(request, intention_uuid)
        body = parse_body(ChangeIntentionSerializer, request)
        description = change_key(intention, content_key=body["content_key"])
        return Response(render_intention(description))

    @extend_schema(
        operation_id=f"{OPERATION}_delete",
        parameters=[OptionalCustomerQuery],
        responses={204: None, **failures(400, 404)},
    )
    def delete(self, request: Request, intention_uuid: UUID) -> Response:
        """Delete an intention: it enrolls no more learners, and its realizations remain. Operators only.

        Idempotent.
        """
        delete_intention(_load_to_write(request, intention_uuid))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RestoreIntentionView(APIView):
    """Undoing a deletion."""

    @extend_schema(
        operation_id=f"{OPERATION}_restore",
        parameters=[OptionalCustomerQuery],
        request=None,
        responses={200: IntentionSerializer, **failures(400, 404)},
        examples=[examples.answer("Restored", examples.INTENTION_ROW)],
    )
    def post(self, request: Request, intention_uuid: UUID) -> Response:
        """Restore a deleted intention, and check it. An active one remains unchanged. Operators only."""
        intention = _load_to_write(request, intention_uuid)
        was_deleted = intention.is_deleted
        restore_intention(intention)
        if was_deleted:
            check_saved([intention])
        return Response(render_intention(describe_all([intention])[0]))


class IntentionHistoryView(APIView):
    """What was done to an intention."""

    @extend_schema(
        operation_id=f"{OPERATION}_history",
        parameters=[PageQuery],
        responses={200: HistoryPageSerializer, **failures(400, 404)},
        examples=[examples.page_of(examples.CHANGE)],
    )
    def get(self, request: Request, intention_uuid: UUID) -> Response:
        """Return the changes of an intention, newest first. Admins of the customer; operators also see names."""
        parse_query(PageQuery, request)
        caller = caller_with_a_role(request)
        intention = load_intention(caller, intention_uuid)
        administrator_of(request, intention.customer_id)
        with_names = may_write(caller, intention.customer_id)
        return paginated(
            self, list_changes(intention), lambda page: [render_change(row, with_names=with_names) for row in page]
        )


class PreviewView(APIView):
    """What a key would stand for."""

    @extend_schema(
        operation_id=f"{OPERATION}_preview",
        parameters=[PreviewQuery],
        responses={200: PreviewSerializer, **failures(400, 404)},
        examples=[examples.answer("A course", examples.PREVIEW), examples.IS_UNKNOWN],
    )
    def get(self, request: Request) -> Response:
        """Return the run that a key would resolve to, and whether a new learner would be enrolled. Nothing is saved.

        The LMS is not asked for modes. Admins of the customer, and operators.
        """
        query = parse_query(PreviewQuery, request)
        administrator_of(request, query[CUSTOMER])
        preview = preview_key(customer_uuid=query[CUSTOMER], content_key=query["content_key"], ask_for_modes=False)
        return Response(render_preview(preview))


class IntentionHealthView(APIView):
    """Which intentions can be honoured."""

    @extend_schema(
        operation_id=f"{OPERATION}_health",
        parameters=[HealthQuery],
        responses={200: IntentionHealthPageSerializer, **failures(400, 404)},
        examples=[examples.page_of(examples.HEALTH)],
    )
    def get(self, request: Request) -> Response:
        """Return the result of the last check of every active intention. Admins of the customer, and operators."""
        query = parse_query(HealthQuery, request)
        administrator_of(request, query[CUSTOMER])
        state = HealthState(query["state"]) if "state" in query else None
        rows = find_checked(customer_uuid=query[CUSTOMER], state=state)
        return paginated(self, rows, lambda page: [render_health(row) for row in page])


def _load(request: Request, intention_uuid: UUID) -> Intention:
    """Return the intention of the address, which has to be of the customer in the query, if there is one."""
    customer_uuid: UUID | None = parse_query(OptionalCustomerQuery, request).get(CUSTOMER)
    caller = caller_with_a_role(request) if customer_uuid is None else reader_of(request, customer_uuid)
    intention = load_intention(caller, intention_uuid)
    if customer_uuid not in (None, intention.customer_id):
        raise IntentionUnknown(f"The customer has no intention {intention_uuid}.")
    return intention


def _load_to_write(request: Request, intention_uuid: UUID) -> Intention:
    intention = _load(request, intention_uuid)
    refuse_unless_writer(caller_with_a_role(request), intention.customer_id)
    return intention

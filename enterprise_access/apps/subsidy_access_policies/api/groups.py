"""The groups that a budget is restricted to, and their members."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.groups.errors import GroupUnknown
from enterprise_access.apps.groups.services import members as groups
from enterprise_access.apps.groups.services.members import CountedMember, MembersPage, MembersQuery
from enterprise_access.apps.subsidy_access_policies.api.access import (
    caller_with_a_role,
    load_policy,
    reader_of,
    refuse_unless_writer,
    sees_money,
)
from enterprise_access.apps.subsidy_access_policies.errors import MayNotUseBudgets
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors.groups import count_redemptions
from enterprise_access.apps.subsidy_access_policies.services.groups import (
    associate_group,
    end_association,
    end_association_of,
)
from enterprise_access.lib.api import (
    NoQuery,
    PageQuery,
    StrictSerializer,
    UuidTextField,
    failures,
    paginated,
    parse_body,
    parse_query,
)
from enterprise_access.lib.api.pages import ListPageSerializer
from enterprise_access.lib.api.queries import MAX_PAGE
from enterprise_access.lib.csv_files import write_table

TAGS = ["subsidy-access-policies"]
SORTS = ("member_details", "status", "recent_action", groups.BY_ENROLLMENTS)
COLUMNS = ("email", "name", "Recent Action", "Enrollment Number", "Activation Date", "status")
MAX_LEARNERS = 500


class MembersParameters(serializers.Serializer[Any]):
    """Which members, in which order, as what."""

    group_uuid = serializers.UUIDField(required=False, help_text="One of the budget's groups; by default the first.")
    page = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE)
    traverse_pagination = serializers.BooleanField(required=False, default=False)
    format_csv = serializers.BooleanField(required=False, default=False)
    show_removed = serializers.BooleanField(required=False, default=False)
    is_reversed = serializers.BooleanField(required=False, default=False, help_text="Ascending; else descending.")
    sort_by = serializers.ChoiceField(required=False, choices=SORTS, default="")
    user_query = serializers.CharField(required=False, default="", allow_blank=True, max_length=255)
    learners = serializers.ListField(
        child=serializers.EmailField(), required=False, default=list, max_length=MAX_LEARNERS, help_text="Repeated."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse neither or both of `page` and `traverse_pagination`."""
        if ("page" in attrs) == attrs["traverse_pagination"]:
            text = _("Can only support one param of the following at a time: `page` or `traverse_pagination`")
            raise serializers.ValidationError(text)
        return attrs


class DetailsSerializer(serializers.Serializer[Any]):
    """How a member is shown."""

    user_email = serializers.CharField(allow_null=True)
    user_name = serializers.CharField(allow_null=True)


class GroupMemberSerializer(serializers.Serializer[Any]):
    """A member of a group, and the enrollments that this budget has paid for."""

    enterprise_customer_user_id = serializers.IntegerField(source="member.enterprise_customer_user_id", allow_null=True)
    lms_user_id = serializers.IntegerField(source="member.lms_user_id", allow_null=True)
    pending_enterprise_customer_user_id = serializers.IntegerField(
        source="member.pending_enterprise_customer_user_id", allow_null=True
    )
    enterprise_group_membership_uuid = serializers.UUIDField(
        source="member.enterprise_group_membership_uuid", allow_null=True
    )
    member_details = DetailsSerializer(source="member.member_details")
    recent_action = serializers.CharField(source="member.recent_action")
    status = serializers.CharField(source="member.status")
    activated_at = serializers.DateTimeField(source="member.activated_at", allow_null=True)
    enrollment_count = serializers.IntegerField()


class GroupMembersPageSerializer(ListPageSerializer):
    """A page of members."""

    results = GroupMemberSerializer(many=True)


class GroupMembersView(APIView):
    """The members of a group of a budget."""

    @extend_schema(
        operation_id="subsidy_access_policies_group_members",
        tags=TAGS,
        parameters=[MembersParameters],
        responses={200: GroupMembersPageSerializer, **failures(400, 404, 503)},
    )
    def get(self, request: Request, policy_uuid: UUID) -> HttpResponseBase:
        """Return the members of a group that the budget is restricted to. Admins of the customer and operators only.

        In pages of ten, or all of them (`traverse_pagination`), also as CSV (`format_csv`).
        """
        policy = load_policy(caller := caller_with_a_role(request), policy_uuid)
        if not sees_money(caller, policy.customer_uuid):
            raise MayNotUseBudgets("Only admins of the customer and operators see the members of a group.")
        given = _parse(request)
        group_uuid, query = _group_of(policy, given.get("group_uuid")), _query(given)
        counts = lambda ids: count_redemptions(policy_uuid=policy.pk, lms_user_ids=ids)  # noqa: E731
        if "page" in given and not given["format_csv"]:
            page = groups.fetch_members_page(group_uuid=group_uuid, query=query, page=given["page"], counts=counts)
            return Response(_envelope(page, request))
        if given["format_csv"] and query.sort_by != groups.BY_ENROLLMENTS:
            return _csv(groups.iterate_members(group_uuid=group_uuid, query=query, counts=counts))
        rows = groups.fetch_all_members(group_uuid=group_uuid, query=query, counts=counts)
        if given["format_csv"]:
            return _csv(iter([rows]))
        return Response(_envelope(MembersPage(rows=rows, count=len(rows), number=1, pages=1), request))


class GroupAssociationSerializer(StrictSerializer):
    """A group that a budget is restricted to."""

    group_uuid = UuidTextField()
    created = serializers.DateTimeField(read_only=True)


class PolicyGroupsView(APIView):
    """The groups that a budget is restricted to."""

    @extend_schema(
        operation_id="subsidy_access_policies_group_associations",
        tags=TAGS,
        parameters=[PageQuery],
        responses={200: GroupAssociationSerializer(many=True), **failures(400, 404)},
    )
    def get(self, request: Request, policy_uuid: UUID) -> Response:
        """Return the groups that a budget is restricted to, oldest first. Without any, every learner may use it."""
        parse_query(PageQuery, request)
        policy = load_policy(caller_with_a_role(request), policy_uuid)
        rows = PolicyGroupAssociation.objects.filter(policy=policy).order_by("pk")
        return paginated(self, rows, lambda page: list(GroupAssociationSerializer(page, many=True).data))

    @extend_schema(
        operation_id="subsidy_access_policies_add_group_association",
        tags=TAGS,
        request=GroupAssociationSerializer,
        responses={200: GroupAssociationSerializer, 201: GroupAssociationSerializer, **failures(400, 404, 503)},
    )
    def post(self, request: Request, policy_uuid: UUID) -> Response:
        """Restrict a budget to a group of its customer. Operators only. Repeating it returns 200.

        400 for a group that is not the customer's; 503 if the LMS does not answer.
        """
        policy = _load_to_write(request, policy_uuid)
        body = parse_body(GroupAssociationSerializer, request)
        association, is_new = associate_group(policy, group_uuid=body["group_uuid"])
        return Response(GroupAssociationSerializer(association).data, status=201 if is_new else 200)


class PolicyGroupView(APIView):
    """The restriction of one budget to one group."""

    @extend_schema(
        operation_id="subsidy_access_policies_remove_group_association",
        tags=TAGS,
        responses={204: None, **failures(404)},
    )
    def delete(self, request: Request, policy_uuid: UUID, group_uuid: UUID) -> Response:
        """End the restriction of one budget to a group. Operators only. Idempotent."""
        end_association_of(_load_to_write(request, policy_uuid), group_uuid=group_uuid)
        return Response(status=204)


def _load_to_write(request: Request, policy_uuid: UUID) -> SubsidyAccessPolicy:
    parse_query(NoQuery, request)
    policy = load_policy(caller := caller_with_a_role(request), policy_uuid)
    refuse_unless_writer(caller, policy.customer_uuid)
    return policy


class GroupAssociationView(APIView):
    """The restriction of a customer's budgets to one group."""

    @extend_schema(
        operation_id="subsidy_access_policies_end_group_association",
        tags=TAGS,
        responses={204: None, **failures(404)},
    )
    def delete(self, request: Request, customer_uuid: UUID, group_uuid: UUID) -> Response:
        """End the restriction of all budgets of a customer to a group. Operators only. Idempotent."""
        caller = reader_of(request, customer_uuid)
        refuse_unless_writer(caller, customer_uuid)
        parse_query(NoQuery, request)
        end_association(customer_uuid=customer_uuid, group_uuid=group_uuid)
        return Response(status=204)


def _parse(request: Request) -> dict[str, Any]:
    """Return the parameters; `learners` may be repeated, the others may not."""
    known = MembersParameters().fields
    data: dict[str, Any] = {}
    for name, values in request.query_params.lists():
        if name not in known or (len(values) > 1 and name != "learners"):
            raise serializers.ValidationError({name: [_("There is no such parameter, or it is given more than once.")]})
        data[name] = values if name == "learners" else values[0]
    parameters = MembersParameters(data=data)
    parameters.is_valid(raise_exception=True)
    return dict(parameters.validated_data)


def _group_of(policy: SubsidyAccessPolicy, asked: UUID | None) -> UUID:
    """Return the group. Raises GroupUnknown for one that the budget is not restricted to."""
    own = [association.group_uuid for association in policy.group_associations.all()]
    if not own or (asked is not None and asked not in own):
        raise GroupUnknown("The budget is not restricted to such a group.")
    return asked or own[0]


def _query(given: dict[str, Any]) -> MembersQuery:
    return MembersQuery(
        emails=tuple(given["learners"]),
        user_query=given["user_query"],
        sort_by=given["sort_by"],
        is_ascending=given["is_reversed"],
        with_removed=given["show_removed"],
    )


def _envelope(page: MembersPage, request: Request) -> dict[str, Any]:
    return {
        "next": _link(request, page.number + 1) if page.number < page.pages else None,
        "previous": _link(request, page.number - 1) if page.number > 1 else None,
        "count": page.count,
        "num_pages": page.pages,
        "current_page": page.number,
        "start": (page.number - 1) * groups.PAGE_SIZE,
        "results": GroupMemberSerializer(page.rows, many=True).data,
    }


def _link(request: Request, number: int) -> str:
    params = request.query_params.copy()
    params["page"] = str(number)
    return f"{request.build_absolute_uri(request.path)}?{params.urlencode()}"


def _csv(pages: Iterator[tuple[CountedMember, ...]]) -> StreamingHttpResponse:
    """Answer with CSV, page after page. The first page is requested before the answer begins, so it can still fail."""
    first = next(pages, ())

    def parts() -> Iterator[str]:
        yield write_table(COLUMNS, map(_cells, first))
        for rows in pages:
            yield write_table(COLUMNS, map(_cells, rows)).split("\r\n", 1)[1]

    answer = StreamingHttpResponse(parts(), content_type="text/csv")
    answer["Content-Disposition"] = 'attachment; filename="group-members.csv"'
    return answer


def _cells(row: CountedMember) -> tuple[str, ...]:
    member = row.member
    activated = "" if member.activated_at is None else f"{member.activated_at:%Y-%m-%dT%H:%M:%SZ}"
    details = member.member_details
    return (
        details.user_email or "",
        details.user_name or "",
        member.recent_action,
        str(row.enrollment_count),
        activated,
        member.status,
    )

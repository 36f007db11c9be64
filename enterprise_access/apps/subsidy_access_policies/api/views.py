"""Budgets over REST: parse, authorize, one call, render."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.core.domain import Caller
from enterprise_access.apps.subsidy_access_policies.api.access import (
    caller_with_a_role,
    load_policy,
    reader_of,
    refuse_unless_writer,
    sees_money,
)
from enterprise_access.apps.subsidy_access_policies.api.serializers import (
    MAX_PAGE_SIZE,
    AddPolicySerializer,
    ChangePolicySerializer,
    DeactivatePolicySerializer,
    PoliciesQuery,
    PolicyPageSerializer,
    PolicySerializer,
    render_budget,
)
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.errors import CannotBeChecked, PolicyInUse
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import Budget, list_budgets, read_budget
from enterprise_access.apps.subsidy_access_policies.services import (
    By,
    NewPolicy,
    add_policy,
    change_policy,
    refresh_accounts,
)
from enterprise_access.lib import clock
from enterprise_access.lib.api import NoQuery, failures, parse_body, parse_query
from enterprise_access.lib.drf import Pagination
from enterprise_access.lib.errors import UpstreamReason
from enterprise_access.lib.middleware import error_body

TAGS: Final = ["subsidy-access-policies"]
CUSTOMER: Final = "enterprise_customer_uuid"
ACCOUNT_AGE: Final = timedelta(seconds=60)


class PolicyPages(Pagination):
    """Pages of 500: clients read the first page only."""

    page_size = max_page_size = MAX_PAGE_SIZE


class PoliciesView(APIView):
    """The budgets of a customer."""

    @extend_schema(
        operation_id="subsidy_access_policies_list",
        tags=TAGS,
        parameters=[PoliciesQuery],
        responses={200: PolicyPageSerializer, **failures(400, 404)},
    )
    def get(self, request: Request) -> Response:
        """Return the budgets of a customer, oldest first, inactive and retired ones included.

        Amounts are for admins of the customer and operators. If enterprise-subsidy does not answer, they are the last
        known ones, and `facts_fetched_at` says when they were read.
        """
        query = parse_query(PoliciesQuery, request)
        caller = reader_of(request, query[CUSTOMER])
        wanted = {name: query[name] for name in ("active", "policy_type") if query.get(name) is not None}
        budgets = [budget for budget in _young_budgets(query[CUSTOMER]) if wanted.items() <= budget.row.items()]
        pages = PolicyPages()
        page: list[Budget] = pages.paginate_queryset(budgets, request, view=self) or []
        with_money, now = sees_money(caller, query[CUSTOMER]), clock.now()
        rendered = [render_budget(budget, with_money=with_money, now=now) for budget in page]
        answer: Response = pages.get_paginated_response(rendered)
        return answer

    @extend_schema(
        operation_id="subsidy_access_policies_add",
        tags=TAGS,
        request=AddPolicySerializer,
        responses={200: PolicySerializer, 201: PolicySerializer, **failures(400, 404, 409, 503)},
    )
    def post(self, request: Request) -> Response:
        """Add a budget. Operators only.

        An active budget of the same customer, account, catalog, access method, type and display name is answered with
        200 when its limits are the same, and with 409 when one of them differs.
        """
        caller = caller_with_a_role(request)
        body = parse_body(AddPolicySerializer, request)
        reader_of(request, body[CUSTOMER])
        refuse_unless_writer(caller, body[CUSTOMER])
        policy, is_new = add_policy(_new(body), by=By(user=request.user), now=clock.now())
        return Response(_rendered(policy, caller), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


class PolicyView(APIView):
    """One budget."""

    @extend_schema(
        operation_id="subsidy_access_policies_retrieve",
        tags=TAGS,
        responses={200: PolicySerializer, **failures(400, 404, 503)},
    )
    def get(self, request: Request, policy_uuid: UUID) -> Response:
        """Return one budget. 503 if its account is unknown and enterprise-subsidy does not answer."""
        parse_query(NoQuery, request)
        caller = caller_with_a_role(request)
        policy = load_policy(caller, policy_uuid)
        rendered = _rendered(policy, caller)
        if rendered["facts_fetched_at"] is None:
            raise CannotBeChecked(
                "The account of this budget cannot be read now. Try again in a minute.",
                service="enterprise-subsidy",
                reason=UpstreamReason.CONNECTION,
            )
        return Response(rendered)

    @extend_schema(
        operation_id="subsidy_access_policies_change",
        tags=TAGS,
        request=ChangePolicySerializer,
        responses={200: PolicySerializer, **failures(400, 404, 409, 422, 503)},
    )
    def patch(self, request: Request, policy_uuid: UUID) -> Response:
        """Change a budget. Operators only.

        Deactivating one with spent or promised money is a 422, unless it is forced. A retired budget cannot be
        activated again.
        """
        return self._change(request, policy_uuid)

    @extend_schema(
        operation_id="subsidy_access_policies_replace",
        tags=TAGS,
        request=ChangePolicySerializer,
        responses={200: PolicySerializer, **failures(400, 404, 409, 422, 503)},
    )
    def put(self, request: Request, policy_uuid: UUID) -> Response:
        """Change a budget, exactly as PATCH does: omitted fields remain unchanged."""
        return self._change(request, policy_uuid)

    @extend_schema(
        operation_id="subsidy_access_policies_deactivate",
        tags=TAGS,
        request=DeactivatePolicySerializer,
        responses={200: PolicySerializer, **failures(400, 404, 422)},
    )
    def delete(self, request: Request, policy_uuid: UUID) -> Response:
        """Deactivate a budget, which stays readable. Operators only. Idempotent.

        One with spent or promised money is a 422, unless it is forced.
        """
        caller, policy = _load_to_write(request, policy_uuid)
        body = parse_body(DeactivatePolicySerializer, request) if request.data else {}
        return _changed(request, caller, policy, {"active": False}, body)

    def _change(self, request: Request, policy_uuid: UUID) -> Response:
        caller, policy = _load_to_write(request, policy_uuid)
        body = parse_body(ChangePolicySerializer, request)
        about: dict[str, Any] = {name: body.pop(name) for name in ("reason", "force") if name in body}
        if "display_name" in body:
            body["display_name"] = body["display_name"] or ""
        return _changed(request, caller, policy, body, about)


def _new(body: dict[str, Any]) -> NewPolicy:
    return NewPolicy(
        customer_uuid=body[CUSTOMER],
        subsidy_uuid=body["subsidy_uuid"],
        catalog_uuid=body["catalog_uuid"],
        policy_type=PolicyType(body["policy_type"]),
        access_method=AccessMethod(body["access_method"]),
        display_name=body.get("display_name") or "",
        description=body.get("description", ""),
        active=body.get("active", True),
        retired=body.get("retired", False),
        spend_limit=body.get("spend_limit"),
        per_learner_spend_limit=body.get("per_learner_spend_limit"),
        per_learner_enrollment_limit=body.get("per_learner_enrollment_limit"),
    )


def _load_to_write(request: Request, policy_uuid: UUID) -> tuple[Caller, SubsidyAccessPolicy]:
    parse_query(NoQuery, request)
    caller = caller_with_a_role(request)
    policy = load_policy(caller, policy_uuid)
    refuse_unless_writer(caller, policy.customer_uuid)
    return caller, policy


def _changed(
    request: Request, caller: Caller, policy: SubsidyAccessPolicy, changes: dict[str, Any], about: dict[str, Any]
) -> Response:
    by = By(user=request.user, reason=about.get("reason", ""))
    try:
        changed = change_policy(policy.pk, changes=changes, by=by, now=clock.now(), is_forced=about.get("force", False))
    except PolicyInUse as error:
        body = error_body(code=error.code, detail=error.detail, extra=error.extra)
        return Response(body, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    return Response(_rendered(changed, caller))


def _young_budgets(customer_uuid: UUID) -> list[Budget]:
    """Return all budgets of a customer, their accounts at most a minute old where they could be asked."""
    budgets, now = list_budgets(customer_uuid=customer_uuid), clock.now()
    old = {budget.row["subsidy_id"] for budget in budgets if budget.use.is_older(now - ACCOUNT_AGE)}
    if old and refresh_accounts(old, max_age=ACCOUNT_AGE, now=now):
        return list_budgets(customer_uuid=customer_uuid)
    return budgets


def _rendered(policy: SubsidyAccessPolicy, caller: Caller) -> dict[str, Any]:
    """Return a budget as the caller may see it, its account at most a minute old where it could be asked."""
    now = clock.now()
    refresh_accounts([policy.subsidy_id], max_age=ACCOUNT_AGE, now=now)
    return render_budget(read_budget(policy.pk), with_money=sees_money(caller, policy.customer_uuid), now=now)

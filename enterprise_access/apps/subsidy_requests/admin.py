"""Requests in the admin: what happened to each, and what support does about them."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import NoPlanChosen
from enterprise_access.apps.subsidy_requests.models import (
    SubsidyRequest,
    SubsidyRequestCustomerConfiguration,
    UnlinkRequest,
)
from enterprise_access.apps.subsidy_requests.services import unlinking
from enterprise_access.apps.subsidy_requests.services.credit_reviewing import approve_credit
from enterprise_access.apps.subsidy_requests.services.granting import QUEUE
from enterprise_access.apps.subsidy_requests.services.reviewing import (
    Review,
    approve_coupon_codes,
    approve_licenses,
    decline,
)
from enterprise_access.lib import clock
from enterprise_access.lib.admin import LearnerRowsAdmin, ReadOnlyAdmin, ReadOnlyHistoryAdmin
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.work.admin import WorkAdmin, chosen

_APPROVABLE = [RequestState.REQUESTED.value, RequestState.ERROR.value]

# Requests that one call decides on: those of a customer and a kind, from one plan, coupon or budget.
_Together = tuple[UUID, str, UUID | None, int | None, UUID | None]


@admin.register(SubsidyRequest)
class SubsidyRequestAdmin(ReadOnlyHistoryAdmin, LearnerRowsAdmin, WorkAdmin):
    """The requests of all customers."""

    queue = QUEUE
    list_display = [
        "lms_user_id",
        "email",
        "subsidy_type",
        "course_id",
        "state",
        "error_reason",
        "work",
        "due_at",
        "created",
    ]
    list_filter = ["subsidy_type", "state", "error_reason", "waiting_for"]
    search_fields = ["=email_folded", "course_id_folded"]
    search_help_text = "An LMS user id, a uuid (of a request, customer, plan, budget or assignment), or an address."
    uuid_paths = ("pk", "customer_uuid", "plan_uuid", "policy_uuid", "assignment_uuid", "license_uuid")
    actions = ["approve", "decline"]
    readonly_fields = ["timeline", "work"]
    first_fields = ["subsidy_type", "course_title", "course_id", "email", "state", "error_reason", "work", "timeline"]
    exclude = ["email_folded", "course_id_folded", "open_key", "lease_token", "generation", "priority"]

    @admin.display(description="state", ordering="state")
    def state(self, row: Any) -> str:
        return str(row.state)

    @admin.display(description="worker")
    def work(self, row: SubsidyRequest) -> str:
        return super().state(row) if row.state == RequestState.PENDING.value else ""

    @admin.display(description="What happened")
    def timeline(self, row: SubsidyRequest) -> SafeString:
        lines = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (f"{one.created:%Y-%m-%d %H:%M:%S} UTC", one.type, one.error_reason, _actor(one.actor_lms_user_id))
                for one in row.actions.all()
            ),
        )
        return format_html("<table><tbody>{}</tbody></table>", lines)

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("subsidy_requests.change_subsidyrequest")

    @admin.action(permissions=["act"], description="Approve, also again after an error (all of a budget, or none)")
    def approve(self, request: HttpRequest, queryset: Any) -> None:
        def do(rows: list[SubsidyRequest]) -> int:
            return len(_approve(rows, _review(request, rows)))

        self._act(request, queryset.filter(state__in=_APPROVABLE), do, done="approved")

    @admin.action(permissions=["act"], description="Decline (all of a customer, or none)")
    def decline(self, request: HttpRequest, queryset: Any) -> None:
        def do(rows: list[SubsidyRequest]) -> int:
            return len(decline(_review(request, rows), subsidy_type=rows[0].kind, reason=""))

        self._act(request, queryset, do, done="declined")

    def _act(
        self, request: HttpRequest, queryset: Any, do: Callable[[list[SubsidyRequest]], int], *, done: str
    ) -> None:
        rows = chosen(request, queryset)
        if rows is None:
            return
        count = 0
        for group in _grouped(rows):
            try:
                count += do(group)
            except ServiceError as error:
                messages.error(request, f"{len(group)} requests were not changed. {error.detail}")
                continue
            LogEntry.objects.log_actions(
                user_id=request.user.pk or 0, queryset=group, action_flag=CHANGE, change_message=done.capitalize()
            )
        messages.success(request, f"{count} {'request' if count == 1 else 'requests'} {done}.")


def _grouped(rows: list[SubsidyRequest]) -> list[list[SubsidyRequest]]:
    groups: dict[_Together, list[SubsidyRequest]] = defaultdict(list)
    for row in rows:
        groups[row.customer_uuid, row.subsidy_type, row.plan_uuid, row.coupon_id, row.policy_uuid].append(row)
    return list(groups.values())


def _review(request: HttpRequest, rows: list[SubsidyRequest]) -> Review:
    return Review(
        customer_uuid=rows[0].customer_uuid,
        request_uuids=[row.pk for row in rows],
        reviewer_lms_user_id=getattr(request.user, "lms_user_id", None),
        now=clock.now(),
        is_mail_wanted=rows[0].is_mail_wanted,
    )


def _approve(rows: list[SubsidyRequest], review: Review) -> list[SubsidyRequest]:
    """Approve with the budget that was asked for, or the plan or coupon that was chosen before.

    Raises NoPlanChosen where none was: that choice is the customer's.
    """
    first = rows[0]
    if first.kind is SubsidyType.LICENSE and first.plan_uuid is not None:
        return approve_licenses(review, plan_uuid=first.plan_uuid)
    if first.kind is SubsidyType.COUPON and first.coupon_id is not None:
        return approve_coupon_codes(review, coupon_id=first.coupon_id)
    if first.policy_uuid is not None:
        return approve_credit(review, policy_uuid=first.policy_uuid)
    raise NoPlanChosen("No plan or coupon was chosen yet. An admin of the customer chooses it in the admin portal.")


def _actor(lms_user_id: int | None) -> str:
    return "this service" if lms_user_id is None else f"user {lms_user_id}"


@admin.register(SubsidyRequestCustomerConfiguration)
class ConfigurationAdmin(ReadOnlyHistoryAdmin, ReadOnlyAdmin):
    """How customers take requests, and who changed that."""

    list_display = [
        "customer_uuid",
        "subsidy_requests_enabled",
        "subsidy_type",
        "notification_cadence",
        "last_remind_date",
        "modified",
    ]
    list_filter = ["subsidy_requests_enabled", "subsidy_type", "notification_cadence"]
    search_fields = ["=customer_uuid"]


@admin.register(UnlinkRequest)
class UnlinkRequestAdmin(WorkAdmin):
    """Learners of declined requests who are still to be unlinked from their customer in the LMS."""

    queue = unlinking.QUEUE
    list_display = ["request_id", "customer_uuid", "state", "created", "due_at", "failures", "waiting_for"]
    list_filter = ["waiting_for"]
    search_fields = ["=request__uuid"]
    actions = ["retry"]

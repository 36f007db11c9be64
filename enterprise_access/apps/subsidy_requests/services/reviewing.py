"""Admins approve and decline requests for licenses and coupon codes: all of them, or none."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db.models import QuerySet
from django.utils.translation import gettext

from enterprise_access.apps.subsidy_requests.domain.granting import coupon_group, license_group
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import NotEnoughLicenses, PlanUnknown
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.announcing import announce_approved
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import plan_enrollments
from enterprise_access.apps.subsidy_requests.services.granting import QUEUE
from enterprise_access.apps.subsidy_requests.services.mails import RequestMailKind, ask_for_mails
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests, movable, move, refuse_unknown
from enterprise_access.apps.subsidy_requests.services.unlinking import ask_for_unlinks
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.models import URGENT
from enterprise_access.lib.work.waking import wake
from enterprise_access.upstream import license_manager
from enterprise_access.upstream.license_manager.types import PlanRecord

# A coupon code that was not assigned after so long is not expected any more.
CODE_EXPECTED_WITHIN: Final = timedelta(days=1)


@frozen(kw_only=True)
class Review:
    """Which requests of which customer an admin decides on, and when."""

    customer_uuid: UUID
    request_uuids: Sequence[UUID]
    reviewer_lms_user_id: int | None
    now: datetime
    is_mail_wanted: bool = False
    is_unlinking_wanted: bool = False

    def rows(self, subsidy_type: SubsidyType) -> QuerySet[SubsidyRequest]:
        """Return the requests that are named; one of another customer or kind does not exist."""
        named = SubsidyRequest.objects.named(list(self.request_uuids), customer_uuid=self.customer_uuid)
        return named.filter(subsidy_type=subsidy_type.value)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that say who decided, and when."""
        return {
            "reviewed_at": self.now,
            "reviewer_lms_user_id": self.reviewer_lms_user_id,
            "is_mail_wanted": self.is_mail_wanted,
        }


def approve_licenses(review: Review, *, plan_uuid: UUID) -> list[SubsidyRequest]:
    """Approve requests for licenses of a plan; return those that changed. A worker grants the licenses.

    Raises RequestUnknown, PlanUnknown, RequestStateRefused, NotEnoughLicenses, and UpstreamError when license-manager
    cannot be asked. Nothing is changed then.
    """
    rows = list(review.rows(SubsidyType.LICENSE))
    refuse_unknown(rows, uuids=review.request_uuids)
    if not movable(rows, RequestAction.APPROVE):
        return []
    plan = _usable_plan(review.customer_uuid, plan_uuid)
    return _approve_licenses(review, plan)


def list_usable_plans(*, customer_uuid: UUID) -> list[PlanRecord]:
    """Return the customer's plans of which licenses can be granted now. Raises UpstreamError."""
    plans = license_manager.from_settings().list_plans(customer_uuid=customer_uuid)
    return [plan for plan in plans if plan.customer_uuid == customer_uuid and plan.is_current]


def _usable_plan(customer_uuid: UUID, plan_uuid: UUID) -> PlanRecord:
    """Return the customer's plan. One of another customer does not exist."""
    plans = license_manager.from_settings().list_plans(customer_uuid=customer_uuid)
    plan = next((plan for plan in plans if plan.uuid == plan_uuid and plan.customer_uuid == customer_uuid), None)
    if plan is None:
        raise PlanUnknown(f"The customer has no active subscription plan {plan_uuid}.")
    if not plan.is_current:
        raise NotEnoughLicenses(gettext("The subscription plan is not current. Choose another plan."))
    return plan


@retry_deadlocks
def _approve_licenses(review: Review, plan: PlanRecord) -> list[SubsidyRequest]:
    rows = lock_requests(review.rows(SubsidyType.LICENSE), uuids=review.request_uuids)
    changing = movable(rows, RequestAction.APPROVE)
    group = license_group(plan.uuid)
    _refuse_too_many(plan, group, wanted=len(changing))
    return _start_granting(changing, review, group=group, due_at=review.now, plan_uuid=plan.uuid)


def _refuse_too_many(plan: PlanRecord, group: str, *, wanted: int) -> None:
    """Raise NotEnoughLicenses, counting what was approved and is not asked for yet. Unknown counts refuse nothing."""
    if plan.unassigned is None:
        return
    waiting = SubsidyRequest.objects.filter(work_group=group, state=RequestState.PENDING.value, sent_at=None).count()
    left = max(plan.unassigned - waiting, 0)
    if wanted > left:
        raise NotEnoughLicenses(
            gettext("The subscription plan has %(left)d licenses left. Approve fewer requests.") % {"left": left}
        )


@retry_deadlocks
def approve_coupon_codes(review: Review, *, coupon_id: int) -> list[SubsidyRequest]:
    """Approve requests for codes of a coupon; return those that changed. Who assigns codes hears of it by an event.

    Raises RequestUnknown and RequestStateRefused. Nothing is changed then.
    """
    rows = lock_requests(review.rows(SubsidyType.COUPON), uuids=review.request_uuids)
    due_at = review.now + CODE_EXPECTED_WITHIN
    changing = movable(rows, RequestAction.APPROVE)
    return _start_granting(changing, review, group=coupon_group(coupon_id), due_at=due_at, coupon_id=coupon_id)


def _start_granting(
    rows: Sequence[SubsidyRequest], review: Review, *, group: str, due_at: datetime, **columns: Any
) -> list[SubsidyRequest]:
    changed = move(
        rows,
        RequestAction.APPROVE,
        now=review.now,
        actor_lms_user_id=review.reviewer_lms_user_id,
        **review.columns,
        **columns,
        work_group=group,
        due_at=due_at,
        priority=URGENT,
        failures=0,
        waiting_for="",
    )
    plan_enrollments(changed, now=review.now)
    announce_approved(changed, at=review.now)
    wake(QUEUE)
    return changed


@retry_deadlocks
def decline(review: Review, *, subsidy_type: SubsidyType, reason: str) -> list[SubsidyRequest]:
    """Decline requests; return those that changed. Raises RequestUnknown and RequestStateRefused, changing nothing.

    A worker unlinks the learners of those that changed from the customer, if that is wanted.
    """
    rows = lock_requests(review.rows(subsidy_type), uuids=review.request_uuids)
    changed = move(
        rows,
        RequestAction.DECLINE,
        now=review.now,
        actor_lms_user_id=review.reviewer_lms_user_id,
        **review.columns,
        decline_reason=reason,
        # What a failed request was granted may be granted to the next one.
        assignment_uuid=None,
    )
    if review.is_mail_wanted:
        ask_for_mails(RequestMailKind.DECLINED, changed, now=review.now)
    if review.is_unlinking_wanted:
        ask_for_unlinks(changed, now=review.now)
    return changed

"""Admins approve, decline, cancel and remind of requests for learner credit.

Approving promises the money and allocates in the approving transaction, so two approvals never pass on the same rest of
a budget. From then on a request follows its assignment (`following.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import evolve
from django.db import transaction
from django.utils.translation import gettext

from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.services.allocating import allocate_for_request
from enterprise_access.apps.content_assignments.services.reminding import remind
from enterprise_access.apps.content_assignments.services.transitions import cancel
from enterprise_access.apps.subsidy_access_policies.domain.policies import is_beyond_enroll_by
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
from enterprise_access.apps.subsidy_access_policies.services.accounts import refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.offers import Offer, fetch_offers
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import CreditRefused, NothingRequested, RequestStateRefused
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestAction
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import plan_enrollments, start_enrollments
from enterprise_access.apps.subsidy_requests.services.creating import partners_column
from enterprise_access.apps.subsidy_requests.services.credit import price_of
from enterprise_access.apps.subsidy_requests.services.reviewing import Review, decline
from enterprise_access.apps.subsidy_requests.services.transitions import (
    lock_requests,
    movable,
    move,
    note,
    refuse_unknown,
)
from enterprise_access.lib.transactions import retry_deadlocks

# How old a copy of the account may be when money is promised.
ACCOUNT_MAX_AGE: Final = timedelta(seconds=60)

# More requests than that are not decided in one transaction.
MAX_AT_ONCE: Final = 1000

CREDIT: Final = SubsidyType.LEARNER_CREDIT
Offers = Mapping[str, Offer]


def approve_credit(review: Review, *, policy_uuid: UUID) -> list[SubsidyRequest]:
    """Approve requests for learner credit of one budget: all of them, or none. Return those that changed.

    Raises RequestUnknown, PolicyUnknown, RequestStateRefused, and CreditRefused with the reason.
    """
    policy = get_policy(policy_uuid, customer_uuids=[review.customer_uuid])
    rows = list(review.rows(CREDIT).filter(policy_uuid=policy.pk))
    refuse_unknown(rows, uuids=review.request_uuids)
    changing = movable(rows, RequestAction.APPROVE)
    if not changing:
        return []
    offers = _fetch_offers(policy, changing, now=review.now)
    try:
        return _approve(review, policy, offers)
    except BudgetRefused as error:
        raise CreditRefused(error.detail, reason=error.reason.value) from None
    except AssignmentTransitionRefused:
        raise CreditRefused(
            gettext("A learner has an assignment of this course already."), reason="already_assigned"
        ) from None


def approve_all_credit(review: Review, *, policy_uuid: UUID) -> list[SubsidyRequest]:
    """Approve every undecided request of a budget. Raises NothingRequested, and what `approve_credit` raises."""
    return approve_credit(_of_all_undecided(review, policy_uuid), policy_uuid=policy_uuid)


def decline_all_credit(review: Review, *, policy_uuid: UUID, reason: str) -> list[SubsidyRequest]:
    """Decline every undecided request of a budget: all, or none. Raises NothingRequested and RequestStateRefused.

    Failed requests stay as they are: each is declined, or approved again, by itself.
    """
    return decline(_of_all_undecided(review, policy_uuid), subsidy_type=CREDIT, reason=reason)


def _of_all_undecided(review: Review, policy_uuid: UUID) -> Review:
    """Return the same review of all undecided requests of a budget. Raises NothingRequested, and CreditRefused."""
    requested = SubsidyRequest.objects.of_kind(CREDIT).filter(
        customer_uuid=review.customer_uuid, policy_uuid=policy_uuid, state=RequestState.REQUESTED.value
    )
    uuids = list(requested.order_by("created", "uuid").values_list("pk", flat=True)[: MAX_AT_ONCE + 1])
    if not uuids:
        raise NothingRequested("No request of this budget waits for a decision.")
    if len(uuids) > MAX_AT_ONCE:
        detail = gettext("More than %(most)d requests wait. Decide on some of them first.") % {"most": MAX_AT_ONCE}
        raise CreditRefused(detail, reason="too_many_requests")
    return evolve(review, request_uuids=uuids)


def _fetch_offers(policy: SubsidyAccessPolicy, rows: Sequence[SubsidyRequest], *, now: datetime) -> Offers:
    """Ask the catalog and the ledger, once for all. Raises CreditRefused for what cannot be paid, or is not known."""
    courses = list(dict.fromkeys(row.course_id for row in rows))
    found = fetch_offers([policy], courses, now=now)
    offers = {course: found[policy.pk, course] for course in courses}
    for reason, detail in _REFUSALS.items():
        refused = [row.pk for row in rows if _problem(policy, offers[row.course_id], now) == reason]
        if refused:
            raise CreditRefused(str(detail()), reason=reason, request_uuids=refused)
    if policy.subsidy_id not in refresh_accounts([policy.subsidy_id], max_age=ACCOUNT_MAX_AGE, now=now):
        raise CreditRefused(gettext("The balance could not be asked. Try again."), reason="subsidy_unavailable")
    return offers


_REFUSALS: Final = {
    "content_not_in_catalog": lambda: gettext("A course is not in the budget's catalog."),
    "content_unavailable": lambda: gettext("The catalog could not be asked. Try again."),
    "content_price_unknown": lambda: gettext("The catalog gives no price for a course."),
    "enrollment_deadline_passed": lambda: gettext("The enrollment deadline of a course has passed."),
}


def _problem(policy: SubsidyAccessPolicy, offer: Offer, now: datetime) -> str | None:
    if offer.is_in_catalog is None or offer.has_metadata is None:
        return "content_unavailable"
    if not (offer.is_in_catalog and offer.has_metadata):
        return "content_not_in_catalog"
    if price_of(offer) is None:
        return "content_price_unknown"
    late_until = policy.late_redemption_allowed_until
    is_late = is_beyond_enroll_by(enroll_by=offer.enroll_by, late_until=late_until, now=now)
    return "enrollment_deadline_passed" if is_late else None


@retry_deadlocks
def _approve(review: Review, policy: SubsidyAccessPolicy, offers: Offers) -> list[SubsidyRequest]:
    # (A transaction of its own also within one: what is refused half way leaves nothing behind.)
    with transaction.atomic():
        rows = lock_requests(review.rows(CREDIT).filter(policy_uuid=policy.pk), uuids=review.request_uuids)
        changing = [row for row in movable(rows, RequestAction.APPROVE) if row.course_id in offers]
        for row in changing:
            _allocate(row, offers[row.course_id], review)
        _take_over([row.assignment_uuid for row in changing if row.assignment_uuid])
        SubsidyRequest.objects.bulk_update(
            changing, ["assignment_uuid", "course_price", "course_title", "course_partners"]
        )
        approved = move(
            changing,
            RequestAction.APPROVE,
            now=review.now,
            actor_lms_user_id=review.reviewer_lms_user_id,
            **review.columns,
        )
        plan_enrollments(approved, now=review.now)
        start_enrollments(approved, now=review.now)
        return approved


def _allocate(row: SubsidyRequest, offer: Offer, review: Review) -> None:
    """Promise the money and assign the course, in the approving transaction."""
    price = price_of(offer)
    assert price is not None  # noqa: S101 (refused before)
    assert row.policy_uuid is not None  # noqa: S101 (chosen by it)
    assignment = allocate_for_request(
        policy_uuid=row.policy_uuid,
        lms_user_id=row.lms_user_id,
        email=row.email,
        content_key=row.course_id,
        amount_cents=price,
        actor=review.reviewer_lms_user_id,
        now=review.now,
        offer=offer,
    )
    row.assignment_uuid, row.course_price = assignment.pk, price
    row.course_title = row.course_title or offer.title[:255]
    if row.course_partners is None:
        row.course_partners = partners_column(offer.partners)


def _take_over(assignment_uuids: Sequence[UUID]) -> None:
    """Let assignments that are allocated again be those of these requests alone: earlier ones have ended."""
    earlier = lock_requests(SubsidyRequest.objects.filter(assignment_uuid__in=assignment_uuids))
    SubsidyRequest.objects.filter(pk__in=[row.pk for row in earlier]).update(assignment_uuid=None)


@retry_deadlocks
def cancel_credit(review: Review) -> SubsidyRequest:
    """Cancel an approved request with its assignment, and give the money back. A cancelled one stays as it is.

    Raises RequestUnknown, and RequestStateRefused: another state, or the assignment is being redeemed.
    """
    (row,) = _named(review)
    if row.state == RequestState.CANCELLED.value:
        return row
    if row.state != RequestState.APPROVED.value or row.assignment_uuid is None:
        raise _wrong_state(row, "cancel")
    try:
        # The assignment is locked first, as by everyone who changes it; the request follows it.
        cancel([row.assignment_uuid], now=review.now, actor_lms_user_id=review.reviewer_lms_user_id)
    except AssignmentTransitionRefused as error:
        raise RequestStateRefused(error.detail, refused=[(row.pk, row.state)]) from None
    SubsidyRequestAction.objects.filter(request=row, created=review.now).update(
        actor_lms_user_id=review.reviewer_lms_user_id
    )
    row.refresh_from_db()
    if row.state != RequestState.CANCELLED.value:
        raise _wrong_state(row, "cancel")
    return row


@retry_deadlocks
def remind_of_credit(review: Review) -> SubsidyRequest:
    """Mail the learner again what was approved. Raises RequestUnknown and RequestStateRefused."""
    (row,) = _named(review)
    if row.state != RequestState.APPROVED.value or row.assignment_uuid is None:
        raise _wrong_state(row, "remind")
    try:
        remind([row.assignment_uuid], now=review.now)
    except AssignmentTransitionRefused as error:
        raise RequestStateRefused(error.detail, refused=[(row.pk, row.state)]) from None
    note([row], ActionType.REMINDED, now=review.now, actor_lms_user_id=review.reviewer_lms_user_id)
    return row


def _named(review: Review) -> list[SubsidyRequest]:
    rows = list(review.rows(CREDIT))
    refuse_unknown(rows, uuids=review.request_uuids)
    return rows


def _wrong_state(row: SubsidyRequest, action: str) -> RequestStateRefused:
    detail = f"Request {row.pk} is {row.state}: {action} is not possible."
    return RequestStateRefused(detail, refused=[(row.pk, row.state)])

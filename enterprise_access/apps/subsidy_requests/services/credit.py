"""A learner asks for learner credit: from a budget that takes requests, at our price, whatever the client thinks."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext

from enterprise_access.apps.subsidy_access_policies.domain.money import price_cents
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.offers import Offer, fetch_offers
from enterprise_access.apps.subsidy_requests.domain.requests import AGAIN_STATES
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import RequestNotAllowed
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.creating import Asker, Created, add_request, partners_column
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests, move
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks


def create_credit_request(
    *, customer_uuid: UUID, policy_uuid: UUID, asker: Asker, course_id: str, now: datetime
) -> Created:
    """Ask for learner credit. Asking again returns the open request, or takes one up again that has ended.

    Raises PolicyUnknown, and RequestNotAllowed: the budget takes no requests, or the course is not in its catalog. A
    course of which nothing is known (the catalog cannot be asked) is accepted, and judged when it is approved.
    """
    policy = get_policy(policy_uuid, customer_uuids=[customer_uuid])
    if not takes_requests(policy):
        raise RequestNotAllowed(gettext("This budget does not take requests."), code="browse_and_request_disabled")
    offer = fetch_offers([policy], [course_id], now=now)[policy.pk, course_id]
    if offer.is_in_catalog is False:
        raise RequestNotAllowed(
            gettext("This course is not in your organization's catalog."), code="content_not_in_catalog"
        )
    row = SubsidyRequest(
        customer_uuid=customer_uuid,
        subsidy_type=SubsidyType.LEARNER_CREDIT.value,
        lms_user_id=asker.lms_user_id,
        email=asker.email,
        course_id=course_id,
        course_title=offer.title[:255],
        course_partners=partners_column(offer.partners),
        policy_uuid=policy.pk,
        course_price=price_of(offer),
    )
    return _add_or_take_up(row, now)


def takes_requests(policy: SubsidyAccessPolicy) -> bool:
    """Say whether learners may ask for the budget's money."""
    return policy.learner_credit_request_config is not None and policy.active and not policy.retired


def price_of(offer: Offer) -> int | None:
    """Return the price of an offer in cents; None: not known."""
    return price_cents(assignment_cents=None, run_dollars=offer.run_dollars, course_dollars=offer.course_dollars)


@retry_deadlocks
def _add_or_take_up(row: SubsidyRequest, now: datetime) -> Created:
    ended = SubsidyRequest.objects.of_kind(SubsidyType.LEARNER_CREDIT).filter(
        customer_uuid=row.customer_uuid,
        lms_user_id=row.lms_user_id,
        course_id_folded=fold(row.course_id),
        state__in=[state.value for state in AGAIN_STATES],
    )
    row.course_id_folded = fold(row.course_id)
    if SubsidyRequest.objects.filter(open_key=row.own_open_key).exists():
        return add_request(row, now=now)
    newest = ended.order_by("-created").values_list("pk", flat=True)[:1]
    locked = lock_requests(ended.filter(pk__in=list(newest)))
    if not locked:
        return add_request(row, now=now)
    (again,) = move(
        locked,
        RequestAction.REQUEST_AGAIN,
        now=now,
        actor_lms_user_id=row.lms_user_id,
        open_key=row.own_open_key,
        email=row.email,
        email_folded=fold(row.email),
        policy_uuid=row.policy_uuid,
        course_title=row.course_title or locked[0].course_title,
        course_partners=locked[0].course_partners if row.course_partners is None else row.course_partners,
        course_price=row.course_price,
        assignment_uuid=None,
        reviewed_at=None,
        reviewer_lms_user_id=None,
        decline_reason="",
    )
    return Created(request=again, is_new=False)
